"""The state of a visit and of its order, after anything happened to one of its assignments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from dispatch import visit_state
from hub.ports import OrderRow, OrderState, Transaction, VisitRow, VisitState

__all__ = ["ORDER_STATES", "UNDONE_OUTCOMES", "settle_visit"]

UNDONE_OUTCOMES: Final = frozenset({"aborted", "no_answer", "not_found", "refused"})
"""How a visit ends that was begun and not done; the note says more."""

ORDER_STATES: Final[Mapping[VisitState, OrderState]] = {
    "planned": "requested",
    "offered": "assigned",
    "accepted": "assigned",
    "en_route": "assigned",
    "in_service": "in_service",
    "completed": "completed",
    "aborted": "aborted",
    "missed": "missed",
    "cancelled": "cancelled",
}
"""The order's state follows its visit's."""


def settle_visit(
    tx: Transaction,
    order: OrderRow,
    visit: VisitRow,
    now: datetime,
    *,
    outcome: str | None = None,
    note: str | None = None,
) -> None:
    """Writes the visit's state as its assignments have it, and the order's.

    A carer who was there and could not do it has finished the own assignment; the service has not been given, and the
    order says why. Begin and end are those of the phones: a check that was sent later did not happen later. What was
    missed stays missed until somebody comes after all.
    """
    rows = tx.assignments.of_visit(visit.id)
    state: VisitState = visit_state([row.state for row in rows], carers=order.carers)
    reason = order.reason
    if state == "completed":
        undone = [row for row in rows if row.state == "completed" and row.outcome in UNDONE_OUTCOMES]
        if undone:
            state, last = "aborted", undone[-1]
            reason = ": ".join(part for part in (last.outcome, last.note) if part)
    if visit.state == "missed" and state not in ("in_service", "completed", "aborted"):
        state = "missed"
    came = [row.on_scene_at for row in rows if row.on_scene_at is not None]
    left = [row.ended_at for row in rows if row.state == "completed" and row.ended_at is not None]
    visit = replace(
        visit,
        state=state,
        started_at=min(came, default=visit.started_at),
        ended_at=max(left, default=now) if state in ("completed", "aborted") else None,
        outcome=outcome or visit.outcome,
        note=note or visit.note,
        version=visit.version + 1,
    )
    tx.orders.save(replace(order, state=ORDER_STATES[state], reason=reason, version=order.version + 1), visit)
