"""Values of the accounts room: whole fen, whole minutes, months as `YYYY-MM`, reasons in two languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal, get_args

__all__ = [
    "CLAIM_STATUSES",
    "MOST_FEN",
    "PAID_STATUSES",
    "PAYERS",
    "PAYER_WORDS",
    "AccountsError",
    "ClaimStatus",
    "Payer",
    "Proof",
    "Service",
    "Why",
    "first_day",
    "is_month",
    "month_of",
    "next_month",
    "yuan",
]

Payer = Literal["subsidy", "long_term_care", "charity", "family"]
PAYERS: Final[tuple[Payer, ...]] = get_args(Payer)
"""In the order in which they pay where nobody says otherwise."""
PAYER_WORDS: Final[Mapping[Payer, tuple[str, str]]] = {
    "subsidy": ("政府补贴", "Subsidy"),
    "long_term_care": ("长期护理保险", "Long-term care insurance"),
    "charity": ("慈善基金", "Charity fund"),
    "family": ("家庭自付", "Family"),
}
ClaimStatus = Literal["claimed", "held", "refused", "disputed", "accepted", "closed"]
CLAIM_STATUSES: Final[tuple[ClaimStatus, ...]] = get_args(ClaimStatus)
PAID_STATUSES: Final[frozenset[ClaimStatus]] = frozenset({"claimed", "disputed", "accepted", "closed"})
"""A claim in one of these stands in the ledger (a refused one that is disputed keeps its status)."""
Proof = Literal["verified", "flagged", "missing"]
MOST_FEN: Final = 100_000_00
"""No single service costs more than 100,000 yuan: whatever is above is a slip of the keyboard."""

_MONTH = re.compile(r"(?:19|20|21)\d\d-(?:0[1-9]|1[0-2])")


class AccountsError(Exception):
    """A rule of the books was broken; the message says which, `code` names it."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Why:
    """A reason: a stable code, the sentence in both languages, and the values it was made of."""

    code: str
    zh: str
    en: str
    values: Mapping[str, str | int | None] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "zh": self.zh, "en": self.en, "values": dict(self.values)}


@dataclass(frozen=True, slots=True)
class Service:
    """One service as it was given, ready to be judged.

    `on` is the day it began, where the site is; `minutes` what was given, `ordered_min` what was ordered. `card_key`
    and `meal_key` name the meal it was (card or resident, day, meal), None for what is no meal. `flags` are the failed
    checks of its proof. `volunteer`: given by volunteers alone, which banks hours and costs nothing. `rejected`: why
    somebody who looked at its proof did not believe it. `payer`: whom the order or the care plan asks first.
    """

    order_id: str
    visit_id: str
    number: int
    kind: str
    resident_id: str
    provider_id: str | None
    on: date
    started_at: datetime
    ended_at: datetime
    ordered_min: int
    proof: Proof = "verified"
    flags: tuple[str, ...] = ()
    area_path: tuple[str, ...] = ()
    card_key: str | None = None
    meal_key: str | None = None
    volunteer: bool = False
    rejected: str | None = None
    payer: Payer | None = None

    @property
    def minutes(self) -> int:
        """Whole minutes given, at least 0 and at most what was ordered: nobody pays for what nobody asked for."""
        given = int((self.ended_at - self.started_at).total_seconds() // 60)
        return max(0, min(given, self.ordered_min))


def is_month(text: str) -> bool:
    """Whether the text is a month: `2026-11`."""
    return _MONTH.fullmatch(text) is not None


def month_of(day: date) -> str:
    """`2026-11` of a day."""
    return f"{day.year:04d}-{day.month:02d}"


def next_month(month: str) -> str:
    """The month after: `2026-12` -> `2027-01`."""
    first = first_day(month)
    return month_of(date(first.year + (first.month == 12), first.month % 12 + 1, 1))


def first_day(month: str) -> date:
    """The month's first day. AccountsError where the text is none."""
    if not is_month(month):
        raise AccountsError(f"a month is written like 2026-11, not {month[:20]!r}", "month")
    return date(int(month[:4]), int(month[5:]), 1)


def yuan(fen: int) -> str:
    """`1234` fen as `12.34`."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"
