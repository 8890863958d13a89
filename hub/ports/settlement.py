"""Money as it crosses the floors: claims, entries of the ledger, disputes, closed months."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol

from hub.accounts import ClaimStatus, Entry, Judged, Payer, Service, Share, Terms
from hub.accounts.facts import Facts
from hub.ports.records import Actor, Json

__all__ = [
    "ClaimFilter",
    "DisputeRow",
    "DisputeSide",
    "MeantFor",
    "ServiceClaim",
    "Settlement",
    "SettlementReads",
]

DisputeSide = Literal["provider", "family", "payer"]
MeantFor = Literal["paid", "refused"]


@dataclass(frozen=True, slots=True)
class ServiceClaim:
    """One service in the books. `counts`: it is paid by the last word of the ledger, or held."""

    id: str
    number: int
    order_id: str
    visit_id: str
    provider_id: str
    resident_id: str
    kind: str
    month: str
    service_on: date
    started_at: datetime
    ended_at: datetime
    status: ClaimStatus
    price_fen: int
    counts: bool
    version: int
    card_key: str | None = None
    meal_key: str | None = None


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A question about a claim, and what became of it."""

    id: str
    claim_id: str
    side: DisputeSide
    wants: MeantFor
    raised_by: str
    decision: MeantFor | None
    version: int


class ClaimFilter(NamedTuple):
    """Conditions on the list of claims; None: no condition."""

    month: str | None = None
    provider_id: str | None = None
    status: str | None = None
    payer: str | None = None
    kind: str | None = None
    resident_id: str | None = None
    q: str | None = None


class Settlement(Protocol):
    """The books. Whoever judges or writes claims calls `alone` first: one after the other, so that no quota is used
    twice.
    """

    def alone(self) -> None: ...

    def hold_month(self, provider_id: str, month: str) -> None:
        """Waits for whoever writes into the month, and keeps everybody else out until the transaction ends."""

    def closed_months(self, provider_id: str) -> set[str]: ...

    def facts(self, provider_id: str, start: datetime, end: datetime, closed: Collection[str]) -> list[Facts]:
        """Completed orders of the provider, given from `start` until before `end` (and up to a week beside), that have
        no claim, or one that was refused in a month that is not among `closed`.
        """

    def facts_of(self, order_id: str) -> Facts | None: ...

    def standing(self, order_ids: Collection[str]) -> dict[str, ServiceClaim]:
        """Claims that exist already, by order."""

    def asked(self, claim_ids: Collection[str]) -> set[str]:
        """Of these claims those somebody has raised a dispute about."""

    def terms(self, services: Sequence[Service]) -> Terms:
        """What these are judged by: tariffs, entitlements, statuses, what is used up and paid."""

    def write(self, ids: Sequence[str], judged: Sequence[Judged], month: str, actor: Actor, at: datetime) -> None:
        """Makes claims, or judges refused ones of open months anew; `ids` are used where there was none."""

    def claim(self, claim_id: str, *, lock: bool = False) -> ServiceClaim | None: ...

    def shares(self, claim_id: str) -> list[tuple[Payer, int]]: ...

    def set_status(self, claim_id: str, status: ClaimStatus, *, price_fen: int | None = None) -> None: ...

    def reviewed(self, claim_id: str, note: str, actor: Actor, at: datetime) -> None: ...

    def add_shares(self, claim_id: str, month: str, shares: Sequence[Share], keys: Collection[str]) -> None: ...

    def drop_shares(self, claim_id: str) -> None: ...

    def free_meals(self, claim_id: str) -> None:
        """Another claim may stand for the same meal from now on."""

    def post(self, entries: Sequence[Entry], provider_id: str, actor: Actor, at: datetime) -> None: ...

    def entries(self, claim_id: str) -> list[Entry]: ...

    def held_to(self, provider_id: str, month: str, following: str) -> int:
        """What still waits for a second look goes to the next month; gives how many."""

    def close(self, provider_id: str, month: str, totals: Json, actor: Actor, at: datetime) -> int:
        """Closes the month for good; gives how many claims were closed."""

    def totals(self, provider_id: str, month: str) -> Json: ...

    def raise_dispute(self, row: DisputeRow, reason: str, actor: Actor, at: datetime) -> None: ...

    def dispute(self, dispute_id: str, *, lock: bool = False) -> DisputeRow | None: ...

    def decide(
        self, dispute_id: str, decision: MeantFor, reason: str, entry_id: str | None, actor: Actor, at: datetime
    ) -> None: ...


class SettlementReads(Protocol):
    """What pages and files show of the books."""

    def claims_page(self, where: ClaimFilter, limit: int, cursor: str | None) -> tuple[list[Json], str | None]: ...

    def claim_view(self, claim_id: str) -> Json | None:
        """With shares, entries, disputes and the evidence."""

    def months_view(self, month: str, provider_id: str | None) -> list[Json]:
        """One item a provider: counts, totals by payer, why claims were refused, open disputes, who closed it."""

    def disputes_page(
        self, provider_id: str | None, open_only: bool, limit: int, cursor: str | None
    ) -> tuple[list[Json], str | None]: ...

    def statement(self, month: str, provider_id: str) -> Json:
        """By payer and kind, with the corrections of earlier months; its totals are the ledger's."""

    def export_rows(self, month: str, provider_id: str | None) -> list[Json]:
        """One row a claim and payer; refused claims once, with nothing paid."""
