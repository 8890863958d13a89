"""How loaded the desk is, and its silences, as pages and programs read them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from hub.ports.records import Json

__all__ = ["LoadReads"]


class LoadReads(Protocol):
    def windows_page(self, state: str, now: datetime, limit: int, cursor: str | None) -> tuple[list[Json], str | None]:
        """Silences and maintenance windows, `state` in_force, coming, over or all; the newest first."""
