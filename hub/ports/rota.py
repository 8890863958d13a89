"""The rota as use cases see it. Protocols and rows only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from hub.ports.records import Json
from hub.rota import Calendar, Cover, Override, Person, Rotation, Shift, Slot, Swap, SwapState

__all__ = ["KeptShift", "Rota", "RotaSlice", "RotationRow", "SwapRow"]


@dataclass(frozen=True, slots=True)
class RotaSlice:
    """What counts at a time: shifts and overrides in the order in which they were made, and the people they name."""

    shifts: Sequence[Shift]
    overrides: Sequence[Override]
    people: Sequence[Person]


@dataclass(frozen=True, slots=True)
class RotationRow:
    """A rotation as it is stored. `made_until`: its shifts are there up to, not including, that day."""

    rotation: Rotation
    made_until: date | None
    version: int


@dataclass(frozen=True, slots=True)
class KeptShift:
    """A shift that a rotation made: its slot, and whether somebody touched it (by hand, a swap, an override)."""

    id: str
    slot_at: datetime
    seat: int
    starts_at: datetime
    ends_at: datetime
    responder_id: str
    role: str | None
    area_id: str | None
    touched: bool

    @property
    def gives(self) -> tuple[str, datetime, datetime, str | None, str | None]:
        """Who, from when, until when, as what, where."""
        return self.responder_id, self.starts_at, self.ends_at, self.role, self.area_id


@dataclass(frozen=True, slots=True)
class SwapRow:
    """A swap as it is stored."""

    id: str
    swap: Swap
    asked_at: datetime
    version: int


class Rota(Protocol):
    def slice(self, start: datetime, end: datetime, *, role: str | None = None) -> RotaSlice:
        """What overlaps [start, end), of active people; `role`: only its shifts, and everybody who has it."""

    def rostered(self, responder_id: str, at: datetime, within: timedelta) -> bool:
        """Whether somebody has shifts so near to that time: then the rota says when they are on duty."""

    def path_of(self, area_id: str) -> tuple[str, ...]:
        """Ids from the district down to the area; NotFoundError where there is no such area."""

    def calendar(self) -> Calendar:
        """Holidays and make-up days."""

    def holiday_names(self, first: date, last: date) -> list[Json]:
        """`id` (the day) and `name` of the days from `first` up to, not including, `last`."""

    def area_names(self, area_ids: Collection[str]) -> dict[str, str]: ...

    def below(self, area_id: str) -> set[str]:
        """The area and all below it."""

    def colleagues(self, responder_id: str) -> list[Json]:
        """Active people of the same kind or of a rotation in common: `id`, `name`, `kind`; whom a swap may be asked."""

    def covers(self) -> list[Cover]:
        """The cover that is wanted, of active rows."""

    def rotations(self, *, behind: date | None = None) -> list[RotationRow]:
        """Active rotations; `behind`: only those whose shifts are not made up to that day."""

    def rotation(self, rotation_id: str) -> RotationRow | None:
        """Locked for the transaction, active or not."""

    def inactive(self, responder_ids: Collection[str]) -> set[str]:
        """Who of them is not active, or not there at all."""

    def made(self, rotation_id: str, after: datetime) -> list[KeptShift]:
        """Shifts of the rotation whose slot lies after a time."""

    def make(self, rotation: Rotation, slots: Sequence[tuple[str, Slot]]) -> None:
        """New shifts: (id, slot) each; a slot without a person is none. A slot that is there stays as it is."""

    def remake(self, shift_id: str, slot: Slot, rotation: Rotation) -> None:
        """A shift follows its rotation."""

    def unmake(self, shift_ids: Collection[str]) -> None: ...

    def made_until(self, rotation_id: str, day: date) -> None: ...

    def shift(self, shift_id: str) -> Shift | None:
        """Locked for the transaction."""

    def hand_over(self, shift_id: str, responder_id: str) -> None:
        """The shift is somebody else's from now on, in the same role and place; its rotation leaves it alone."""

    def has_role(self, responder_id: str, role: str) -> bool:
        """Whether it is the person's kind, or the person has had a shift in the role or is in a rotation of it."""

    def serves(self, responder_id: str) -> frozenset[str]:
        """The areas served; empty: everywhere."""

    def override_add(self, row: Json) -> None: ...

    def override_withdraw(self, override_id: str, user_id: str | None, at: datetime) -> Json | None:
        """The row as it was made; None where there is none in force."""

    def overrides_view(self, start: datetime, end: datetime) -> list[Json]:
        """Overrides in force that overlap the span, with names."""

    def swap_add(self, row: Json) -> None:
        """ConflictError where the shift is in an open swap already."""

    def swap(self, swap_id: str) -> SwapRow | None:
        """Locked for the transaction, its shifts too."""

    def swap_save(
        self, swap_id: str, state: SwapState, at: datetime, *, user_id: str | None, reason: str | None
    ) -> None: ...

    def swaps_view(
        self, *, swap_id: str | None = None, person_id: str | None = None, open_only: bool = False, limit: int = 200
    ) -> list[Json]:
        """Swaps with their shifts and names, the newest first; `person_id`: those that person has a part in."""
