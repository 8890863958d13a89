"""The rota as use cases see it. Protocols and rows only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.rota import Override, Person, Shift

__all__ = ["Rota", "RotaSlice"]


@dataclass(frozen=True, slots=True)
class RotaSlice:
    """What counts at a time: shifts and overrides in the order in which they were made, and the people they name."""

    shifts: Sequence[Shift]
    overrides: Sequence[Override]
    people: Sequence[Person]


class Rota(Protocol):
    def slice(self, start: datetime, end: datetime, *, role: str | None = None) -> RotaSlice:
        """What overlaps [start, end), of active people; `role`: only its shifts, and everybody who has it."""

    def path_of(self, area_id: str) -> tuple[str, ...]:
        """Ids from the district down to the area; NotFoundError where there is no such area."""
