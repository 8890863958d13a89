"""An independent judge of a day's plan: reads the problem and the answer as JSON, shares no code with the planner.

It knows the rules as docs/planning.md words them, times as minutes of the day, and positions as x, y in kilometres
or a matrix.
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["broken_rules", "planned_starts"]

SLACK = 0.02
"""Minutes: a second of rounding, and a little."""


def _place(problem: dict[str, Any], name: str) -> Any:
    """(x, y), or the number in the matrix, of a depot or visit."""
    rows = [*problem.get("depots", []), *problem["visits"]]
    for at, row in enumerate(rows):
        if row["id"] == name:
            return at if "matrix" in problem["travel"] else (row["x"], row["y"])
    raise AssertionError(f"no place {name}")


def _minutes(problem: dict[str, Any], one: Any, other: Any) -> float:
    travel = problem["travel"]
    if "matrix" in travel:
        return float(travel["matrix"][one][other])
    if one == other:
        return 0.0
    return math.dist(one, other) / travel["speed_kmh"] * 60 + travel.get("fixed_min", 0.0)


def _lengths(visit: dict[str, Any]) -> list[float]:
    given = visit["duration_min"]
    return given if isinstance(given, list) else [given] * visit.get("carers", 1)


def planned_starts(plan: dict[str, Any]) -> dict[str, list[tuple[float, str]]]:
    """Visit to (start, carer), one a carer."""
    found: dict[str, list[tuple[float, str]]] = {}
    for route in plan["routes"]:
        for stop in route["stops"]:
            found.setdefault(stop["visit"], []).append((stop["start"], route["responder"]))
    return {visit: sorted(pairs) for visit, pairs in found.items()}


def broken_rules(problem: dict[str, Any], plan: dict[str, Any]) -> list[str]:
    """Everything that is wrong with a plan, in words; frozen visits may break rules but not move."""
    wrong: list[str] = []
    visits = {visit["id"]: visit for visit in problem["visits"]}
    carers = {carer["id"]: carer for carer in problem["responders"]}
    if [route["responder"] for route in plan["routes"]] != list(carers):
        wrong.append("not one route a carer")
    starts = planned_starts(plan)
    for visit in visits.values():
        wrong += _visit(visit, starts.get(visit["id"], []), carers)
        reasons = [one["reason"] for one in plan["unplanned"] if one["visit"] == visit["id"]]
        if len(reasons) != (visit["id"] not in starts) or not all(reasons):
            wrong.append(f"{visit['id']}: planned {visit['id'] in starts}, reasons for leaving it out: {reasons}")
    for unknown in set(starts) - set(visits):
        wrong.append(f"{unknown}: no such visit")
    for route in plan["routes"]:
        wrong += _route(problem, plan, route, carers[route["responder"]], visits)
    return wrong


def _visit(visit: dict[str, Any], pairs: list[tuple[float, str]], carers: dict[str, Any]) -> list[str]:
    name, wrong = visit["id"], []
    if visit.get("frozen"):
        frozen = visit["frozen"]
        who = frozen.get("responders") or [frozen["responder"]]
        when = frozen["start"] if isinstance(frozen["start"], list) else [frozen["start"]] * len(who)
        if sorted(zip(when, who, strict=True)) != pairs:
            wrong.append(f"{name}: frozen, but moved to {pairs}")
        return wrong
    if not pairs:
        return wrong
    if len(pairs) != visit.get("carers", 1) or len({carer for _, carer in pairs}) != len(pairs):
        return [f"{name}: {len(pairs)} carers"]
    for start, carer in pairs:
        if start < visit["window"][0] - SLACK:
            wrong.append(f"{name}: before its window opens")
        if carer in visit.get("avoid", []):
            wrong.append(f"{name}: {carer} must never come")
        if visit.get("required_sex") not in (None, carers[carer].get("sex")):
            wrong.append(f"{name}: {carer} is of the wrong sex")
        if visit.get("depot") not in (None, carers[carer].get("depot")):
            wrong.append(f"{name}: {carer} comes from the wrong depot")
        crew = carers[carer].get("crew")
        if crew and any(one.get("crew") == crew and one["id"] in visit.get("avoid", []) for one in carers.values()):
            wrong.append(f"{name}: the crew of {carer} has somebody who must never come")
    skills = visit.get("skills", [])
    parts = skills if skills and isinstance(skills[0], list) else [skills] * len(pairs)
    have = [set(carers[carer].get("skills", [])) for _, carer in pairs]
    in_order = visit.get("sync") == "precedence" and pairs[0][0] < pairs[-1][0]
    orders = [have] if in_order or len(have) == 1 else [have, have[::-1]]
    if not any(all(set(part) <= own for part, own in zip(parts, order, strict=True)) for order in orders):
        wrong.append(f"{name}: skills {parts}, came {have}")
    if len(pairs) == 2:
        gap = pairs[1][0] - pairs[0][0]
        if visit.get("sync", "simultaneous") == "simultaneous":
            low, high = 0.0, 0.0
        else:
            low, high = visit.get("gap_min", [0, None])
        if gap < low - SLACK or (high is not None and gap > high + SLACK):
            wrong.append(f"{name}: {gap} minutes between the two")
    return wrong


def _route(
    problem: dict[str, Any], plan: dict[str, Any], route: dict[str, Any], carer: dict[str, Any], visits: dict[str, Any]
) -> list[str]:
    name, wrong = carer["id"], []
    crew = carer.get("crew")
    mates = [one["id"] for one in problem["responders"] if crew and one.get("crew") == crew] or [name]
    # A crew stays together: what any of them does, all of them drive to.
    stops: dict[tuple[str, float], dict[str, Any]] = {}
    for other in plan["routes"]:
        if other["responder"] in mates:
            for stop in other["stops"]:
                stops[stop["visit"], stop["start"]] = stop
    way = sorted(stops.values(), key=lambda stop: (stop["start"], stop["leave"]))
    if not way:
        return wrong
    frozen_near = any(visits[stop["visit"]].get("frozen") for stop in way)
    shifts = [one["shift"] for one in problem["responders"] if one["id"] in mates]
    begin, end = max(shift[0] for shift in shifts), min(shift[1] for shift in shifts)
    over = min(one.get("overtime_min", 0.0) for one in problem["responders"] if one["id"] in mates)
    depot = _place(problem, carer["depot"])
    trips = route.get("trips", [])
    loads = {trip["visits"][0]: trip for trip in trips}
    here, free = depot, begin
    paused = [(one["start"], one["end"]) for one in route.get("breaks", [])]
    busy: list[tuple[float, float]] = []
    # A promise that cannot be kept, and is told as such: what follows may be reckoned from it, or as if it were not.
    broken = {one["visit"] for one in plan["conflicts"]}
    promised: tuple[Any, float] | None = None
    at = 0
    for turn, stop in enumerate(way):
        visit = visits[stop["visit"]]
        there = _place(problem, visit["id"])
        spans = {round(length, 4) for length in _lengths(visit)}
        if not any(abs(stop["leave"] - stop["start"] - span) <= SLACK for span in spans):
            wrong.append(f"{name}, {visit['id']}: stays {stop['leave'] - stop['start']}")
        need = _minutes(problem, here, there)
        if at and stop["visit"] in loads:
            need = _minutes(problem, here, depot) + problem.get("reload_min", 0.0) + _minutes(problem, depot, there)
        if promised is not None and visit["id"] not in broken:
            need = min(need, max(0.0, promised[1] - free) + _minutes(problem, promised[0], there))
        rest = sum(last - first for first, last in paused if first >= free - SLACK and last <= stop["start"] + SLACK)
        if not visit.get("frozen"):
            if stop["start"] < free + need - SLACK:
                wrong.append(f"{name}, {visit['id']}: starts {stop['start']}, free {free} and {need} away")
            elif not frozen_near and stop["start"] < free + need + (rest if at else 0.0) - SLACK:
                wrong.append(f"{name}, {visit['id']}: no time for the break before it")
            if problem.get("now") is not None and stop["start"] < problem["now"] + need - SLACK and turn == 0:
                wrong.append(f"{name}, {visit['id']}: had to leave before now")
        busy.append((stop["start"], stop["leave"]))
        if visit.get("frozen") and visit["id"] in broken:
            promised = (there, max(free, stop["leave"]))
        else:
            here, free, at, promised = there, max(free, stop["leave"]), at + 1, None
    home = free + _minutes(problem, here, depot)
    if not frozen_near:
        if home > end + over + SLACK:
            wrong.append(f"{name}: home at {home}, shift ends {end}")
        if abs(route["back"] - home) > 0.1 and not paused:
            wrong.append(f"{name}: back {route['back']}, reckoned {home}")
        wrong += _breaks(problem, name, mates, paused, busy, begin, end, home)
    wrong += _deliveries(problem, route, carer, mates, visits, way, loads, frozen_near)
    return wrong


def _breaks(
    problem: dict[str, Any],
    name: str,
    mates: list[str],
    paused: list[tuple[float, float]],
    busy: list[tuple[float, float]],
    begin: float,
    end: float,
    home: float,
) -> list[str]:
    wrong = []
    for first, last in paused:
        if any(first < leave - SLACK and last > start + SLACK for start, leave in busy):
            wrong.append(f"{name}: works during the break {first}")
    for one in problem["responders"]:
        if one["id"] not in mates:
            continue
        for due in one.get("breaks", []):
            window, minutes = (due["window"], due["duration_min"]) if isinstance(due, dict) else (due, due[1] - due[0])
            low = max(window[0], begin)
            minutes = min(minutes, window[1] - low)
            if minutes <= 0 or low >= end or home <= window[1] - minutes + SLACK:
                continue  # not in the shift, or at home in time for it
            if problem.get("now") is not None and window[1] - minutes < problem["now"]:
                continue  # too late to begin it
            kept = [
                1
                for first, last in paused
                if first >= low - SLACK and last <= window[1] + SLACK and last - first >= minutes - SLACK
            ]
            if not kept:
                wrong.append(f"{name}: no break in {window}: {paused}")
    return wrong


def _deliveries(
    problem: dict[str, Any],
    route: dict[str, Any],
    carer: dict[str, Any],
    mates: list[str],
    visits: dict[str, Any],
    way: list[dict[str, Any]],
    loads: dict[str, Any],
    frozen_near: bool,
) -> list[str]:
    name, wrong = carer["id"], []
    caps = [one["capacity"] for one in problem["responders"] if one["id"] in mates and one.get("capacity") is not None]
    needed = [visits[stop["visit"]] for stop in way]
    if frozen_near or (not caps and all(one.get("deliver_within_min") is None for one in needed)):
        return wrong
    most = min(one.get("max_trips", 1) for one in problem["responders"] if one["id"] in mates)
    if not route.get("trips") or way[0]["visit"] not in loads or len(loads) > most:
        return [f"{name}: trips {route.get('trips')}"]
    left, load = 0.0, 0.0
    for stop in way:
        visit = visits[stop["visit"]]
        if stop["visit"] in loads:
            left, load = loads[stop["visit"]]["leave"], 0.0
            first_leg = _minutes(problem, _place(problem, carer["depot"]), _place(problem, visit["id"]))
            if stop["start"] < left + first_leg - SLACK:
                wrong.append(f"{name}: left the depot at {left}, too late for {visit['id']}")
        load += visit.get("load", 1.0)
        if caps and load > min(caps) + 1e-6:
            wrong.append(f"{name}: load {load} above {min(caps)}")
        within = visit.get("deliver_within_min")
        if within is not None and stop["start"] - left > within + SLACK:
            wrong.append(f"{name}: {visit['id']} is {stop['start'] - left} minutes on the way")
    return wrong
