"""Questions to the community doctor, what a service must know, and what came of a visit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, get_args

from dispatch import LIVE_ASSIGNMENT_STATES
from dispatch.particulars import Particulars, checked, particulars_of
from hub.care import ABSENT_STATUSES
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from hub.ports import Actor, Advice, Database, EntryRow, Json, OrderRow, TeleconsultRow, Transaction
from hub.service.intake import Intake
from hub.service.ordering import kind_of, place

__all__ = ["Teleconsults", "VisitResults", "check_particulars", "fields_of"]

_VITALS_SINCE: Final = timedelta(days=30)
_NOT_VITAL: Final = frozenset({"steps", "wearing", "activity"})
_VISIT_WITHIN: Final = timedelta(hours=4)
_CONSOLE: Final = frozenset({"operator", "coordinator", "supervisor", "admin"})
_ZH: Final[Mapping[str, str]] = {"advice": "给出建议", "visit": "上门", "120": "请呼叫 120"}


def fields_of(tx: Transaction, kind: str) -> Particulars:
    """What a kind asks for here: the site's own fields, else those of the table. A slip in the record asks nothing."""
    record = tx.reference.get("service_kinds", kind) or {}
    try:
        return particulars_of(kind, record.get("fields"))
    except (ValueError, AttributeError):
        return particulars_of(kind)


def check_particulars(tx: Transaction, kind: str, attributes: Mapping[str, Any]) -> None:
    """BadRequestError with the first field that is wrong and every complaint (`fields`).

    What is required may still be missing: whoever orders for somebody need not know which hospital it will be. Whoever
    goes is shown what has not been said.
    """
    wrong = checked(fields_of(tx, kind).order, attributes, whole=False)
    if wrong:
        raise BadRequestError(
            "; ".join(text for _, text in wrong),
            field=f"attributes.{wrong[0][0]}",
            fields=[{"field": f"attributes.{name}", "detail": text} for name, text in wrong],
        )


class VisitResults:
    """What came of a visit beyond its outcome: the amount paid, the receipt, what was fetched."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def record(
        self, visit_id: str, results: Mapping[str, Any], actor: Actor, *, at: datetime | None = None, whole: bool = True
    ) -> None:
        """Keeps them; a second time replaces the first. BadRequestError names the field; `whole` False: what is
        required may still be missing (the receipt comes later).
        """
        now = self._clock()
        with self._database.begin() as tx:
            found = tx.orders.of_visit(visit_id, lock=True)
            if found is None:
                raise NotFoundError(f"no visit {visit_id}")
            order, visit = found
            mine = [row for row in tx.assignments.of_visit(visit_id) if row.responder_id == actor.person_id]
            if actor.role not in _CONSOLE and not any(
                row.state in LIVE_ASSIGNMENT_STATES or row.state == "completed" for row in mine
            ):
                raise ForbiddenError("you have no assignment to this visit")
            wrong = checked(fields_of(tx, order.kind).done, results, whole=whole)
            if wrong:
                raise BadRequestError(
                    "; ".join(text for _, text in wrong),
                    field=f"results.{wrong[0][0]}",
                    fields=[{"field": f"results.{name}", "detail": text} for name, text in wrong],
                )
            tx.meals.put_results(
                {
                    "visit_id": visit.id,
                    "results": dict(results),
                    "at": min(at or now, now),
                    "recorded_at": now,
                    "responder_id": actor.person_id if mine else None,
                    "user_id": actor.user_id,
                }
            )
            # Which were said, not what: the timeline is read by many.
            body = {"fields": sorted(results)}
            tx.timeline.add(EntryRow(now, "order", order.id, "results", actor=actor, body=body))


class Teleconsults:
    """Asks the community doctor, and takes the answer: advice, a visit, or 120."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, intake: Intake) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._intake = intake

    def request(self, fields: Mapping[str, Any], actor: Actor) -> str:
        """Asks; gives the question's id. The latest values of the record go with it, as they stand now.

        `fields`: resident_id, reason, optionally urgent, incident_id, order_id, doctor_id.
        """
        now = self._clock()
        with self._database.begin() as tx:
            resident = tx.residents.get(fields["resident_id"])
            if resident is None:
                raise NotFoundError(f"no resident {fields['resident_id']}", field="resident_id")
            if actor.role == "staff":
                self._knows(tx, actor, resident.id)
            doctor_id = fields.get("doctor_id")
            if doctor_id is not None and tx.medical.responder_kind(doctor_id) != "doctor":
                raise BadRequestError(f"{doctor_id} is no doctor", field="doctor_id")
            incident_id = fields.get("incident_id")
            incident = tx.incidents.get(incident_id) if incident_id else None
            if incident_id and (incident is None or incident.resident_id != resident.id):
                raise NotFoundError(f"no incident {incident_id} of this resident", field="incident_id")
            order_id = fields.get("order_id")
            order = tx.orders.get(order_id) if order_id else None
            if order_id and (order is None or order[0].resident_id != resident.id):
                raise NotFoundError(f"no order {order_id} of this resident", field="order_id")
            vitals: list[Json] = [
                {"metric": one.metric, "value": one.value, "observed_at": one.observed_at.isoformat()}
                for one in tx.home.latest_values(resident.id, now - _VITALS_SINCE)
                if one.value is not None and one.metric not in _NOT_VITAL
            ]
            row = TeleconsultRow(
                self._new_id(),
                resident.id,
                fields["reason"],
                "requested",
                now,
                actor.name,
                actor.user_id,
                bool(fields.get("urgent")),
                vitals,
                incident_id,
                order_id,
                doctor_id,
            )
            tx.medical.add(row)
            self._note(tx, row, now, actor, {"state": "requested", "reason": row.reason, "doctor_id": doctor_id})
        return row.id

    @staticmethod
    def _knows(tx: Transaction, actor: Actor, resident_id: str) -> None:
        """Staff ask about whom they are with."""
        for _order, visit in tx.orders.open_of_resident(resident_id):
            rows = tx.assignments.of_visit(visit.id)
            if any(row.responder_id == actor.person_id and row.state in LIVE_ASSIGNMENT_STATES for row in rows):
                return
        raise ForbiddenError("you have no task with this resident")

    def answer(
        self,
        consult_id: str,
        advice: Advice,
        text: str,
        actor: Actor,
        *,
        by: str | None = None,
        version: int | None = None,
    ) -> None:
        """The doctor's word, by the doctor's own account, or by the desk for the doctor `by` (a telephone call).

        `visit`: a nurse's visit is ordered within hours. `120`: raised at once, or onto the incident there is.
        ConflictError where it is answered already.
        """
        if advice not in get_args(Advice):
            raise BadRequestError("advice must be one of advice, visit, 120", field="advice")
        now = self._clock()
        with self._database.begin() as tx:
            row = tx.medical.get(consult_id, lock=True)
            if row is None:
                raise NotFoundError(f"no teleconsult {consult_id}")
            doctor_id = self._doctor(tx, row, actor, by)
            if row.state != "requested":
                raise ConflictError(f"it is {row.state}", state=row.state, answered_by=row.answered_by)
            if version is not None and version != row.version:
                raise ConflictError("it was changed meanwhile", code="version", version=row.version)
            doctor = tx.responders.get(doctor_id)
            order_id = self._order_visit(tx, row, text, actor, now) if advice == "visit" else None
            row = replace(
                row,
                state="answered",
                doctor_id=doctor_id,
                advice=advice,
                answer=text,
                answered_at=now,
                answered_by=doctor.name if doctor else actor.name,
                visit_order_id=order_id,
            )
            tx.medical.save(row)
            body = {
                "state": "answered",
                "advice": advice,
                "text": text,
                "doctor": row.answered_by,
                "order_id": order_id,
            }
            self._note(tx, row, now, actor, body)
        if advice == "120":
            said = f"医生{row.answered_by}：{_ZH[advice]}。{text}"
            _, incident_id = self._intake.raise_from_person(
                {"type": "assistance", "resident_id": row.resident_id, "note": said[:500], "channel": "staff"}, actor
            )
            if incident_id is not None and row.incident_id is None:
                with self._database.begin() as tx:
                    kept = tx.medical.get(consult_id, lock=True)
                    if kept is not None:
                        tx.medical.save(replace(kept, incident_id=incident_id))

    def withdraw(self, consult_id: str, reason: str, actor: Actor) -> None:
        """Takes the question back. ConflictError where it is answered."""
        now = self._clock()
        with self._database.begin() as tx:
            row = tx.medical.get(consult_id, lock=True)
            if row is None:
                raise NotFoundError(f"no teleconsult {consult_id}")
            if row.state != "requested":
                raise ConflictError(f"it is {row.state}", state=row.state)
            tx.medical.save(replace(row, state="withdrawn"))
            self._note(tx, row, now, actor, {"state": "withdrawn", "reason": reason})

    @staticmethod
    def _doctor(tx: Transaction, row: TeleconsultRow, actor: Actor, by: str | None) -> str:
        doctor_id = by if actor.role in _CONSOLE else actor.person_id
        if doctor_id is None:
            raise BadRequestError("say which doctor answered", field="doctor_id")
        if tx.medical.responder_kind(doctor_id) != "doctor":
            raise ForbiddenError("only a doctor answers this")
        if actor.role not in _CONSOLE and row.doctor_id not in (None, doctor_id):
            raise ForbiddenError("another doctor was asked")
        return doctor_id

    def _order_visit(self, tx: Transaction, row: TeleconsultRow, text: str, actor: Actor, now: datetime) -> str | None:
        resident = tx.residents.get(row.resident_id)
        if resident is None or resident.status in ABSENT_STATUSES:
            return None
        kind = kind_of(tx, "nursing_visit", active=False)
        order = OrderRow(
            id=self._new_id(),
            kind=kind.id,
            resident_id=resident.id,
            state="requested",
            wanted_from=now,
            wanted_to=now + _VISIT_WITHIN,
            duration_min=kind.duration_min,
            carers=kind.carers,
            source=actor.kind,
            created_at=now,
            created_by=actor.user_id,
            incident_id=row.incident_id,
            note=text[:500],
            attributes={"procedure": "assessment", "doctor_order": text[:500], "teleconsult": row.id},
        )
        place(tx, order, self._new_id, actor, now, teleconsult=row.id)
        return order.id

    @staticmethod
    def _note(tx: Transaction, row: TeleconsultRow, now: datetime, actor: Actor, body: Mapping[str, Any]) -> None:
        """On the resident's record, and on the incident it is about."""
        said = {"teleconsult_id": row.id, **body}
        tx.timeline.add(EntryRow(now, "resident", row.resident_id, "teleconsult", actor=actor, body=said))
        if row.incident_id is not None:
            tx.timeline.add(EntryRow(now, "incident", row.incident_id, "noted", actor=actor, body=said))
