"""What the hub does in a second, beside what the same machine does without it. See docs/benchmarks.md."""

from __future__ import annotations
