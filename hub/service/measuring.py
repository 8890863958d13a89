"""What is measured at a visit: values become observations, a nurse's are scored; the gate before a bath.

A gate that says stop ends the bath, not the care: a nurse is ordered where one must look, and the coordinator is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from dispatch import Responder
from dispatch.gate import Consent, gate_limits, judge_gate
from hub.clock import IdSource
from hub.ports import Actor, AssignmentRow, EntryRow, Json, OrderRow, Transaction, VisitRow
from hub.ports.proof import VitalsRow
from hub.service.rule_desk import Entered, RuleDesk, check_measured

__all__ = ["Measuring", "holds"]

_NURSE: Final = "nursing_visit"
_WITHIN: Final = timedelta(hours=4)
_DAY_BEGINS, _DAY_ENDS = 8, 18


class Measuring:
    """Values of a visit. `zone`: the place's time, for the hours of a nurse's visit."""

    def __init__(self, new_id: IdSource, desk: RuleDesk, zone: tzinfo) -> None:
        self._new_id = new_id
        self._desk = desk
        self._zone = zone

    def measured(
        self,
        tx: Transaction,
        order: OrderRow,
        row: AssignmentRow,
        responder: Responder,
        values: Mapping[str, Any],
        actor: Actor,
        now: datetime,
        *,
        at: datetime,
        purpose: Any = "visit",
    ) -> Entered:
        """Keeps values as observations of the resident. Only those of a nurse (credential of that day) are scored."""
        _measured, numbers = check_measured(values)
        nurse = holds(responder, "nursing", at.astimezone(self._zone).date())
        entered = self._desk.take(tx, order.person, values, actor, now, at, scored=nurse)
        said = {name: values[name] for name in ("consciousness", "oxygen") if values.get(name) is not None}
        tx.proof.add_vitals(
            VitalsRow(
                id=self._new_id(),
                visit_id=str(row.visit_id),
                assignment_id=row.id,
                responder_id=responder.id,
                purpose=purpose,
                at=at,
                recorded_at=now,
                measured={**numbers, **said},
                nurse=nurse,
                score=entered.score.summary() if entered.score.known else None,
                incident_id=entered.incident_id,
            )
        )
        return entered

    def gate(
        self,
        tx: Transaction,
        matter: tuple[OrderRow, VisitRow],
        row: AssignmentRow,
        responder: Responder,
        kind: Json,
        consent: Consent,
        values: Mapping[str, Any],
        actor: Actor,
        now: datetime,
        *,
        at: datetime,
        note: str | None = None,
    ) -> Json:
        """Judges and keeps a gate; gives what is kept. A later one (measured again after a rest) takes its place."""
        order, visit = matter
        numbers: Mapping[str, float] = {}
        if values:
            self.measured(tx, order, row, responder, values, actor, now, at=at, purpose="gate")
            numbers = check_measured(values)[1]
        attributes = kind.get("attributes") or {}
        try:
            limits = gate_limits(attributes.get("gate_limits"))
        except (ValueError, AttributeError):
            limits = gate_limits(None)  # a slip in the record must not open the gate
        verdict = judge_gate(numbers, consent, limits)
        before = tx.proof.gate_of(visit.id) or {}
        if before and at < datetime.fromisoformat(before["at"]):
            return before  # sent later, measured earlier: the values are kept, the later word stands
        nurse_order = before.get("nurse_order_id")
        if verdict.nurse and nurse_order is None:
            nurse_order = self._order_nurse(tx, order, actor, now)
        kept: Json = {
            "verdict": verdict.verdict,
            "at": at.isoformat(),
            "recorded_at": now.isoformat(),
            "by": {"id": responder.id, "name": responder.name},
            "consent": consent,
            "outcome": verdict.outcome,
            "reasons": [asdict(one) for one in verdict.reasons],
            "nurse_order_id": nurse_order,
            "note": note,
            "times": int(before.get("times", 0)) + 1,
        }
        tx.proof.set_gate(visit.id, kept)
        # The timeline is read by families too: values stay with the vitals.
        body = {"verdict": verdict.verdict, "outcome": verdict.outcome, "nurse_order_id": nurse_order}
        tx.timeline.add(EntryRow(at=at, subject_kind="order", subject_id=order.id, kind="gate", actor=actor, body=body))
        return kept

    def _order_nurse(self, tx: Transaction, order: OrderRow, actor: Actor, now: datetime) -> str | None:
        """A nurse's visit within four hours of the day, or the next morning; None where the kind is not offered."""
        kind = tx.reference.get("service_kinds", _NURSE)
        if kind is None or not kind.get("active", True):
            return None
        here = now.astimezone(self._zone)
        begin = max(here, here.replace(hour=_DAY_BEGINS, minute=0, second=0, microsecond=0))
        if here.hour >= _DAY_ENDS:
            begin = (here + timedelta(days=1)).replace(hour=_DAY_BEGINS, minute=0, second=0, microsecond=0)
        wanted = OrderRow(
            id=self._new_id(),
            kind=_NURSE,
            resident_id=order.person,
            state="requested",
            wanted_from=begin,
            wanted_to=begin + _WITHIN,
            duration_min=int(kind.get("duration_min") or 45),
            carers=int(kind.get("carers") or 1),
            source="system",
            created_at=now,
            created_by=actor.user_id,
            note="助浴前检查不通过，请护士上门评估",
            attributes={"after_gate": order.id},
            provider_id=order.provider_id,
        )
        visit = VisitRow(id=self._new_id(), order_id=wanted.id, state="planned", planned_start=begin)
        tx.orders.insert(wanted, visit)
        body = {"kind": _NURSE, "after_gate": order.id}
        tx.timeline.add(
            EntryRow(at=now, subject_kind="order", subject_id=wanted.id, kind="requested", actor=actor, body=body)
        )
        return wanted.id


def holds(responder: Responder, skill: str, day: date) -> bool:
    """Whether somebody has a skill whose paper holds on that day."""
    if skill not in responder.skills:
        return False
    until = responder.skills[skill]
    return until is None or until >= day
