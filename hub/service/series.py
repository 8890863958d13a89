"""From canonical events to rows of the series: which numbers are kept, under which time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import asdict

from devices.model import Event, Fix
from hub.alarms import Alarm
from hub.ports import DeviceSeen, FixRow, Json, MeasuredRow, ObservationRow

__all__ = [
    "dated",
    "device_seen",
    "fix_json",
    "fix_row",
    "measured",
    "observation_rows",
    "position_of",
    "trusted_time",
]

_YOUNGEST, _OLDEST = timedelta(minutes=-5), timedelta(days=31)
"""Ages a record may have when it arrives; below zero the device's clock is ahead."""


def trusted_time(observed_at: datetime | None, received_at: datetime) -> datetime:
    """The time an observation is filed under: the device's, where its clock can be right, else that of receipt.

    Device clocks have been wrong by months and years: a time more than five minutes ahead cannot be, one more than a
    month behind is no buffered record of a working device either.
    """
    if observed_at is None:
        return received_at
    return observed_at if _YOUNGEST <= received_at - observed_at <= _OLDEST else received_at


def fix_json(fix: Fix | None) -> Json | None:
    """A fix as the contract's JSON object."""
    if fix is None:
        return None
    body: dict[str, Any] = asdict(fix)
    observed_at = body.pop("observed_at")
    if observed_at is not None:
        body["observed_at"] = observed_at.isoformat()
    return body


def dated(
    fix: Mapping[str, Any], said_at: datetime | None, received_at: datetime, *, buffered: bool = False
) -> dict[str, Any]:
    """A fix as an incident keeps it: with the time it was measured and `age_s`, how old it was when it came.

    `said_at`: when the device told of it, where the fix has no time of its own. One that is only remembered then has
    no time at all: the device told it now, and measured it nobody knows when.
    """
    body = {**fix}
    own = body.pop("observed_at", None)
    measured = datetime.fromisoformat(own) if isinstance(own, str) else own
    if measured is None and body.get("source") != "last_known":
        measured = said_at or received_at
    if measured is not None:
        at = trusted_time(measured, received_at)
        body["observed_at"] = at.isoformat()
        body["age_s"] = max(0, round((received_at - at).total_seconds()))
    if buffered:
        body["buffered"] = True
    return body


def position_of(alarm: Alarm) -> Json | None:
    """The position that came with an alarm, as its incident keeps it."""
    if alarm.fix is None:
        return None
    return dated(alarm.fix, alarm.observed_at, alarm.received_at, buffered=alarm.buffered)


def measured(event: Event, received_at: datetime, resident_id: str | None) -> MeasuredRow:
    """All that one event measured: a value a metric, and the word of an activity."""
    word: str | None = None
    if event.kind == "activity":
        state = event.attributes.get("state")
        word = None if state is None else str(state)[:200]
    return MeasuredRow(
        received_at,
        trusted_time(event.observed_at, received_at),
        event.device_id,
        resident_id,
        event.vitals,
        word,
        event.buffered,
    )


def observation_rows(event: Event, received_at: datetime, resident_id: str | None) -> list[ObservationRow]:
    """One row a metric, and one for the word of an activity."""
    return measured(event, received_at, resident_id).rows()


def fix_row(event: Event, received_at: datetime, resident_id: str | None) -> FixRow | None:
    """The position of an event, if it has one of its own (a last known one is no new observation)."""
    fix = event.fix
    if fix is None or fix.source == "last_known":
        return None
    return FixRow(
        received_at=received_at,
        observed_at=trusted_time(fix.observed_at or event.observed_at, received_at),
        device_id=event.device_id,
        resident_id=resident_id,
        lat=fix.lat,
        lon=fix.lon,
        accuracy_m=fix.accuracy_m,
        source=fix.source,
        buffered=event.buffered,
    )


def device_seen(event: Event, received_at: datetime, *, retained: bool) -> DeviceSeen:
    """That the device was heard. A retained message is the broker's memory: it tells a state, not a sign of life."""
    online: bool | None = None if retained else True
    if event.kind == "status" and isinstance(event.attributes.get("online"), bool):
        online = event.attributes["online"]
    fix = None if event.buffered else fix_json(event.fix)
    if fix is not None and "observed_at" not in fix and fix["source"] != "last_known":
        fix["observed_at"] = trusted_time(event.observed_at, received_at).isoformat()
    charging = event.attributes.get("charging")
    return DeviceSeen(
        event.device_id,
        received_at,
        online,
        event.battery_pct,
        fix,
        charging if isinstance(charging, bool) else None,
        None if event.buffered or retained else event.observed_at,
    )
