"""Rotations: who takes which shift, by a pattern over days and weeks.

The days come from a recurrence rule (RFC 5545, read by python-dateutil); the calendar may thin them to working days or
to the others. Turns are counted from the rotation's first day, so that the pattern never slips: a turn is so many
shifts, days or weeks, and each turn the next members in the list take over. 四班三运转 is three rotations of the same
four members (day, evening, night) with a phase between them; 做二休二 is one with turns of two days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

from dateutil.rrule import rrule, rruleset, rrulestr

from hub.errors import BadRequestError
from hub.rota.days import Calendar, Days

__all__ = ["Rotation", "Slot", "TurnUnit", "check_rotation", "slots"]

TurnUnit = Literal["shift", "day", "week"]

_KEYS = frozenset({"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "BYYEARDAY", "BYWEEKNO", "WKST"})
_FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_EVERY_DAY = frozenset({"FREQ=DAILY", "FREQ=DAILY;INTERVAL=1"})


@dataclass(frozen=True, slots=True)
class Rotation:
    """A pattern of shifts.

    `rule`: the days on which a shift begins; `begins` the wall clock, `minutes` the length by the wall clock. `seats`:
    how many people at once. `phase`: how many turns ahead of the first member it begins. `days`: thinned to working
    days or to the others (the rule is then every day).
    """

    id: str
    name: str
    role: str
    rule: str
    starts_on: date
    begins: time
    minutes: int
    members: tuple[str, ...] = ()
    area_id: str | None = None
    ends_on: date | None = None
    seats: int = 1
    turn_unit: TurnUnit = "shift"
    turn_length: int = 1
    phase: int = 0
    days: Days = "every"
    active: bool = True


@dataclass(frozen=True, slots=True)
class Slot:
    """One shift to be filled. `responder_id` None: there are fewer members than seats."""

    rotation_id: str
    seat: int
    starts_at: datetime
    ends_at: datetime
    responder_id: str | None


def check_rotation(rotation: Rotation) -> None:
    """BadRequestError, naming the field, for a pattern that cannot be meant."""
    if next(iter(_rule(rotation)), None) is None:
        raise BadRequestError(f"rule: {rotation.rule!r} never comes true", field="rule")
    if rotation.days != "every" and rotation.rule.upper().rstrip(";") not in _EVERY_DAY:
        raise BadRequestError(
            "rule: must be FREQ=DAILY where the calendar chooses the days; else a make-up Saturday could not be worked",
            field="rule",
        )
    for name, low, high in (("minutes", 1, 10_080), ("seats", 1, 50), ("turn_length", 1, 366)):
        value = getattr(rotation, name)
        if not low <= value <= high:
            raise BadRequestError(f"{name}: must be between {low} and {high}, not {value}", field=name)
    if rotation.ends_on is not None and rotation.ends_on < rotation.starts_on:
        raise BadRequestError("ends_on: lies before starts_on", field="ends_on")
    if len(set(rotation.members)) < len(rotation.members) and rotation.seats > 1:
        raise BadRequestError(
            "members: somebody is named twice, and could be given two seats of one shift", field="members"
        )


def slots(rotation: Rotation, start: date, end: date, calendar: Calendar, zone: tzinfo) -> tuple[Slot, ...]:
    """The shifts that begin on the days from `start` up to but not including `end`, in order."""
    if not rotation.active:
        return ()
    found: list[Slot] = []
    members, seats = rotation.members, min(rotation.seats, len(rotation.members))
    for count, day in _days(rotation, end, calendar):
        if day < start:
            continue
        starts_at, ends_at = _span(rotation, day, zone)
        turn = _turn(rotation, count, day)
        for seat in range(rotation.seats):
            who = members[(turn * seats + seat) % len(members)] if seat < seats else None
            found.append(Slot(rotation.id, seat, starts_at, ends_at, who))
    return tuple(found)


def _days(rotation: Rotation, end: date, calendar: Calendar) -> Iterator[tuple[int, date]]:
    """(how many before it, day) of every day on which a shift begins, before `end`."""
    last = end if rotation.ends_on is None else min(end, rotation.ends_on + timedelta(days=1))
    count = 0
    for moment in _rule(rotation).replace(until=datetime.combine(last, time()) - timedelta(days=1)):
        day = moment.date()
        if calendar.suits(day, rotation.days):
            yield count, day
            count += 1


def _turn(rotation: Rotation, count: int, day: date) -> int:
    if rotation.turn_unit == "day":
        count = (day - rotation.starts_on).days
    elif rotation.turn_unit == "week":
        count = (_monday(day) - _monday(rotation.starts_on)).days // 7
    return count // rotation.turn_length + rotation.phase


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _span(rotation: Rotation, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """By the wall clock: a night shift ends at the same hour on the morning after the clocks changed."""
    wall = datetime.combine(day, rotation.begins)
    length = timedelta(minutes=rotation.minutes)
    starts_at = wall.replace(tzinfo=zone).astimezone(UTC)
    ends_at = (wall + length).replace(tzinfo=zone).astimezone(UTC)
    # An hour that the clocks skip would leave nothing of a short shift.
    return starts_at, ends_at if ends_at > starts_at else starts_at + length


def _rule(rotation: Rotation) -> rrule:
    text = rotation.rule.strip().rstrip(";")
    parts = dict(part.partition("=")[::2] for part in text.upper().split(";"))
    unknown = sorted(set(parts) - _KEYS)
    if unknown:
        raise BadRequestError(
            f"rule: {unknown[0]} is not taken; of RFC 5545 {', '.join(sorted(_KEYS))} are, and the end is ends_on",
            field="rule",
        )
    if parts.get("FREQ") not in _FREQUENCIES:
        raise BadRequestError(
            f"rule: FREQ must be one of {', '.join(sorted(_FREQUENCIES))}: a rotation begins at most one shift a day",
            field="rule",
        )
    begin = datetime.combine(rotation.starts_on, time())
    try:
        found = rrulestr(";".join(f"{key}={value}" for key, value in parts.items()), dtstart=begin)
    except (ValueError, TypeError) as error:
        raise BadRequestError(f"rule: {text!r} is no recurrence rule: {error}", field="rule") from error
    if isinstance(found, rruleset):
        raise BadRequestError("rule: one rule is taken, not a set", field="rule")
    return found
