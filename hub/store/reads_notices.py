"""Notices, their tries and webhooks as pages see them."""

from __future__ import annotations

from datetime import datetime

from hub.ports.records import Json
from hub.store.reads_base import LAST_ID, ReadsBase, bounded, cursor_values, page
from hub.store.session import is_uuid

__all__ = ["NoticeReadsPostgres"]

_WHERE = ("incident", "state", "channel", "lane", "party")


class NoticeReadsPostgres(ReadsBase):
    def notices(self, limit: int, cursor: str | None, **where: str | None) -> tuple[list[Json], str | None]:
        created_at, ident = cursor_values(cursor, (datetime, bytes), ("infinity", LAST_ID))
        given = {name: where.get(name) for name in _WHERE}
        if given["incident"] is not None and not is_uuid(given["incident"]):
            return [], None
        rows = self._ask("notices_page", created_at=created_at, id=ident, limit=bounded(limit) + 1, **given)
        found = page(rows, limit, ("created_at", "id"), lambda row: row["view"])
        return found.items, found.next_cursor

    def notice(self, notice_id: str) -> Json | None:
        rows = self._ask("notices_one", id=notice_id) if is_uuid(notice_id) else []
        return rows[0]["view"] if rows else None

    def webhook_views(self, now: datetime, webhook_id: str | None = None) -> list[Json]:
        if webhook_id is not None and not is_uuid(webhook_id):
            return []
        return [row["view"] for row in self._ask("webhook_views", now=now, id=webhook_id)]

    def notice_counts(self, now: datetime) -> list[Json]:
        return [row["view"] for row in self._ask("notice_counts", now=now)]
