"""The claims of a month, judged one after the other in the order in which the services were given.

Each is paid, held for a second look, or refused, with every reason in both languages. Pure: what was paid before, the
quotas and the caps that are used up, and where the residents were come as values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from hub.accounts.model import MOST_FEN, PAYER_WORDS, Payer, Service, Why, month_of, yuan
from hub.accounts.presence import StatusChange, gone_at
from hub.accounts.prices import Tariff, price_of, tariff_for
from hub.accounts.shares import Entitlement, Share, Used, divide, use

__all__ = ["Judged", "Paid", "ProviderTerms", "Resident", "Terms", "judge", "judge_all"]


@dataclass(frozen=True, slots=True)
class ProviderTerms:
    """What a provider may be paid for at all: its kinds and areas (empty: all)."""

    id: str
    kinds: frozenset[str] = frozenset()
    area_ids: frozenset[str] = frozenset()
    active: bool = True


@dataclass(frozen=True, slots=True)
class Resident:
    """A resident's status now, since when, and its changes on record."""

    status: str = "home"
    since: datetime | None = None
    changes: tuple[StatusChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Paid:
    """A service that stands in the ledger already: what another must not repeat."""

    order_id: str
    resident_id: str
    kind: str
    started_at: datetime
    ended_at: datetime
    card_key: str | None = None
    meal_key: str | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a month is judged by. `used`: (entitlement id, service month) -> what is used of its quota.

    `capped`: (resident id, kind, provider id, service month) -> fen charged so far.
    """

    providers: Mapping[str, ProviderTerms]
    tariffs: Sequence[Tariff]
    entitlements: Mapping[str, Sequence[Entitlement]] = field(default_factory=dict)
    residents: Mapping[str, Resident] = field(default_factory=dict)
    used: Mapping[tuple[str, str], Used] = field(default_factory=dict)
    capped: Mapping[tuple[str, str, str, str], int] = field(default_factory=dict)
    paid: tuple[Paid, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of one service. `price_fen` is the sum of the shares where it is paid; 0 where refused."""

    service: Service
    verdict: Literal["claimed", "held", "refused"]
    price_fen: int
    shares: tuple[Share, ...]
    reasons: tuple[Why, ...]
    tariff_id: str | None = None


def judge_all(services: Iterable[Service], terms: Terms) -> list[Judged]:
    """In the order in which they began; each uses up quotas and caps for those after it.

    What is held counts as paid meanwhile, so that looking at it later never finds its quota gone.
    """
    run = _Run(terms)
    found: list[Judged] = []
    for service in sorted(services, key=lambda one: (one.started_at, one.number, one.order_id)):
        judged = run.judge(service)
        found.append(judged)
        if judged.verdict != "refused":
            run.take(judged)
    return found


def judge(service: Service, terms: Terms) -> Judged:
    """One service, after all that is paid already."""
    return _Run(terms).judge(service)


class _Run:
    """One pass over a month: what is used up and paid so far, found without looking through all of it."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._used: dict[str, dict[str, Used]] = {}
        for (ident, month), used in terms.used.items():
            self._used.setdefault(month, {})[ident] = used
        self._capped = dict(terms.capped)
        self._orders: dict[str, Paid] = {}
        self._cards: dict[str, Paid] = {}
        self._meals: dict[str, Paid] = {}
        self._alike: dict[tuple[str, str], list[Paid]] = {}
        for paid in terms.paid:
            self._remember(paid)

    def _remember(self, paid: Paid) -> None:
        self._orders[paid.order_id] = paid
        if paid.card_key is not None:
            self._cards[paid.card_key] = paid
        if paid.meal_key is not None:
            self._meals[paid.meal_key] = paid
        self._alike.setdefault((paid.resident_id, paid.kind), []).append(paid)

    def take(self, judged: Judged) -> None:
        """Uses up what the service used, and remembers it."""
        service = judged.service
        month = month_of(service.on)
        used = self._used.setdefault(month, {})
        used.update(use(used, judged.shares))
        cap = (service.resident_id, service.kind, service.provider_id or "", month)
        self._capped[cap] = self._capped.get(cap, 0) + judged.price_fen
        self._remember(
            Paid(
                service.order_id,
                service.resident_id,
                service.kind,
                service.started_at,
                service.ended_at,
                service.card_key,
                service.meal_key,
                service.number,
            )
        )

    def judge(self, service: Service) -> Judged:
        terms = self._terms
        against = _provider(service, terms) or self._twice(service) or _gone(service, terms) or _unproven(service)
        if against is not None:
            return _refused(service, against)
        provider_id = service.provider_id or ""
        tariff = tariff_for(terms.tariffs, service.kind, provider_id, service.on, service.area_path)
        if tariff is None:
            return _refused(service, _no_tariff(service))
        price = price_of(tariff, service.minutes)
        if not 0 < price <= MOST_FEN:
            return _refused(service, _no_amount(price), tariff.id)
        reasons: list[Why] = [_price(tariff, service, price)]
        month = month_of(service.on)
        if tariff.cap_fen is not None:
            room = tariff.cap_fen - self._capped.get((service.resident_id, service.kind, provider_id, month), 0)
            if room <= 0:
                return _refused(service, _capped(tariff.cap_fen, 0), tariff.id)
            if price > room:
                price = room
                reasons.append(_capped(tariff.cap_fen, room))
        entitled = terms.entitlements.get(service.resident_id, ())
        used = self._used.get(month, {})
        if service.payer is not None:
            reasons.append(_named(service.payer, any(_may(one, service) for one in entitled)))
        shares, rest, unpaid = divide(price, service.minutes, service.kind, service.on, entitled, used, service.payer)
        if rest:
            return _refused(service, _nobody_pays(rest, unpaid), tariff.id, unpaid)
        reasons += [share.why for share in shares]
        verdict: Literal["claimed", "held"] = "claimed"
        if service.proof == "flagged":
            verdict = "held"
            reasons.insert(0, _flagged(service))
        return Judged(service, verdict, price, shares, (*reasons, *unpaid), tariff.id)

    def _twice(self, service: Service) -> Why | None:
        if (paid := self._orders.get(service.order_id)) is not None:
            return _again("twice", "同一工单重复申报", "the same order is claimed already", paid)
        if service.card_key is not None and (paid := self._cards.get(service.card_key)) is not None:
            return _again("twice_on_card", "同一餐卡同一餐重复申报", "the same meal twice on one card", paid)
        if service.meal_key is not None and (paid := self._meals.get(service.meal_key)) is not None:
            return _again("twice_same_meal", "同一老人同一餐重复申报", "the same meal twice for one resident", paid)
        for paid in self._alike.get((service.resident_id, service.kind), ()):
            if paid.started_at < service.ended_at and service.started_at < paid.ended_at:
                return _again("twice_same_time", "同一时段同一服务重复申报", "the same service at the same time", paid)
        return None


def _refused(service: Service, why: Why, tariff_id: str | None = None, more: Iterable[Why] = ()) -> Judged:
    return Judged(service, "refused", 0, (), (why, *more), tariff_id)


# ---- the rules that refuse, one small function each -----------------------------------------------------------------


def _provider(service: Service, terms: Terms) -> Why | None:
    provider = terms.providers.get(service.provider_id or "")
    if provider is None:
        return Why("no_provider", "没有服务机构", "no provider gave it")
    if not provider.active:
        return Why("provider_inactive", "服务机构已停用", "the provider is not active")
    if provider.kinds and service.kind not in provider.kinds:
        return Why("kind_not_given", "不在机构服务项目内", "not one of the provider's services", {"kind": service.kind})
    if provider.area_ids and provider.area_ids.isdisjoint(service.area_path):
        return Why("outside_area", "不在机构服务区域内", "outside the provider's areas")
    return None


def _gone(service: Service, terms: Terms) -> Why | None:
    one = terms.residents.get(service.resident_id, Resident())
    return gone_at(service.started_at, one.changes, one.status, one.since)


def _unproven(service: Service) -> Why | None:
    if service.rejected is not None:
        said = service.rejected
        return Why("rejected", f"复核不认可：{said}", f"the proof was rejected: {said}", {"reason": said})
    if service.proof == "missing":
        return Why("unverified", "没有签到签退记录", "nobody checked in and out")
    if service.ended_at < service.started_at:
        return Why("unverified", "签退早于签到", "it ends before it begins")
    return None


def _again(code: str, zh: str, en: str, paid: Paid) -> Why:
    return Why(code, zh, en, {"order_id": paid.order_id, "number": paid.number})


def _no_tariff(service: Service) -> Why:
    values = {"kind": service.kind, "on": service.on.isoformat()}
    return Why("no_tariff", "当日没有该服务的价格标准", "no tariff for this service on that day", values)


def _no_amount(fen: int) -> Why:
    return Why("no_amount", f"金额 {yuan(fen)} 元不成立", f"{yuan(fen)} yuan is no amount", {"fen": fen})


def _price(tariff: Tariff, service: Service, fen: int) -> Why:
    values: dict[str, str | int | None] = {"tariff": tariff.id, "fen": fen, "minutes": service.minutes}
    if tariff.unit == "visit":
        return Why("price", f"每次 {yuan(fen)} 元", f"{yuan(fen)} yuan a visit", values)
    zh, en = ("每小时", "an hour") if tariff.unit == "hour" else ("每分钟", "a minute")
    each, total, minutes = yuan(tariff.price_fen), yuan(fen), service.minutes
    return Why("price", f"{minutes} 分钟，{zh} {each} 元", f"{minutes} min at {each} yuan {en}: {total}", values)


def _capped(cap: int, room: int) -> Why:
    values = {"cap_fen": cap, "room_fen": room}
    if room:
        return Why("cap", f"按月封顶只付 {yuan(room)} 元", f"the month's cap leaves {yuan(room)} yuan", values)
    return Why("cap", f"已达每月封顶 {yuan(cap)} 元", f"the month's cap of {yuan(cap)} yuan is reached", values)


def _may(one: Entitlement, service: Service) -> bool:
    return one.payer == service.payer and one.covers(service.kind, service.on)


def _named(payer: Payer, entitled: bool) -> Why:
    """The order names a payer: asked first where the resident is entitled to it, else only noted."""
    zh, en = PAYER_WORDS[payer]
    values = {"payer": payer}
    if entitled:
        return Why("payer_named", f"工单指定先由{zh}支付", f"the order asks for {en.lower()} to pay first", values)
    return Why(
        "payer_not_entitled",
        f"工单指定{zh}支付，但老人没有可用于这项服务的该项资格",
        f"the order asks for {en.lower()} to pay, which the resident has no entitlement to for it",
        values,
    )


def _nobody_pays(rest: int, against: Sequence[Why]) -> Why:
    values = {"fen": rest}
    if against:
        return Why(
            "quota", f"额度用完，{yuan(rest)} 元无人支付", f"quota used up: nobody pays {yuan(rest)} yuan", values
        )
    return Why("no_entitlement", f"无支付资格，{yuan(rest)} 元无人支付", f"nobody pays {yuan(rest)} yuan", values)


def _flagged(service: Service) -> Why:
    codes = ", ".join(service.flags)
    return Why("flagged", "签到有疑点，待复核", "the proof is flagged: somebody must look at it", {"flags": codes})
