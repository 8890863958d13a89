"""Everyday services and the resident's status."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from dispatch import LIVE_ASSIGNMENT_STATES
from hub.care import ABSENT_STATUSES, RESIDENT_STATUSES, TEMPORARY_STATUSES
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from hub.ports import Actor, Database, EntryRow, OrderRow, Transaction
from hub.service.care_orders import PlanOrders
from hub.service.dispatching import Dispatching, StepName
from hub.service.guards import check_version
from hub.service.meal_kitchen import MealKitchen
from hub.service.medical import check_particulars
from hub.service.ordering import cancel, kind_of, place

__all__ = ["Care"]

_VISIT_STEPS: Mapping[str, StepName] = {
    "accept": "accept",
    "decline": "decline",
    "start": "en-route",
    "check-in": "on-scene",
    "check-out": "complete",
}
_LATEST = timedelta(days=366)
_KEPT = timedelta(hours=24)
"""So long an order may have waited on a phone without a signal and is still what is wanted."""
_AT_ONCE = timedelta(minutes=2)


class Care:
    """Orders and visits; what changes when a resident is away, in hospital, moved or dead."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        new_id: IdSource,
        dispatching: Dispatching,
        plans: PlanOrders,
        *,
        kitchen: MealKitchen,
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._dispatching = dispatching
        self._plans = plans
        self._kitchen = kitchen

    def create_order(self, fields: Mapping[str, Any], actor: Actor) -> str:
        """One service wanted at one time; gives the order's id.

        `fields`: kind, resident_id, wanted_from (datetime), optionally wanted_to, duration_min, note, attributes,
        incident_id, open_to, station_id, provider_id, preferred_responder_id, payer_hint; `at`, when it was asked for
        on a phone without a signal. BadRequestError with the field; ConflictError where the resident's status allows no
        service.
        """
        now = self._clock()
        wanted_from, wanted_to, late = _window(fields, now)
        with self._database.begin() as tx:
            kind = kind_of(tx, fields["kind"])
            resident = tx.residents.get(fields["resident_id"])
            if resident is None:
                raise NotFoundError(f"no resident {fields['resident_id']}", field="resident_id")
            if resident.status in ABSENT_STATUSES:
                raise ConflictError(
                    f"{resident.name} is {resident.status}: no service can be ordered",
                    code="resident-absent",
                    status_of_resident=resident.status,
                )
            incident_id = fields.get("incident_id")
            if incident_id is not None and tx.incidents.get(incident_id) is None:
                raise NotFoundError(f"no incident {incident_id}", field="incident_id")
            order = OrderRow(
                id=self._new_id(),
                kind=kind.id,
                resident_id=resident.id,
                state="requested",
                wanted_from=wanted_from,
                wanted_to=wanted_to,
                duration_min=int(fields.get("duration_min") or kind.duration_min),
                carers=kind.carers,
                source=actor.kind,
                created_at=now,
                created_by=actor.user_id,
                incident_id=incident_id,
                note=fields.get("note"),
                attributes=fields.get("attributes") or {},
                open_to=fields.get("open_to"),
                station_id=_known(tx, "stations", fields, "station_id"),
                provider_id=fields.get("provider_id"),
                preferred_responder_id=_known(tx, "responders", fields, "preferred_responder_id"),
                payer_hint=fields.get("payer_hint"),
            )
            check_particulars(tx, kind.id, order.attributes)
            place(tx, order, self._new_id, actor, now, **late)
            self._kitchen.place(tx, order, resident, actor, now)
            if incident_id is not None:
                tx.timeline.add(
                    EntryRow(
                        at=now,
                        subject_kind="incident",
                        subject_id=incident_id,
                        kind="noted",
                        actor=actor,
                        body={"order_id": order.id, "kind": kind.id},
                    )
                )
        return order.id

    def cancel_order(self, order_id: str, actor: Actor, reason: str) -> None:
        """Ends an order that has not begun; whoever was to go is stood down with the reason."""
        if not reason.strip():
            raise BadRequestError("say why", field="reason")
        now = self._clock()
        with self._database.begin() as tx:
            found = tx.orders.get(order_id, lock=True)
            if found is None:
                raise NotFoundError(f"no order {order_id}")
            order, visit = found
            if order.state not in ("requested", "assigned"):
                raise ConflictError(f"the order is {order.state}: it cannot be cancelled", state=order.state)
            self._kitchen.may_cancel(tx, order, actor, now)
            cancel(tx, order, visit, now, actor, reason)

    def visit_step(
        self, visit_id: str, action: str, actor: Actor, *, version: int | None = None, **details: Any
    ) -> None:
        """A step of a visit by its responder: accept, decline, start, check-in, check-out.

        With two carers each moves the own assignment; ForbiddenError for somebody who has none. `version` is the
        visit's.
        """
        step = _VISIT_STEPS.get(action)
        if step is None:
            raise BadRequestError(f"there is no visit step {action!r}", field="action")
        with self._database.begin() as tx:
            rows = tx.assignments.of_visit(visit_id)
            matter = tx.orders.of_visit(visit_id)
            if matter is None:
                raise NotFoundError(f"no visit {visit_id}")
            check_version(matter[1].version, version)
        mine = [row for row in rows if row.responder_id == actor.person_id]
        mine.sort(key=lambda row: (row.state in LIVE_ASSIGNMENT_STATES, row.offered_at), reverse=True)
        if not mine:
            raise ForbiddenError("you have no assignment to this visit")
        self._dispatching.step(mine[0].id, step, actor, **details)

    def set_resident_status(
        self,
        resident_id: str,
        status: str,
        reason: str | None,
        actor: Actor,
        *,
        since: datetime | None = None,
        until: date | None = None,
    ) -> None:
        """Where the resident is. From the moment of absence no order and (but for `away`) no alarm.

        Orders that have not begun are cancelled, whoever was to go is stood down. Back home, those of care plans come
        again. `since`: when it began, where that was earlier; it changes nothing of what was done meanwhile. `until`:
        the day on which the resident is expected back (away, hospital): a date to ask on, never one that changes the
        status by itself, for only a person knows. BadRequestError with the field.
        """
        if status not in RESIDENT_STATUSES:
            raise BadRequestError(f"status must be one of {', '.join(RESIDENT_STATUSES)}", field="status")
        now = self._clock()
        began = since or now
        if began > now:
            raise BadRequestError("it has not begun yet", field="since")
        if until is not None and status not in TEMPORARY_STATUSES:
            raise BadRequestError(f"nobody is expected back from {status}", field="until")
        if until is not None and until < began.date():
            raise BadRequestError("back before it began", field="until")
        with self._database.begin() as tx:
            resident = tx.residents.get(resident_id)
            if resident is None:
                raise NotFoundError(f"no resident {resident_id}")
            if resident.status == status:
                if since is not None or until is not None:
                    tx.residents.set_status(
                        resident_id, status, reason, since or resident.status_since or now, until=until
                    )
                return
            # Their locks before those of orders: none is made beside us.
            tx.everyday.care_plans.of_resident(resident_id)
            tx.residents.set_status(resident_id, status, reason, began, until=until)
            tx.timeline.add(
                EntryRow(
                    at=now,
                    subject_kind="resident",
                    subject_id=resident_id,
                    kind="status",
                    actor=actor,
                    body={"from": resident.status, "to": status, "reason": reason}
                    | ({"since": began.isoformat()} if since is not None else {})
                    | ({"until": until.isoformat()} if until is not None else {}),
                )
            )
            if status in ABSENT_STATUSES:
                for order, visit in tx.orders.open_of_resident(resident_id):
                    if order.state == "in_service":
                        continue  # a carer is there: that visit ends with what was found, not by a line of the register
                    cancel(tx, order, visit, now, actor, f"resident {status}", "status")
            else:
                self._plans.follow_resident(tx, resident_id, now, actor)
                for programme in tx.everyday.programmes.all(active=True):
                    tx.everyday.programmes.made(programme.id, None)  # its orders come again within minutes


def _window(fields: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime, dict[str, Any]]:
    """When it is wanted, and what the order's first line says of one that came late (`asked_at`, `wanted_from`).

    One that was asked for in time and whose time passed on the way is wanted at once: the need has not gone with it.
    """
    wanted_from: datetime = fields["wanted_from"]
    wanted_to: datetime = fields.get("wanted_to") or wanted_from + timedelta(minutes=30)
    if wanted_to < wanted_from:
        raise BadRequestError("it ends before it begins", field="wanted_to")
    if wanted_from > now + _LATEST:
        raise BadRequestError("more than a year ahead", field="wanted_from")
    asked_at = min(fields.get("at") or now, now)
    late: dict[str, Any] = {} if now - asked_at < _AT_ONCE else {"asked_at": asked_at.isoformat()}
    if wanted_to >= now:
        return wanted_from, wanted_to, late
    if asked_at > wanted_to or now - asked_at > _KEPT:
        raise BadRequestError("this time is past", field="wanted_from")
    return now, now + (wanted_to - wanted_from), {**late, "wanted_from": wanted_from.isoformat()}


def _known(tx: Transaction, table: str, fields: Mapping[str, Any], name: str) -> str | None:
    found = fields.get(name)
    if found is not None and tx.reference.get(table, found) is None:
        raise NotFoundError(f"no {table.removesuffix('s')} {found}", field=name)
    return None if found is None else str(found)
