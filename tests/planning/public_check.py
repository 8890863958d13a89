"""Independent judges of plans for the public instances: they read both files as JSON or text and share no code with
the planner."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

__all__ = ["hhcrsp_objective", "load", "solomon_values", "uhhc_objective"]

LUNCH = "lunch_break"


def load(path: Path) -> Any:
    """A JSON file, packed or not."""
    raw = path.read_bytes()
    return json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)


def hhcrsp_objective(instance: dict[str, Any], plan: dict[str, Any]) -> float:
    """(travel + total tardiness + greatest tardiness) / 3; AssertionError where a rule is broken."""
    patients = {one["id"]: (at, one) for at, one in enumerate(instance["patients"], 1)}
    able = {one["id"]: set(one["abilities"]) for one in instance["caregivers"]}
    served: dict[str, dict[str, tuple[float, str]]] = {}
    travel, late = 0.0, []
    assert len({route["caregiver_id"] for route in plan["routes"]}) == len(plan["routes"])
    for route in plan["routes"]:
        here, free = 0, 0.0
        for stop in route["locations"]:
            at, patient = patients[stop["patient"]]
            need = next(one for one in patient["required_caregivers"] if one["service"] == stop["service"])
            assert stop["service"] in able[route["caregiver_id"]], stop
            way = instance["distances"][here][at]
            assert stop["arrival_time"] >= free + way - 1e-6, stop
            assert stop["arrival_time"] >= patient["time_window"][0] - 1e-6, stop
            assert abs(stop["departure_time"] - stop["arrival_time"] - need["duration"]) < 1e-6, stop
            travel += way
            late.append(max(0.0, stop["arrival_time"] - patient["time_window"][1]))
            done = served.setdefault(stop["patient"], {})
            assert stop["service"] not in done, stop
            done[stop["service"]] = (stop["arrival_time"], route["caregiver_id"])
            here, free = at, stop["departure_time"]
        travel += instance["distances"][here][0]
    for name, (_, patient) in patients.items():
        assert set(served.get(name, {})) == {one["service"] for one in patient["required_caregivers"]}, name
        sync = patient.get("synchronization")
        if sync:
            (one, who), (other, mate) = (served[name][need["service"]] for need in patient["required_caregivers"])
            assert who != mate, name
            low, high = (0.0, 0.0) if sync["type"] == "simultaneous" else sync["distance"]
            assert low - 1e-6 <= other - one <= high + 1e-6, name
    return (travel + sum(late) + max(late, default=0.0)) / 3


def uhhc_objective(instance: dict[str, Any], plan: dict[str, Any]) -> float:
    """The published weighted sum; AssertionError where a rule is broken."""
    parts = _uhhc_parts(instance, plan)
    total = 0.0
    for name, weight in instance["metadata"]["cost_components"].items():
        if weight == "HARD":
            assert parts[name] == 0, name
        elif weight is not None:
            total += weight * parts[name]
    return total


def _uhhc_parts(instance: dict[str, Any], plan: dict[str, Any]) -> dict[str, float]:
    place = {one["id"]: one["distance_matrix_index"] for one in instance["terminal_points"]}
    patients = {one["id"]: one for one in instance["patients"]}
    lengths = {one["id"]: one.get("default_duration") for one in instance["services"]}
    at_end = instance["metadata"]["time_window_met"] == "at_service_end"
    routes = {route["caregiver_id"]: route["locations"] for route in plan["routes"]}
    assert len(routes) == len(plan["routes"])
    travel = waiting = extra = missed = disliked = 0.0
    idle, late = [], []
    served: dict[str, dict[str, tuple[float, str]]] = {}
    for carer in instance["caregivers"]:
        shift = carer["working_shift"]
        stops = []
        for one in routes.pop(carer["id"], []):
            first = one["start_time"] if one["service"] == LUNCH else one["arrival_time"]
            last = one["end_time"] if one["service"] == LUNCH else one["departure_time"]
            stops.append((first, last, one["service"], patients[one["patient"]]))
        stops.sort(key=lambda stop: (stop[0], stop[1]))
        lunched = False
        if not stops:
            idle.append(shift["end"] - shift["start"])
            missed += bool(carer["lunch_break"])
            continue
        here, reach, spare = place[carer["departing_point"]], 0.0, 0.0
        for at, (first, last, service, patient) in enumerate(stops):
            there = patient["distance_matrix_index"]
            way = instance["distances"][here][there]
            travel += way
            if at == 0:
                reach = first
                assert first - way >= shift["start"], (carer["id"], first, way)
                spare += first - way - shift["start"]
            else:
                reach += way
                assert first >= reach, (carer["id"], patient["id"])
                spare += first - reach
                if not (at == 1 and stops[0][2] == LUNCH):
                    waiting += first - reach
            if service == LUNCH:
                lunch = instance["lunch_breaks"]
                assert lunch["start"] <= first, (carer["id"], first)
                assert (last if at_end else first) <= lunch["end"], (carer["id"], first)
                assert last - first == lunch["min_duration"]
                assert carer["lunch_break"]
                assert not lunched
                assert stops[at + 1][3] is patient  # at the next patient's place
                assert stops[at + 1][2] != LUNCH
                lunched = True
            else:
                need = next(one for one in patient["required_services"] if one["service"] == service)
                assert service in carer["abilities"]
                assert carer["id"] not in (patient.get("incompatible_caregivers") or [])
                assert last - first == need.get("duration", lengths[service]), (patient["id"], service)
                opened = [one for one in patient["time_windows"] if one["start"] <= first]
                assert opened, (patient["id"], first)
                late.append(max(0.0, (last if at_end else first) - opened[-1]["end"]))
                liked = patient.get("preferred_caregivers")
                disliked += liked is not None and carer["id"] not in liked
                done = served.setdefault(patient["id"], {})
                assert service not in done
                done[service] = (first, carer["id"])
            here, reach = there, last
        way = instance["distances"][here][place[carer["arrival_point"]]]
        travel += way
        extra += max(0.0, reach + way - shift["end"])
        idle.append(spare + max(0.0, shift["end"] - reach - way))
        missed += bool(carer["lunch_break"]) and not lunched
    assert not routes, routes
    unvisited = _uhhc_visits(patients, served)
    return {
        "travel_time": travel,
        "total_tardiness": sum(late),
        "highest_tardiness": max(late, default=0.0),
        "total_waiting_time": waiting,
        "total_extra_time": extra,
        "max_idle_time": max(idle),
        "caregiver_preferences": disliked,
        "optional_patients": unvisited,
        "missed_lunch_break": missed,
    }


def _uhhc_visits(patients: dict[str, Any], served: dict[str, dict[str, tuple[float, str]]]) -> float:
    unvisited = 0.0
    for name, patient in patients.items():
        if name not in served:
            assert patient["optional"], f"{name} must be visited"
            unvisited += 1
            continue
        needs = [one["service"] for one in patient["required_services"]]
        assert set(served[name]) == set(needs), name
        sync = patient.get("synchronization") or {"type": "independent"}
        if sync["type"] != "independent":
            (one, who), (other, mate) = (served[name][need] for need in needs)
            assert who != mate, name
            gap = sync.get("distance") or {}
            low, high = (0, 0) if sync["type"] == "simultaneous" else (gap["min"], gap["max"])
            assert low <= other - one <= high, name
    return unvisited


def solomon_values(text: str, routes: list[list[int]], *, truncated: bool) -> tuple[int, float]:
    """Vehicles and distance of routes under one of the two conventions; AssertionError where a rule is broken."""
    rows = [list(map(float, line.split())) for line in text.splitlines() if line.split()[:1] and _numbers(line)]
    (fleet, capacity), stops = rows[0], rows[1:]
    assert all(len(row) == 7 for row in stops)

    def way(one: int, other: int) -> float:
        exact = math.dist(stops[one][1:3], stops[other][1:3])
        return math.floor(exact * 10 + 1e-9) / 10 if truncated else exact

    assert sorted(stop for route in routes for stop in route) == list(range(1, len(stops)))
    assert len(routes) <= fleet
    total = 0.0
    for route in routes:
        assert route
        assert sum(stops[stop][3] for stop in route) <= capacity
        time, here = stops[0][4], 0
        for stop in [*route, 0]:
            total += way(here, stop)
            time = max(time + stops[here][6] + way(here, stop), stops[stop][4])
            assert time <= stops[stop][5] + 1e-6, (stop, time)
            here = stop
    return len(routes), total


def _numbers(line: str) -> bool:
    try:
        return bool([float(word) for word in line.split()])
    except ValueError:
        return False
