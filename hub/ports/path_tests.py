"""Test alarms the hub sends to itself over the real path, as they cross the floors."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple, Protocol

from hub.ports.records import Json

__all__ = ["PathSeen", "PathTestRow", "PathTests"]


class PathTestRow(NamedTuple):
    """One test. `day`: of a daily one; `ref`: what its alarm carries."""

    id: str
    ref: str
    day: date | None
    asked_by: str
    asked_at: datetime
    state: str


class PathSeen(NamedTuple):
    """Where the alarm of a test has come to: the row's time, its incident and the place of that on the timeline."""

    recorded_at: datetime
    incident_id: str | None
    seq: int | None


class PathTests(Protocol):
    def want(self, row_id: str, ref: str, day: date | None, asked_by: str, at: datetime) -> bool:
        """False where that day's is there already."""

    def claim(self, now: datetime, stuck_before: datetime) -> PathTestRow | None:
        """One that is wanted, or was begun by a process that has died (SKIP LOCKED); it is running then."""

    def seen(self, device_id: str, ref: str) -> PathSeen | None:
        """Where its alarm has come to; None: nowhere yet."""

    def finish(self, row: PathTestRow, fields: Json) -> None: ...

    def last(self) -> Json | None:
        """The latest that was finished."""
