"""The public home-care instances of Mankowska, Meisel and Bierwirth (2014) in their JSON form, and plans for them.

The window bounds the start: earlier is forbidden, later is tardiness. One depot, no shift end, time is distance. The
objective is a third of travel, plus total, plus greatest tardiness; a patient with two services counts the tardiness
of each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from dispatch.plan import arrays as a
from dispatch.plan.arrays import Model, State
from dispatch.plan.modelling import make_model
from hub.planning.reading import parsed, wrong

__all__ = ["Instance", "model_of", "read", "routes_of", "score"]


class Need(msgspec.Struct):
    """One service at a patient."""

    service: str
    duration: float


class Sync(msgspec.Struct):
    """How two services hang together; `distance` bounds the gap of the starts."""

    type: Literal["simultaneous", "sequential"]
    distance: tuple[float, float] | None = None


class Patient(msgspec.Struct):
    """A patient with one or two services."""

    id: str
    time_window: tuple[float, float]
    required_caregivers: list[Need]
    synchronization: Sync | None = None


class Caregiver(msgspec.Struct):
    """A carer and the services they can do."""

    id: str
    abilities: list[str]


class Office(msgspec.Struct):
    """The depot."""

    id: str


class Instance(msgspec.Struct):
    """A file. `distances` is in the order depot, patients."""

    patients: list[Patient]
    caregivers: list[Caregiver]
    central_offices: list[Office]
    distances: list[list[float]]


def read(path: Path, raw: bytes) -> Instance:
    """The instance; raises BadRequestError with file, place and reason."""
    found = parsed(path, raw, Instance)
    places = len(found.patients) + 1
    if len(found.central_offices) != 1:
        raise wrong(path, f"$.central_offices: one office is expected, not {len(found.central_offices)}")
    if len(found.distances) != places or any(len(row) != places for row in found.distances):
        raise wrong(path, f"$.distances: {places} rows of {places} numbers are expected (office, then patients)")
    if any(value < 0 for row in found.distances for value in row):
        raise wrong(path, "$.distances: a distance is negative")
    _unique(path, "patients", [one.id for one in found.patients])
    _unique(path, "caregivers", [one.id for one in found.caregivers])
    for at, patient in enumerate(found.patients):
        where = f"$.patients[{at}] ({patient.id})"
        if len(patient.required_caregivers) not in (1, 2):
            raise wrong(path, f"{where}: one or two services are expected, not {len(patient.required_caregivers)}")
        if (len(patient.required_caregivers) == 2) != (patient.synchronization is not None):
            raise wrong(path, f"{where}: two services and a synchronization go together")
        if patient.time_window[0] > patient.time_window[1]:
            raise wrong(path, f"{where}: the time window ends before it begins")
        gap = patient.synchronization.distance if patient.synchronization else None
        if patient.synchronization and patient.synchronization.type == "sequential" and gap is None:
            raise wrong(path, f"{where}: a sequential synchronization needs a distance [min, max]")
        if gap and gap[0] > gap[1]:
            raise wrong(path, f"{where}: the least distance of the services is above the greatest")
        able = [{c.id for c in found.caregivers if need.service in c.abilities} for need in patient.required_caregivers]
        for need, who in zip(patient.required_caregivers, able, strict=True):
            if need.duration < 0:
                raise wrong(path, f"{where}: a duration is negative")
            if not who:
                raise wrong(path, f"{where}: no caregiver can do {need.service}")
        if len(able) == 2 and len(able[0] | able[1]) < 2:
            raise wrong(path, f"{where}: two caregivers are needed and only one can do these services")
    return found


def _unique(path: Path, what: str, ids: list[str]) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise wrong(path, f"$.{what}: {one} is there twice")
        seen.add(one)


def model_of(instance: Instance) -> Model:
    """The instance as arrays."""
    n, r = len(instance.patients), len(instance.caregivers)
    span, fit = np.zeros(2 * n), np.full((3 * n, r), np.inf)
    ops, sync = np.ones(n), np.zeros(n)
    low, high = np.zeros(n), np.zeros(n)
    for v, patient in enumerate(instance.patients):
        ops[v] = len(patient.required_caregivers)
        if patient.synchronization:
            sync[v] = a.TOGETHER if patient.synchronization.type == "simultaneous" else a.GAP
            if sync[v] == a.GAP and patient.synchronization.distance:
                low[v], high[v] = patient.synchronization.distance
        for k, need in enumerate(patient.required_caregivers):
            span[2 * v + k] = need.duration
            for c, caregiver in enumerate(instance.caregivers):
                if need.service in caregiver.abilities:
                    fit[2 * v + k, c] = 0.0
    windows = np.array([patient.time_window for patient in instance.patients], np.float64).reshape(n, 1, 2)
    return make_model(
        dist=np.array(instance.distances, np.float64),
        ids={a.PLACE: np.arange(1, n + 1), a.OPS: ops, a.SYNC: sync},
        visit={a.GAP_LO: low, a.GAP_HI: high},
        op={a.SPAN: span},
        base={a.DEPART: 0},
        win=windows,
        fit=fit,
        rules={a.W_TRAVEL: 1 / 3, a.W_LATE: 1 / 3, a.W_WORST: 1 / 3},
    )


def routes_of(instance: Instance, model: Model, state: State) -> list[dict[str, Any]]:
    """The laid-out plan in the public form; `arrival_time` is the start of service. Carers without work have no
    route."""
    routes = []
    for c, caregiver in enumerate(instance.caregivers):
        stops = []
        x = int(state.link[2 * model.n + c, a.NEXT])
        while x < 2 * model.n:
            patient = instance.patients[x >> 1]
            stops.append(
                {
                    "patient": patient.id,
                    "service": patient.required_caregivers[x & 1].service,
                    "arrival_time": float(state.node[x, a.TS]),
                    "departure_time": float(state.node[x, a.TE]),
                }
            )
            x = int(state.link[x, a.NEXT])
        if stops:
            routes.append({"caregiver_id": caregiver.id, "locations": stops})
    return routes


def score(instance: Instance, routes: list[dict[str, Any]]) -> dict[str, float]:
    """The published objective of written routes and its parts."""
    number = {patient.id: at for at, patient in enumerate(instance.patients, 1)}
    travel, late, worst = 0.0, 0.0, 0.0
    for route in routes:
        here = 0
        for stop in route["locations"]:
            there = number[stop["patient"]]
            travel += instance.distances[here][there]
            tardy = max(0.0, stop["arrival_time"] - instance.patients[there - 1].time_window[1])
            late += tardy
            worst = max(worst, tardy)
            here = there
        travel += instance.distances[here][0]
    return {
        "objective": (travel + late + worst) / 3,
        "travel_time": travel,
        "total_tardiness": late,
        "highest_tardiness": worst,
    }
