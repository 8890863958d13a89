"""Plain records by an allow-list of columns, and the log of who did what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from hub.ports.records import Actor, Json

__all__ = ["Audit", "Reference"]


class Audit(Protocol):
    def add(
        self, actor: Actor, action: str, subject: str | None, detail: Json, at: datetime, address: str | None = None
    ) -> None: ...


class Reference(Protocol):
    """Plain records of reference tables: JSON in, JSON out, with an allow-list of columns a table.

    Tables: areas, stations, residents, contacts, responders, crews, shifts, devices, service_kinds.
    """

    def get(self, table: str, row_id: str) -> Json | None: ...

    def ids(self, table: str) -> list[str]:
        """Every id of the table."""

    def upsert(self, table: str, rows: Sequence[Json]) -> int:
        """Makes or overwrites rows by id; gives how many were made or changed."""

    def make_missing(self, table: str, rows: Sequence[Json]) -> int:
        """Makes the rows whose id is not there yet, and leaves the others alone; gives how many."""

    def insert(self, table: str, row: Json) -> Json: ...

    def patch(self, table: str, row_id: str, changes: Json, *, version: int | None) -> Json:
        """NotFoundError; ConflictError(code="version") where `version` is not the row's."""
