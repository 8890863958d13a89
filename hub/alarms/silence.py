"""When is a device silent, and is it its own silence? Pure: what is known of a device, a verdict with its reasons.

The rules, each with the harm it prevents:

- A device is silent once its profile's interval has passed one and a half times and 5 seconds more: a late report is
  no silence, a missed one is. A profile may name its own span instead.
- Time counts only while the hub could hear: after a start, a broker's or a database's outage every device has its whole
  span again. Otherwise each restart would be a flood.
- On the charger and at night some devices sleep; their profile says for how long. A silence that would begin in the
  night waits until the night's span is over, and not only until the morning's first minute.
- A device that was given to somebody and never reported is silent too, after `first_report_s`: nobody would notice it.
- A resident in hospital, moved or deceased needs no repair: the silence is shown and raises nothing.
- Many silences with one cause are one matter: `hub.alarms.shared_silence` finds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final, Literal

from hub.alarms.model import Reason

__all__ = [
    "Night",
    "SilenceRule",
    "SilenceVerdict",
    "Watched",
    "judge_silence",
    "silence_rule",
]

FACTOR: Final = 1.5
SLACK_S: Final = 5
UNSUPERVISED_LOOK: Final = timedelta(days=1)
EXCUSED_LOOK: Final = timedelta(minutes=10)
SHORTEST_LOOK_S: Final = 10


@dataclass(frozen=True, slots=True)
class Night:
    """Local minutes of the day, from (inclusive) to (exclusive), past midnight where `to_min` is smaller."""

    from_min: int
    to_min: int
    after_s: int

    def covers(self, at: datetime, zone: tzinfo) -> bool:
        """Whether `at` lies in the night."""
        local = at.astimezone(zone)
        minute = local.hour * 60 + local.minute
        if self.from_min <= self.to_min:
            return self.from_min <= minute < self.to_min
        return minute >= self.from_min or minute < self.to_min


@dataclass(frozen=True, slots=True)
class SilenceRule:
    """A profile's word on silence. Spans in seconds; `span_s` None: nothing says when it is silent."""

    span_s: float | None
    supervised: bool = True
    charging_s: int | None = None
    first_report_s: int | None = None
    night: Night | None = None


def silence_rule(interval_s: int | None, silence: Mapping[str, Any]) -> SilenceRule:
    """The rule of an interval and a profile's `silence` object (as `devices.profiles.check_profile` takes it)."""
    span: float | None = silence.get("after_s")
    if span is None and interval_s is not None:
        span = interval_s * FACTOR + SLACK_S
    night = silence.get("night")
    return SilenceRule(
        span_s=span,
        supervised=bool(silence.get("supervised", True)) and span is not None,
        charging_s=silence.get("charging_s"),
        first_report_s=silence.get("first_report_s"),
        night=None if not night else Night(_minute(night["from"]), _minute(night["to"]), int(night["after_s"])),
    )


def _minute(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of a device that may be silent.

    `hearing_since`: since when the hub can hear the way it comes, without a gap. `added_at`: since when it should be
    heard. `charging`: what it said of itself last. `owned`: a resident has it. `excused`: the status of a resident who
    raises nothing (None: the resident is there). `goodbye`: its last word was that it goes.
    """

    device_id: str
    rule: SilenceRule
    added_at: datetime
    hearing_since: datetime
    heard_at: datetime | None = None
    charging: bool | None = None
    owned: bool = False
    excused: str | None = None
    goodbye: bool = False


@dataclass(frozen=True, slots=True)
class SilenceVerdict:
    """`heard`: as far as can be told it is there. `tolerated`: silent, and allowed to be for now. `excused`: silent,
    but nobody is harmed. `silent`: somebody must look. `look_at`: when to ask again.
    """

    kind: Literal["heard", "tolerated", "excused", "silent"]
    look_at: datetime
    reasons: tuple[Reason, ...] = ()


def judge_silence(watched: Watched, *, now: datetime, zone: tzinfo) -> SilenceVerdict:
    """Is it silent? `zone` is the place's time, for nights."""
    rule = watched.rule
    if not rule.supervised or rule.span_s is None:
        return SilenceVerdict("heard", now + UNSUPERVISED_LOOK)
    if watched.heard_at is None:
        return _never_heard(watched, now)
    base = max(watched.heard_at, watched.hearing_since)
    due = base + timedelta(seconds=rule.span_s)
    if now < due:
        return SilenceVerdict("heard", due)
    tolerances: list[Reason] = []
    if watched.charging and rule.charging_s is not None and base + timedelta(seconds=rule.charging_s) > due:
        due = base + timedelta(seconds=rule.charging_s)
        tolerances.append(Reason("charging", "it was put on its charger", {"span_s": rule.charging_s}))
    if rule.night is not None and rule.night.covers(due, zone) and base + timedelta(seconds=rule.night.after_s) > due:
        due = base + timedelta(seconds=rule.night.after_s)
        tolerances.append(Reason("night", "its profile lets it sleep at night", {"span_s": rule.night.after_s}))
    if now < due:
        return SilenceVerdict("tolerated", _soon(due, rule.span_s, now), tuple(tolerances))
    silent_s = round((now - watched.heard_at).total_seconds())
    text = f"not heard for {silent_s} s; its profile allows {round((due - base).total_seconds())} s"
    reasons = [
        Reason("silent", text, {"silent_s": silent_s, "span_s": round((due - base).total_seconds())}),
        *tolerances,
    ]
    if watched.goodbye:
        reasons.append(Reason("goodbye", "its last word was that it goes offline"))
    if watched.hearing_since > watched.heard_at:
        deaf = "the hub itself could not hear for a part of the time, which does not count"
        reasons.append(Reason("hub_was_deaf", deaf, {"since": watched.hearing_since.isoformat()}))
    return _excused(watched, now, reasons)


def _soon(due: datetime | None, span_s: float, now: datetime) -> datetime:
    """When it is due, and within its span at the latest: it may speak meanwhile, and fall silent again after that."""
    soon = now + timedelta(seconds=max(span_s, SHORTEST_LOOK_S))
    return soon if due is None else min(due, soon)


def _never_heard(watched: Watched, now: datetime) -> SilenceVerdict:
    first = watched.rule.first_report_s
    span = watched.rule.span_s or 0
    if not watched.owned or first is None:
        return SilenceVerdict("heard", _soon(None, span, now))
    due = max(watched.added_at + timedelta(seconds=first), watched.hearing_since + timedelta(seconds=span))
    if now < due:
        return SilenceVerdict("heard", _soon(due, span, now))
    waited = round((now - watched.added_at).total_seconds())
    return _excused(
        watched, now, [Reason("never_reported", f"added {waited} s ago and never heard", {"waited_s": waited})]
    )


def _excused(watched: Watched, now: datetime, reasons: Sequence[Reason]) -> SilenceVerdict:
    if watched.excused is None:
        return SilenceVerdict("silent", now, tuple(reasons))
    text = f"the resident is {'in hospital' if watched.excused == 'hospital' else watched.excused}"
    absent = Reason("resident_absent", text, {"status": watched.excused})
    return SilenceVerdict("excused", now + EXCUSED_LOOK, (*reasons, absent))
