"""The end of the month: claims made and judged, looked at again, disputed and decided, and the month closed."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo

from hub.accounts import (
    PAYERS,
    Entry,
    Judged,
    Service,
    claim_entry,
    first_day,
    is_month,
    judge_all,
    month_of,
    next_month,
)
from hub.accounts.facts import service_of
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from hub.ports import Actor, Database, EntryRow, Json, ServiceClaim, Transaction
from hub.service.guards import check_version

__all__ = ["ClaimsWanted", "Settling", "open_month"]

_SHOWN = 500


@dataclass(frozen=True, slots=True)
class ClaimsWanted:
    """Which services are to be claimed: a provider's month, or some kinds or days of it."""

    provider_id: str
    month: str
    kinds: Collection[str] = ()
    from_on: date | None = None
    to_on: date | None = None

    def wants(self, service: Service, closed: Collection[str]) -> bool:
        """A service of this month, or one of a closed month that came too late for it."""
        month = month_of(service.on)
        if month != self.month and not (month < self.month and month in closed):
            return False
        return (
            (not self.kinds or service.kind in self.kinds)
            and (self.from_on is None or service.on >= self.from_on)
            and (self.to_on is None or service.on <= self.to_on)
        )


class Settling:
    """Each call is one transaction. Nothing is ever written into a closed month: corrections stand in the next one."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._zone = zone

    # ---- claims -----------------------------------------------------------------------------------------------------

    def preview(self, wanted: ClaimsWanted) -> Json:
        """What `commit` would write, with a `digest` that it takes; writes nothing."""
        with self._database.begin() as tx:
            judged = self._judge(tx, wanted)
        return _summary(wanted, judged)

    def commit(self, wanted: ClaimsWanted, digest: str | None, actor: Actor) -> Json:
        """Makes the claims and pays those that are good. ConflictError where what was previewed has changed meanwhile,
        or the month is closed.
        """
        now = self._clock()
        with self._database.begin() as tx:
            tx.settlement.alone()
            judged = self._judge(tx, wanted)
            summary = _summary(wanted, judged)
            if digest is not None and digest != summary["digest"]:
                raise ConflictError("what would be claimed has changed: look at it again", code="preview-changed")
            ids = [self._new_id() for _ in judged]
            standing = tx.settlement.standing([one.service.order_id for one in judged])
            ids = [
                standing[one.service.order_id].id if one.service.order_id in standing else ident
                for ident, one in zip(ids, judged, strict=True)
            ]
            tx.settlement.write(ids, judged, wanted.month, actor, now)
            entries = [
                self._entry(ident, one, wanted.month)
                for ident, one in zip(ids, judged, strict=True)
                if one.verdict == "claimed"
            ]
            tx.settlement.post(entries, wanted.provider_id, actor, now)
            detail = {name: summary[name] for name in ("month", "counts", "fen")}
            tx.audit.add(actor, "settlement.claims", f"providers:{wanted.provider_id}", detail, now)
        return summary

    def _entry(self, claim_id: str, judged: Judged, month: str) -> Entry:
        service = judged.service
        shares = [(share.payer, share.fen) for share in judged.shares]
        return claim_entry(self._new_id(), month, claim_id, service.provider_id or "", service.resident_id, shares)

    def _judge(self, tx: Transaction, wanted: ClaimsWanted) -> list[Judged]:
        if not is_month(wanted.month):
            raise BadRequestError("month: write it like 2026-11", field="month")
        if tx.reference.get("providers", wanted.provider_id) is None:
            raise NotFoundError(f"no provider {wanted.provider_id}", field="provider_id")
        closed = tx.settlement.closed_months(wanted.provider_id)
        if wanted.month in closed:
            raise ConflictError(f"{wanted.month} is closed", code="month-closed")
        first = min([wanted.month, *closed])
        start, end = self._midnight(first_day(first)), self._midnight(first_day(next_month(wanted.month)))
        facts = tx.settlement.facts(wanted.provider_id, start, end, closed)
        services = [
            service
            for service in (service_of(one, self._zone) for one in facts)
            if not service.volunteer and wanted.wants(service, closed)
        ]
        services = self._unasked(tx, services)
        return judge_all(services, tx.settlement.terms(services))

    def _unasked(self, tx: Transaction, services: Sequence[Service]) -> list[Service]:
        """What was refused is judged anew, for what was missing may be there now; not where somebody has disputed it:
        that is decided there.
        """
        standing = tx.settlement.standing([one.order_id for one in services])
        asked = tx.settlement.asked([row.id for row in standing.values()]) if standing else set()
        return [one for one in services if one.order_id not in standing or standing[one.order_id].id not in asked]

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, tzinfo=self._zone)

    def review(
        self, claim_id: str, accept: bool, reason: str, actor: Actor, *, provider: bool, version: int | None = None
    ) -> None:
        """A second look at what was held. `provider`: by the provider's own people, who may drop it but not accept it:
        nobody waives the faults of the own proof.
        """
        if not reason.strip():
            raise BadRequestError("say why", field="reason")
        if accept and provider:
            raise ForbiddenError("the district accepts what was held, not the provider", code="own-claim")
        now = self._clock()
        with self._database.begin() as tx:
            claim = _claim(tx, claim_id, version)
            if claim.status != "held":
                raise ConflictError(f"the claim is {claim.status}: nothing waits for a second look", code="not-held")
            if accept:
                entry = claim_entry(
                    self._new_id(),
                    claim.month,
                    claim.id,
                    claim.provider_id,
                    claim.resident_id,
                    tx.settlement.shares(claim.id),
                )
                tx.settlement.set_status(claim.id, "accepted")
                tx.settlement.post([entry], claim.provider_id, actor, now)
            else:
                tx.settlement.free_meals(claim.id)
                tx.settlement.drop_shares(claim.id)
                tx.settlement.set_status(claim.id, "refused", price_fen=0)
            tx.settlement.reviewed(claim.id, reason.strip(), actor, now)
            self._noted(tx, claim, actor, now, "claim_reviewed", {"accepted": accept, "reason": reason.strip()})

    # ---- months -----------------------------------------------------------------------------------------------------

    def close(self, provider_id: str, month: str, actor: Actor) -> Json:
        """Closes a month for good; what still waits for a second look goes to the next. Gives the totals."""
        if not is_month(month):
            raise BadRequestError("month: write it like 2026-11", field="month")
        now = self._clock()
        if month > month_of(now.astimezone(self._zone).date()):
            raise ConflictError(f"{month} has not begun", code="month-ahead")
        with self._database.begin() as tx:
            if tx.reference.get("providers", provider_id) is None:
                raise NotFoundError(f"no provider {provider_id}", field="provider_id")
            tx.settlement.alone()
            tx.settlement.hold_month(provider_id, month)
            closed = tx.settlement.closed_months(provider_id)
            if month in closed:
                raise ConflictError(f"{month} is closed already", code="month-closed")
            held = tx.settlement.held_to(provider_id, month, open_month(next_month(month), closed))
            totals = tx.settlement.totals(provider_id, month)
            count = tx.settlement.close(provider_id, month, totals, actor, now)
            answer = {**totals, "provider_id": provider_id, "month": month, "closed": count, "held_on": held}
            tx.audit.add(actor, "settlement.close", f"providers:{provider_id}", {"month": month, **totals}, now)
        return answer

    def _noted(self, tx: Transaction, claim: ServiceClaim, actor: Actor, now: datetime, kind: str, body: Json) -> None:
        about = {"claim_id": claim.id, "month": claim.month}
        tx.timeline.add(EntryRow(now, "order", claim.order_id, kind, actor, {**about, **body}))
        tx.audit.add(actor, f"settlement.{kind}", f"claims:{claim.id}", body, now)


def open_month(month: str, closed: Collection[str]) -> str:
    """The first month from `month` on that is not closed."""
    while month in closed:
        month = next_month(month)
    return month


def _claim(tx: Transaction, claim_id: str, version: int | None) -> ServiceClaim:
    tx.settlement.alone()
    claim = tx.settlement.claim(claim_id, lock=True)
    if claim is None:
        raise NotFoundError(f"no claim {claim_id}")
    check_version(claim.version, version)
    return claim


def _line(judged: Judged) -> Json:
    service = judged.service
    return {
        "order_id": service.order_id,
        "order_number": service.number,
        "resident_id": service.resident_id,
        "kind": service.kind,
        "service_on": service.on.isoformat(),
        "started_at": service.started_at.isoformat(),
        "status": judged.verdict,
        "price_fen": judged.price_fen,
        "shares": [{"payer": share.payer, "fen": share.fen} for share in judged.shares],
        "reasons": [why.to_json() for why in judged.reasons],
    }


def _summary(wanted: ClaimsWanted, judged: Sequence[Judged]) -> Json:
    counts = {name: sum(one.verdict == name for one in judged) for name in ("claimed", "held", "refused")}
    payers = dict.fromkeys(PAYERS, 0)
    refusals: dict[str, Json] = {}
    digest = hashlib.sha256(f"{wanted.provider_id}|{wanted.month}".encode())
    for one in judged:
        shares = ",".join(f"{share.payer}:{share.entitlement_id}:{share.fen}" for share in one.shares)
        digest.update(f"{one.service.order_id}|{one.verdict}|{one.price_fen}|{shares}\n".encode())
        for share in one.shares if one.verdict == "claimed" else ():
            payers[share.payer] += share.fen
        if one.verdict == "refused":
            why = one.reasons[0]
            found = refusals.setdefault(why.code, {"code": why.code, "zh": why.zh, "en": why.en, "n": 0})
            found["n"] += 1
    told = [_line(one) for one in judged if one.verdict != "claimed"]
    told += [_line(one) for one in judged if one.verdict == "claimed"]
    return {
        "provider_id": wanted.provider_id,
        "month": wanted.month,
        "digest": digest.hexdigest()[:32],
        "services": len(judged),
        "counts": counts,
        "payers": payers,
        "fen": sum(payers.values()),
        "refusals": sorted(refusals.values(), key=lambda one: -one["n"]),
        "lines": told[:_SHOWN],
    }
