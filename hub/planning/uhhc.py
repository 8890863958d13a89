"""The unified home health care instances of Ceschia et al. (2026), and plans for them.

The objective is the sum of weight times part; `metadata.cost_components` has the weights. A weight "HARD" means that
the part must be nothing. docs/planning.md says how each part is reckoned.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from dispatch.plan import arrays as a
from dispatch.plan.arrays import Model
from dispatch.plan.modelling import make_model
from hub.planning.reading import parsed, wrong

__all__ = ["HARD_WEIGHT", "PARTS", "Instance", "model_of", "read", "turns"]

Weight = int | float | Literal["HARD"] | None
PARTS = (
    "travel_time",
    "total_tardiness",
    "highest_tardiness",
    "total_waiting_time",
    "total_extra_time",
    "max_idle_time",
    "caregiver_preferences",
    "optional_patients",
    "missed_lunch_break",
)
HARD_WEIGHT = 1e5
"""What one unit of a part that must be nothing costs the search; also a patient who must be visited and is not."""


class Metadata(msgspec.Struct):
    """Weights, and whether windows bound the start or the end of a service."""

    cost_components: dict[str, Weight]
    time_window_met: Literal["at_service_start", "at_service_end"] = "at_service_start"


class Terminal(msgspec.Struct):
    """Where carers leave from and end."""

    id: str
    distance_matrix_index: int


class Span(msgspec.Struct):
    """From `start` to `end`."""

    start: float
    end: float


class Lunch(Span):
    """The window of lunch breaks."""

    min_duration: float = 0.0


class Caregiver(msgspec.Struct):
    """A carer."""

    id: str
    abilities: list[str]
    departing_point: str
    arrival_point: str
    working_shift: Span | None = None
    lunch_break: bool | None = False


class Need(msgspec.Struct):
    """One service at a patient."""

    service: str
    duration: float | None = None


class Gap(msgspec.Struct):
    """Bounds of the time between two starts."""

    min: float
    max: float


class Sync(msgspec.Struct):
    """How two services hang together."""

    type: Literal["simultaneous", "sequential", "independent"]
    distance: Gap | None = None


class Patient(msgspec.Struct):
    """A patient."""

    id: str
    required_services: list[Need]
    distance_matrix_index: int
    time_windows: list[Span]
    optional: bool | None = False
    synchronization: Sync | None = None
    preferred_caregivers: list[str] | None = None
    incompatible_caregivers: list[str] | None = None


class Service(msgspec.Struct):
    """A kind of service."""

    id: str
    default_duration: float = 0.0


class Instance(msgspec.Struct):
    """A file."""

    metadata: Metadata
    distances: list[list[float]]
    terminal_points: list[Terminal]
    caregivers: list[Caregiver]
    patients: list[Patient]
    services: list[Service]
    lunch_breaks: Lunch | None = None

    def weight(self, part: str) -> float:
        """The weight of a part; HARD is worth more than anything else may cost."""
        given = self.metadata.cost_components.get(part)
        if given == "HARD":
            return HARD_WEIGHT
        return float(given) if given is not None else 0.0

    def length(self, need: Need) -> float:
        """Minutes of a service."""
        if need.duration is not None:
            return need.duration
        return next((one.default_duration for one in self.services if one.id == need.service), 0.0)

    def lunch_bounds(self) -> tuple[float, float, float] | None:
        """Earliest start, latest start and minutes of lunch, if there is one."""
        if self.lunch_breaks is None:
            return None
        lunch = self.lunch_breaks
        before = lunch.min_duration if self.metadata.time_window_met == "at_service_end" else 0.0
        return lunch.start, lunch.end - before, lunch.min_duration


def read(path: Path, raw: bytes) -> Instance:
    """The instance; raises BadRequestError with file, place and reason."""
    found = parsed(path, raw, Instance)
    size = len(found.distances)
    if any(len(row) != size for row in found.distances):
        raise wrong(path, f"$.distances: {size} rows of {size} numbers are expected")
    if any(value < 0 for row in found.distances for value in row):
        raise wrong(path, "$.distances: a distance is negative")
    terminals = {one.id for one in found.terminal_points}
    unknown = [name for name in found.metadata.cost_components if name not in PARTS]
    if any(found.metadata.cost_components[name] not in (None, 0, "HARD") for name in unknown):
        raise wrong(path, f"$.metadata.cost_components: {', '.join(unknown)}: not known here")
    placed = [("terminal_points", one.id, one.distance_matrix_index) for one in found.terminal_points]
    placed += [("patients", one.id, one.distance_matrix_index) for one in found.patients]
    for kind, name, index in placed:
        if not 0 <= index < size:
            raise wrong(path, f"$.{kind} ({name}): distance_matrix_index is outside of the matrix")
    carers: set[str] = set()
    for at, carer in enumerate(found.caregivers):
        where = f"$.caregivers[{at}] ({carer.id})"
        if carer.id in carers:
            raise wrong(path, f"{where}: is there twice")
        carers.add(carer.id)
        for point in (carer.departing_point, carer.arrival_point):
            if point not in terminals:
                raise wrong(path, f"{where}: there is no terminal point {point}")
        if carer.working_shift and carer.working_shift.end < carer.working_shift.start:
            raise wrong(path, f"{where}: the shift ends before it begins")
    _check_patients(path, found, carers)
    return found


def _check_patients(path: Path, found: Instance, carers: set[str]) -> None:
    ids: set[str] = set()
    for at, patient in enumerate(found.patients):
        where = f"$.patients[{at}] ({patient.id})"
        if patient.id in ids:
            raise wrong(path, f"{where}: is there twice")
        ids.add(patient.id)
        if len(patient.required_services) not in (1, 2):
            raise wrong(path, f"{where}: one or two services are expected, not {len(patient.required_services)}")
        if not patient.time_windows:
            raise wrong(path, f"{where}: has no time window")
        ends = [window.start for window in patient.time_windows]
        if ends != sorted(ends) or any(window.end < window.start for window in patient.time_windows):
            raise wrong(path, f"{where}: time windows must follow one another, each ending after it begins")
        sync = patient.synchronization
        if sync and sync.type == "sequential" and (sync.distance is None or sync.distance.min > sync.distance.max):
            raise wrong(path, f"{where}: a sequential synchronization needs a distance with min <= max")
        for name in (patient.preferred_caregivers or []) + (patient.incompatible_caregivers or []):
            if name not in carers:
                raise wrong(path, f"{where}: there is no caregiver {name}")


def turns(instance: Instance) -> list[tuple[int, tuple[int, ...]]]:
    """What the model has as visits: the patient's number, and which of the services.

    Independent services are visits of their own: by two carers or by one, together or hours apart, in any order. The
    others belong together.
    """
    found: list[tuple[int, tuple[int, ...]]] = []
    for number, patient in enumerate(instance.patients):
        services = tuple(range(len(patient.required_services)))
        sync = patient.synchronization
        if len(services) == 2 and sync is not None and sync.type == "independent":
            found += [(number, (service,)) for service in services]
        else:
            found.append((number, services))
    return found


def _twins(instance: Instance) -> list[int]:
    """For each visit the other half of an optional patient: both or neither. Who must be visited needs no such tie."""
    visits = turns(instance)
    found = [-1] * len(visits)
    for v, (one, (other, _)) in enumerate(pairwise(visits)):
        if one[0] == other and instance.patients[other].optional:
            found[v], found[v + 1] = v + 1, v
    return found


def model_of(instance: Instance) -> Model:
    """The instance as arrays; visit `v` is `turns(instance)[v]`."""
    visits = turns(instance)
    whose = [instance.patients[number] for number, _ in visits]
    n, r = len(visits), len(instance.caregivers)
    points = {one.id: one.distance_matrix_index for one in instance.terminal_points}
    most = max((len(patient.time_windows) for patient in instance.patients), default=1)
    win = np.full((n, most, 2), 1e9)
    span, fit = np.zeros(2 * n), np.full((3 * n, r), np.inf)
    ops, sync, drop = np.ones(n), np.zeros(n), np.full(n, HARD_WEIGHT)
    low, high = np.zeros(n), np.zeros(n)
    dislike = instance.weight("caregiver_preferences")
    for v, (patient, (_, services)) in enumerate(zip(whose, visits, strict=True)):
        ops[v] = len(services)
        for w, window in enumerate(patient.time_windows):
            win[v, w] = window.start, window.end
        if patient.optional:
            drop[v] = instance.weight("optional_patients") * len(services) / len(patient.required_services)
        if patient.synchronization and ops[v] == 2:
            sync[v] = {"simultaneous": a.TOGETHER, "sequential": a.GAP}.get(patient.synchronization.type, a.SEPARATE)
            if patient.synchronization.distance:
                low[v], high[v] = patient.synchronization.distance.min, patient.synchronization.distance.max
        for k, need in enumerate(patient.required_services[service] for service in services):
            span[2 * v + k] = instance.length(need)
            for c, carer in enumerate(instance.caregivers):
                if need.service in carer.abilities and carer.id not in (patient.incompatible_caregivers or ()):
                    liked = patient.preferred_caregivers is None or carer.id in patient.preferred_caregivers
                    fit[2 * v + k, c] = 0.0 if liked else dislike
    lunch = instance.lunch_bounds()
    shifts = [carer.working_shift or Span(0.0, 1e9) for carer in instance.caregivers]
    names = ("W_TRAVEL", "W_LATE", "W_WORST", "W_WAIT", "W_OVER", "W_IDLE")
    rules = {getattr(a, name): instance.weight(part) for name, part in zip(names, PARTS, strict=False)}
    if not all(carer.working_shift for carer in instance.caregivers):
        rules[a.W_IDLE] = 0.0
    return make_model(
        dist=np.array(instance.distances, np.float64),
        ids={
            a.PLACE: [patient.distance_matrix_index for patient in whose],
            a.OPS: ops,
            a.SYNC: sync,
            a.WINDOWS: [len(patient.time_windows) for patient in whose],
            a.TWIN: _twins(instance),
        },
        visit={a.GAP_LO: low, a.GAP_HI: high, a.DROP: drop},
        op={a.SPAN: span},
        base={
            a.DEPART: [points[carer.departing_point] for carer in instance.caregivers],
            a.ARRIVE: [points[carer.arrival_point] for carer in instance.caregivers],
        },
        crew={a.SHIFT_LO: [one.start for one in shifts], a.SHIFT_HI: [one.end for one in shifts]},
        win=win,
        fit=fit,
        breaks=[[lunch] if lunch and carer.lunch_break else [] for carer in instance.caregivers],
        rules={
            **rules,
            a.W_MISSED: instance.weight("missed_lunch_break"),
            a.LATE_AT_END: instance.metadata.time_window_met == "at_service_end",
            a.IDLE_UNUSED: 1,
        },
    )
