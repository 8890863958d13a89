"""Plans for unified home health care instances: routes in the public form, and their published objective."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch.plan import arrays as a
from dispatch.plan.arrays import Model, State
from dispatch.plan.later import later
from dispatch.plan.search import Plan
from hub.planning.uhhc import PARTS, Instance, turns

__all__ = ["finished", "routes_of", "score"]

LUNCH = "lunch_break"


def _number(value: float) -> int | float:
    return int(value) if value == int(value) else value


def finished(model: Model, plan: Plan) -> tuple[Model, State, float]:
    """The plan as it is handed out: nobody is visited by half, and starts are later where that costs less."""
    for v, twin in enumerate(model.ids[:, a.TWIN]):
        if twin >= 0 and plan.unit[2 * twin] == a.ABSENT:
            plan.unit[2 * v : 2 * v + 2] = a.ABSENT
    return later(model, plan, np.ones(model.n, bool))


def routes_of(instance: Instance, model: Model, state: State) -> list[dict[str, Any]]:
    """The laid-out plan in the public form, lunch breaks as stops of their own. Carers without work have no route."""
    lunch = instance.lunch_bounds()
    visits = turns(instance)
    routes = []
    for c, carer in enumerate(instance.caregivers):
        stops: list[dict[str, Any]] = []
        p = 2 * model.n + c
        x = int(state.link[p, a.NEXT])
        while x < 2 * model.n:
            number, services = visits[x >> 1]
            patient = instance.patients[number]
            start, row = float(state.node[x, a.TS]), state.node[x]
            done = int(state.node[p, a.NB]) if p < 2 * model.n else 0
            if lunch and row[a.NB] > done:
                low, high, minutes = lunch
                first = p >= 2 * model.n
                reached = (model.crew[c, a.SHIFT_LO] if first else state.node[p, a.TE]) + row[a.TRAVEL]
                begin = max(float(reached), low)
                if first:  # the depot is left just in time: as late as the service and the lunch's window allow
                    begin = max(begin, min(start - minutes, high))
                if begin <= high:
                    meal = {"patient": patient.id, "service": LUNCH, "start_time": _number(begin)}
                    stops.append({**meal, "end_time": _number(begin + minutes)})
            stops.append(
                {
                    "patient": patient.id,
                    "service": patient.required_services[services[x & 1]].service,
                    "arrival_time": _number(start),
                    "departure_time": _number(float(row[a.TE])),
                }
            )
            p, x = x, int(state.link[x, a.NEXT])
        if stops:
            routes.append({"caregiver_id": carer.id, "locations": stops})
    return routes


def _begin(stop: dict[str, Any]) -> float:
    return float(stop["start_time"] if stop["service"] == LUNCH else stop["arrival_time"])


def _end(stop: dict[str, Any]) -> float:
    return float(stop["end_time"] if stop["service"] == LUNCH else stop["departure_time"])


def score(instance: Instance, routes: list[dict[str, Any]]) -> dict[str, float]:
    """The published objective of written routes (`objective`), its parts unweighted, and `unvisited` mandatory
    patients."""
    points = {one.id: one.distance_matrix_index for one in instance.terminal_points}
    patients = {one.id: one for one in instance.patients}
    by_carer = {route["caregiver_id"]: route["locations"] for route in routes}
    parts = dict.fromkeys(PARTS, 0.0)
    idle = [0.0]
    for carer in instance.caregivers:
        shift = carer.working_shift
        stops = sorted(by_carer.get(carer.id, ()), key=_begin)
        if not stops:
            idle.append(shift.end - shift.start if shift else 0.0)
            parts["missed_lunch_break"] += bool(carer.lunch_break)
            continue
        lunched = any(stop["service"] == LUNCH for stop in stops)
        parts["missed_lunch_break"] += bool(carer.lunch_break) and not lunched
        here, ready, spare = points[carer.departing_point], 0.0, 0.0
        for at, stop in enumerate(stops):
            patient = patients[stop["patient"]]
            there = patient.distance_matrix_index
            way = instance.distances[here][there]
            parts["travel_time"] += way
            wait = _begin(stop) - ready - way if at else 0.0
            spare += wait if at else max(0.0, _begin(stop) - way - (shift.start if shift else 0.0))
            if not (at == 1 and stops[0]["service"] == LUNCH):
                parts["total_waiting_time"] += wait
            if stop["service"] != LUNCH:
                window = [one for one in patient.time_windows if one.start <= _begin(stop)][-1]
                at_end = instance.metadata.time_window_met == "at_service_end"
                late = max(0.0, (_end(stop) if at_end else _begin(stop)) - window.end)
                parts["total_tardiness"] += late
                parts["highest_tardiness"] = max(parts["highest_tardiness"], late)
                liked = patient.preferred_caregivers is None or carer.id in patient.preferred_caregivers
                parts["caregiver_preferences"] += not liked
            here, ready = there, _end(stop)
        home = instance.distances[here][points[carer.arrival_point]]
        parts["travel_time"] += home
        if shift:
            parts["total_extra_time"] += max(0.0, ready + home - shift.end)
            idle.append(spare + max(0.0, shift.end - ready - home))
    parts["max_idle_time"] = max(idle) if any(carer.working_shift for carer in instance.caregivers) else 0.0
    visited = {stop["patient"] for stops in by_carer.values() for stop in stops if stop["service"] != LUNCH}
    missed = [patient for patient in instance.patients if patient.id not in visited]
    parts["optional_patients"] = float(sum(bool(patient.optional) for patient in missed))
    total = sum(instance.weight(part) * value for part, value in parts.items())
    return {"objective": total, **parts, "unvisited": float(sum(not patient.optional for patient in missed))}
