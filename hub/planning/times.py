"""Times of a planning problem: RFC 3339, "HH:MM" of the day, or minutes of the day. They go out as they came in."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

__all__ = ["DayClock"]

CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?")


class DayClock:
    """Turns what people write into whole seconds after the day's midnight, and back in the way of the first time
    read."""

    def __init__(self, day: str | None) -> None:
        """`day` is an ISO date; ValueError if it is none."""
        self._day = date.fromisoformat(day) if day is not None else None
        self._zone: tzinfo | None = None
        self._style: str | None = None

    def seconds(self, value: object) -> int:
        """Raises ValueError with what is wrong with the value."""
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError(f"{value!r} is not a time (RFC 3339, HH:MM, or minutes of the day)")
        if not isinstance(value, str):
            if not abs(value) < 1e6:
                raise ValueError(f"{value!r} is not a number of minutes")
            self._style = self._style or "minutes"
            return round(value * 60)
        whole = CLOCK.fullmatch(value.strip())
        if whole:
            self._style = self._style or "clock"
            hours, minutes, seconds = (int(part or 0) for part in whole.groups())
            if hours > 47:
                raise ValueError(f"{value!r}: a day and the night after it end at 47:59")
            return hours * 3600 + minutes * 60 + seconds
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a time (RFC 3339, HH:MM, or minutes of the day)") from None
        if moment.tzinfo is None:
            raise ValueError(f"{value!r}: the offset is missing, as in +08:00")
        self._style = self._style or "moment"
        self._zone = self._zone or moment.tzinfo
        if self._day is None:
            self._day = moment.date()
        return round((moment - self._midnight()).total_seconds())

    def _midnight(self) -> datetime:
        return datetime.combine(self._day or date(1970, 1, 1), time(), self._zone or UTC)

    def shown(self, seconds: int) -> str | float:
        """In the style of the first time read; minutes if none was."""
        if self._style == "moment":
            return (self._midnight() + timedelta(seconds=seconds)).isoformat()
        if self._style == "clock":
            sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
            text = f"{sign}{rest // 3600:02d}:{rest // 60 % 60:02d}"
            return f"{text}:{rest % 60:02d}" if rest % 60 else text
        minutes = seconds / 60
        return int(minutes) if minutes == int(minutes) else round(minutes, 4)
