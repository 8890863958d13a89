"""Which days are worked: weekdays, but for the exceptions that a calendar names (public holidays, make-up days)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

__all__ = ["WEEKDAYS_ONLY", "Calendar", "DayKind", "Days"]

DayKind = Literal["off", "work"]
Days = Literal["every", "workdays", "days_off"]
"""What a rotation or a wanted cover is for: every day, working days (make-up days among them), or the others."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """`exceptions`: days that are not what their weekday says: `off` on a weekday, `work` on a weekend."""

    exceptions: Mapping[date, DayKind] = field(default_factory=dict)

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        named = self.exceptions.get(day)
        return named == "work" if named is not None else day.weekday() < 5

    def suits(self, day: date, days: Days) -> bool:
        """Whether the day is one of those meant."""
        return days == "every" or self.works(day) == (days == "workdays")


WEEKDAYS_ONLY = Calendar()
