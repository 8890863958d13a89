"""Writing what a decision changed: the incident, timeline, due rows, what its devices are told, who is called.

One class, so that no use case can forget a part of it. Everything happens inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from dispatch import LIVE_ASSIGNMENT_STATES, Candidate, Travel
from hub.alarms import (
    Asked,
    Assign,
    Change,
    Channel,
    DueChange,
    Incident,
    PlanTier,
    TimelineEntry,
    Told,
    apply,
    call_next,
)
from hub.clock import IdSource
from hub.ports import SYSTEM, Actor, AssignmentRow, DueRow, EntryRow, OutboxRow, Transaction
from hub.service.notifying import withdraw
from hub.service.planning_steps import TierPeople
from hub.service.planning_steps_notices import DIRECT_CHANNELS, call_out, inform, tell_alerts, tell_stood_down

__all__ = ["TOLD_FAMILIES", "Ask", "Writer", "due_rows", "entry_rows", "of_round", "told_row", "why_of"]

Ask = Callable[[Transaction, Incident, datetime], None]

TOLD_FAMILIES = frozenset({"care"})
"""Families whose wire has words for hold and handled. The others got their protocol's own reply when it was taken."""

_TELL_FOR = timedelta(hours=24)
_REPLY_FIRST = timedelta(seconds=2)


def entry_rows(incident_id: str, entries: tuple[TimelineEntry, ...]) -> list[EntryRow]:
    """A decision's lines as rows of the timeline."""
    return [
        EntryRow(
            at=entry.at,
            subject_kind="incident",
            subject_id=incident_id,
            kind=entry.kind,
            actor=entry.actor,
            body=entry.body,
        )
        for entry in entries
    ]


def due_rows(incident_id: str, changes: tuple[DueChange, ...]) -> tuple[list[DueRow], list[tuple[str, str, str]]]:
    """Rows to set, and (subject kind, subject id, step) to take away.

    A step about an assignment belongs to that assignment and lives as long as it.
    """
    rows: list[DueRow] = []
    gone: list[tuple[str, str, str]] = []
    for change in changes:
        subject = change.about or incident_id
        if change.due_at is None:
            gone.append(("assignment" if change.about else "incident", subject, change.code))
        else:
            rows.append(
                DueRow(
                    subject_kind="assignment" if change.about else "incident",
                    subject_id=subject,
                    step=change.code,
                    due_at=change.due_at,
                    body={"incident_id": incident_id},
                )
            )
    return rows, gone


def told_row(
    device_id: str, ref: str, status: Told, incident_id: str, now: datetime, *, spare: bool = False
) -> OutboxRow:
    """One answer on its way to a device. It stays due until the broker has it, for a day.

    `spare`: the reply to the press says it too. Sent at once by its own way it could overtake that reply, and the
    device would hear `received` after `hold`.
    """
    return OutboxRow(
        channel="device",
        target=device_id,
        body={"kind": "ack", "ref": ref, "status": status},
        created_at=now,
        due_at=now + _REPLY_FIRST if spare else now,
        expires_at=now + _TELL_FOR,
        incident_id=incident_id,
    )


class Writer:
    """Writes changes, and carries out what they say of the response plan."""

    def __init__(
        self, new_id: IdSource, travel: Travel, zone: tzinfo, *, shadow: bool = False, ask: Ask | None = None
    ) -> None:
        """`shadow`: another centre is in charge, nobody is called from here. `ask`: step 0 by the resident's device."""
        self._shadow = shadow
        self._ask_device = None if shadow else ask
        self._new_id = new_id
        self._travel = travel
        self._zone = zone

    def write(self, tx: Transaction, change: Change, *, now: datetime, saved: bool = False) -> Incident:
        """Writes a change of an incident whose row is locked; gives the incident as it is afterwards.

        `saved`: the incident's own row has been written by the caller (a batch).
        """
        incident = change.incident
        if not saved:
            tx.incidents.save(incident)
        tx.timeline.add(*entry_rows(incident.id, change.entries))
        rows, gone = due_rows(incident.id, change.due)
        for kind, subject, step in gone:
            tx.due.clear(kind, subject, [step])
        if rows:
            tx.due.set(*rows)
        self._tell(tx, change, now)
        self._withdraw(tx, change, now)
        if change.stand_down:
            over = not incident.live
            why = "incident over" if over else "not needed any more"
            self.stand_down(tx, incident.id, now=now, reason=why, said="事件已结束" if over else "不再需要")
        tell_alerts(tx, incident, change.alerts, now)
        if self._ask_device is not None and incident.run.state == "voice" and incident.run.since == now:
            self._ask_device(tx, incident, now)
        if change.plan in ("next", "restart"):
            incident = self.call_next(tx, incident, now, reason=why_of(change), by=_by(change))
        return incident

    def _withdraw(self, tx: Transaction, change: Change, now: datetime) -> None:
        """What has not left yet and is worth nothing any more is taken back with this very change."""
        incident = change.incident
        if change.plan == "stop":
            step: Literal["accepted", "closed"] = "accepted" if incident.live else "closed"
            reason = "a responder has accepted" if incident.live else "the incident is over"
            withdraw(tx, incident.id, reason, now=now, reached=step)
        elif any(entry.kind == "acknowledged" for entry in change.entries):
            withdraw(tx, incident.id, "an operator has it", now=now, reached="claimed")

    def _tell(self, tx: Transaction, change: Change, now: datetime) -> None:
        # `received` left with the reply to the press itself; of the other words the last is what a device must know.
        words = [word for word in change.tell if word in ("hold", "handled")]
        if not words:
            return
        rows = [
            told_row(device_id, ref, words[-1], change.incident.id, now)
            for device_id, family, ref, alarm_type in tx.alarms.refs_of(change.incident.id)
            if family in TOLD_FAMILIES and ref is not None and alarm_type != "cancel"
        ]
        if rows:
            # An older word that is still on its way would arrive after the newer one, and be wrong.
            tx.outbox.supersede("device", change.incident.id, now)
            tx.outbox.add(*rows)

    def call_next(
        self, tx: Transaction, incident: Incident, now: datetime, *, reason: str = "", by: Actor = SYSTEM
    ) -> Incident:
        """The next tier of the incident's plan that has anybody to call; the first to accept has it."""
        if self._shadow:
            body = {"step": "plan", "to": [], "reason": "in the shadow of another centre nobody is called"}
            entry = EntryRow(at=now, subject_kind="incident", subject_id=incident.id, kind="escalated", body=body)
            tx.timeline.add(entry)
            return incident
        if self._ask_device is not None and incident.run.tier < 0:
            self._ask_device(tx, incident, now)  # nobody claimed, so nobody has begun with the voice
        people = TierPeople(tx, incident, now, self._new_id, self._travel, self._zone)
        gone = self._gone(tx, incident)
        called = call_next(incident, people.of_tier, gone, now=now, reason=reason, by=by)
        if called.change.incident is incident:
            return incident
        incident = self.write(tx, called.change, now=now)
        return incident if called.tier is None else self._ask(tx, incident, called.tier, called.asked, people, now)

    def _ask(
        self,
        tx: Transaction,
        incident: Incident,
        tier: PlanTier,
        asked: Sequence[Asked],
        people: TierPeople,
        now: datetime,
    ) -> Incident:
        for one in asked:
            candidate = None
            if one.part == "go" and one.assignment_id is not None:
                candidate = people.candidate(one.ref.partition(":")[2])
            if candidate is None:
                inform(tx, incident, tier, one, now)
                continue
            incident = self.offer(
                tx, incident, candidate, SYSTEM, now, row_id=one.assignment_id, channels=tier.channels
            )[1]
        return incident

    def _gone(self, tx: Transaction, incident: Incident) -> frozenset[str]:
        """Who is not asked again in this round: not whoever was stood down for one who could not come after all."""
        rows = of_round(tx.assignments.of_incident(incident.id), incident)
        asked = {f"responder:{row.responder_id}" for row in rows if row.state != "stood_down"}
        told = {one.ref for mark in incident.run.marks for one in mark.asked if one.assignment_id is None}
        return frozenset(asked | told)

    def offer(
        self,
        tx: Transaction,
        incident: Incident,
        candidate: Candidate,
        actor: Actor,
        now: datetime,
        *,
        note: str | None = None,
        row_id: str | None = None,
        channels: Sequence[Channel] = DIRECT_CHANNELS,
    ) -> tuple[str, Incident]:
        """Offers the incident to one responder, who is told by `channels`; gives the assignment's id and the incident
        afterwards.
        """
        row = offered(
            row_id or self._new_id(),
            candidate,
            actor,
            now,
            incident_id=incident.id,
            note=note,
            plan_round=incident.plan_round,
        )
        change = apply(
            incident,
            Assign(assignment_id=row.id, responder_id=row.responder_id, responder_name=candidate.name),
            now=now,
            actor=actor,
        )
        tx.assignments.insert(row)
        call_out(tx, incident, row.id, f"responder:{row.responder_id}", channels, now)
        return row.id, self.write(tx, change, now=now)

    def stand_down(
        self,
        tx: Transaction,
        incident_id: str,
        *,
        now: datetime,
        reason: str,
        actor: Actor = SYSTEM,
        states: frozenset[str] = LIVE_ASSIGNMENT_STATES - {"on_scene"},
        keep: str | None = None,
        said: str | None = None,
    ) -> list[AssignmentRow]:
        """Ends the incident's assignments in `states`, except `keep`; each is told why, in the words of `said`."""
        ended: list[AssignmentRow] = []
        before: list[AssignmentRow] = []
        for row in tx.assignments.of_incident(incident_id):
            if row.id == keep or row.state not in states:
                continue
            before.append(row)
            ended.append(
                after := replace(row, state="stood_down", ended_at=now, reason=reason, version=row.version + 1)
            )
            tx.assignments.save(after)
            tx.due.clear("assignment", row.id)
            tx.timeline.add(
                EntryRow(
                    at=now,
                    subject_kind="incident",
                    subject_id=incident_id,
                    kind="stood_down",
                    actor=actor,
                    body={"assignment_id": row.id, "responder_id": row.responder_id, "reason": reason},
                )
            )
        if before:
            tell_stood_down(tx, incident_id, before, said or reason, now)
        return ended


def why_of(change: Change) -> str:
    """Why the plan goes on, in the words of the last line that says so."""
    said = [str(entry.body["reason"]) for entry in change.entries if entry.body.get("reason")]
    return said[-1] if said else next((reason.text for reason in change.reasons), "")


def _by(change: Change) -> Actor:
    """Who made the plan go on: the operator who escalated or left a tier out, else the hub."""
    deeds = [entry.actor for entry in change.entries if entry.kind in ("escalated", "tier_skipped")]
    return deeds[-1] if deeds else SYSTEM


def of_round(rows: Iterable[AssignmentRow], incident: Incident) -> list[AssignmentRow]:
    """The assignments that count now: those of the present round of the plan, and whoever is still on it from before.

    Who declined or completed before the incident was reopened, or before a further press, says nothing about now.
    """
    return [row for row in rows if row.plan_round == incident.plan_round or row.state in LIVE_ASSIGNMENT_STATES]


def offered(
    row_id: str,
    candidate: Candidate,
    actor: Actor,
    now: datetime,
    *,
    incident_id: str | None = None,
    visit_id: str | None = None,
    note: str | None = None,
    plan_round: int = 0,
) -> AssignmentRow:
    """A new assignment, with the reasons for the choice kept beside it. `offered_by` None: the plan."""
    return AssignmentRow(
        id=row_id,
        responder_id=candidate.responder_id,
        state="offered",
        offered_at=now,
        offered_by=actor.user_id,
        incident_id=incident_id,
        visit_id=visit_id,
        note=note,
        reasons=tuple(asdict(reason) for reason in candidate.reasons),
        eta_s=None if candidate.eta_s is None else round(candidate.eta_s),
        plan_round=plan_round,
    )
