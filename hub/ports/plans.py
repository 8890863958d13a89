"""Response plans as use cases see them. Protocols and rows only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.ports.records import Json

__all__ = ["PlanContact", "PlanPlace", "PlanReads", "Plans"]


@dataclass(frozen=True, slots=True)
class PlanContact:
    """A resident's contact as a plan calls it. `responder_id`: the responder who is the same person, where there is
    one.
    """

    id: str
    name: str
    phone: str | None
    kind: str
    has_key: bool
    responder_id: str | None
    version: int


@dataclass(frozen=True, slots=True)
class PlanPlace:
    """What a notice about an incident says: its number and where it is."""

    number: int
    address: str | None
    area: str | None


class Plans(Protocol):
    def stamp(self) -> int:
        """A number that changes whenever a plan does."""

    def active(self) -> list[Json]:
        """The records of the plans that may be chosen, by id."""

    def contacts(self, resident_id: str) -> list[PlanContact]:
        """In the order of calling."""

    def supervisors(self, now: datetime) -> list[tuple[str, str, str | None]]:
        """(user id, name, telephone) of the supervisors, those on duty first."""

    def place(self, incident_id: str) -> PlanPlace | None: ...


class PlanReads(Protocol):
    def plan_of(self, incident_id: str) -> Json | None:
        """All that a page about an incident's plan must know, as rows have it."""

    def plan_versions(self, plan_id: str) -> Sequence[Json]:
        """`{"version", "at", "record"}`, the newest first."""
