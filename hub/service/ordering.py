"""Writing orders: made, taken back, taken up again. Every way an order comes about or ends early goes through here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from dispatch import LIVE_ASSIGNMENT_STATES, ServiceKind
from hub.clock import IdSource
from hub.errors import BadRequestError
from hub.ports import Actor, AssignmentRow, CancelledBy, EntryRow, OrderRow, Transaction, VisitRow

__all__ = ["cancel", "kind_of", "order_entry", "place", "promised", "revive", "stand_down"]


def kind_of(tx: Transaction, kind_id: str, *, active: bool = True) -> ServiceKind:
    """The service kind as this site has it. BadRequestError (kind): there is none, or it is switched off (`active`)."""
    kind = tx.everyday.kinds.get(kind_id)
    if kind is None:
        known = ", ".join(sorted(one.id for one in tx.everyday.kinds.all().values() if one.active))
        raise BadRequestError(f"there is no service kind {kind_id!r}; known: {known}", field="kind")
    if active and not kind.active:
        raise BadRequestError(f"{kind.zh} ({kind.id}) is switched off here", field="kind")
    return kind


def order_entry(at: datetime, order: OrderRow, kind: str, actor: Actor, body: Mapping[str, Any]) -> EntryRow:
    """A line of the order's timeline."""
    return EntryRow(at=at, subject_kind="order", subject_id=order.id, kind=kind, actor=actor, body=body)


def place(tx: Transaction, order: OrderRow, new_id: IdSource, actor: Actor, now: datetime, **body: Any) -> VisitRow:
    """Writes a new order with its visit. `body`: what else its first line says."""
    visit = VisitRow(id=new_id(), order_id=order.id, state="planned", planned_start=order.wanted_from)
    tx.orders.insert(order, visit)
    tx.timeline.add(order_entry(now, order, "requested", actor, {"kind": order.kind, **body}))
    return visit


def promised(order: OrderRow, visit: VisitRow) -> bool:
    """Whether somebody counts on it: a carer has it, resident or family were told, or a person nailed it down."""
    return order.state != "requested" or visit.promised_from is not None or visit.pinned


def cancel(
    tx: Transaction,
    order: OrderRow,
    visit: VisitRow,
    now: datetime,
    actor: Actor,
    reason: str,
    by: CancelledBy = "person",
) -> None:
    """Ends an order that has not begun; whoever was to go is stood down with the reason."""
    for row in tx.assignments.of_visit(visit.id):
        if row.state in LIVE_ASSIGNMENT_STATES:
            stand_down(tx, order, row, now, actor, reason)
    tx.orders.save(
        replace(order, state="cancelled", reason=reason, cancelled_by=by, version=order.version + 1),
        replace(visit, state="cancelled", ended_at=now, version=visit.version + 1),
    )
    tx.timeline.add(order_entry(now, order, "cancelled", actor, {"reason": reason, "by": by}))


def stand_down(tx: Transaction, order: OrderRow, row: AssignmentRow, now: datetime, actor: Actor, reason: str) -> None:
    """Tells a carer who has not begun that it is not wanted any more."""
    tx.assignments.save(replace(row, state="stood_down", ended_at=now, reason=reason, version=row.version + 1))
    tx.due.clear("assignment", row.id)
    body = {"assignment_id": row.id, "responder_id": row.responder_id, "reason": reason}
    tx.timeline.add(order_entry(now, order, "stood_down", actor, body))


def revive(tx: Transaction, order: OrderRow, visit: VisitRow, now: datetime, actor: Actor, reason: str) -> None:
    """Takes up again what was cancelled for a cause that is gone: requested, with nobody on it."""
    tx.orders.save(
        replace(order, state="requested", reason=None, cancelled_by=None, version=order.version + 1),
        replace(
            visit,
            state="planned",
            planned_start=order.wanted_from,
            ended_at=None,
            outcome=None,
            route_id=None,
            planned_end=None,
            promised_from=None,
            promised_to=None,
            sequence=None,
            pinned=False,
            version=visit.version + 1,
        ),
    )
    tx.timeline.add(order_entry(now, order, "requested", actor, {"kind": order.kind, "again": reason}))
