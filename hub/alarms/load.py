"""How loaded a desk is: alarms an hour a seat, floods, whose seat an alarm is, who makes the alarms. Pure.

The numbers (ISA-18.2 / IEC 62682, EEMUA 191):

- About one alarm in ten minutes is comfortable for a person, two can be managed; ten in ten minutes are a flood, and it
  is over when fewer than five came in the last ten. Less than one per cent of the time may be flood.
- Of all alarms about 5 % should be critical, 15 % high, 80 % the rest. Where everything is urgent, nothing is.
- What stands for more than 24 hours is stale. A few devices make most alarms: they are the bad actors.

Whose seat it is:

- An alarm rings at every seat; it belongs to one, so that two do not both leave it to the other. Each community has a
  home seat, the one that ranks highest for it by a hash: without a table to keep, the same on every hub, and when a
  seat comes or goes only its own communities move.
- A seat in a flood keeps what it has; what comes new goes to the next one in rank that is not flooded. Where all are
  flooded it stays at home, and the supervisors are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, Literal

from hub.alarms.model import PRIORITIES, Priority

__all__ = [
    "COMFORTABLE_AN_HOUR",
    "FLOOD_ALARMS",
    "FLOOD_OVER",
    "FLOOD_SHARE",
    "FLOOD_WITHIN",
    "MANAGEABLE_AN_HOUR",
    "PRIORITY_GOAL",
    "STALE_AFTER",
    "Actor",
    "BadActor",
    "FloodSpan",
    "SeatRule",
    "Seating",
    "bad_actors",
    "flood_spans",
    "flooded",
    "load_word",
    "priority_mix",
    "seat_of",
]

FLOOD_ALARMS: Final = 10
FLOOD_OVER: Final = 5
FLOOD_WITHIN: Final = timedelta(minutes=10)
COMFORTABLE_AN_HOUR: Final = 6
MANAGEABLE_AN_HOUR: Final = 12
FLOOD_SHARE: Final = 0.01
STALE_AFTER: Final = timedelta(hours=24)
PRIORITY_GOAL: Final[Mapping[str, float]] = {"critical": 0.05, "high": 0.15, "rest": 0.80}

SeatRule = Literal["home", "spilled", "all_flooded", "nobody"]


def flooded(count: int, *, before: bool) -> bool:
    """Whether a seat is in a flood with so many alarms in the last ten minutes; `before`: it was until now."""
    return count >= (FLOOD_OVER if before else FLOOD_ALARMS)


@dataclass(frozen=True, slots=True)
class FloodSpan:
    """A flood: from the alarm that made it one until the ten minutes held too few. `alarms`: of these ten and all
    that came until its end.
    """

    begin: datetime
    end: datetime
    alarms: int


def flood_spans(times: Iterable[datetime], until: datetime) -> list[FloodSpan]:
    """The floods of a series of alarms, in order; one that goes on ends at `until`."""
    known = sorted(one for one in times if one <= until)
    spans: list[FloodSpan] = []
    begin: datetime | None = None
    first = 0
    oldest = 0
    for number, at in enumerate(known):
        if begin is not None:
            over_at = _thins_out(known, oldest, number)
            if over_at is not None and over_at <= at:
                spans.append(FloodSpan(begin, over_at, number - first))
                begin = None
        while known[oldest] <= at - FLOOD_WITHIN:
            oldest += 1
        if begin is None and number - oldest + 1 >= FLOOD_ALARMS:
            begin, first = at, oldest
    if begin is not None:
        over_at = _thins_out(known, oldest, len(known))
        end = until if over_at is None else min(over_at, until)
        spans.append(FloodSpan(begin, end, len(known) - first))
    return spans


def _thins_out(known: Sequence[datetime], oldest: int, number: int) -> datetime | None:
    """When fewer than `FLOOD_OVER` of the alarms before `number` are left in the ten minutes."""
    leaving = number - FLOOD_OVER
    return known[leaving] + FLOOD_WITHIN if leaving >= oldest else None


def load_word(an_hour: float, *, in_flood: bool) -> Literal["flood", "over", "busy", "comfortable"]:
    """One word for a seat's load: `an_hour` alarms in the last hour."""
    if in_flood:
        return "flood"
    if an_hour > MANAGEABLE_AN_HOUR:
        return "over"
    return "busy" if an_hour > COMFORTABLE_AN_HOUR else "comfortable"


def priority_mix(counts: Mapping[Priority, int]) -> dict[str, dict[str, float | int | bool | None]]:
    """Shares of `critical`, `high` and the `rest` against their goals. `over`: clearly more urgent than it should be
    (twice the goal, of twenty alarms and more: with fewer, shares say nothing).
    """
    total = sum(counts.values())
    parts = {
        "critical": counts.get("critical", 0),
        "high": counts.get("high", 0),
        "rest": sum(counts.get(one, 0) for one in PRIORITIES if one not in ("critical", "high")),
    }
    return {
        name: {
            "n": number,
            "share": number / total if total else None,
            "goal": PRIORITY_GOAL[name],
            "over": name != "rest" and total >= 20 and number / total > 2 * PRIORITY_GOAL[name],
        }
        for name, number in parts.items()
    }


@dataclass(frozen=True, slots=True)
class Actor:
    """What a device (or another source) has raised in a span."""

    id: str
    alarms: int


@dataclass(frozen=True, slots=True)
class BadActor:
    """A source in its place. `share` of all alarms, `together`: with all before it. `bad`: it belongs to the few that
    make half of the alarms, and makes more than one a day.
    """

    rank: int
    id: str
    alarms: int
    share: float
    together: float
    bad: bool


def bad_actors(actors: Iterable[Actor], total: int, *, days: float) -> list[BadActor]:
    """Sources by what they raised, the worst first (equal ones by id). `total`: of all sources; `days`: of the span."""
    ranked = sorted((one for one in actors if one.alarms > 0), key=lambda one: (-one.alarms, one.id))
    found: list[BadActor] = []
    before = 0
    for rank, one in enumerate(ranked, 1):
        together = before + one.alarms
        bad = before < total / 2 and one.alarms > max(days, 1.0) and one.alarms >= 3
        found.append(BadActor(rank, one.id, one.alarms, one.alarms / total, together / total, bad))
        before = together
    return found


@dataclass(frozen=True, slots=True)
class Seating:
    """At which seat an alarm belongs, whose it would be without a flood, and the rule that decided."""

    seat: str | None
    home: str | None
    rule: SeatRule


def _rank(place: str, seat: str) -> bytes:
    return blake2b(f"{place}|{seat}".encode(), digest_size=8).digest()


def seat_of(place: str, seats: Iterable[str], in_flood: Iterable[str]) -> Seating:
    """Whose alarm of a community (`place`, "" where nobody knows it) is, among the `seats` on duty."""
    ranked = sorted(set(seats), key=lambda seat: (_rank(place, seat), seat), reverse=True)
    if not ranked:
        return Seating(None, None, "nobody")
    home, full = ranked[0], set(in_flood)
    if home not in full:
        return Seating(home, home, "home")
    free = next((seat for seat in ranked if seat not in full), None)
    return Seating(home, home, "all_flooded") if free is None else Seating(free, home, "spilled")
