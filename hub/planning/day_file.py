"""A planning problem as JSON (docs/planning.md), read into a `Day`. Every error names the place and what is wrong
there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import msgspec

from dispatch.plan.day import Break, Carer, Day, Objective, Promise, Stop, Visit
from hub.errors import BadRequestError
from hub.planning.places import Places, Travel
from hub.planning.reading import parsed, wrong
from hub.planning.times import DayClock

__all__ = ["Problem", "read"]

PRIORITIES = {"low": 0.0, "medium": 1.0, "normal": 1.0, "high": 3.0, "critical": 9.0}


class DepotIn(msgspec.Struct):
    """A place to start from."""

    id: str
    lat: float | None = None
    lon: float | None = None
    x: float | None = None
    y: float | None = None
    place: int | None = None


class ResponderIn(msgspec.Struct):
    """A carer."""

    id: str
    shift: tuple[Any, Any]
    start: Any = None
    end: Any = None
    skills: list[str] = []
    sex: str | None = None
    breaks: list[Any] = []
    depot: str | None = None
    crew: str | None = None
    capacity: float | None = None
    max_trips: int = 1
    overtime_min: float = 0.0


class VisitIn(msgspec.Struct):
    """A visit."""

    id: str
    window: tuple[Any, Any]
    duration_min: float | list[float]
    lat: float | None = None
    lon: float | None = None
    x: float | None = None
    y: float | None = None
    place: int | None = None
    skills: list[Any] = []
    carers: Literal[1, 2] = 1
    sync: Literal["simultaneous", "precedence"] = "simultaneous"
    gap_min: tuple[float, float | None] | None = None
    prefer: list[str] = []
    avoid: list[str] = []
    required_sex: str | None = None
    priority: float | str | None = None
    mandatory: bool = True
    deliver_within_min: float | None = None
    load: float | None = None
    depot: str | None = None
    preferred_start: Any = None
    frozen: Any = None


class StopIn(msgspec.Struct):
    """A stop of the plan before."""

    visit: str
    start: Any
    arrive: Any = None
    leave: Any = None
    part: Literal[0, 1, 2] = 0


class RouteIn(msgspec.Struct):
    """A route of the plan before."""

    responder: str
    stops: list[StopIn] = []


class LeftOutIn(msgspec.Struct):
    """A visit the plan before left out."""

    visit: str


class DayIn(msgspec.Struct):
    """The file."""

    responders: list[ResponderIn]
    visits: list[VisitIn]
    day: str | None = None
    depots: list[DepotIn] = []
    travel: Travel = msgspec.field(default_factory=Travel)
    objective: dict[str, float] = {}
    now: Any = None
    reload_min: float = 0.0
    routes: list[RouteIn] | None = None
    unplanned: list[LeftOutIn] = []


class Problem(msgspec.Struct):
    """The day, and how to show its times."""

    day: Day
    clock: DayClock


class _Reader:
    """Walks through the file with the place in mind, for the error."""

    def __init__(self, path: Path, given: DayIn) -> None:
        self.path = path
        self.given = given
        self.where = "$"
        try:
            self.clock = DayClock(given.day)
        except ValueError as error:
            raise wrong(path, f"$.day: {error}") from error
        self.ids = {one.id for one in given.responders}

    def fail(self, what: str) -> BadRequestError:
        return wrong(self.path, f"{self.where}: {what}")

    def seconds(self, value: Any, what: str) -> int:
        try:
            return self.clock.seconds(value)
        except ValueError as error:
            raise self.fail(f"{what}: {error}") from error

    def span(self, value: tuple[Any, Any], what: str) -> tuple[int, int]:
        first, last = self.seconds(value[0], what), self.seconds(value[1], what)
        if last < first:
            raise self.fail(f"{what}: ends before it begins")
        return first, last

    def minutes(self, value: float, what: str) -> int:
        if not (isfinite(value) and 0 <= value < 1e6):
            raise self.fail(f"{what}: {value} is not a number of minutes")
        return round(value * 60)

    def known(self, names: Sequence[str], what: str) -> frozenset[str]:
        for name in names:
            if name not in self.ids:
                raise self.fail(f"{what}: there is no responder {name}")
        return frozenset(names)


def read(path: Path, raw: bytes) -> Problem:
    """The problem; raises BadRequestError with file, place and reason."""
    given = parsed(path, raw, DayIn)
    reader = _Reader(path, given)
    for kind, ids in (
        ("depots", [one.id for one in given.depots]),
        ("responders", [one.id for one in given.responders]),
        ("visits", [one.id for one in given.visits]),
    ):
        twice = next((one for one in ids if ids.count(one) > 1), None) if len(set(ids)) < len(ids) else None
        if twice is not None:
            raise wrong(path, f"$.{kind}: {twice} is there twice")
    places = Places(path, given.travel)
    depots = {}
    for at, depot in enumerate(given.depots):
        reader.where = f"$.depots[{at}] ({depot.id})"
        depots[depot.id] = places.add(reader.where, depot, at)
    visit_places = []
    for at, one in enumerate(given.visits):
        reader.where = f"$.visits[{at}] ({one.id})"
        visit_places.append(places.add(reader.where, one, len(given.depots) + at))
    before = {
        route.responder: [_stop(reader, f"$.routes[{at}]", stop) for stop in route.stops]
        for at, route in enumerate(given.routes or [])
    }
    carers = [_carer(reader, at, one, depots, places) for at, one in enumerate(given.responders)]
    visits = [_visit(reader, at, one, visit_places[at], depots, before) for at, one in enumerate(given.visits)]
    reader.where = "$"
    day = Day(
        carers=carers,
        visits=visits,
        travel=places.table(len(given.depots) + len(given.visits)),
        objective=_objective(reader, given.objective),
        reload=reader.minutes(given.reload_min, "reload_min"),
        now=None if given.now is None else reader.seconds(given.now, "now"),
        before=before if given.routes is not None else None,
        left_out_before=frozenset(one.visit for one in given.unplanned),
    )
    _check_crews(reader, carers)
    return Problem(day, reader.clock)


def _stop(reader: _Reader, where: str, stop: StopIn) -> Stop:
    reader.where = f"{where} ({stop.visit})"
    start = reader.seconds(stop.start, "start")
    arrive = start if stop.arrive is None else reader.seconds(stop.arrive, "arrive")
    leave = start if stop.leave is None else reader.seconds(stop.leave, "leave")
    return Stop(stop.visit, arrive, start, leave, stop.part)


def _objective(reader: _Reader, given: dict[str, float]) -> Objective:
    known = [one.name for one in fields(Objective)]
    for name, value in given.items():
        if name not in known:
            raise reader.fail(f"objective: there is no weight {name}; there are {', '.join(known)}")
        if not (isfinite(value) and value >= 0):
            raise reader.fail(f"objective: {name} must be a number from 0 on")
    return Objective(**given)


def _carer(reader: _Reader, at: int, one: ResponderIn, depots: dict[str, int], places: Places) -> Carer:
    reader.where = f"$.responders[{at}] ({one.id})"
    depot_id = one.depot if one.depot is not None else (next(iter(depots)) if len(depots) == 1 else None)
    if depot_id is not None and depot_id not in depots:
        raise reader.fail(f"there is no depot {depot_id}")

    def place(value: Any, what: str) -> int:
        if value is None:
            if depot_id is None:
                raise reader.fail(f"needs a depot, or a place to {what} at")
            return depots[depot_id]
        if isinstance(value, str):
            if value not in depots:
                raise reader.fail(f"{what}: there is no depot {value}")
            return depots[value]
        try:
            spot = msgspec.convert({"id": what, **value}, DepotIn) if isinstance(value, dict) else None
        except msgspec.ValidationError as error:
            raise reader.fail(f"{what}: {error}") from error
        if spot is None:
            raise reader.fail(f"{what}: a depot's id or a place is expected")
        return places.add(f"{reader.where}: {what}", spot, None)

    if one.capacity is not None and not one.capacity >= 0:
        raise reader.fail("capacity: must not be negative")
    if not 1 <= one.max_trips <= 1000:
        raise reader.fail("max_trips: must be from 1 to 1000")
    start, end = place(one.start, "start"), place(one.end, "end")
    # Who carries a load begins where it is loaded.
    carries = one.capacity is not None or one.max_trips > 1
    return Carer(
        id=one.id,
        shift=reader.span(one.shift, "shift"),
        skills=frozenset(one.skills),
        sex=one.sex,
        breaks=tuple(_break(reader, each) for each in one.breaks),
        start=depots[depot_id] if carries and depot_id is not None else start,
        end=end,
        depot=depots[depot_id] if depot_id is not None else start,
        depot_id=depot_id,
        crew=one.crew,
        capacity=one.capacity,
        max_trips=one.max_trips,
        overtime=reader.minutes(one.overtime_min, "overtime_min"),
    )


def _break(reader: _Reader, given: Any) -> Break:
    """[from, to]: exactly then. {"window": [from, to], "duration_min"}: that long, somewhere within."""
    if isinstance(given, dict) and "window" in given and "duration_min" in given:
        window, minutes = given["window"], given["duration_min"]
        if isinstance(window, list) and len(window) == 2 and isinstance(minutes, (int, float)):
            first, last = reader.span((window[0], window[1]), "breaks")
            seconds = reader.minutes(float(minutes), "breaks")
            if first + seconds > last:
                raise reader.fail("breaks: the break is longer than its window")
            return Break(first, last, seconds)
    if isinstance(given, list) and len(given) == 2:
        first, last = reader.span((given[0], given[1]), "breaks")
        return Break(first, last, last - first)
    raise reader.fail('breaks: [from, to] or {"window": [from, to], "duration_min": n} is expected')


def _visit(
    reader: _Reader, at: int, one: VisitIn, place: int, depots: dict[str, int], before: dict[str, list[Stop]]
) -> Visit:
    reader.where = f"$.visits[{at}] ({one.id})"
    if one.depot is not None and one.depot not in depots:
        raise reader.fail(f"there is no depot {one.depot}")
    lengths = one.duration_min if isinstance(one.duration_min, list) else [one.duration_min] * one.carers
    if len(lengths) != one.carers:
        raise reader.fail(f"duration_min: {one.carers} are expected, not {len(lengths)}")
    low, high = one.gap_min or (0.0, None)
    gap = (reader.minutes(low, "gap_min"), 10**9 if high is None else reader.minutes(high, "gap_min"))
    if gap[1] < gap[0]:
        raise reader.fail("gap_min: the greatest gap is below the least")
    if one.load is not None and not one.load >= 0:
        raise reader.fail("load: must not be negative")
    within = one.deliver_within_min
    return Visit(
        id=one.id,
        place=place,
        skills=_skills(reader, one),
        seconds=tuple(reader.minutes(each, "duration_min") for each in lengths),
        window=reader.span(one.window, "window"),
        sync=one.sync,
        gap=gap,
        # Names that are not on duty today are no mistake here: regular carers have days off.
        prefer=frozenset(one.prefer),
        avoid=frozenset(one.avoid),
        required_sex=one.required_sex,
        priority=_priority(reader, one.priority),
        mandatory=one.mandatory,
        deliver_within=None if within is None else reader.minutes(within, "deliver_within_min"),
        load=1.0 if one.load is None else one.load,
        depot_id=one.depot,
        preferred_start=None if one.preferred_start is None else reader.seconds(one.preferred_start, "preferred_start"),
        frozen=_promise(reader, one, before),
    )


def _skills(reader: _Reader, one: VisitIn) -> tuple[frozenset[str], ...]:
    """A list a carer; a flat list of words holds for each."""
    if all(isinstance(word, str) for word in one.skills):
        return (frozenset(one.skills),) * one.carers
    good = all(isinstance(part, list) and all(isinstance(word, str) for word in part) for part in one.skills)
    if not good or len(one.skills) != one.carers:
        raise reader.fail(f"skills: a list of words for each of {one.carers} carers is expected")
    return tuple(frozenset(part) for part in one.skills)


def _priority(reader: _Reader, given: float | str | None) -> float:
    if given is None:
        return 0.0
    if isinstance(given, str):
        if given not in PRIORITIES:
            raise reader.fail(f"priority: {given} is none of {', '.join(PRIORITIES)}")
        return PRIORITIES[given]
    if not (isfinite(given) and 0 <= given <= 1000):
        raise reader.fail("priority: a number from 0 (least) to 1000 is expected")
    return float(given)


def _promise(reader: _Reader, one: VisitIn, before: dict[str, list[Stop]]) -> Promise | None:
    """`true`: as in `routes`; or {"responder" | "responders", "start"}."""
    if one.frozen is None or one.frozen is False:
        return None
    if one.frozen is True:
        found = sorted(
            (stop.part, stop.start, carer) for carer, stops in before.items() for stop in stops if stop.visit == one.id
        )
        if not found:
            raise reader.fail("frozen: where and when? it is in none of $.routes")
        carers, starts = [carer for _, _, carer in found], [start for _, start, _ in found]
    elif isinstance(one.frozen, dict) and "start" in one.frozen:
        who = one.frozen.get("responders", one.frozen.get("responder"))
        carers = [who] if isinstance(who, str) else who if isinstance(who, list) else []
        times = one.frozen["start"] if isinstance(one.frozen["start"], list) else [one.frozen["start"]] * len(carers)
        starts = [reader.seconds(each, "frozen") for each in times]
    else:
        raise reader.fail('frozen: true or {"responder", "start"} is expected')
    if len(carers) != one.carers or len(starts) != one.carers:
        raise reader.fail(f"frozen: {one.carers} responders and starts are expected, not {len(carers)}")
    reader.known(carers, "frozen")
    return Promise(tuple(carers), tuple(starts))


def _check_crews(reader: _Reader, carers: Sequence[Carer]) -> None:
    first: dict[str, Carer] = {}
    same: Callable[[Carer], tuple[int, int]] = lambda carer: (carer.start, carer.end)  # noqa: E731
    for carer in carers:
        if carer.crew is not None and same(first.setdefault(carer.crew, carer)) != same(carer):
            raise reader.fail(
                f"responders: the crew {carer.crew} shares a vehicle, but starts or ends at several places"
            )
