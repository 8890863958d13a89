"""What the tracker families (iw, minifinder2, gt06, h02) have in common. None of them authenticates itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from devices.alarm_types import UNKNOWN_TYPE, alarm_type
from devices.codecs.watch_position import TRUST
from devices.fields import Faults, number, show
from devices.model import Event, EventKind, Fix

__all__ = ["TRUST", "Teller", "clock", "own_table", "utc_offset", "word_of"]

MAX_CELLS = 16
MAX_WIFI = 32


@dataclass(frozen=True, slots=True)
class Teller:
    """Makes the events of one message: whose they are and what stands in each of them.

    `device_id` is "" where neither the message nor the connection has said it; such events have no key.
    """

    family: str
    device_id: str
    message: str
    faults: Faults = field(default_factory=dict)

    def event(
        self,
        kind: EventKind,
        attributes: Mapping[str, Any] | None = None,
        *,
        type: str | None = None,
        observed_at: datetime | None = None,
        fix: Fix | None = None,
        vitals: Mapping[str, float] | None = None,
        battery_pct: int | None = None,
        buffered: bool = False,
        mark: str | None = None,
    ) -> Event:
        """`mark` is what identifies this event beside device and time; without a time there is no key."""
        kept: dict[str, Any] = {"trust": TRUST, "message": self.message, **(attributes or {})}
        if self.faults:
            kept["faults"] = self.faults
        key = None
        if mark is not None and observed_at is not None and self.device_id:
            key = f"{self.family}/{self.device_id}/{observed_at:%Y%m%d%H%M%S}/{mark}"
        return Event(
            self.device_id,
            kind,
            type,
            observed_at,
            fix,
            vitals or {},
            battery_pct,
            # The protocols name no press; its time and mark do, for whoever compares ledgers.
            ref=f"{observed_at:%y%m%d%H%M%S}-{mark}"[:64] if kind == "alarm" and key and observed_at else None,
            buffered=buffered,
            attributes=kept,
            key=key,
        )

    def alarm(self, code: str, word: str | None, attributes: Mapping[str, Any], **said: Any) -> Event:
        """What the table says of one alarm code: an alarm; `activity` or `status` where the word is that of an event
        that is none; `assistance` with the code where it says nothing, or nothing that care has a word for.
        """
        if word in ("activity", "status"):
            return self.event("activity" if word == "activity" else "status", {**attributes, "code": code}, **said)
        found = alarm_type(word) if word else None
        if found is not None and found != UNKNOWN_TYPE:
            return self.event("alarm", attributes, type=found, **said)
        kept = {**attributes, "code": code}
        if word and found is None:
            kept["meaning"] = word
        return self.event("alarm", kept, type=UNKNOWN_TYPE, **said)


def own_table(profile: Mapping[str, Any], name: str) -> Mapping[Any, Any]:
    """The device profile's own entries for a code table, or none."""
    own = profile.get(name)
    return own if isinstance(own, Mapping) else {}


def word_of(code: str | int, table: Mapping[Any, str], profile: Mapping[str, Any], name: str) -> str | None:
    """The word for one code: the profile's (`profile[name]`), else the family's, else None."""
    own = own_table(profile, name)
    word = own.get(code, own.get(str(code)))
    return word if isinstance(word, str) else table.get(code)


def utc_offset(profile: Mapping[str, Any]) -> timedelta:
    """How far the device's clock is ahead of UTC: `profile["utc_offset_minutes"]`, 0 where it is not said."""
    minutes = number(profile.get("utc_offset_minutes"))
    return timedelta(minutes=minutes) if minutes is not None and abs(minutes) <= 14 * 60 else timedelta()


def clock(
    parts: Sequence[int],
    faults: Faults,
    profile: Mapping[str, Any],
    *,
    first_year: int = 2001,
    name: str = "observed_at",
) -> datetime | None:
    """Year (two digits or four), month, day, hour, minute, second as a time in UTC; None with the reason where it is
    none, or before `first_year`, as clocks are that were never set.
    """
    year, month, day, hour, minute, second = parts
    year += 2000 if year < 100 else 0
    shown = show(f"{year}-{month}-{day} {hour}:{minute}:{second}")
    try:
        found = datetime(year, month, day, hour, minute, second, tzinfo=UTC) - utc_offset(profile)
    except (ValueError, OverflowError):
        faults[name] = f"{shown} is no time"
        return None
    if found.year < first_year:
        faults[name] = f"{shown}: a clock that was never set"
        return None
    return found
