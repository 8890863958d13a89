"""Messages that must reach somebody."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from hub.ports.records import OutboxRow
from hub.store.session import Session, as_json

__all__ = ["OutboxDrawer"]


class OutboxDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: list[OutboxRow] = []

    def add(self, *rows: OutboxRow) -> None:
        self._rows.extend(rows)

    def claim(self, channel: str, now: datetime, limit: int, *, retry_after: timedelta) -> list[OutboxRow]:
        """Rows that have expired are marked as failed ("expired") and not given."""
        self._session.flush()
        self._session.run("outbox_expire", channel=channel, now=now)
        rows = self._session.all("outbox_claim", channel=channel, now=now, limit=limit, retry_after=retry_after)
        return sorted((OutboxRow(**row) for row in rows), key=lambda row: row.id or 0)

    def supersede(self, channel: str, incident_id: str, at: datetime) -> None:
        self._session.run("outbox_supersede", channel=channel, incident_id=incident_id, at=at)

    def hasten(self, device_ids: Collection[str], at: datetime) -> None:
        self._session.run("outbox_hasten", ids=list(device_ids), at=at)

    def sent(self, ids: Iterable[int], at: datetime) -> None:
        self._session.run("outbox_sent", ids=list(ids), at=at)

    def failed(self, row_id: int, error: str, at: datetime, *, final: bool) -> None:
        self._session.run("outbox_failed", id=row_id, error=error, at=at, final=final)

    def write(self) -> None:
        if not self._rows:
            return
        rows = [
            {
                "n": number,
                "channel": row.channel,
                "target": row.target,
                "body": row.body,
                "incident_id": row.incident_id,
                "created_at": row.created_at,
                "due_at": row.due_at,
                "expires_at": row.expires_at,
            }
            for number, row in enumerate(self._rows)
        ]
        self._rows = []
        self._session.queue("outbox_add", rows=as_json(rows))
        self._session.queue("outbox_notify")
