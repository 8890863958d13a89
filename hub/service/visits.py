"""The desk of visits: the gate before a bath, what is late or missing, and flagged checks that a person decides on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final, Literal, TypeVar

from dispatch import LIVE_ASSIGNMENT_STATES
from dispatch.gate import Consent
from dispatch.proof import PROOF_LIMITS, Arrival, Late, ProofLimits, finding, lateness, missing_carers
from hub.alarms import SYSTEM
from hub.clock import Clock
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from hub.ports import Actor, AssignmentRow, Database, EntryRow, Json, OrderRow, Transaction, VisitRow
from hub.ports.proof import CheckRow, ReviewFilter
from hub.service.guards import check_version
from hub.service.measuring import Measuring
from hub.service.proof import finding_json, kind_record, tell_coordinators, visit_kits
from hub.service.raising import again_where_raced

__all__ = ["Tended", "VisitDesk"]

T = TypeVar("T")
_NEWS: Final = timedelta(hours=24)
"""What was due longer ago is marked, and nobody is told at night of last month's orders."""
_LEFT_OVER: Final = timedelta(hours=24)
_AHEAD: Final = timedelta(hours=2)
_SLOWLY: Final = timedelta(minutes=1)
"""How often is looked for what nobody waits for by the second."""


@dataclass(frozen=True, slots=True)
class Tended:
    """One run in numbers: visits that became late by level, carers and check-outs that did not come, predictions."""

    late: Mapping[Late, int] = field(default_factory=dict)
    alone: int = 0
    unfinished: int = 0
    left_over: int = 0
    predicted: int = 0

    @property
    def taken(self) -> int:
        return sum(self.late.values()) + self.alone + self.unfinished + self.left_over


class VisitDesk:
    """`zone`: the place's time, for the day on which a credential must hold."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        measuring: Measuring,
        zone: tzinfo,
        limits: ProofLimits = PROOF_LIMITS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._measuring = measuring
        self._zone = zone
        self._limits = limits
        self._slow_at: datetime | None = None

    # ---- at the door ------------------------------------------------------------------------------------------------

    def gate(
        self,
        visit_id: str,
        actor: Actor,
        consent: Consent,
        vitals: Mapping[str, Any],
        *,
        at: datetime | None = None,
        note: str | None = None,
        version: int | None = None,
    ) -> None:
        """The check before a bath, by a carer who is there. The verdict is on the visit; see `GET /visits/{id}`."""

        def act() -> None:
            now = self._clock()
            with self._database.begin() as tx:
                order, visit, row = self._mine(tx, visit_id, actor, version)
                kind = kind_record(tx, order.kind)
                if not (kind.get("attributes") or {}).get("gate"):
                    raise ConflictError(f"{order.kind} has no check before it", code="no-gate")
                responder = tx.responders.get(row.responder_id)
                if responder is None:
                    raise NotFoundError(f"no responder {row.responder_id}")
                moment = min(at or now, now)
                kept = self._measuring.gate(
                    tx, (order, visit), row, responder, kind, consent, vitals, actor, now, at=moment, note=note
                )
                tx.orders.save(replace(order, version=order.version + 1), replace(visit, version=visit.version + 1))
                if kept["verdict"] == "stop":
                    number = tx.proof.number_of(order.id)
                    words = f"工单 {number} 浴前检查不通过，已中止 · Order {number} stopped before the bath"
                    tell_coordinators(tx, order, words, now, key=f"gate:{visit.id}:{kept['times']}")

        again_where_raced(act)

    def measure(
        self,
        visit_id: str,
        actor: Actor,
        vitals: Mapping[str, Any],
        *,
        at: datetime | None = None,
        version: int | None = None,
    ) -> None:
        """What was measured while somebody is there."""

        def act() -> None:
            now = self._clock()
            with self._database.begin() as tx:
                order, visit, row = self._mine(tx, visit_id, actor, version)
                responder = tx.responders.get(row.responder_id)
                if responder is None:
                    raise NotFoundError(f"no responder {row.responder_id}")
                self._measuring.measured(tx, order, row, responder, vitals, actor, now, at=min(at or now, now))
                tx.orders.save(replace(order, version=order.version + 1), replace(visit, version=visit.version + 1))
                tx.timeline.add(_entry(now, order, "vitals", actor, {"responder_id": responder.id}))

        again_where_raced(act)

    def _mine(
        self, tx: Transaction, visit_id: str, actor: Actor, version: int | None
    ) -> tuple[OrderRow, VisitRow, AssignmentRow]:
        """The visit, locked, with the caller's own assignment, who must have arrived."""
        seen = tx.orders.of_visit(visit_id)
        if seen is None:
            raise NotFoundError(f"no visit {visit_id}")
        _wake(tx, seen[0])  # before the order, wherever both are locked
        found = tx.orders.of_visit(visit_id, lock=True) or seen
        check_version(found[1].version, version)
        mine = [row for row in tx.assignments.of_visit(visit_id) if row.responder_id == actor.person_id]
        if not mine:
            raise ForbiddenError("you have no assignment to this visit")
        there = [row for row in mine if row.on_scene_at is not None and row.state in ("on_scene", "completed")]
        if not there:
            raise ConflictError("say first that you have arrived", code="not-on-scene", state=mine[-1].state)
        return found[0], found[1], there[-1]

    def vitals(self, visit_id: str) -> Json:
        """What was measured at a visit, and the gate with its values: health, not for everybody's eyes."""
        with self._database.begin() as tx:
            return {"items": list(tx.proof.vitals(visit_id)), "gate": tx.proof.gate_of(visit_id)}

    def saw_vitals(self, visit_id: str, resident_id: str, actor: Actor) -> None:
        """A line in the audit: who looked at what was measured."""
        with self._database.begin() as tx:
            tx.audit.add(actor, "visit_vitals.read", f"residents:{resident_id}", {"visit": visit_id}, self._clock())

    def kits(self, order_ids: Collection[str], responder_id: str) -> dict[str, Json]:
        """By order what the phone of this responder must know of it before it goes where there is no signal."""
        today = self._clock().astimezone(self._zone).date()
        with self._database.begin() as tx:
            responder = tx.responders.get(responder_id) if order_ids else None
            return {} if responder is None else visit_kits(tx, order_ids, responder, today)

    # ---- what did not come ------------------------------------------------------------------------------------------

    def tend(self, limit: int = 50) -> Tended:
        """Marks what is late, missed or unfinished, each in its own transaction: none stands in another's way."""
        now = self._clock()
        with self._database.begin() as tx:
            overdue = tx.proof.overdue(now, self._limits, limit)
            unfinished = tx.proof.unfinished(now, self._limits, limit)
            slow = self._slow_at is None or not timedelta(0) <= now - self._slow_at < _SLOWLY
            over = tx.proof.left_over(now - _LEFT_OVER, limit) if slow else []
            predicted = tx.proof.predict(now, _AHEAD) if slow else []
            self._slow_at = now if slow else self._slow_at
            for order_id, expected in predicted:
                body = {"expected_at": expected.isoformat() if expected else None}
                tx.timeline.add(
                    EntryRow(
                        at=now, subject_kind="order", subject_id=order_id, kind="expected", actor=SYSTEM, body=body
                    )
                )
        late: dict[Late, int] = {}
        for visit_id in overdue:
            level = self._one(visit_id, lambda tx, order, visit: self._late(tx, order, visit, now), wake=True)
            if level is not None:
                late[level] = late.get(level, 0) + 1
        alone = sum(bool(self._one(one, lambda tx, o, v: self._alone(tx, o, v, now))) for one in unfinished)
        ends = sum(bool(self._one(one, lambda tx, o, v: self._no_check_out(tx, o, v, now))) for one in unfinished)
        left = sum(bool(self._one(one, lambda tx, o, v: _stand_down(tx, o, v, now))) for one in over)
        return Tended(late, alone, ends, left, len(predicted))

    def _one(
        self, visit_id: str, act: Callable[[Transaction, OrderRow, VisitRow], T], *, wake: bool = False
    ) -> T | None:
        with self._database.begin() as tx:
            if wake and (seen := tx.orders.of_visit(visit_id)) is not None:
                _wake(tx, seen[0])
            found = tx.orders.of_visit(visit_id, lock=True)
            return None if found is None else act(tx, *found)

    def _late(self, tx: Transaction, order: OrderRow, visit: VisitRow, now: datetime) -> Late | None:
        begin_by = visit.promised_to or order.wanted_to
        level = lateness(begin_by, now, self._limits)
        if order.state not in ("requested", "assigned") or level is None or not tx.proof.set_late(visit.id, level):
            return None
        minutes = int((now - begin_by) / timedelta(minutes=1))
        missed = level == "missed"
        tx.orders.save(
            replace(order, state="missed" if missed else order.state, version=order.version + 1),
            replace(visit, state="missed" if missed else visit.state, version=visit.version + 1),
        )
        body = {"level": level, "minutes": minutes, "begin_by": begin_by.isoformat()}
        tx.timeline.add(_entry(now, order, "missed" if missed else "late", SYSTEM, body))
        if level != "yellow" and order.programme_id is None and order.kind != "meal_dine_in" and now - begin_by < _NEWS:
            number = tx.proof.number_of(order.id)
            words = (
                f"工单 {number} 迟 {minutes} 分钟，记为错过 · Order {number} missed"
                if missed
                else f"工单 {number} 已迟 {minutes} 分钟 · Order {number} is {minutes} min late"
            )
            tell_coordinators(tx, order, words, now, key=f"late:{visit.id}:{level}")
        return level

    def _alone(self, tx: Transaction, order: OrderRow, visit: VisitRow, now: datetime) -> bool:
        came = [
            Arrival(row.responder_id, row.on_scene_at)
            for row in tx.assignments.of_visit(visit.id)
            if row.on_scene_at is not None
        ]
        found = missing_carers(order.carers, came, now, self._limits)
        first = next((one for one in tx.proof.checks(visit.id) if one.kind == "in"), None)
        if found is None or first is None or not tx.proof.flag(first.id, finding_json(found)):
            return False
        body = {"check_id": first.id, "check": "in", "flags": [found.code], "responder_id": first.responder_id}
        tx.timeline.add(_entry(now, order, "check_flagged", SYSTEM, body))
        number = tx.proof.number_of(order.id)
        words = f"工单 {number} {found.zh} · Order {number}: {found.en}"
        tell_coordinators(tx, order, words, now, key=f"alone:{visit.id}")
        return True

    def _no_check_out(self, tx: Transaction, order: OrderRow, visit: VisitRow, now: datetime) -> bool:
        checks = tx.proof.checks(visit.id)
        gone = {one.assignment_id for one in checks if one.kind == "out"}
        any_flagged = False
        for one in checks:
            end = min(one.at, one.recorded_at) + timedelta(minutes=order.duration_min)
            if one.kind != "in" or one.assignment_id in gone or now - end < self._limits.no_check_out:
                continue
            found = finding("no_check_out", minutes=int((now - end) / timedelta(minutes=1)))
            if tx.proof.flag(one.id, finding_json(found)):
                body = {"check_id": one.id, "check": "in", "flags": [found.code], "responder_id": one.responder_id}
                tx.timeline.add(_entry(now, order, "check_flagged", SYSTEM, body))
                any_flagged = True
        return any_flagged

    # ---- what a person decides --------------------------------------------------------------------------------------

    def reviews(self, where: ReviewFilter, limit: int, cursor: str | None) -> tuple[list[Json], str | None]:
        """Flagged checks with their evidence, the latest first."""
        with self._database.begin() as tx:
            return tx.proof.reviews(where, limit, cursor)

    def review_of(self, check_id: str, provider_id: str | None) -> Json:
        """One check with its evidence. NotFoundError also for what is another organisation's."""
        with self._database.begin() as tx:
            return _one_review(tx, check_id, provider_id)

    def review(
        self,
        check_id: str,
        verdict: Literal["accepted", "rejected"],
        reason: str,
        actor: Actor,
        *,
        provider_id: str | None = None,
        version: int | None = None,
    ) -> Json:
        """Accepts or rejects a flagged check, with the reason; a later word takes the place of the one before.

        What a check told is never changed by it. ConflictError where nothing is flagged.
        """
        if not reason.strip():
            raise BadRequestError("say why", field="reason")
        now = self._clock()
        with self._database.begin() as tx:
            _one_review(tx, check_id, provider_id)
            row: CheckRow | None = tx.proof.check(check_id, lock=True)
            if row is None:
                raise NotFoundError("no such check")
            check_version(row.version, version)
            if not row.flags:
                raise ConflictError("nothing of this check is flagged", code="not-flagged")
            tx.proof.review(check_id, verdict, reason.strip(), actor.user_id, now)
            found = tx.orders.of_visit(row.visit_id)
            if found is not None:
                body = {"check_id": check_id, "verdict": verdict, "reason": reason.strip(), "flags": row.flags}
                tx.timeline.add(_entry(now, found[0], "check_reviewed", actor, body))
            detail = {"verdict": verdict, "reason": reason.strip(), "flags": row.flags}
            tx.audit.add(actor, "visit_check.review", f"visit_check:{check_id}", detail, now)
            return _one_review(tx, check_id, provider_id)


def _one_review(tx: Transaction, check_id: str, provider_id: str | None) -> Json:
    found = tx.proof.review_of(check_id)
    if found is None or (provider_id is not None and found[1] != provider_id):
        raise NotFoundError("no such check")
    return found[0]


def _stand_down(tx: Transaction, order: OrderRow, visit: VisitRow, now: datetime) -> bool:
    live = [row for row in tx.assignments.of_visit(visit.id) if row.state in LIVE_ASSIGNMENT_STATES - {"on_scene"}]
    if order.state != "missed":
        return False
    for row in live:
        tx.assignments.save(
            replace(row, state="stood_down", ended_at=now, reason="the visit was missed", version=row.version + 1)
        )
        tx.due.clear("assignment", row.id)
        body = {"assignment_id": row.id, "responder_id": row.responder_id, "reason": "the visit was missed"}
        tx.timeline.add(_entry(now, order, "stood_down", SYSTEM, body))
    return bool(live)


def _entry(at: datetime, order: OrderRow, kind: str, actor: Actor, body: Json) -> EntryRow:
    return EntryRow(at=at, subject_kind="order", subject_id=order.id, kind=kind, actor=actor, body=body)


def _wake(tx: Transaction, order: OrderRow) -> None:
    """Takes the resident's turn with the rules, where the order is of one."""
    if order.resident_id is not None:
        tx.rules.wake(order.resident_id)
