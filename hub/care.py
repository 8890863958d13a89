"""The people and places of care, as values: residents, contacts, areas. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

__all__ = [
    "ABSENT_STATUSES",
    "RESIDENT_STATUSES",
    "TEMPORARY_STATUSES",
    "Resident",
    "ResidentStatus",
    "age_on",
    "raises_alarms",
]

ResidentStatus = Literal["home", "away", "hospital", "moved", "deceased"]
RESIDENT_STATUSES: tuple[ResidentStatus, ...] = ("home", "away", "hospital", "moved", "deceased")
ABSENT_STATUSES: frozenset[ResidentStatus] = frozenset({"away", "hospital", "moved", "deceased"})
TEMPORARY_STATUSES: frozenset[ResidentStatus] = frozenset({"away", "hospital"})
"""Absences from which somebody is expected back."""


@dataclass(frozen=True, slots=True)
class Resident:
    """The older person, as far as decisions need it.

    `area_path` runs from the district down to the micro-grid. `never_responders` are refused by the resident,
    `regular_responders` those who usually come (ids). `flags` are the words of risk on the record.
    """

    id: str
    name: str
    status: ResidentStatus = "home"
    status_since: datetime | None = None
    born_on: date | None = None
    area_id: str | None = None
    area_path: tuple[str, ...] = ()
    lat: float | None = None
    lon: float | None = None
    lives_alone: bool = False
    sex: Literal["f", "m"] | None = None
    never_responders: frozenset[str] = frozenset()
    regular_responders: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()


def raises_alarms(status: ResidentStatus) -> bool:
    """Whether an alarm of this resident's own devices opens an incident: not in hospital, not moved, not deceased.

    A resident who is merely away (on a trip, with the watch on) may still press: that press is real.
    """
    return status in ("home", "away")


def age_on(born_on: date, today: date) -> int:
    """Full years on a day."""
    return today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))
