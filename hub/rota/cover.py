"""Gaps: where fewer people are on duty than an area wants, and shifts that nobody has taken over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Literal

from hub.rota.days import Calendar, Days
from hub.rota.duties import duties
from hub.rota.model import Duty, Override, Shift
from hub.rota.rotations import Slot

__all__ = ["Cover", "Gap", "GapKind", "gaps", "left_open", "unfilled"]

GapKind = Literal["below", "absent", "unfilled"]


@dataclass(frozen=True, slots=True)
class Cover:
    """How many people of a role an area wants, from `begins` for `minutes` of each of the days meant.

    `path`: ids from the district down to the area; () is everywhere. Whoever answers for an area above counts.
    """

    id: str
    role: str
    people: int = 1
    path: tuple[str, ...] = ()
    begins: time = time()
    minutes: int = 1_440
    days: Days = "every"

    @property
    def area_id(self) -> str | None:
        return self.path[-1] if self.path else None


@dataclass(frozen=True, slots=True)
class Gap:
    """`below`: `have` people of `wanted`. `absent`: `about` is out and nobody stands in. `unfilled`: a rotation has
    nobody for the shift. `source`: the id of the wanted cover, the shift or the rotation.
    """

    kind: GapKind
    role: str
    area_id: str | None
    starts_at: datetime
    ends_at: datetime
    wanted: int
    have: int
    source: str | None = None
    about: str | None = None


def gaps(
    covers: Iterable[Cover], on_duty: Iterable[Duty], start: datetime, end: datetime, calendar: Calendar, zone: tzinfo
) -> tuple[Gap, ...]:
    """Every span in [start, end) with fewer people than wanted, by begin. A person on duty twice counts once."""
    by_area: dict[tuple[str, str | None], list[Duty]] = {}
    for duty in on_duty:
        for area_id in duty.area_ids or (None,):
            by_area.setdefault((duty.role, area_id), []).append(duty)
    found: list[Gap] = []
    for cover in covers:
        there = _covering(cover, by_area)
        parts = (
            part for window in _windows(cover, start, end, calendar, zone) for part in _below(cover, there, *window)
        )
        found += _joined(parts)
    return tuple(sorted(found, key=lambda one: (one.starts_at, one.role, one.area_id or "", one.source or "")))


def _covering(cover: Cover, by_area: dict[tuple[str, str | None], list[Duty]]) -> list[Duty]:
    if not cover.path:
        return [duty for (role, _), some in by_area.items() if role == cover.role for duty in some]
    return [duty for area_id in (None, *cover.path) for duty in by_area.get((cover.role, area_id), ())]


def _windows(
    cover: Cover, start: datetime, end: datetime, calendar: Calendar, zone: tzinfo
) -> Iterator[tuple[datetime, datetime]]:
    day, last = start.astimezone(zone).date() - timedelta(days=1), end.astimezone(zone).date()
    while day <= last:
        if calendar.suits(day, cover.days):
            wall = datetime.combine(day, cover.begins)
            begin = wall.replace(tzinfo=zone).astimezone(start.tzinfo)
            finish = (wall + timedelta(minutes=cover.minutes)).replace(tzinfo=zone).astimezone(start.tzinfo)
            if max(begin, start) < min(finish, end):
                yield max(begin, start), min(finish, end)
        day += timedelta(days=1)


def _below(cover: Cover, there: Sequence[Duty], begin: datetime, finish: datetime) -> Iterator[Gap]:
    within = [one for one in there if one.starts_at < finish and one.ends_at > begin]
    edges = sorted(
        {begin, finish}
        | {one.starts_at for one in within if one.starts_at > begin}
        | {one.ends_at for one in within if one.ends_at < finish}
    )
    for left, right in pairwise(edges):
        have = len({one.responder_id for one in within if one.starts_at <= left and one.ends_at >= right})
        if have < cover.people:
            yield Gap("below", cover.role, cover.area_id, left, right, cover.people, have, cover.id)


def _joined(parts: Iterable[Gap]) -> list[Gap]:
    """Neighbours with as many people are one gap: the change of a shift or of the day is none."""
    found: list[Gap] = []
    for part in parts:
        last = found[-1] if found else None
        if last is not None and last.ends_at == part.starts_at and last.have == part.have:
            found[-1] = replace(last, ends_at=part.ends_at)
        else:
            found.append(part)
    return found


def left_open(
    shifts: Iterable[Shift], overrides: Sequence[Override], start: datetime, end: datetime
) -> tuple[Gap, ...]:
    """What absences take away of shifts and nobody stands in for."""
    before = duties(shifts, [one for one in overrides if one.kind != "absent"], start, end)
    absences = [one for one in overrides if one.kind == "absent"]
    found = [
        Gap("absent", duty.role, area_id, begin, finish, 1, 0, duty.shift_id, duty.responder_id)
        for duty in before
        for begin, finish in _merged(duty, absences)
        for area_id in sorted(duty.area_ids) or (None,)
    ]
    return tuple(sorted(found, key=lambda one: (one.starts_at, one.role, one.area_id or "")))


def _merged(duty: Duty, absences: Iterable[Override]) -> list[tuple[datetime, datetime]]:
    """The spans of a duty that lie in any absence; two absences over the same time are one span."""
    spans = sorted(
        (max(duty.starts_at, one.starts_at), min(duty.ends_at, one.ends_at))
        for one in absences
        if one.responder_id == duty.responder_id
        and (one.shift_id is None or one.shift_id == duty.shift_id)
        and (one.role is None or one.role == duty.role)
        and one.starts_at < duty.ends_at
        and one.ends_at > duty.starts_at
    )
    found: list[tuple[datetime, datetime]] = []
    for begin, finish in spans:
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], finish))
        else:
            found.append((begin, finish))
    return found


def unfilled(role: str, area_id: str | None, some: Iterable[Slot], start: datetime, end: datetime) -> tuple[Gap, ...]:
    """Shifts of a rotation that has not enough members, within [start, end)."""
    return tuple(
        Gap("unfilled", role, area_id, max(one.starts_at, start), min(one.ends_at, end), 1, 0, one.rotation_id)
        for one in some
        if one.responder_id is None and one.starts_at < end and one.ends_at > start
    )
