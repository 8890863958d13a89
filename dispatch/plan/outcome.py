"""A laid-out plan in words and numbers: routes with their stops, breaks and trips, what it costs, what was left out
and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import permutations

import numpy as np

from dispatch.plan import arrays as a
from dispatch.plan.arrays import State
from dispatch.plan.day import Carer, Stop, Visit
from dispatch.plan.translate import MINUTE, Translation

__all__ = ["Pause", "Route", "Trip", "conflicts", "costs", "left_out", "routes", "why_not"]


@dataclass(frozen=True, slots=True)
class Pause:
    """A break as planned."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Trip:
    """From loading at the depot until the next loading: when it leaves, what it takes."""

    leave: int
    load: float
    visits: tuple[str, ...]


@dataclass(slots=True)
class Route:
    """One carer's day. `leave` the first place, `back` at the last; both None without work."""

    carer: str
    crew: str | None
    stops: list[Stop] = field(default_factory=list)
    breaks: list[Pause] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)
    leave: int | None = None
    back: int | None = None


@dataclass(slots=True)
class _Drive:
    """One unit's route while it is read off."""

    stops: list[tuple[int, Stop, bool]]
    breaks: list[Pause]
    trips: list[Trip]
    leave: int
    back: int


def _drive(made: Translation, state: State, r: int, breaks: list[tuple[int, int, int]]) -> _Drive | None:
    """Follows unit `r`; the breaks fall where `decode.reach` put them."""
    model, n2 = made.model, 2 * made.model.n
    p = n2 + r
    x = int(state.link[p, a.NEXT])
    if x >= n2:
        return None
    found = _Drive([], [], [], 0, int(state.route[r, a.R_HOME]))
    trip_stops: list[str] = []
    while x < n2:
        row, v = state.node[x], x >> 1
        first = p >= n2
        start, way = int(row[a.TS]), int(row[a.TRAVEL])
        free = int(model.crew[r, a.SHIFT_LO] if first else state.node[p, a.TE])
        if np.isnan(model.op[x, a.FIXED]):
            free = max(free, int(max(model.rules[a.NOW], model.crew[r, a.SHIFT_LO])))
        opened = 0 if row[a.NB] < len(breaks) else _when_open(made, r, None if first else p >> 1, v, free, way)
        ready, paused, late_break = free + way, 0, start
        done = 0 if first else int(state.node[p, a.NB])
        for low, high, seconds in breaks[done : int(row[a.NB])]:
            here = max(ready, low)
            if here <= high:
                found.breaks.append(Pause(here, here + seconds))
                ready, paused = here + seconds, paused + seconds
                if here + seconds > start - way:
                    late_break = min(late_break, here)
            elif max(free, low) <= high:
                begin = max(free, low)
                found.breaks.append(Pause(begin, begin + seconds))
                free = begin + seconds
                ready = free + way
        loads = model.rules[a.DELIVERING] > 0 and (first or row[a.TRIPS] > state.node[p, a.TRIPS])
        # Whoever sets out for the first visit does so in time, after the breaks that are over by then.
        arrive = late_break if first and not loads else start - paused if loads else max(free + way, opened)
        if first:
            found.leave = arrive - way
        if loads:
            trip_stops = []
            found.trips.append(Trip(int(row[a.LEFT]), 0.0, ()))
        trip_stops.append(made.day.visits[v].id)
        if found.trips:
            last = found.trips[-1]
            found.trips[-1] = Trip(last.leave, float(row[a.LOAD]), tuple(trip_stops))
        both = bool(state.link[2 * v + 1, a.UNIT] == a.ALONG)
        span = int(max(model.op[2 * v : 2 * v + 2, a.SPAN]) if both else model.op[x, a.SPAN])
        found.stops.append((x, Stop(made.day.visits[v].id, arrive, start, start + span), both))
        p, x = x, int(state.link[x, a.NEXT])
    done, free = int(state.node[p, a.NB]), int(state.node[p, a.TE])
    way = int(state.route[r, a.R_TRAVEL])
    for low, high, seconds in breaks[done:]:
        if free + way > high and max(free, low) <= high:
            begin = max(free, low)
            found.breaks.append(Pause(begin, begin + seconds))
            free = begin + seconds
    return found


def _when_open(made: Translation, r: int, p: int | None, v: int, free: int, way: int) -> int:
    """When a unit arrives that waits where it is until a road is open again; 0 where it does not."""
    model = made.model
    until = model.rules[a.SHUT_UNTIL]
    if free >= until or free + way <= model.rules[a.SHUT_FROM]:
        return 0
    start = int(model.base[r, a.DEPART] if p is None else model.ids[p, a.PLACE])
    end = int(model.ids[v, a.PLACE])
    if start == end or model.shut[start, end] <= model.dist[start, end] or way > _between(made, r, start, end):
        return 0
    return int(until) + way


def routes(made: Translation, state: State) -> list[Route]:
    """A route for each carer, in the order given. Of a crew, who serves a visit has it on their route; all share
    the way."""
    found = {carer.id: Route(carer.id, carer.crew) for carer in made.day.carers}
    for r, unit in enumerate(made.units):
        at, many = int(made.model.base[r, a.BRK_AT]), int(made.model.base[r, a.BRK_MANY])
        breaks = [(int(low), int(high), int(long)) for low, high, long in made.model.brk[at : at + many]]
        drive = _drive(made, state, r, breaks)
        if drive is None:
            continue
        for carer in unit:
            route = found[carer.id]
            route.leave, route.back = drive.leave, drive.back
            route.breaks, route.trips = drive.breaks, drive.trips
        for x, stop, both in drive.stops:
            visit = made.day.visits[x >> 1]
            for k, carer in enumerate(_who(unit, visit, x & 1, both), (x & 1) + 1):
                found[carer.id].stops.append(replace(stop, part=k if visit.carers == 2 else 0))
    return list(found.values())


def _able(carer: Carer, visit: Visit, k: int) -> bool:
    return visit.skills[k] <= carer.skills and visit.required_sex in (None, carer.sex)


def _who(unit: list[Carer], visit: Visit, k: int, both: bool) -> list[Carer]:
    """Which people of a unit do it: those who were promised, the regular ones first, else whoever is able."""
    promised = visit.frozen.carers if visit.frozen is not None else ()
    ranked = sorted(unit, key=lambda carer: (carer.id not in promised, carer.id not in visit.prefer))
    if both:
        for one, other in permutations(ranked, 2):
            if _able(one, visit, 0) and _able(other, visit, 1):
                return [one, other]
        return ranked[:2]
    if promised:
        return [carer for carer in ranked if carer.id == promised[k]] or ranked[:1]
    return [carer for carer in ranked if _able(carer, visit, k)][:1] or ranked[:1]


def costs(made: Translation, state: State, cost: float) -> dict[str, float]:
    """The parts of the cost, weighed, and the plain minutes and counts behind them."""
    totals, rules = state.totals, made.model.rules
    planned = int((state.link[: 2 * made.model.n : 2, a.UNIT] != a.ABSENT).sum())
    return {
        "total": round(cost, 3),
        "travel": round(float(rules[a.W_TRAVEL] * totals[a.T_TRAVEL]), 3),
        "lateness": round(float(rules[a.W_LATE] * totals[a.T_LATE] + rules[a.W_WORST] * totals[a.T_WORST]), 3),
        "waiting": round(float(rules[a.W_WAIT] * totals[a.T_WAIT]), 3),
        "overtime": round(float(rules[a.W_OVER] * totals[a.T_OVER]), 3),
        "preferences": round(float(totals[a.T_SOFT]), 3),
        "unplanned": round(float(totals[a.T_DROP]), 3),
        "travel_min": round(float(totals[a.T_TRAVEL]) / MINUTE, 2),
        "late_min": round(float(totals[a.T_LATE]) / MINUTE, 2),
        "worst_late_min": round(float(totals[a.T_WORST]) / MINUTE, 2),
        "waiting_min": round(float(totals[a.T_WAIT]) / MINUTE, 2),
        "overtime_min": round(float(totals[a.T_OVER]) / MINUTE, 2),
        "planned_visits": planned,
        "unplanned_visits": made.model.n - planned,
    }


def left_out(made: Translation, state: State) -> list[tuple[Visit, str, str]]:
    """The visits nobody does: each with a code and a sentence that says why."""
    found = []
    for v, visit in enumerate(made.day.visits):
        if state.link[2 * v, a.UNIT] == a.ABSENT:
            found.append((visit, *why_not(made, v, visit)))
    return found


def why_not(made: Translation, v: int, visit: Visit) -> tuple[str, str]:
    """The first reason, from the most general to the most particular, that leaves nobody."""
    day, fit, n = made.day, made.model.fit, made.model.n
    for k, skills in enumerate(visit.skills):
        who = [carer for carer in day.carers if skills <= carer.skills]
        what = ", ".join(sorted(skills)) or "no special skill"
        if not who:
            return "no-skill", f"nobody on duty has the skills: {what}"
        who = [carer for carer in who if visit.required_sex in (None, carer.sex)]
        if not who:
            return "no-sex", f"nobody with the skills ({what}) is of the required sex: {visit.required_sex}"
        who = [carer for carer in who if visit.depot_id in (None, carer.depot_id)]
        if not who:
            return "no-depot", f"nobody with the skills ({what}) works from {visit.depot_id}"
        if all(carer.id in visit.avoid for carer in who):
            return "refused", "everybody with the skills is on the list of those who must never come"
        if not np.isfinite(fit[2 * v + k]).any():
            return "refused", "every crew with the skills has somebody who must never come"
    able = [np.flatnonzero(np.isfinite(fit[2 * v + k])) for k in range(visit.carers)]
    teams = np.flatnonzero(np.isfinite(fit[2 * n + v])) if visit.carers == 2 else able[0]
    if visit.carers == 2 and len(np.union1d(able[0], able[1])) < 2 and not len(teams):
        return "one-carer", "two people are needed at once and only one is able"
    units = np.unique(np.concatenate([*able, teams]))
    opens = visit.window[0]
    late = [r for r in units if _earliest(made, v, int(r)) + visit.seconds[0] > made.model.crew[r, a.LIMIT]]
    if len(late) == len(units):
        return "no-shift", f"no shift of the {len(units)} who are able leaves time for it after its window opens"
    if visit.deliver_within is not None and all(_way(made, int(r), visit.place) > visit.deliver_within for r in units):
        return "too-far", "no depot is near enough to arrive while it is fresh"
    if all(visit.load > made.model.crew[r, a.CAP] for r in units):
        return "too-big", "no vehicle of those who are able can take its load"
    many = f"{len(units)} who are able" if len(units) > 1 else "one who is able"
    if not visit.mandatory:
        return "optional", f"optional: no place in the day of the {many} is worth what it costs"
    return (
        "no-room",
        f"the day of the {many} is full: no place from {opens // 3600:02d}:{opens // 60 % 60:02d} on keeps every rule",
    )


def _earliest(made: Translation, v: int, r: int) -> float:
    model = made.model
    way = _way(made, r, int(model.ids[v, a.PLACE]))
    return float(max(model.win[v, 0, a.OPENS], max(model.crew[r, a.SHIFT_LO], model.rules[a.NOW]) + way))


def _way(made: Translation, r: int, place: int) -> float:
    """Seconds from where unit `r` begins its day to a place."""
    return _between(made, r, int(made.model.base[r, a.DEPART]), place)


def _between(made: Translation, r: int, start: int, end: int) -> float:
    """Seconds from place to place, all roads open."""
    model = made.model
    if start == end:
        return 0.0
    return float(np.ceil(model.dist[start, end] * model.crew[r, a.PACE] + model.crew[r, a.EXTRA]))


def conflicts(made: Translation, state: State) -> list[tuple[str, str]]:
    """Frozen visits that break a rule: they stay where they are, and people must know."""
    found = []
    for v, visit in enumerate(made.day.visits):
        if visit.frozen is None:
            continue
        for x in range(2 * v, 2 * v + visit.carers):
            if state.link[x, a.UNIT] >= 0 and state.node[x, a.HARD] > 1e-6:
                minutes = float(state.node[x, a.HARD]) / MINUTE
                found.append(
                    (visit.id, f"frozen, but it cannot be reached in time or breaks a rule (by {minutes:.1f} min)")
                )
                break
    return found
