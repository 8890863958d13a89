"""Who goes: offers, and what responders do with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, tzinfo
from typing import Any, Literal

from dispatch import (
    LIVE_ASSIGNMENT_STATES,
    AssignmentState,
    Candidate,
    IllegalAssignmentStep,
    Request,
    Responder,
    Travel,
    advance,
    propose,
)
from hub.alarms import WELFARE, AssignmentMoved, Change, Incident, WelfareAnswered, apply
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from hub.ports import Actor, AssignmentRow, Database, EntryRow, OrderRow, Transaction, VisitRow
from hub.service.guards import check_version
from hub.service.proof import Given, Proofs
from hub.service.raising import again_where_raced
from hub.service.requests import request_of_incident, request_of_order
from hub.service.visit_states import UNDONE_OUTCOMES, settle_visit
from hub.service.writing import Writer, of_round, offered

__all__ = ["UNDONE_OUTCOMES", "Dispatching", "StepName"]

StepName = Literal["accept", "decline", "en-route", "on-scene", "complete"]

_STATE_AFTER: Mapping[str, Literal["accepted", "declined", "en_route", "on_scene", "completed"]] = {
    "accept": "accepted",
    "decline": "declined",
    "en-route": "en_route",
    "on-scene": "on_scene",
    "complete": "completed",
}
_CONSOLE_ROLES = frozenset({"operator", "coordinator", "supervisor", "admin"})


class Dispatching:
    """Assignments, of incidents and of orders, by the same rules."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        new_id: IdSource,
        writer: Writer,
        travel: Travel,
        proofs: Proofs,
        zone: tzinfo,
    ) -> None:
        self._proofs = proofs
        self._zone = zone
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._writer = writer
        self._travel = travel

    def _judge(self, request: Request, responder: Responder) -> Candidate:
        return propose(request, [responder], now=self._clock().astimezone(self._zone), travel=self._travel)[0]

    # ---- offers -----------------------------------------------------------------------------------------------------

    def assign(
        self, incident_id: str, responder_id: str, actor: Actor, note: str | None = None, *, version: int | None = None
    ) -> str:
        """Offers the incident to a responder; gives the assignment's id.

        The operator decides: a responder the rules speak against can be sent all the same, and the timeline says so.
        """
        now = self._clock()
        with self._database.begin() as tx:
            incident = _incident(tx, incident_id, lock=True)
            check_version(incident.version, version)
            responder = _responder(tx, responder_id)
            candidate = self._judge(request_of_incident(tx, incident), responder)
            assignment_id, _incident_after = self._writer.offer(tx, incident, candidate, actor, now, note=note)
        return assignment_id

    def assign_order(self, order_id: str, responder_id: str, actor: Actor, note: str | None = None) -> str:
        """Offers an order to a carer who is qualified for it; gives the assignment's id.

        ConflictError where a rule forbids it (skill, expired credential, the resident's refusal): unlike an emergency,
        a service is never given to somebody who may not do it.
        """
        now = self._clock()
        with self._database.begin() as tx:
            order, visit = _order(tx, order_id, lock=True)
            if order.state not in ("requested", "assigned"):
                raise ConflictError(f"the order is {order.state}: nobody can be assigned to it", state=order.state)
            responder = _responder(tx, responder_id)
            candidate = self._judge(request_of_order(tx, order), responder)
            if not candidate.eligible:
                against = "; ".join(reason.text for reason in candidate.reasons if reason.weight < 0) or "not eligible"
                raise ConflictError(
                    f"{responder.name} cannot take this: {against}",
                    code="not-eligible",
                    reasons=[asdict(reason) for reason in candidate.reasons],
                )
            live = [row for row in tx.assignments.of_visit(visit.id) if row.state in LIVE_ASSIGNMENT_STATES]
            if len(live) >= order.carers:
                raise ConflictError(
                    f"the order already has its {order.carers} carer(s)",
                    code="already-assigned",
                    responder_id=live[0].responder_id,
                )
            assignment = offered(self._new_id(), candidate, actor, now, visit_id=visit.id, note=note)
            tx.assignments.insert(assignment)
            tx.timeline.add(_order_entry(now, order, "offered", actor, assignment, responder))
            settle_visit(tx, order, visit, now)
        return assignment.id

    # ---- what responders do -----------------------------------------------------------------------------------------

    def step(
        self,
        assignment_id: str,
        action: StepName,
        actor: Actor,
        *,
        at: datetime | None = None,
        reason: str | None = None,
        outcome: str | None = None,
        note: str | None = None,
        fix: Mapping[str, Any] | None = None,
        version: int | None = None,
        photo_sha256: str | None = None,
        tasks: Sequence[Mapping[str, Any]] = (),
        vitals: Mapping[str, Any] | None = None,
    ) -> None:
        """One step of an assignment, by its responder or by an operator for one.

        `at` is when it happened on the phone; it may be earlier than now (no signal), never later, and never before the
        offer (a wrong clock); a visit's check keeps it as it was told. A step that was done already is taken as done (a
        lost answer, sent again). `photo_sha256`, `tasks`, `vitals`: of a visit, see `Given`. ConflictError where the
        table does not allow it.
        """
        given = Given(at, fix, photo_sha256, tasks, vitals)
        return again_where_raced(
            lambda: self._step(assignment_id, action, actor, given, reason, outcome, note, version)
        )

    def _step(
        self,
        assignment_id: str,
        action: StepName,
        actor: Actor,
        given: Given,
        reason: str | None,
        outcome: str | None,
        note: str | None,
        version: int | None,
    ) -> None:
        now, at, fix = self._clock(), given.at, given.fix
        if action == "decline" and not (reason or "").strip():
            raise BadRequestError("say why it cannot be done", field="reason")
        if action == "complete" and not (outcome or "").strip():
            raise BadRequestError("say how it ended", field="outcome")
        with self._database.begin() as tx:
            # Lock order everywhere: the incident (or order) first, then the assignment.
            found = tx.assignments.get(assignment_id)
            if found is None:
                raise NotFoundError(f"no assignment {assignment_id}")
            _may_step(found, actor)
            if found.visit_id is None and (given.tasks or given.vitals):
                raise BadRequestError("tasks and vitals belong to a visit", field="tasks" if given.tasks else "vitals")
            whose = tx.orders.of_visit(found.visit_id) if given.vitals and found.visit_id else None
            if whose is not None and whose[0].resident_id is not None:
                # The resident's turn with the rules comes before the order, wherever both are locked.
                tx.rules.wake(whose[0].resident_id)
            incident = _incident(tx, found.incident_id, lock=True) if found.incident_id else None
            matter = tx.orders.of_visit(found.visit_id, lock=True) if found.visit_id else None
            row = tx.assignments.get(assignment_id, lock=True)
            if row is None:
                raise NotFoundError(f"no assignment {assignment_id}")
            state = _STATE_AFTER[action]
            if row.state == state:
                return
            check_version(row.version, version)
            try:
                advance(row.state, state)
            except IllegalAssignmentStep as error:
                raise ConflictError(_too_late(row, action), state=row.state, reason=row.reason) from error
            happened = now if at is None else max(min(at, now), row.offered_at)
            after = _moved(row, state, happened, reason=reason, outcome=outcome, note=note)
            tx.assignments.save(after)
            responder = _responder(tx, row.responder_id)
            if fix is not None and "lat" in fix and "lon" in fix:
                accuracy = fix.get("accuracy_m")
                tx.responders.moved(row.responder_id, float(fix["lat"]), float(fix["lon"]), happened, accuracy)
            if incident is not None:
                self._move_incident(tx, incident, after, row.state, responder, actor, now=now, happened=happened)
            elif matter is not None:
                order, visit = matter
                tx.timeline.add(_order_entry(happened, order, state, actor, after, responder))
                settle_visit(tx, order, visit, now, outcome=outcome, note=note)
                if state == "on_scene":
                    self._proofs.arrived(tx, matter, after, responder, given, actor, now)
                elif state == "completed":
                    done = after.outcome not in UNDONE_OUTCOMES
                    self._proofs.left(tx, matter, after, responder, given, actor, now, done=done)
            if state in ("declined", "completed"):
                tx.due.clear("assignment", after.id)

    def all_well(
        self, assignment_id: str, actor: Actor, *, at: datetime | None = None, version: int | None = None
    ) -> None:
        """The answer to the welfare clock, by whoever is on scene or by an operator who asked: it begins again.

        It begins at `at`, when the button was pressed: an answer that waited for a signal must not buy more time.
        ConflictError where nobody of this assignment is on scene of an incident.
        """
        now = self._clock()
        with self._database.begin() as tx:
            found = tx.assignments.get(assignment_id)
            if found is None:
                raise NotFoundError(f"no assignment {assignment_id}")
            _may_step(found, actor)
            if found.incident_id is None:
                raise ConflictError("a visit has no welfare clock", state=found.state)
            incident = _incident(tx, found.incident_id, lock=True)
            row = tx.assignments.get(assignment_id, lock=True) or found
            check_version(row.version, version)
            if row.state != "on_scene":
                raise ConflictError(f"the assignment is {row.state}: nobody is on scene", state=row.state)
            change = apply(incident, WelfareAnswered(assignment_id), now=now, actor=actor)
            happened = now if at is None else max(min(at, now), row.on_scene_at or row.offered_at)
            if happened != now:
                change = replace(
                    _happened(change, happened),
                    due=tuple(
                        replace(step, due_at=step.due_at - (now - happened))
                        if step.code == WELFARE and step.due_at is not None
                        else step
                        for step in change.due
                    ),
                )
            self._writer.write(tx, change, now=now)

    def _move_incident(
        self,
        tx: Transaction,
        incident: Incident,
        row: AssignmentRow,
        was: AssignmentState,
        responder: Responder,
        actor: Actor,
        *,
        now: datetime,
        happened: datetime,
    ) -> None:
        if was == "offered" and row.state in ("accepted", "en_route", "on_scene"):
            # The first to accept has it; whoever was asked beside and has not answered is stood down with the reason.
            self._writer.stand_down(
                tx,
                incident.id,
                now=now,
                reason=f"{responder.name} accepted first",
                said=f"{responder.name}已接受",
                states=frozenset({"offered"}),
                keep=row.id,
            )
        rows = of_round(tx.assignments.of_incident(incident.id), incident)
        others = tuple(other.state for other in rows if other.id != row.id)
        change = apply(
            incident,
            AssignmentMoved(
                assignment_id=row.id,
                responder_id=row.responder_id,
                was=was,
                state=row.state,
                others=others,
                responder_name=responder.name,
                reason=row.reason,
                outcome=row.outcome,
            ),
            now=now,
            actor=actor,
        )
        if happened != now:
            change = _happened(change, happened)
        self._writer.write(tx, change, now=now)


def _happened(change: Change, at: datetime) -> Change:
    """The same change, its entries telling when it happened on the phone."""
    entries = tuple(replace(entry, body={**entry.body, "happened_at": at.isoformat()}) for entry in change.entries)
    return replace(change, entries=entries)


def _may_step(row: AssignmentRow, actor: Actor) -> None:
    if actor.role in _CONSOLE_ROLES:
        return
    if actor.person_id is None or actor.person_id != row.responder_id:
        raise ForbiddenError("this assignment is somebody else's")


def _too_late(row: AssignmentRow, action: str) -> str:
    if row.state == "stood_down":
        return f"you were stood down: {row.reason or 'no longer needed'}"
    return f"the assignment is {row.state}: {action} is not possible"


def _moved(
    row: AssignmentRow,
    state: Literal["accepted", "declined", "en_route", "on_scene", "completed"],
    at: datetime,
    *,
    reason: str | None,
    outcome: str | None,
    note: str | None,
) -> AssignmentRow:
    return replace(
        row,
        state=state,
        accepted_at=row.accepted_at or (at if state in ("accepted", "en_route", "on_scene") else None),
        en_route_at=row.en_route_at or (at if state == "en_route" else None),
        on_scene_at=row.on_scene_at or (at if state == "on_scene" else None),
        ended_at=at if state in ("declined", "completed") else None,
        reason=reason or row.reason,
        outcome=outcome or row.outcome,
        note=note or row.note,
        version=row.version + 1,
    )


def _incident(tx: Transaction, incident_id: str, *, lock: bool = False) -> Incident:
    incident = tx.incidents.get(incident_id, lock=lock)
    if incident is None:
        raise NotFoundError(f"no incident {incident_id}")
    return incident


def _responder(tx: Transaction, responder_id: str) -> Responder:
    responder = tx.responders.get(responder_id)
    if responder is None:
        raise NotFoundError(f"no responder {responder_id}", field="responder_id")
    return responder


def _order(tx: Transaction, order_id: str, *, lock: bool = False) -> tuple[OrderRow, VisitRow]:
    found = tx.orders.get(order_id, lock=lock)
    if found is None:
        raise NotFoundError(f"no order {order_id}")
    return found


def _order_entry(
    at: datetime, order: OrderRow, kind: str, actor: Actor, row: AssignmentRow, responder: Responder
) -> EntryRow:
    return EntryRow(
        at=at,
        subject_kind="order",
        subject_id=order.id,
        kind=kind,
        actor=actor,
        body={
            "assignment_id": row.id,
            "responder_id": row.responder_id,
            "responder_name": responder.name,
            "reason": row.reason,
            "outcome": row.outcome,
        },
    )
