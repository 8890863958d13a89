"""Matters' rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from hub.alarms.model import Priority
from hub.ports.matters import MatterRow
from hub.ports.records import Json
from hub.store.session import Session, as_json, is_uuid

__all__ = ["MattersDrawer"]


class MattersDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def follow(self, times: Mapping[Priority, timedelta]) -> int:
        rows = [{"priority": level, "seconds": span.total_seconds()} for level, span in times.items()]
        return self._session.run("matters_follow", times=as_json(rows))

    def due(self, now: datetime, limit: int) -> list[str]:
        return [row["incident_id"] for row in self._session.all("matters_due", now=now, limit=limit)]

    def get(self, incident_id: str) -> MatterRow | None:
        row = self._session.one("matters_get", id=incident_id)
        return MatterRow(**row) if row else None

    def put(self, row: MatterRow) -> None:
        self._session.run(
            "matters_put", incident_id=row.incident_id, priority=row.priority, due_at=row.due_at, raised=row.raised
        )

    def parts(self, incident_id: str) -> Json | None:
        row = self._session.one("matters_parts", id=incident_id) if is_uuid(incident_id) else None
        return row["view"] if row else None

    def has_return_visit(self, incident_id: str) -> bool:
        return bool(self._session.value("matters_return_visit", id=incident_id))
