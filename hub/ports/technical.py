"""The work list of devices as pages and programs read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.ports.records import Json

__all__ = ["TechnicalReads", "TechnicalWork"]


@dataclass(frozen=True, slots=True)
class TechnicalWork:
    """A day's list. `stations`: every station with work that day (id None: no station serves the place), whatever
    station the items were narrowed to. `more`: there are more than the items tell.
    """

    items: list[Json]
    stations: list[Json]
    more: bool


class TechnicalReads(Protocol):
    def technical_work(self, start: datetime, end: datetime, now: datetime, station: str | None) -> TechnicalWork:
        """What was open at some time between `start` and `end`: open ones first, then by how many technical alarms
        their devices made in 30 days (a shared cause: how many devices hang on it). `station` "none": without one.
        """
