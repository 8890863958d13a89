"""Who pays: a waterfall of payers by priority, each as far as its quota reaches, with the reasons.

What an entitlement leaves to be paid as co-payment is the family's at once. What it cannot pay because its quota is
used up goes to the next payer; a family pays that only where it has agreed to (an entitlement of payer `family`).
Whom an order names is asked first; that makes nobody pay who need not, and nobody pay more than their quota.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from hub.accounts.model import PAYER_WORDS, PAYERS, Payer, Why, yuan

__all__ = ["Entitlement", "Share", "Used", "divide", "use"]

QuotaUnit = Literal["visits", "minutes", "fen"]


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What a payer pays for one resident. `kinds` empty: every kind. `quota` a month in `unit`, None: without end.

    `copay_percent` is the share of the price the family pays beside it. A lower `priority` pays first.
    """

    id: str
    resident_id: str
    payer: Payer
    from_on: date
    to_on: date | None = None
    kinds: frozenset[str] = frozenset()
    unit: QuotaUnit = "visits"
    quota: int | None = None
    copay_percent: int = 0
    priority: int = 100

    def covers(self, kind: str, on: date) -> bool:
        return (
            (not self.kinds or kind in self.kinds) and self.from_on <= on and (self.to_on is None or on <= self.to_on)
        )


@dataclass(frozen=True, slots=True)
class Used:
    """What of an entitlement's quota is used in a month."""

    visits: int = 0
    minutes: int = 0
    fen: int = 0

    def of(self, unit: QuotaUnit) -> int:
        return {"visits": self.visits, "minutes": self.minutes, "fen": self.fen}[unit]


@dataclass(frozen=True, slots=True)
class Share:
    """What one payer pays of a service. `minutes` are those its quota was charged."""

    payer: Payer
    fen: int
    entitlement_id: str | None
    why: Why
    minutes: int = 0


_NOTHING = Used()


def use(used: Mapping[str, Used], shares: Iterable[Share]) -> dict[str, Used]:
    """What these shares change in the quotas: one visit for each entitlement that paid anything."""
    after: dict[str, Used] = {}
    for share in shares:
        # The family's co-payment names the entitlement it belongs to; it uses up nothing of it.
        if share.entitlement_id is None or share.why.code == "copay":
            continue
        was = after.get(share.entitlement_id) or used.get(share.entitlement_id, _NOTHING)
        after[share.entitlement_id] = Used(was.visits + 1, was.minutes + share.minutes, was.fen + share.fen)
    return after


def divide(
    price_fen: int,
    minutes: int,
    kind: str,
    on: date,
    entitlements: Iterable[Entitlement],
    used: Mapping[str, Used],
    first: Payer | None = None,
) -> tuple[tuple[Share, ...], int, tuple[Why, ...]]:
    """(shares, fen that nobody pays, why payers did not pay). `first`: the payer who is asked before the others.

    The shares and the rest add up to the price, always.
    """
    left = price_fen
    shares: list[Share] = []
    against: list[Why] = []
    for one in sorted(
        entitlements, key=lambda one: (one.payer != first, one.priority, PAYERS.index(one.payer), one.id)
    ):
        if left <= 0:
            break
        if not one.covers(kind, on):
            continue
        charged, paid, own = _drawn(one, left, price_fen, minutes, used.get(one.id, _NOTHING))
        if paid == own == 0:
            against.append(_used_up(one, used.get(one.id, _NOTHING)))
            continue
        if paid > 0:
            shares.append(Share(one.payer, paid, one.id, _paid(one, paid), charged))
            left -= paid
        if own > 0:
            zh, en = PAYER_WORDS[one.payer]
            why = Why(
                "copay",
                f"随{zh}自付 {one.copay_percent}%",
                f"co-payment of {one.copay_percent} % beside {en.lower()}",
                {"percent": one.copay_percent, "fen": own},
            )
            shares.append(Share("family", own, one.id, why))
            left -= own
    return tuple(shares), left, tuple(against)


def _drawn(one: Entitlement, left: int, price: int, minutes: int, used: Used) -> tuple[int, int, int]:
    """(minutes charged to its quota, fen it pays, fen of co-payment), of `left` that is still to be paid.

    Halves are rounded to the family's good: the co-payment is never more than its percent. Whoever pays what another
    left is charged the minutes of that, not all of the service's.
    """
    remaining = None if one.quota is None else max(0, one.quota - used.of(one.unit))
    if remaining == 0:
        return 0, 0, 0
    covered, charged = left, minutes if left == price else max(min(1, minutes), minutes * left // price)
    if remaining is not None and one.unit == "minutes" and minutes > 0 and remaining < charged:
        covered, charged = min(left, price * remaining // minutes), remaining
    own = covered * one.copay_percent // 100
    paid = covered - own
    if remaining is not None and one.unit == "fen" and paid > remaining:
        # The co-payment belongs to what the quota still pays, not to what is left for the next payer.
        paid, own = remaining, min(left - remaining, remaining * one.copay_percent // (100 - one.copay_percent))
    return charged, paid, own


def _paid(one: Entitlement, fen: int) -> Why:
    zh, en = PAYER_WORDS[one.payer]
    return Why("paid", f"{zh}支付 {yuan(fen)} 元", f"{en} pays {yuan(fen)} yuan", {"payer": one.payer, "fen": fen})


def _used_up(one: Entitlement, used: Used) -> Why:
    zh, en = PAYER_WORDS[one.payer]
    words = {"visits": ("次", "visits"), "minutes": ("分钟", "minutes"), "fen": ("分", "fen")}[one.unit]
    return Why(
        "quota_used",
        f"{zh}本月额度 {one.quota} {words[0]}已用完",
        f"{en}: this month's quota of {one.quota} {words[1]} is used up",
        {"payer": one.payer, "quota": one.quota, "used": used.of(one.unit)},
    )
