"""`hub plan`: a planning problem in, routes out. What takes long to import is imported only when a plan is made."""

from __future__ import annotations

from hub.planning.command import plan

__all__ = ["plan"]
