"""Silences, and how loaded the desk is, as pages see them."""

from __future__ import annotations

from datetime import datetime

from hub.ports.records import Json
from hub.store.reads_base import LAST_ID, ReadsBase, bounded, cursor_values, page

__all__ = ["LoadReadsPostgres"]


class LoadReadsPostgres(ReadsBase):
    def windows_page(self, state: str, now: datetime, limit: int, cursor: str | None) -> tuple[list[Json], str | None]:
        set_at, ident = cursor_values(cursor, (datetime, bytes), ("infinity", LAST_ID))
        rows = self._ask("windows_page", state=state, now=now, set_at=set_at, before=ident, limit=bounded(limit) + 1)
        found = page(rows, limit, ("set_at", "id"), lambda row: row["view"])
        return found.items, found.next_cursor
