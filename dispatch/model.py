"""Values of the dispatch room. Places have no accuracy and no source: the hub converts a device's fix into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

__all__ = [
    "ASSIGNMENT_STATES",
    "LIVE_ASSIGNMENT_STATES",
    "AssignmentState",
    "Candidate",
    "Mode",
    "Place",
    "Reason",
    "Request",
    "Responder",
]

Mode = Literal["foot", "bike", "car", "van"]
AssignmentState = Literal["offered", "accepted", "declined", "en_route", "on_scene", "completed", "stood_down"]
ASSIGNMENT_STATES: tuple[AssignmentState, ...] = (
    "offered",
    "accepted",
    "declined",
    "en_route",
    "on_scene",
    "completed",
    "stood_down",
)
LIVE_ASSIGNMENT_STATES: frozenset[AssignmentState] = frozenset({"offered", "accepted", "en_route", "on_scene"})


@dataclass(frozen=True, slots=True)
class Place:
    """WGS-84 degrees."""

    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Responder:
    """Whoever can go.

    `skills` maps a skill to the day its credential expires (None: it never does). `area_ids` are the areas served
    (any ancestor counts;
    empty: everywhere). `keyholder_for` are residents whose key the person holds; `known_to` residents served before.
    `position_at` is when `place` was last known (None: the place is the base, not a live position). `busy`: en route
    or on a scene; `live` counts accepted and offered work.
    """

    id: str
    name: str
    kind: str
    skills: Mapping[str, date | None] = field(default_factory=dict)
    sex: Literal["f", "m"] | None = None
    languages: frozenset[str] = frozenset({"zh"})
    area_ids: frozenset[str] = frozenset()
    place: Place | None = None
    position_at: datetime | None = None
    mode: Mode = "bike"
    on_duty: bool = True
    busy: bool = False
    live: int = 0
    keyholder_for: frozenset[str] = frozenset()
    known_to: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted: an emergency (`urgent`) or a service order.

    `skills` are all needed; `any_skills`: at least one of them (empty: no such demand). `area_path` runs from
    district to micro-grid. `never` are responders the resident refuses; `regular` those who usually come. `caller`: the
    responder who calls for help here, and cannot be sent. `kind`: the service ordered, None for an emergency.
    """

    resident_id: str | None
    place: Place | None
    area_path: tuple[str, ...] = ()
    urgent: bool = True
    skills: frozenset[str] = frozenset()
    any_skills: frozenset[str] = frozenset()
    required_sex: Literal["f", "m"] | None = None
    languages: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    regular: frozenset[str] = frozenset()
    starts_at: datetime | None = None
    caller: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a code with values: the page words it in the reader's language; `text` is the English sentence.

    `weight` > 0 speaks for, < 0 against, 0 is a fact.
    """

    code: str
    text: str
    weight: float = 0.0
    values: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A responder judged for a request.

    `eligible` False: the first `reasons` say why not. `eta_s` None: place unknown. `score` is in seconds, higher is
    better.
    """

    responder_id: str
    name: str
    kind: str
    eligible: bool
    distance_m: float | None
    eta_s: float | None
    score: float
    reasons: tuple[Reason, ...]
