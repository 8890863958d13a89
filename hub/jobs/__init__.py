"""Jobs: what happens because time has passed."""

from __future__ import annotations

from hub.jobs.runner import Jobs, Wake

__all__ = ["Jobs", "Wake"]
