"""Test alarms over the real path, as rows."""

from __future__ import annotations

from datetime import date, datetime

from hub.ports.path_tests import PathSeen, PathTestRow
from hub.ports.records import Json
from hub.store.session import Session, as_json

__all__ = ["PathTestsDrawer"]


class PathTestsDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def want(self, row_id: str, ref: str, day: date | None, asked_by: str, at: datetime) -> bool:
        return self._session.run("path_test_want", id=row_id, ref=ref, day=day, asked_by=asked_by, at=at) > 0

    def claim(self, now: datetime, stuck_before: datetime) -> PathTestRow | None:
        row = self._session.one("path_test_claim", now=now, stuck_before=stuck_before)
        return None if row is None else PathTestRow(**row)

    def seen(self, device_id: str, ref: str) -> PathSeen | None:
        row = self._session.one("path_test_seen", device_id=device_id, ref=ref)
        return None if row is None else PathSeen(**row)

    def finish(self, row: PathTestRow, fields: Json) -> None:
        self._session.run("path_test_finish", id=row.id, **{**fields, "steps": as_json(fields["steps"])})

    def last(self) -> Json | None:
        found: Json | None = self._session.value("path_test_last")
        return found
