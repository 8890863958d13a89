"""Silences, maintenance windows and test windows: what they cover, and what is raised when they end. Pure.

The rules, each with the harm it prevents:

- A window has a begin, an end, a reason and a name. There is none without an end: what is silenced and forgotten is
  silenced for ever.
- An emergency is never silenced, nor anything critical, nor what a person says: a window is for batteries and sensors.
- Health and whereabouts are silenced only where the window names that very type: who silences "everything of this
  street" did not mean a heart.
- A test window covers what says of itself that it is a test, and nothing else: a real press in it is real.
- What is silenced is written down and counted, and its device is told that it was received.
- The end of a window is not an alarm. What still stands then is raised once, with since when and how often; what
  passed meanwhile is counted in the window's own record and raised no more. Silences of devices are left to their
  supervision, which looks at each at that moment and folds them by their cause.
- Where it cannot be known whether something still stands (a tamper contact has no word for "closed again"), it stands:
  a needless look is cheaper than a missed one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from hub.alarms.model import Alarm, AlarmClass, Priority, Reason
from hub.alarms.table import ALARM_TYPES, classify

__all__ = [
    "LONGEST_WINDOW",
    "WINDOW_KINDS",
    "AfterWindow",
    "Silenced",
    "Window",
    "WindowKind",
    "check_window",
    "covering",
    "silences_device",
    "stands_after",
]

WindowKind = Literal["silence", "maintenance", "test"]
WINDOW_KINDS: tuple[WindowKind, ...] = get_args(WindowKind)

LONGEST_WINDOW: Final[dict[WindowKind, timedelta]] = {
    "silence": timedelta(days=7),
    "maintenance": timedelta(days=30),
    "test": timedelta(days=1),
}
"""A fault that needs longer wants a repair order, not a silence."""

_QUIET_CLASSES: Final[frozenset[AlarmClass]] = frozenset({"technical", "test"})
_BY_NAME: Final[frozenset[AlarmClass]] = frozenset({"health", "whereabouts"})
_LOW_BATTERY_PCT: Final = 20
_STATES: Final[frozenset[str]] = frozenset({"power_fail", "device_fault", "off_wrist", "tamper", "robot_stuck"})
"""Technical types that tell of a state and have no word for its end."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span in which alarms of a scope are written down and not raised.

    Scope: the device, the area (with `areas`, the ids of it and of all below it) and the type that are given; each that
    is None is any, at least one is given. `set_by` is the name of who set it. `ends_at` is exclusive.
    """

    id: str
    kind: WindowKind
    starts_at: datetime
    ends_at: datetime
    reason: str
    set_by: str
    device_id: str | None = None
    area_id: str | None = None
    type: str | None = None
    areas: frozenset[str] = frozenset()

    def in_force(self, now: datetime) -> bool:
        """Whether it holds at `now`."""
        return self.starts_at <= now < self.ends_at

    def meets(self, device_id: str | None, area_id: str | None, alarm_type: str) -> bool:
        """Whether its scope has this device, place and type in it."""
        return (
            (self.device_id is None or self.device_id == device_id)
            and (self.area_id is None or (area_id is not None and (area_id == self.area_id or area_id in self.areas)))
            and (self.type is None or self.type == alarm_type)
        )


def check_window(window: Window) -> list[tuple[str, str]]:
    """What is wrong with it: (field, words) each; nothing where it can be set."""
    wrong: list[tuple[str, str]] = []
    if not (window.device_id or window.area_id or window.type):
        wrong.append(("device_id", "give a device, an area or a type: there is no silence of everything"))
    if window.type is not None and window.type not in ALARM_TYPES:
        wrong.append(("type", f"there is no alarm type {window.type}"))
    elif window.type is not None and window.kind != "test":
        alarm_class, priority = classify(window.type)
        if alarm_class == "emergency" or priority == "critical":
            wrong.append(("type", f"{window.type} is an emergency and is never silenced"))
    if not window.reason.strip():
        wrong.append(("reason", "a reason is needed"))
    if window.ends_at <= window.starts_at:
        wrong.append(("ends_at", "must be later than starts_at"))
    elif window.ends_at - window.starts_at > LONGEST_WINDOW[window.kind]:
        days = LONGEST_WINDOW[window.kind].days
        wrong.append(("ends_at", f"a {window.kind} lasts {days} day{'s' if days > 1 else ''} at most"))
    return wrong


def covering(
    alarm: Alarm, area_id: str | None, windows: Iterable[Window], *, now: datetime
) -> tuple[Window, Reason] | None:
    """The window that silences this alarm, and why; of several the one that ends last. None: nothing does.

    `now` and not the time of receipt decides: what is taken late (a journal, a buffered record) belongs to the windows
    that are in force now, since those of then have been settled.
    """
    if alarm.source == "person" or alarm.alarm_class == "emergency" or alarm.priority == "critical":
        return None
    found: Window | None = None
    for window in windows:
        if not window.in_force(now) or not window.meets(alarm.device_id, area_id, alarm.type):
            continue
        if not _may_silence(window, alarm):
            continue
        if found is None or (window.ends_at, window.id) > (found.ends_at, found.id):
            found = window
    if found is None:
        return None
    text = f"{found.kind} until {found.ends_at.isoformat()} by {found.set_by}: {found.reason}"
    values: dict[str, str | int | float | bool | None] = {
        "window": found.id,
        "kind": found.kind,
        "until": found.ends_at.isoformat(),
        "by": found.set_by,
    }
    return found, Reason("silenced", text, values)


def _may_silence(window: Window, alarm: Alarm) -> bool:
    if window.kind == "test":
        return alarm.alarm_class == "test"
    if alarm.alarm_class in _QUIET_CLASSES:
        return True
    return alarm.alarm_class in _BY_NAME and window.type == alarm.type


def silences_device(
    device_id: str, area_id: str | None, windows: Iterable[Window], *, now: datetime
) -> tuple[Window, Reason] | None:
    """The window that covers a device's silence (type `offline`), as `covering`."""
    silence = Alarm(
        id="",
        device_id=device_id,
        resident_id=None,
        type="offline",
        alarm_class="technical",
        priority="low",
        received_at=now,
        source="system",
    )
    return covering(silence, area_id, windows, now=now)


@dataclass(frozen=True, slots=True)
class Silenced:
    """What a window has held back, gathered by device, resident and type. `rule`: the alarm rule that raised it."""

    type: str
    alarm_class: AlarmClass
    priority: Priority
    count: int
    first_at: datetime
    last_at: datetime
    device_id: str | None = None
    resident_id: str | None = None
    area_id: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class AfterWindow:
    """What is known at the end of a window: the device's last report and battery, whether the rule still stands."""

    heard_at: datetime | None = None
    battery_pct: int | None = None
    rule_stands: bool = False


def stands_after(held: Silenced, known: AfterWindow) -> Reason | None:
    """Why it must be raised now that the window is over; None: it has passed, or somebody else looks after it."""
    if held.alarm_class in ("test", "emergency") or held.type == "offline":
        return None
    if held.rule is not None:
        return _stood(held, "the rule still finds it so") if known.rule_stands else None
    if held.type == "low_battery":
        if known.battery_pct is not None and known.battery_pct > _LOW_BATTERY_PCT:
            return None
        return _stood(held, "the battery is still low" if known.battery_pct is not None else "nobody knows the battery")
    if held.type == "power_off":
        if known.heard_at is not None and known.heard_at > held.last_at:
            return None
        return _stood(held, "not heard since it was switched off")
    if held.type in _STATES:
        return _stood(held, "nothing has said that it is over")
    return None


def _stood(held: Silenced, why: str) -> Reason:
    text = f"{held.count} time(s) while it was silenced, first at {held.first_at.isoformat()}: {why}"
    return Reason(
        "stood_through_silence",
        text,
        {"count": held.count, "first_at": held.first_at.isoformat(), "last_at": held.last_at.isoformat()},
    )
