"""The rota as values: shifts, what overrides them, and who is on duty when. Times are aware; spans are half open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

__all__ = ["Duty", "Override", "OverrideKind", "Shift"]

OverrideKind = Literal["absent", "instead", "extra"]


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's time on duty in a role, from `starts_at` up to but not including `ends_at`.

    `area_ids`: the areas served (any ancestor counts; empty: everywhere).
    """

    id: str
    responder_id: str
    role: str
    starts_at: datetime
    ends_at: datetime
    area_ids: frozenset[str] = frozenset()
    rotation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """What is otherwise than the shifts say.

    `absent`: `responder_id` is out. `instead`: `substitute_id` is there for `responder_id`, in that person's role and
    areas. `extra`: `substitute_id` is there besides, in `role` and `area_ids`. `shift_id`: only that shift is meant;
    None: every shift in the span.
    """

    id: str
    kind: OverrideKind
    starts_at: datetime
    ends_at: datetime
    responder_id: str | None = None
    substitute_id: str | None = None
    role: str | None = None
    area_ids: frozenset[str] = frozenset()
    shift_id: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Duty:
    """A person is on duty: what is left of shifts after overrides. `instead_of`: for whom the person stands in."""

    responder_id: str
    role: str
    starts_at: datetime
    ends_at: datetime
    area_ids: frozenset[str] = frozenset()
    shift_id: str | None = None
    override_id: str | None = None
    instead_of: str | None = None
