"""What people must be told, and the tries to tell them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from hub.notices.model import Until
from hub.ports.notices import NoticeRow
from hub.ports.records import Json
from hub.store.session import Session, as_json

__all__ = ["NoticesDrawer"]


class NoticesDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, row: NoticeRow) -> str:
        made = self._session.value(
            "notices_add",
            id=row.id,
            lane=row.lane,
            channel=row.channel,
            party=row.party,
            template=row.template,
            params=as_json(dict(row.params)),
            until=row.until,
            incident_id=row.incident_id,
            assignment_id=row.assignment_id,
            next_channels=list(row.next_channels),
            before_id=row.before_id,
            key=row.key,
            created_at=row.created_at,
            due_at=row.due_at,
            late_at=row.late_at,
            expires_at=row.expires_at,
        )
        if made is None:
            made = self._session.value("notices_by_key", key=row.key)
        else:
            self._session.run("notices_notify")
        return str(made)

    def withdraw(
        self, incident_id: str, until: Collection[Until], keep: Collection[str], reason: str, at: datetime
    ) -> list[NoticeRow]:
        rows = self._session.all(
            "notices_withdraw", incident_id=incident_id, until=list(until), keep=list(keep), reason=reason, at=at
        )
        return sorted((_row(row) for row in rows), key=lambda row: row.id)

    def of_incident(self, incident_id: str) -> Sequence[NoticeRow]:
        return [_row(row) for row in self._session.all("notices_of_incident", incident_id=incident_id)]


def _row(found: Json) -> NoticeRow:
    return NoticeRow(**{**found, "next_channels": tuple(found["next_channels"])})
