"""Banked hours as they cross the floors."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from hub.accounts import Entry
from hub.ports.records import Actor, Json

__all__ = ["BankedVisit", "TimeBank", "TimeBankReads", "TimeEntry"]


class BankedVisit(NamedTuple):
    """A completed visit of a volunteer that has not been banked. `flags`: its proof waits for a second look."""

    visit_id: str
    order_id: str
    responder_id: str
    resident_id: str
    kind: str
    started_at: datetime | None
    ended_at: datetime | None
    ordered_min: int
    flags: tuple[str, ...]
    rejected: bool
    reviewed: bool | None


class TimeEntry(NamedTuple):
    """An entry with what it is about beside its postings."""

    entry: Entry
    at: datetime
    visit_id: str | None = None
    responder_id: str | None = None
    order_id: str | None = None


class TimeBank(Protocol):
    """Accounts in minutes. Balances move with the postings; the database refuses one below nothing."""

    def to_bank(self, limit: int, responder_id: str | None = None) -> list[BankedVisit]:
        """What no one has decided about and no one has banked, the oldest first; locked against another banker."""

    def visit_to_bank(self, visit_id: str, responder_id: str) -> BankedVisit | None: ...

    def review(
        self, visit_id: str, responder_id: str, accepted: bool, reason: str, actor: Actor, at: datetime
    ) -> None: ...

    def open_account(self, account_id: str, kind: str, person_id: str) -> None:
        """Makes it where it is not there."""

    def balances(self, account_ids: Collection[str]) -> dict[str, int]:
        """Minutes of those that exist. Locked until the transaction ends, in the order of their names."""

    def post(self, rows: Sequence[TimeEntry], actor: Actor) -> None:
        """ConflictError where an account has not enough, or the visit or order is in the books already."""

    def entry(self, entry_id: str) -> TimeEntry | None: ...

    def reversed(self, entry_id: str) -> bool: ...

    def movements(self, account_id: str) -> list[tuple[datetime, int]]: ...

    def holders(self) -> list[str]:
        """Accounts of people that hold something."""


class TimeBankReads(Protocol):
    def time_accounts(
        self, provider_id: str | None, q: str | None, limit: int, cursor: str | None
    ) -> tuple[list[Json], str | None]: ...

    def time_statement(
        self, account_id: str, limit: int, cursor: str | None, provider_id: str | None = None
    ) -> Json | None: ...

    def time_waiting(self, provider_id: str | None, limit: int, responder_id: str | None = None) -> list[Json]:
        """Visits whose proof must be looked at before their hours are banked."""

    def time_people(self, responder_id: str) -> list[Json]:
        """Residents whom a volunteer has served, the latest first."""

    def time_totals(self, provider_id: str | None) -> Json: ...
