"""`python -m simulators` is `simulate`."""

from __future__ import annotations

from simulators.cli import main

main()
