"""Registers kept by hand, beyond plain records: who was first, who is there already, what hangs on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from hub.ports.records import Json

__all__ = ["Alike", "LastChange", "Register", "RegisterReads"]


@dataclass(frozen=True, slots=True)
class LastChange:
    """Who wrote a record last. `fields`: names of what was changed."""

    by: str | None
    at: datetime
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """A resident of the register who may be the same person as row `n` of what was asked about.

    `why`: `id_number`, or `name_born` (the same name and day of birth).
    """

    n: int
    id: str
    name: str
    born_on: date | None
    address: str | None
    status: str
    why: str


class Register(Protocol):
    def held(self, table: str, row_id: str) -> Json | None:
        """The record as it is stored, locked until the end of the transaction; None where there is none."""

    def stored(self, table: str, ids: Sequence[str]) -> dict[str, Json]:
        """Records as they are stored, by id, locked until the end of the transaction."""

    def last_change(self, subject: str) -> LastChange | None:
        """The latest line of the audit that changed `table:id`; looks do not count."""

    def alike(self, people: Sequence[Json]) -> list[Alike]:
        """`people`: objects with `id`, `id_number`, `name`, `born_on`; whoever has the same id is the same record."""

    def shapes(self) -> list[Json]:
        """Active areas with a boundary: id, name, kind, path, boundary; the lowest in the tree first."""

    def hanging_on(self, area_id: str) -> Json:
        """What stands against retiring an area: how many `areas` below, `residents`, `stations`, `codes` in force."""

    def order_contacts(self, resident_id: str, ids: Sequence[str]) -> None:
        """Positions from 1 on, in this order."""

    def accounts_of(self, person_id: str) -> list[str]:
        """User names of active accounts of a contact."""

    def remove_contact(self, contact_id: str) -> None: ...


class RegisterReads(Protocol):
    def area_tree(self) -> list[Json]:
        """Every area without its boundary, with its people: id, parent_id, kind, name, households, active,
        has_boundary, version, `residents` (living in it itself), `officers`, `stations`.
        """

    def contacts_by_station(self, before: date) -> list[Json]:
        """By station: residents served, those without a contact, contacts, those not confirmed since `before`."""

    def changes_of(self, subject: str, limit: int) -> list[Json]:
        """Lines of the audit that changed `table:id`, newest first."""
