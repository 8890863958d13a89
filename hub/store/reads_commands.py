"""Commands to devices, as pages and programs read them."""

from __future__ import annotations

from datetime import datetime

from hub.ports.reads import Page
from hub.ports.records import Json
from hub.store.reads_base import LAST_ID, ReadsBase, bounded, cursor_values, page
from hub.store.session import is_uuid

__all__ = ["CommandReadsPostgres"]

_END_OF_TIME = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


class CommandReadsPostgres(ReadsBase):
    def commands(self, device_id: str, limit: int, cursor: str | None) -> Page:
        created_at, last = cursor_values(cursor, (datetime, bytes), (_END_OF_TIME, LAST_ID))
        rows = self._ask("commands_page", device_id=device_id, created_at=created_at, id=last, limit=bounded(limit) + 1)
        return page(rows, limit, ("created_at", "id"), lambda row: row["view"])

    def command(self, device_id: str, command_id: str) -> Json | None:
        if not is_uuid(command_id):
            return None
        rows = self._ask("commands_one", device_id=device_id, id=command_id)
        return rows[0]["view"] if rows else None
