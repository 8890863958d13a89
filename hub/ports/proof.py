"""Proof of visit as it crosses the floors: checks, tasks, vitals, lateness, reviews. Protocols and rows only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol

from dispatch.proof import Late, ProofLimits
from hub.ports.records import Json

__all__ = ["CheckRow", "Proof", "ReviewFilter", "ReviewState", "TaskDone", "VitalsRow"]

ReviewState = Literal["open", "accepted", "rejected", "all"]


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check of one assignment. `findings`: `[{code, fails, zh, en, values}]`; `photo_sha256` in hex."""

    id: str
    visit_id: str
    assignment_id: str
    responder_id: str
    kind: Literal["in", "out"]
    at: datetime
    recorded_at: datetime
    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None
    source: str | None = None
    fix_at: datetime | None = None
    distance_m: float | None = None
    flags: list[str] = field(default_factory=list)
    findings: list[Json] = field(default_factory=list)
    photo_sha256: str | None = None
    recorded_by: str | None = None
    review: Literal["accepted", "rejected"] | None = None
    review_reason: str | None = None
    version: int = 1


class TaskDone(NamedTuple):
    """One line of the list. `note`: why it was not done."""

    code: str
    position: int
    zh: str
    en: str
    done: bool
    note: str | None


@dataclass(frozen=True, slots=True)
class VitalsRow:
    """What was measured at a visit. `score`: NEWS2 as the API gives it, None where it is nobody's to score."""

    id: str
    visit_id: str
    assignment_id: str
    responder_id: str
    purpose: Literal["visit", "gate"]
    at: datetime
    recorded_at: datetime
    measured: Json
    nurse: bool
    score: Json | None = None
    incident_id: str | None = None


class ReviewFilter(NamedTuple):
    """Which flagged checks; `provider_id`: of one organisation's orders only."""

    state: ReviewState = "open"
    flag: str | None = None
    kind: str | None = None
    responder_id: str | None = None
    provider_id: str | None = None
    area_id: str | None = None
    q: str | None = None


class Proof(Protocol):
    def add_check(self, row: CheckRow) -> bool:
        """False where the assignment has a check of this kind already: the first stands."""

    def check(self, check_id: str, *, lock: bool = False) -> CheckRow | None: ...

    def checks(self, visit_id: str) -> Sequence[CheckRow]: ...

    def flag(self, check_id: str, finding: Json) -> bool:
        """Adds a failing finding to a check, which is then to be looked at anew; False where it has it."""

    def review(self, check_id: str, verdict: str, reason: str, user_id: str | None, at: datetime) -> None: ...

    def set_late(self, visit_id: str, late: Late | None) -> bool:
        """False where it was so already."""

    def number_of(self, order_id: str) -> int:
        """The number by which people speak of an order."""

    def set_gate(self, visit_id: str, gate: Json) -> None: ...

    def gate_of(self, visit_id: str) -> Json | None: ...

    def put_tasks(
        self, visit_id: str, responder_id: str, rows: Sequence[TaskDone], at: datetime, recorded_at: datetime
    ) -> None:
        """The later word on a task stands."""

    def add_vitals(self, row: VitalsRow) -> None: ...

    def vitals(self, visit_id: str) -> Sequence[Json]: ...

    def overdue(self, now: datetime, limits: ProofLimits, limit: int) -> list[str]:
        """Ids of visits that have not begun and are later than what is marked, the longest first; not locked."""

    def predict(self, now: datetime, ahead: timedelta) -> list[tuple[str, datetime | None]]:
        """Marks visits around now whose carer is still at another one, by when they can be there; takes marks back.

        Gives (order, expected or None) of what has changed.
        """

    def unfinished(self, now: datetime, limits: ProofLimits, limit: int) -> list[str]:
        """Ids of visits under way where a carer or a check-out has not come, and no check says so yet."""

    def left_over(self, before: datetime, limit: int) -> list[str]:
        """Ids of missed visits of before that somebody still has in hand."""

    def told(self, provider_id: str | None) -> list[str]:
        """Ids of the users who hear of what goes wrong with a service of this organisation."""

    def reviews(self, where: ReviewFilter, limit: int, cursor: str | None) -> tuple[list[Json], str | None]:
        """Flagged checks with their evidence, the latest first, and where to go on."""

    def review_of(self, check_id: str) -> tuple[Json, str | None] | None:
        """One check with its evidence, and the organisation of its order."""
