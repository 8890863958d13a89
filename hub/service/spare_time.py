"""When one person has time for a visit that may begin within a window: beside their other visits, on their shifts.

Whoever has shifts around that time works by the rota: they are on duty then, and not otherwise; an absence counts for
everybody. Whoever has none (volunteers) says so by being there: signed off duty, nobody begins within the hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from dispatch import Responder
from hub.errors import ConflictError
from hub.ports import OwnVisit, RotaSlice, Transaction
from hub.rota import Duty, Override, Shift, duties

__all__ = ["SpareTime", "spare_time"]

Span = tuple[datetime, datetime]

_ROSTERED_WITHIN: Final = timedelta(days=14)
_AT_ONCE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SpareTime:
    """`visits`: what they have, by time. `shifts`: when they are on duty, None: not by the rota. `absent`: away."""

    who: Responder
    visits: tuple[OwnVisit, ...]
    shifts: tuple[Span, ...] | None
    absent: tuple[Span, ...]
    now: datetime
    zone: tzinfo

    def start(self, low: datetime, high: datetime, length: timedelta) -> datetime:
        """The earliest start within [low, high] at which the whole length is free.

        ConflictError with what stands against the earliest: `absent`, `off-shift` (with `shifts`), `off-duty`,
        `overlap` (with `visit`: which one, when).
        """
        low, first = max(low, self.now), None
        for begin in sorted({low, *(one for one in self._openings() if low < one <= high)}):
            against = self._against(begin, begin + length)
            if against is None:
                return begin
            first = first or against
        assert first is not None
        raise first

    def _openings(self) -> Iterable[datetime]:
        """Where something may begin to fit: what stood in the way is over, a shift begins."""
        yield from (one.ends_at for one in self.visits)
        yield from (end for _, end in self.absent)
        yield from (begin for begin, _ in self.shifts or ())

    def _against(self, begin: datetime, end: datetime) -> ConflictError | None:
        name = self.who.name
        away = next((one for one in self.absent if _meet(one, (begin, end))), None)
        if away is not None:
            return ConflictError(f"{name} is absent then ({self._words(away)})", code="absent")
        if self.shifts is None:
            if not self.who.on_duty and begin < self.now + _AT_ONCE:
                return ConflictError(f"{name} is off duty, and this begins within the hour", code="off-duty")
        elif not any(low <= begin and end <= high for low, high in self.shifts):
            return self._off_shift(begin, end)
        taken = next((one for one in self.visits if _meet((one.starts_at, one.ends_at), (begin, end))), None)
        if taken is None:
            return None
        return ConflictError(
            f"{name} is with {taken.resident} then ({taken.kind_en}, {self._words((taken.starts_at, taken.ends_at))})",
            code="overlap",
            said_zh=(
                f"{name}届时在{taken.resident}处（{taken.kind_zh}，{self._words((taken.starts_at, taken.ends_at))}）"
            ),
            visit={
                "id": taken.visit_id,
                "order_id": taken.order_id,
                "kind": taken.kind,
                "kind_zh": taken.kind_zh,
                "kind_en": taken.kind_en,
                "resident": taken.resident,
                "starts_at": taken.starts_at.isoformat(),
                "ends_at": taken.ends_at.isoformat(),
            },
        )

    def _off_shift(self, begin: datetime, end: datetime) -> ConflictError:
        day = begin.astimezone(self.zone).date()
        near = [
            one for one in self.shifts or () if one[0].astimezone(self.zone).date() == day or _meet(one, (begin, end))
        ]
        said = ", ".join(self._words(one) for one in near) or "not on the rota that day"
        return ConflictError(
            f"{self.who.name} is not on shift then ({said})",
            code="off-shift",
            shifts=[{"starts_at": low.isoformat(), "ends_at": high.isoformat()} for low, high in near],
        )

    def _words(self, span: Span) -> str:
        low, high = (one.astimezone(self.zone) for one in span)
        return (
            f"{low:%m-%d %H:%M}-{high:%H:%M}" if low.date() == high.date() else f"{low:%m-%d %H:%M}-{high:%m-%d %H:%M}"
        )


def spare_time(
    tx: Transaction,
    who: Responder,
    visits: Sequence[OwnVisit],
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    zone: tzinfo,
) -> SpareTime:
    """What counts for whatever of theirs lies in [start, end). `visits`: what they have to do."""
    found = tx.rota.slice(start, end)
    mine = [one for one in _concerning(found, who.id) if one.responder_id == who.id]
    rostered = bool(mine) or tx.rota.rostered(who.id, start, _ROSTERED_WITHIN)
    return SpareTime(
        who=who,
        visits=tuple(visits),
        shifts=tuple(_joined(mine)) if rostered else None,
        absent=tuple(
            (one.starts_at, one.ends_at)
            for one in found.overrides
            if one.kind == "absent" and one.responder_id == who.id and one.shift_id is None and one.role is None
        ),
        now=now,
        zone=zone,
    )


def _concerning(found: RotaSlice, responder_id: str) -> Sequence[Duty]:
    """The duties in which this person has a part, without looking at everybody else's."""
    people, before = {responder_id}, 0
    while len(people) > before:
        before = len(people)
        people |= {
            one.responder_id for one in found.overrides if one.substitute_id in people and one.responder_id is not None
        }
    shifts: list[Shift] = [one for one in found.shifts if one.responder_id in people]
    overrides: list[Override] = [
        one for one in found.overrides if one.responder_id in people or one.substitute_id in people
    ]
    if not shifts and not overrides:
        return ()
    low = min([*(one.starts_at for one in shifts), *(one.starts_at for one in overrides)])
    high = max([*(one.ends_at for one in shifts), *(one.ends_at for one in overrides)])
    return duties(shifts, overrides, low, high)


def _joined(found: Iterable[Duty]) -> Iterable[Span]:
    """Spans on duty; what follows without a gap is one."""
    spans: list[Span] = []
    for one in sorted(found, key=lambda duty: duty.starts_at):
        if spans and one.starts_at <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], one.ends_at))
        else:
            spans.append((one.starts_at, one.ends_at))
    return spans


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and one[1] > other[0]
