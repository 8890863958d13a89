"""Proof of visit at work: what a carer's phone tells at the door, judged and kept inside the step that it came with.

Nothing here refuses a step: a check that fails is kept, flagged, and waits for a person's look. What was done and what
was measured comes with the same step, because a phone that was without a signal sends it all at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final, Literal

from dispatch import Place, Responder
from dispatch.gate import gate_limits
from dispatch.proof import (
    NO_PROOF_KINDS,
    PROOF_LIMITS,
    Arrival,
    Expected,
    Finding,
    Judged,
    PhoneFix,
    Told,
    judge_arrival,
    judge_leaving,
)
from dispatch.visit_tasks import VisitTask, tasks_of
from hub.care import ABSENT_STATUSES
from hub.clock import IdSource
from hub.notices import Notice
from hub.ports import Actor, AssignmentRow, EntryRow, Json, OrderRow, Transaction, VisitRow
from hub.ports.proof import CheckRow, TaskDone
from hub.service.measuring import Measuring, holds
from hub.service.notifying import notify

__all__ = ["Given", "Proofs", "finding_json", "kind_record", "tell_coordinators", "visit_kits"]

_AWAY_FROM_HOME: Final[Mapping[str, tuple[str, str]]] = {
    "meal_dine_in": ("station", "station"),
    "medical_escort": ("home", "anywhere"),
    "escort": ("home", "anywhere"),
    "medicine_fetch": ("anywhere", "home"),
    "errands": ("anywhere", "anywhere"),
}
"""Where a check-in and a check-out are to be, where that is not the resident's home."""


@dataclass(frozen=True, slots=True)
class Given:
    """What came with a step. `at`: the phone's own time, as told; None: now. `fix`: the JSON object of the contract.

    `tasks`: `{"code", "done", "note"}` each; `vitals`: the fields that a nurse enters; `photo_sha256` in hex.
    """

    at: datetime | None = None
    fix: Mapping[str, Any] | None = None
    photo_sha256: str | None = None
    tasks: Sequence[Mapping[str, Any]] = ()
    vitals: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Matter:
    """All that a check is judged by."""

    order: OrderRow
    visit: VisitRow
    row: AssignmentRow
    responder: Responder
    rows: Sequence[AssignmentRow]
    kind: Json = field(default_factory=dict)


class Proofs:
    """Keeps checks. `zone`: the place's time, for the day on which a credential must hold."""

    def __init__(self, new_id: IdSource, zone: tzinfo, measuring: Measuring) -> None:
        self._new_id = new_id
        self._zone = zone
        self._measuring = measuring

    def arrived(
        self,
        tx: Transaction,
        matter: tuple[OrderRow, VisitRow],
        row: AssignmentRow,
        responder: Responder,
        given: Given,
        actor: Actor,
        now: datetime,
    ) -> None:
        """A check-in, judged and kept; how late the visit began is known from the phone's own time."""
        found = self._matter(tx, matter, row, responder)
        self._reported(tx, found, given, actor, now)
        if responder.kind in NO_PROOF_KINDS:
            return
        told = _told(given, row, actor, now)
        judged = judge_arrival(told, self._expected(tx, found, "in"), _arrivals(found.rows))
        began = min(one.on_scene_at for one in found.rows if one.on_scene_at is not None)
        if row.on_scene_at is None or row.on_scene_at <= began:
            tx.proof.set_late(found.visit.id, judged.late)
        self._keep(tx, found, "in", judged, told, given, actor)

    def left(
        self,
        tx: Transaction,
        matter: tuple[OrderRow, VisitRow],
        row: AssignmentRow,
        responder: Responder,
        given: Given,
        actor: Actor,
        now: datetime,
        *,
        done: bool,
    ) -> None:
        """A check-out, judged and kept. `done`: the carer says that the service was given."""
        found = self._matter(tx, matter, row, responder)
        self._reported(tx, found, given, actor, now)
        if responder.kind in NO_PROOF_KINDS:
            return
        told = _told(given, row, actor, now)
        arrived = next((one.at for one in tx.proof.checks(found.visit.id) if _is(one, row.id, "in")), row.on_scene_at)
        gate = tx.proof.gate_of(found.visit.id)
        judged = judge_leaving(
            told,
            self._expected(tx, found, "out"),
            arrived,
            _arrivals(found.rows),
            done=done,
            gate=None if gate is None else gate["verdict"],
        )
        self._keep(tx, found, "out", judged, told, given, actor)
        if not done and (gate is None or gate["verdict"] != "stop"):  # of a stopped bath they have heard
            number = tx.proof.number_of(found.order.id)
            words = f"工单 {number} 未能完成 · Order {number} not done: {row.outcome}"
            tell_coordinators(tx, found.order, words, now, key=f"undone:{found.visit.id}")

    # ---- parts ------------------------------------------------------------------------------------------------------

    def _matter(
        self, tx: Transaction, matter: tuple[OrderRow, VisitRow], row: AssignmentRow, responder: Responder
    ) -> _Matter:
        order, visit = matter
        rows = [row if one.id == row.id else one for one in tx.assignments.of_visit(visit.id)]
        return _Matter(order, visit, row, responder, rows, kind_record(tx, order.kind))

    def _expected(self, tx: Transaction, found: _Matter, check: Literal["in", "out"]) -> Expected:
        order, visit, kind = found.order, found.visit, found.kind
        resident = tx.residents.get(order.resident_id) if order.resident_id else None
        where = _AWAY_FROM_HOME.get(order.kind, ("home", "home"))[check == "out"]
        spot: Any = resident or (tx.reference.get("areas", order.area_id) if order.area_id else None)
        if where == "station" and order.station_id is not None:
            spot = tx.reference.get("stations", order.station_id)
        lat, lon = (_part(spot, "lat"), _part(spot, "lon")) if where != "anywhere" else (None, None)
        day = (found.row.on_scene_at or order.wanted_from).astimezone(self._zone).date()
        absent = None
        if resident is not None and resident.status in ABSENT_STATUSES:
            since = resident.status_since
            there = found.row.ended_at if check == "out" else found.row.on_scene_at
            absent = resident.status if since is None or there is None or there >= since else None
        return Expected(
            responder_id=found.responder.id,
            carers=order.carers,
            begin_from=min(order.wanted_from, visit.promised_from or order.wanted_from),
            begin_by=visit.promised_to or order.wanted_to,
            duration=timedelta(minutes=order.duration_min),
            offered_at=found.row.offered_at,
            personal=bool(kind.get("personal")),
            gate=bool((kind.get("attributes") or {}).get("gate")),
            place=None if lat is None or lon is None else Place(lat, lon),
            anywhere=where == "anywhere" or (where == "station" and order.station_id is None),
            absent=absent,
            qualified=_qualified(kind, found.responder, day),
        )

    def _keep(
        self,
        tx: Transaction,
        found: _Matter,
        kind: Literal["in", "out"],
        judged: Judged,
        told: Told,
        given: Given,
        actor: Actor,
    ) -> None:
        fix = told.fix
        row = CheckRow(
            id=self._new_id(),
            visit_id=found.visit.id,
            assignment_id=found.row.id,
            responder_id=found.responder.id,
            kind=kind,
            at=told.at,
            recorded_at=told.recorded_at,
            lat=fix.lat if fix else None,
            lon=fix.lon if fix else None,
            accuracy_m=fix.accuracy_m if fix else None,
            source=fix.source if fix else None,
            fix_at=fix.at if fix else None,
            distance_m=judged.distance_m,
            flags=list(judged.flags),
            findings=[finding_json(one) for one in judged.findings],
            photo_sha256=given.photo_sha256,
            recorded_by=actor.user_id,
        )
        if tx.proof.add_check(row) and row.flags:
            body = {"check_id": row.id, "check": kind, "flags": row.flags, "responder_id": row.responder_id}
            tx.timeline.add(
                EntryRow(
                    at=told.recorded_at,
                    subject_kind="order",
                    subject_id=found.order.id,
                    kind="check_flagged",
                    body=body,
                )
            )

    def _reported(self, tx: Transaction, found: _Matter, given: Given, actor: Actor, now: datetime) -> None:
        """What was done, and what was measured outside a gate."""
        at = min(given.at or now, now)
        if given.tasks:
            known = {task.code: (place, task) for place, task in enumerate(_tasks(found.kind, found.order))}
            rows = []
            # The later word of two about one task stands, as between two steps.
            for one in {str(said["code"]): said for said in given.tasks}.values():
                place, task = known.get(one["code"], (len(known), VisitTask(one["code"], one["code"], one["code"])))
                rows.append(TaskDone(task.code, place, task.zh, task.en, one["done"], one.get("note")))
            tx.proof.put_tasks(found.visit.id, found.responder.id, rows, at, now)
        if given.vitals:
            self._measuring.measured(tx, found.order, found.row, found.responder, given.vitals, actor, now, at=at)


def visit_kits(tx: Transaction, order_ids: Collection[str], responder: Responder, day: date) -> dict[str, Json]:
    """What a phone must know of each order before it goes where there is no signal: the list, the gate, whether values
    are scored. `before`: why a gate sent a nurse here.
    """
    orders = [order for order, _ in tx.orders.get_many(order_ids).values()]
    kinds = {kind: kind_record(tx, kind) for kind in {order.kind for order in orders}}
    stopped = tx.orders.get_many({str(order.attributes.get("after_gate") or "") for order in orders})
    found = {}
    for order in orders:
        after = stopped.get(str(order.attributes.get("after_gate") or ""))
        gate = tx.proof.gate_of(after[1].id) if after and after[0].resident_id == order.resident_id else None
        found[order.id] = _kit(order, kinds[order.kind], responder, gate, day)
    return found


def _kit(order: OrderRow, kind: Json, responder: Responder, gate: Json | None, day: date) -> Json:
    attributes = kind.get("attributes") or {}
    limits = _limits(attributes) if attributes.get("gate") else None
    return {
        "before": gate["reasons"] if gate else [],
        "proof": responder.kind not in NO_PROOF_KINDS,
        "personal": bool(kind.get("personal")),
        "nurse": holds(responder, "nursing", day),
        "tasks": [asdict(one) for one in _tasks(kind, order)],
        "gate": None if limits is None else [asdict(one) for one in limits.values()],
        "least_min": int(min(PROOF_LIMITS.personal, timedelta(minutes=order.duration_min)) / timedelta(minutes=1))
        if kind.get("personal")
        else None,
    }


def kind_record(tx: Transaction, kind: str) -> Json:
    """A kind of service as the database has it; empty where there is none (an old order)."""
    return tx.reference.get("service_kinds", kind) or {}


def finding_json(finding: Finding) -> Json:
    """A finding as it is stored and shown."""
    return {**asdict(finding), "values": dict(finding.values)}


def tell_coordinators(tx: Transaction, order: OrderRow, text: str, now: datetime, *, key: str | None = None) -> None:
    """A line to whoever coordinates services here. `text` stands on a lock screen: no name, no illness."""
    for user_id in tx.proof.told(order.provider_id):
        mark = None if key is None else f"{key}:{user_id}"
        notice = Notice(
            None, f"user:{user_id}", "push", "service", {"text": text}, lane="routine", until="sent", key=mark
        )
        notify(tx, notice, now=now)


def _limits(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return gate_limits(attributes.get("gate_limits"))
    except (ValueError, AttributeError):
        # A slip in the record must not open the gate: the defaults stand.
        return gate_limits(None)


def _tasks(kind: Json, order: OrderRow) -> tuple[VisitTask, ...]:
    return tasks_of(order.kind, (kind.get("attributes") or {}).get("tasks"), order.attributes.get("tasks"))


def _told(given: Given, row: AssignmentRow, actor: Actor, now: datetime) -> Told:
    fix = given.fix
    seen: PhoneFix | None = None
    if fix is not None and "lat" in fix and "lon" in fix:
        at = fix.get("observed_at")
        seen = PhoneFix(
            float(fix["lat"]),
            float(fix["lon"]),
            fix.get("accuracy_m"),
            fix.get("source") or "gnss",
            datetime.fromisoformat(at) if isinstance(at, str) else at,
        )
    return Told(given.at or now, now, seen, own=actor.person_id == row.responder_id)


def _arrivals(rows: Sequence[AssignmentRow]) -> list[Arrival]:
    return [
        Arrival(one.responder_id, one.on_scene_at, one.ended_at if one.state == "completed" else None)
        for one in rows
        if one.on_scene_at is not None
    ]


def _qualified(kind: Json, responder: Responder, day: date) -> bool:
    every, one_of = kind.get("skills") or [], kind.get("any_skills") or []
    return all(holds(responder, skill, day) for skill in every) and (
        not one_of or any(holds(responder, skill, day) for skill in one_of)
    )


def _is(check: CheckRow, assignment_id: str, kind: str) -> bool:
    return check.assignment_id == assignment_id and check.kind == kind


def _part(spot: Any, name: str) -> float | None:
    found: float | None = spot.get(name) if isinstance(spot, dict) else getattr(spot, name, None)
    return found
