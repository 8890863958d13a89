"""Questions to the community doctor as they cross the floors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from hub.ports.records import Json

__all__ = ["Advice", "Medical", "MedicalReads", "TeleconsultFilter", "TeleconsultRow"]

Advice = Literal["advice", "visit", "120"]


@dataclass(frozen=True, slots=True)
class TeleconsultRow:
    """`vitals`: the latest values as they stood when it was asked: metric, value, observed_at each."""

    id: str
    resident_id: str
    reason: str
    state: Literal["requested", "answered", "withdrawn"]
    requested_at: datetime
    requested_by_name: str
    requested_by: str | None = None
    urgent: bool = False
    vitals: Sequence[Json] = ()
    incident_id: str | None = None
    order_id: str | None = None
    doctor_id: str | None = None
    advice: Advice | None = None
    answer: str | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    visit_order_id: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class TeleconsultFilter:
    """`doctor_id`: those asked of this doctor, and those asked of whichever answers first."""

    state: str | None = None
    resident_id: str | None = None
    incident_id: str | None = None
    doctor_id: str | None = None


class Medical(Protocol):
    def add(self, row: TeleconsultRow) -> None: ...

    def get(self, consult_id: str, *, lock: bool = False) -> TeleconsultRow | None: ...

    def save(self, row: TeleconsultRow) -> None: ...

    def responder_kind(self, responder_id: str) -> str | None: ...


class MedicalReads(Protocol):
    def teleconsults(self, where: TeleconsultFilter, limit: int) -> list[Json]:
        """Open ones first, urgent ones before the others, then the newest."""

    def teleconsult(self, consult_id: str) -> Json | None: ...
