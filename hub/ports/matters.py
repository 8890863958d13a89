"""Matters that people reported, and who has which part in an incident. Protocols and rows only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from hub.alarms.model import Priority
from hub.ports.records import Json

__all__ = ["MatterRow", "Matters"]


@dataclass(frozen=True, slots=True)
class MatterRow:
    """By when an incident that a person reported must be resolved, and how often it rose because it was not."""

    incident_id: str
    priority: Priority
    due_at: datetime
    raised: int


class Matters(Protocol):
    def follow(self, times: Mapping[Priority, timedelta]) -> int:
        """Makes rows for live incidents of people's reports that have none, and moves those whose priority was
        changed by somebody; gives how many.
        """

    def due(self, now: datetime, limit: int) -> list[str]:
        """Ids of live incidents whose matter is overdue, the longest first; not locked."""

    def get(self, incident_id: str) -> MatterRow | None:
        """Locked for the transaction."""

    def put(self, row: MatterRow) -> None: ...

    def parts(self, incident_id: str) -> Json | None:
        """`report` (source, channel, who, at), `responsible`, `resolver`, `supervisor`, `supervision`, `area_id`,
        `opened_at`, `matter`, `return_visit` of an incident; None: there is none.
        """

    def has_return_visit(self, incident_id: str) -> bool: ...
