"""A timeline in memory behind the `Reads` port, and a bell in place of NOTIFY: for the rules of the feed alone."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

from hub.errors import UnavailableError
from hub.ports import Cursor, Json

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


class Bell:
    """`wake` of the feed: rings when something was committed."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        self._told: deque[str] = deque()

    def ring(self) -> None:
        self._rung.set()

    def tell(self, text: str) -> None:
        """A notification that carries something, with nothing new on the timeline."""
        self._told.append(text)
        self._rung.set()

    def wait(self, seconds: float, heed: Callable[[str], bool]) -> bool:
        came = self._rung.wait(seconds)
        self._rung.clear()
        while self._told:
            came = heed(self._told.popleft()) or came
        return came


class MemoryTimeline:
    """The part of `Reads` that the feed uses."""

    def __init__(self, bell: Bell, *, epoch: str = "e1", seq: int = 0) -> None:
        self.bell = bell
        self.epoch = epoch
        self.seq = seq
        self.away = False
        self.reads = 0
        self.entries: list[Json] = []
        self.incidents: dict[str, Json] = {}
        self.assignments: dict[str, Json] = {}
        self._lock = threading.Lock()

    # -- what a transaction would do

    def write(self, incident_id: str, kind: str, *, ring: bool = True, priority: str = "medium", **body: Any) -> int:
        """One entry of an incident; its view is at once the one after it."""
        with self._lock:
            self.seq += 1
            self.incidents[incident_id] = {
                "id": incident_id,
                "seq": self.seq,
                "priority": priority,
                "state": "open",
                "resident": {"id": f"R-{incident_id}"},
                "assignments": [row for row in self.assignments.values() if row["incident_id"] == incident_id],
            }
            self.entries.append(
                {
                    "seq": self.seq,
                    "at": NOW,
                    "kind": kind,
                    "subject_kind": "incident",
                    "subject_id": incident_id,
                    "actor": None,
                    "body": body,
                }
            )
            seq = self.seq
        if ring:
            self.bell.ring()
        return seq

    def restore(self, epoch: str, seq: int) -> None:
        with self._lock:
            self.epoch, self.seq = epoch, seq
            self.entries = [row for row in self.entries if row["seq"] <= seq]

    def _awake(self) -> None:
        if self.away:
            raise UnavailableError("the database is away")

    # -- Reads

    def cursor(self) -> Cursor:
        self._awake()
        with self._lock:
            return Cursor(self.epoch, self.seq)

    def entries_since(self, seq: int, limit: int) -> list[Json]:
        self._awake()
        self.reads += 1
        with self._lock:
            return [row for row in self.entries if row["seq"] > seq][:limit]

    def news_since(self, seq: int, limit: int) -> tuple[list[Json], dict[str, Json]]:
        entries = self.entries_since(seq, limit)
        with self._lock:
            critical = {row["subject_id"] for row in entries if row["body"].get("priority") == "critical"}
            return entries, {ident: self.incidents[ident] for ident in critical if ident in self.incidents}

    def incidents_by_id(self, ids: Collection[str]) -> dict[str, Json]:
        self._awake()
        with self._lock:
            return {ident: self.incidents[ident] for ident in ids if ident in self.incidents}

    def assignments_by_id(self, ids: Collection[str]) -> dict[str, Json]:
        with self._lock:
            return {ident: self.assignments[ident] for ident in ids if ident in self.assignments}

    def orders_by_id(self, _ids: Collection[str]) -> dict[str, Json]:
        return {}

    def order_of_visit(self, _visit_id: str) -> Json | None:
        return None

    def record(self, _table: str, _row_id: str) -> Json | None:
        return None

    def summary(self, _user_id: str | None) -> Json:
        self._awake()
        return {"unclaimed": {"critical": 1, "high": 2, "medium": 0, "low": 0}}
