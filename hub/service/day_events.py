"""What happened, as what is otherwise in the problem: who is ill, what must fit in, which ways are closed. Pure.

A visit that was promised moves only where an event touches it: it is the ill carer's, it comes after one that runs late
on the same route, its way leads through the closed road, somebody moves it by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.errors import BadRequestError, ConflictError
from hub.planning.ways import CLOSED_FACTOR, Closure, crosses
from hub.ports import DayOrder
from hub.service.day_facts import DAY, DayFacts, Standing
from hub.service.day_problem import DayEdits

__all__ = ["edits_of", "moved_by"]

Event = Mapping[str, Any]


@dataclass(slots=True)
class _Edits:
    released: set[str] = field(default_factory=set)
    pinned: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = field(default_factory=dict)
    absent: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    urgent: set[str] = field(default_factory=set)
    longer: dict[str, int] = field(default_factory=dict)
    closures: list[Closure] = field(default_factory=list)


def edits_of(facts: DayFacts, events: Sequence[Event], stands: Mapping[str, Standing]) -> DayEdits:
    """What the events change, one after the other. `stands`: who goes when in the plan they happen to.

    BadRequestError (with the field) where an event names what is not of this day; ConflictError where it comes too
    late.
    """
    edits = _Edits()
    now = dict(stands)
    for number, event in enumerate(events):
        _APPLY[event["kind"]](facts, event, now, edits, f"events.{number}")
        now.update(_pinned(facts, edits))  # what happens next, happens to this
    return DayEdits(
        released=frozenset(edits.released),
        pinned=edits.pinned,
        absent={carer: tuple(spans) for carer, spans in edits.absent.items()},
        gone=frozenset(edits.gone),
        urgent=frozenset(edits.urgent),
        longer=edits.longer,
        closures=tuple(edits.closures),
    )


def moved_by(facts: DayFacts, event: Event, stands: Mapping[str, Standing]) -> dict[str, Standing]:
    """The visits that a swap or a move gives to others, or to another time: as they would stand then."""
    edits = _Edits()
    _APPLY[event["kind"]](facts, event, stands, edits, "event")
    return _pinned(facts, edits)


def _pinned(facts: DayFacts, edits: _Edits) -> dict[str, Standing]:
    found = {}
    for visit_id, (carers, starts) in edits.pinned.items():
        long = facts.orders[visit_id].order.duration_min * 60
        found[visit_id] = Standing(carers, starts, tuple(start + long for start in starts))
    return found


def _second(facts: DayFacts, given: Any) -> int:
    at = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    return facts.second(at)


def _span(facts: DayFacts, event: Event) -> tuple[int, int]:
    until = event.get("until")
    low = _second(facts, event["from"])
    high = DAY if until is None else _second(facts, until)
    if high <= low:
        raise BadRequestError("until: it ends before it begins", field="until")
    return low, high


def _visit(facts: DayFacts, visit_id: Any, where: str) -> DayOrder:
    one = facts.orders.get(str(visit_id))
    if one is None:
        raise BadRequestError(f"there is no visit {visit_id} on this day", field=f"{where}.visit_id")
    return one


def _of_order(facts: DayFacts, order_id: Any, where: str) -> str:
    visit_id = facts.by_order.get(str(order_id))
    if visit_id is None:
        raise BadRequestError(f"there is no order {order_id} on this day", field=f"{where}.order_id")
    return visit_id


def _carer(facts: DayFacts, carer_id: Any, where: str, name: str = "responder_id") -> str:
    if str(carer_id) not in facts.carers:
        raise BadRequestError(f"there is no responder {carer_id}", field=f"{where}.{name}")
    return str(carer_id)


def _begun(one: DayOrder) -> bool:
    return one.visit.state in ("en_route", "in_service", "completed", "aborted", "missed", "cancelled")


def _to_come(facts: DayFacts, carer: str, since: int, stands: Mapping[str, Standing]) -> list[str]:
    """Visits of a carer that have not begun and end after `since`."""
    return [
        visit_id
        for visit_id, one in stands.items()
        if carer in one.carers and one.end > since and visit_id in facts.orders and not _begun(facts.orders[visit_id])
    ]


def _ill(facts: DayFacts, event: Event, stands: Mapping[str, Standing], edits: _Edits, where: str) -> None:
    carer = _carer(facts, event["responder_id"], where)
    low, high = _span(facts, event)
    edits.absent.setdefault(carer, []).append((low, high))
    edits.released.update(one for one in _to_come(facts, carer, low, stands) if stands[one].start < high)


def _urgent(facts: DayFacts, event: Event, _stands: Mapping[str, Standing], edits: _Edits, where: str) -> None:
    visit_id = _of_order(facts, event["order_id"], where)
    one = facts.orders[visit_id]
    if _begun(one):
        raise ConflictError(f"the visit is {one.visit.state}", code="too-late", visit_id=visit_id)
    edits.urgent.add(visit_id)


def _road_closed(facts: DayFacts, event: Event, stands: Mapping[str, Standing], edits: _Edits, _where: str) -> None:
    low, high = _span(facts, event)
    ring = tuple((float(lat), float(lon)) for lat, lon in event.get("ring") or ())
    edits.closures.append(
        Closure(
            ring,
            float(event.get("factor") or CLOSED_FACTOR),
            since=low if facts.now_s is None or low > facts.now_s else None,
            until=None if event.get("until") is None else high,
        )
    )
    for day in _days(stands).values():
        for number, (_, visit_id) in enumerate(day):
            if stands[visit_id].end < low or stands[visit_id].start > high or _begun(facts.orders[visit_id]):
                continue
            if not ring or _through(facts, ring, [one for _, one in day[max(0, number - 1) : number + 2]]):
                # What comes after it on this route is late with it.
                edits.released.update(one for _, one in day[number:] if not _begun(facts.orders[one]))
                break


def _days(stands: Mapping[str, Standing]) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for visit_id, one in stands.items():
        for carer, start in zip(one.carers, one.starts, strict=True):
            found.setdefault(carer, []).append((start, visit_id))
    return {carer: sorted(day) for carer, day in found.items()}


def _through(facts: DayFacts, ring: Sequence[tuple[float, float]], visits: Collection[str]) -> bool:
    places = [
        (one.lat, one.lon)
        for one in (facts.orders[visit_id] for visit_id in visits)
        if one.lat is not None and one.lon is not None
    ]
    if len(places) == 1:
        places = places * 2
    return len(places) > 1 and bool(len(crosses(places, ring)[0]))


def _late(facts: DayFacts, event: Event, stands: Mapping[str, Standing], edits: _Edits, where: str) -> None:
    one = _visit(facts, event["visit_id"], where)
    visit_id, seconds = one.visit.id, int(event["minutes"]) * 60
    now = stands.get(visit_id)
    if now is None:
        raise BadRequestError("nobody has this visit: it cannot be late", field=f"{where}.visit_id")
    if one.visit.state == "in_service":
        edits.longer[visit_id] = max(0, seconds)
    elif one.visit.state in ("completed", "aborted", "missed", "cancelled"):
        raise ConflictError(f"the visit is {one.visit.state}", code="too-late", visit_id=visit_id)
    else:
        edits.pinned[visit_id] = now.carers, tuple(start + seconds for start in now.starts)
    for carer in now.carers:
        edits.released.update(_to_come(facts, carer, now.start + 1, stands))


def _swap(facts: DayFacts, event: Event, stands: Mapping[str, Standing], edits: _Edits, where: str) -> None:
    if event.get("visit_id") is None:
        one, other = (_carer(facts, event[name], where, name) for name in ("responder_id", "with_responder_id"))
        if one == other:
            raise BadRequestError("give two carers", field=f"{where}.with_responder_id")
        since = facts.now_s or 0
        theirs = {carer: _to_come(facts, carer, since, stands) for carer in (one, other)}
        for mine, visits in ((one, theirs[one]), (other, theirs[other])):
            for visit_id in visits:
                if {one, other} <= set(stands[visit_id].carers):
                    continue  # both are there: nothing to exchange
                _give(edits, visit_id, stands[visit_id], mine, other if mine == one else one)
        return
    first = _movable(facts, event["visit_id"], stands, where)
    if event.get("with_visit_id") is not None:
        second = _movable(facts, event["with_visit_id"], stands, where)
        if first == second:
            raise BadRequestError("give two visits", field=f"{where}.with_visit_id")
        a, b = stands[first], stands[second]
        if len(a.carers) != len(b.carers):
            raise BadRequestError("both visits must take as many carers", field=f"{where}.with_visit_id")
        edits.pinned[first] = b.carers, a.starts
        edits.pinned[second] = a.carers, b.starts
        return
    carer = _carer(facts, event["responder_id"], where)
    now = stands[first]
    if carer not in now.carers:
        _give(edits, first, now, now.carers[0], carer)


def _give(edits: _Edits, visit_id: str, now: Standing, old: str, new: str) -> None:
    carers = tuple(new if one == old else one for one in now.carers)
    edits.pinned[visit_id] = carers, now.starts


def _movable(facts: DayFacts, visit_id: Any, stands: Mapping[str, Standing], where: str) -> str:
    one = _visit(facts, visit_id, where)
    if _begun(one):
        raise ConflictError(f"the visit is {one.visit.state}: it cannot be moved", code="too-late", visit_id=visit_id)
    if one.visit.id not in stands:
        raise BadRequestError("nobody has this visit yet: move it to somebody", field=f"{where}.visit_id")
    return one.visit.id


def _move(facts: DayFacts, event: Event, stands: Mapping[str, Standing], edits: _Edits, where: str) -> None:
    one = _visit(facts, event["visit_id"], where)
    if _begun(one):
        raise ConflictError(
            f"the visit is {one.visit.state}: it cannot be moved", code="too-late", visit_id=one.visit.id
        )
    start = _second(facts, event["start"])
    if not 0 <= start < DAY:
        raise BadRequestError("start: lies on another day", field=f"{where}.start")
    if facts.now_s is not None and start < facts.now_s - 60:
        raise BadRequestError("start: is past", field=f"{where}.start")
    now = stands.get(one.visit.id)
    wanted = event.get("responder_id")
    carers = now.carers if now is not None else ()
    if wanted is not None:
        carer = _carer(facts, wanted, where)
        carers = (carer, *[other for other in carers if other != carer][1:]) if carer not in carers else carers
    if len(carers) != one.order.carers:
        raise BadRequestError(
            f"the visit takes {one.order.carers} carers: name who is to go", field=f"{where}.responder_id"
        )
    later = [begin - now.start for begin in now.starts] if now is not None else [0] * len(carers)
    edits.pinned[one.visit.id] = carers, tuple(start + gap for gap in later)


def _cancelled(facts: DayFacts, event: Event, _stands: Mapping[str, Standing], edits: _Edits, _where: str) -> None:
    visit_id = facts.by_order.get(str(event["order_id"]))
    if visit_id is None:
        return  # it was cancelled already, and is no longer of the day
    one = facts.orders[visit_id]
    if _begun(one):
        raise ConflictError(f"the visit is {one.visit.state}: it cannot be cancelled", code="too-late")
    edits.gone.add(visit_id)


_APPLY = {
    "ill": _ill,
    "urgent": _urgent,
    "road_closed": _road_closed,
    "late": _late,
    "swap": _swap,
    "move": _move,
    "cancelled": _cancelled,
}
