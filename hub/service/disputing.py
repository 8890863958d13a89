"""Disputes about claims: raised by one person with a reason, decided by another, written into the next open month."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from hub.accounts import Entry, Service, Share, claim_entry, judge, reversal
from hub.accounts.facts import service_of
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from hub.ports import Actor, Database, DisputeRow, DisputeSide, EntryRow, Json, MeantFor, ServiceClaim, Transaction
from hub.service.settling import open_month

__all__ = ["Disputing"]


class Disputing:
    """Each call is one transaction."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._zone = zone

    def raise_dispute(self, claim_id: str, side: DisputeSide, reason: str, actor: Actor) -> str:
        """Asks for the opposite of what the books say; gives its id. Each side may ask once."""
        if not reason.strip():
            raise BadRequestError("say why", field="reason")
        if actor.user_id is None:
            raise ForbiddenError("a dispute is raised by a person")
        now = self._clock()
        with self._database.begin() as tx:
            tx.settlement.alone()
            claim = _claim(tx, claim_id)
            if claim.status == "held":
                raise ConflictError("it waits for a second look: nothing is decided yet", code="held")
            wants: MeantFor = "refused" if claim.counts else "paid"
            if wants == "paid" and side != "provider":
                raise ConflictError("nothing was paid for it: only its provider can ask for more", code="not-paid")
            if wants == "refused" and side == "provider":
                raise ConflictError("it is paid", code="paid")
            row = DisputeRow(self._new_id(), claim.id, side, wants, actor.user_id, None, 1)
            try:
                tx.settlement.raise_dispute(row, reason.strip(), actor, now)
            except ConflictError as error:
                raise ConflictError("it was disputed already", code="disputed") from error
            closed = tx.settlement.closed_months(claim.provider_id)
            if wants == "refused" and claim.month not in closed:
                tx.settlement.set_status(claim.id, "disputed")
            self._noted(
                tx, claim, actor, now, "claim_disputed", {"side": side, "wants": wants, "reason": reason.strip()}
            )
        return row.id

    def decide(
        self, dispute_id: str, decision: MeantFor, reason: str, actor: Actor, *, version: int | None = None
    ) -> str:
        """Decides it; gives the claim's id. ForbiddenError for whoever raised it.

        What changes is an entry in the claim's month or, where that is closed, in the next open one.
        """
        if not reason.strip():
            raise BadRequestError("say why", field="reason")
        now = self._clock()
        with self._database.begin() as tx:
            tx.settlement.alone()
            row = tx.settlement.dispute(dispute_id, lock=True)
            if row is None:
                raise NotFoundError(f"no dispute {dispute_id}")
            if version is not None and version != row.version:
                raise ConflictError("it was changed meanwhile", code="version", version=row.version)
            if row.decision is not None:
                raise ConflictError(f"it is decided: {row.decision}", code="decided")
            if row.raised_by == actor.user_id:
                raise ForbiddenError("whoever raised a dispute does not decide it", code="own-dispute")
            claim = _claim(tx, row.claim_id)
            closed = tx.settlement.closed_months(claim.provider_id)
            month = open_month(claim.month, closed)
            entry: Entry | None = None
            if decision == "refused" and claim.counts:
                entry = self._undo(tx, claim, month, reason.strip())
            elif decision == "paid" and not claim.counts:
                entry = self._pay(tx, claim, month, in_its_month=month == claim.month)
            elif claim.month not in closed and claim.status == "disputed":
                tx.settlement.set_status(claim.id, "accepted")
            if entry is not None:
                tx.settlement.post([entry], claim.provider_id, actor, now)
            tx.settlement.decide(row.id, decision, reason.strip(), entry.id if entry else None, actor, now)
            detail = {"decision": decision, "reason": reason.strip(), "booked": entry.month if entry else None}
            self._noted(tx, claim, actor, now, "claim_decided", detail)
        return claim.id

    def _undo(self, tx: Transaction, claim: ServiceClaim, month: str, reason: str) -> Entry:
        entries = tx.settlement.entries(claim.id)
        undone = {one.reverses for one in entries}
        last = next(one for one in reversed(entries) if one.kind == "claim" and one.id not in undone)
        tx.settlement.free_meals(claim.id)
        if month == claim.month:
            tx.settlement.drop_shares(claim.id)
            tx.settlement.set_status(claim.id, "refused", price_fen=0)
        return reversal(last, self._new_id(), month, reason)

    def _pay(self, tx: Transaction, claim: ServiceClaim, month: str, *, in_its_month: bool) -> Entry:
        """Pays what was refused: somebody has looked at the evidence, so the proof is taken as good; who pays is asked
        of the tariffs and the waterfall as ever. ConflictError where nobody does, or another stands for the same meal.
        """
        found = self._shares(tx, claim)
        kept = tx.settlement.shares(claim.id)  # of a closed month: reversed in a later one, they still say who paid
        keys = [f"card|{claim.card_key}"] if claim.card_key else []
        keys += [f"meal|{claim.meal_key}"] if claim.meal_key else []
        if in_its_month:
            tx.settlement.set_status(claim.id, "accepted", price_fen=sum(share.fen for share in found))
        try:
            tx.settlement.add_shares(claim.id, month, () if kept else found, keys)
        except ConflictError as error:
            raise ConflictError("another claim is paid for the same meal", code="twice") from error
        shares = kept or [(share.payer, share.fen) for share in found]
        return claim_entry(self._new_id(), month, claim.id, claim.provider_id, claim.resident_id, shares)

    def _shares(self, tx: Transaction, claim: ServiceClaim) -> tuple[Share, ...]:
        facts = tx.settlement.facts_of(claim.order_id)
        if facts is None:
            raise NotFoundError(f"no order {claim.order_id}")
        service = _believed(service_of(facts, self._zone))
        judged = judge(service, tx.settlement.terms([service]))
        if judged.verdict == "refused":
            raise ConflictError(
                f"it cannot be paid: {judged.reasons[0].en}",
                said_zh=f"不能支付：{judged.reasons[0].zh}",
                code="cannot-be-paid",
                reasons=[why.to_json() for why in judged.reasons],
            )
        return judged.shares

    def _noted(self, tx: Transaction, claim: ServiceClaim, actor: Actor, now: datetime, kind: str, body: Json) -> None:
        about = {"claim_id": claim.id, "month": claim.month}
        tx.timeline.add(EntryRow(now, "order", claim.order_id, kind, actor, {**about, **body}))
        tx.audit.add(actor, f"settlement.{kind}", f"claims:{claim.id}", body, now)


def _claim(tx: Transaction, claim_id: str) -> ServiceClaim:
    claim = tx.settlement.claim(claim_id, lock=True)
    if claim is None:
        raise NotFoundError(f"no claim {claim_id}")
    return claim


def _believed(service: Service) -> Service:
    """The service with its proof taken as good; where no time was told, as long as it was ordered."""
    ended = service.ended_at
    if ended <= service.started_at and service.meal_key is None:
        ended = service.started_at + timedelta(minutes=service.ordered_min)
    return replace(service, proof="verified", rejected=None, flags=(), ended_at=ended)
