"""Raising alarms: from fresh presses to incidents, inside the caller's transaction.

Used by the ingest path (batches of devices' presses) and by people (a phone call, a walk-in, the app).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from devices import Event
from hub.alarms import (
    DEFAULT_PLAN,
    DEFAULT_POLICY,
    Actor,
    Alarm,
    AlarmClass,
    Change,
    ChosenPlan,
    EscalationPolicy,
    Incident,
    Priority,
    classify,
    take,
)
from hub.alarms.positions import prefer
from hub.care import Resident
from hub.clock import IdSource
from hub.errors import RaceLostError
from hub.ports import DeviceRow, DueRow, EntryRow, Incoming, Json, Situation, Transaction
from hub.service.quieting import Quieting
from hub.service.requests import area_path_of
from hub.service.response_plans import PlanBook
from hub.service.series import fix_json, position_of
from hub.service.writing import TOLD_FAMILIES, Writer, due_rows, entry_rows, told_row, why_of

__all__ = ["RACES", "NewAlarm", "Raising", "again_where_raced", "alarm_of", "alarm_of_person"]

T = TypeVar("T")

RACES = 10
"""How often a batch is taken again before it is given up. Each try sees what the winner of the last one committed."""

Slot = tuple[str, AlarmClass]


def again_where_raced(act: Callable[[], T]) -> T:
    """Does a whole transaction again where another one opened the same incident meanwhile."""
    for attempt in range(RACES):
        try:
            return act()
        except RaceLostError:
            if attempt == RACES - 1:
                raise
    raise AssertionError("unreachable")


@dataclass(slots=True)
class NewAlarm:
    """A fresh press. `told` and `incident_id` are filled in: what its device hears, what it joined.

    `origin` is whatever the caller wants back; `actor` the person who raised it (None: its device).
    """

    alarm: Alarm
    key: bytes | None = None
    origin: object = None
    family: str = "care"
    actor: Actor | None = None
    area_id: str | None = None
    told: str = "received"
    incident_id: str | None = None


Locate = Callable[[Transaction, Sequence[NewAlarm], datetime], None]


def alarm_of(alarm_id: str, event: Event, incoming: Incoming, device: DeviceRow) -> Alarm:
    """A device's event as an alarm of its resident. A test of any type is class "test" and never an emergency."""
    alarm_type = event.type or "assistance"
    alarm_class, priority = classify(alarm_type)
    test = event.test or alarm_class == "test"
    attributes = dict(event.attributes)
    if not device.adopted:
        attributes["adopted"] = False
    if incoming.marks:
        attributes["marks"] = list(incoming.marks)
    return Alarm(
        id=alarm_id,
        device_id=device.id,
        resident_id=device.resident_id,
        type=alarm_type,
        alarm_class="test" if test else alarm_class,
        priority="low" if test else priority,
        received_at=incoming.uplink.received_at,
        observed_at=event.observed_at,
        ref=event.ref,
        fix=fix_json(event.fix),
        battery_pct=event.battery_pct,
        test=test,
        buffered=event.buffered,
        note=event.note,
        cancels=event.cancels,
        attributes=attributes,
    )


def alarm_of_person(
    alarm_id: str,
    alarm_type: str,
    now: datetime,
    *,
    resident_id: str | None = None,
    area_id: str | None = None,
    priority: Priority | None = None,
    observed_at: datetime | None = None,
    fix: Mapping[str, Any] | None = None,
    test: bool = False,
    note: str | None = None,
    attributes: Mapping[str, Any],
) -> Alarm:
    """What somebody says, as an alarm. `priority` None: the type's own; `observed_at` None: now.

    Without a resident it stands alone, in `area_id`. A test of any type is class "test" and never an emergency.
    """
    alarm_class, usual = classify(alarm_type)
    test = test or alarm_class == "test"
    return Alarm(
        id=alarm_id,
        device_id=None,
        resident_id=resident_id,
        type=alarm_type,
        alarm_class="test" if test else alarm_class,
        priority="low" if test else priority or usual,
        received_at=now,
        observed_at=observed_at or now,
        fix=fix,
        test=test,
        note=note,
        source="person",
        attributes={**attributes, **({"area_id": area_id} if area_id else {})},
    )


class Raising:
    """Opens and folds. `policy` is copied onto each incident that opens."""

    def __init__(
        self,
        new_id: IdSource,
        writer: Writer,
        policy: EscalationPolicy = DEFAULT_POLICY,
        locate: Locate | None = None,
        book: PlanBook | None = None,
    ) -> None:
        """`locate` is told of what was raised, so that devices can be asked where they are. `book`: the response plans
        to choose from; None: the default plan for everything.
        """
        self._book = book
        self._new_id = new_id
        self._writer = writer
        self._policy = policy
        self._locate = locate

    def raise_alarms(
        self, tx: Transaction, alarms: Sequence[NewAlarm], now: datetime, situation: Situation | None = None
    ) -> Sequence[NewAlarm]:
        """Takes presses in receive order and writes all that follows. Gives them back, filled in.

        `situation`: what `Transaction.look` told of the slots and residents of at least these alarms, in this
        transaction. RaceLostError: nothing of the transaction may stand; take the batch again.
        """
        if not alarms:
            return alarms
        batch = _Batch(tx, self._new_id, self._policy, now)
        batch.quieted_by(Quieting.of(tx, [new.alarm for new in alarms], situation, now))
        if self._book is not None and any(new.alarm.alarm_class not in ("technical", "test") for new in alarms):
            batch.planned_by(self._book.chooser(tx, now, situation.plans_stamp if situation else None))
        if situation is None or any(new.alarm.type == "cancel" for new in alarms):
            batch.prepare(alarms)
        else:
            batch.judged_by(situation)
        for new in sorted(alarms, key=lambda new: new.alarm.received_at):
            batch.take(new)
        batch.write(self._writer, alarms)
        if self._locate is not None:
            self._locate(tx, alarms, now)
        return alarms


class _Batch:
    """The incidents of one batch while it is worked through in memory."""

    def __init__(self, tx: Transaction, new_id: IdSource, policy: EscalationPolicy, now: datetime) -> None:
        self._tx = tx
        self._new_id = new_id
        self._policy = policy
        self._now = now
        self._live: dict[Slot, Incident] = {}
        self._residents: dict[str, Resident] = {}
        self._pressed: dict[tuple[str, str], str] = {}
        self._opened: set[str] = set()
        self._touched: dict[str, Incident] = {}
        self._fixes: dict[str, Json] = {}
        self._paths: dict[str, tuple[str, ...]] = {}
        self._changes: list[Change] = []
        self._told_rows: list[tuple[str, str, str]] = []
        self._operators = 1
        self._quieting = Quieting((), {}, now)
        self._choose: Callable[..., ChosenPlan] | None = None

    def planned_by(self, choose: Callable[..., ChosenPlan]) -> None:
        self._choose = choose

    def quieted_by(self, quieting: Quieting) -> None:
        self._quieting = quieting

    def prepare(self, alarms: Sequence[NewAlarm]) -> None:
        tx = self._tx
        self._residents = tx.residents.get_many({new.alarm.resident_id for new in alarms if new.alarm.resident_id})
        slots = {(new.alarm.subject, new.alarm.alarm_class) for new in alarms if new.alarm.type != "cancel"}
        # With those that are cancelled: all in one order, or two batches wait for one another in a ring.
        cancelled = {slot for new in alarms if (slot := self._cancelled_slot(new.alarm)) is not None}
        self._live = tx.incidents.lock_live(slots | cancelled) if slots or cancelled else {}
        if slots - self._live.keys():
            self._operators = tx.users.operators_on_duty(self._now)

    def judged_by(self, situation: Situation) -> None:
        """As `prepare`, with what was read already."""
        self._residents = dict(situation.residents)
        self._live = dict(situation.live)
        self._operators = situation.operators

    def take(self, new: NewAlarm) -> None:
        alarm = new.alarm
        slot = (alarm.subject, alarm.alarm_class)
        resident = self._residents.get(alarm.resident_id) if alarm.resident_id else None
        cancelled = self._find_cancelled(alarm) if alarm.type == "cancel" else None
        area_id = new.area_id or (resident.area_id if resident else None)
        hushed = self._quieting.hushed(alarm, area_id)
        if hushed is not None:
            new.alarm = alarm = hushed[0]
        live = self._live.get(slot) if alarm.type != "cancel" else None
        chosen = self._plan(alarm, live, resident, area_id)
        taken = take(
            alarm,
            live,
            resident,
            now=self._now,
            incident_id=self._new_id(),
            area_id=area_id,
            cancelled=cancelled,
            policy=self._policy,
            operators_signed_in=self._operators,
            actor=new.actor,
            hushed=None if hushed is None else hushed[1],
            chatter=self._quieting.chatter(alarm),
            plan=chosen.plan if chosen else DEFAULT_PLAN,
            chosen=chosen.reason if chosen else None,
        )
        new.told = taken.decision.tell[-1] if taken.decision.tell else "received"
        if taken.change is None:
            self._record_only(new, taken.decision.reasons[0].code, taken.decision.reasons[0].text)
            return
        incident = taken.change.incident
        new.incident_id = incident.id
        if taken.decision.kind == "open":
            self._opened.add(incident.id)
            self._paths[incident.id] = area_path_of(self._tx, area_id, resident)
        self._live[(incident.subject, incident.alarm_class)] = incident
        self._touched[incident.id] = incident
        if alarm.device_id and alarm.ref and alarm.type != "cancel":
            self._pressed[alarm.device_id, alarm.ref] = incident.id
        came = position_of(alarm)
        if came is not None and prefer(self._fixes.get(incident.id, incident.fix), came).new:
            self._fixes[incident.id] = came
        # What the press itself is told leaves with its reply; only `hold` must survive a crash right after the commit.
        if new.told == "hold" and alarm.ref and alarm.device_id and new.family in TOLD_FAMILIES:
            self._told_rows.append((alarm.device_id, alarm.ref, incident.id))
        self._changes.append(replace(taken.change, tell=()))

    def _plan(
        self, alarm: Alarm, live: Incident | None, resident: Resident | None, area_id: str | None
    ) -> ChosenPlan | None:
        """The response plan of an incident that may open: copied onto it, whatever becomes of the plan later."""
        if self._choose is None or live is not None or alarm.alarm_class in ("technical", "test"):
            return None
        return self._choose(alarm, resident, area_path_of(self._tx, area_id, resident))

    def _record_only(self, new: NewAlarm, code: str, text: str) -> None:
        subject = new.alarm.resident_id
        if subject is None:
            return
        self._tx.timeline.add(
            EntryRow(
                at=self._now,
                subject_kind="resident",
                subject_id=subject,
                kind="recorded",
                body={"alarm_id": new.alarm.id, "type": new.alarm.type, "reason": code, "text": text},
            )
        )

    def _cancelled_slot(self, alarm: Alarm) -> Slot | None:
        """Subject and class of the stored incident which the cancelled press joined, its id noted."""
        if alarm.type != "cancel" or not alarm.cancels or not alarm.device_id:
            return None
        incident_id = self._tx.alarms.incident_of_ref(alarm.device_id, alarm.cancels)
        incident = self._tx.incidents.get(incident_id) if incident_id else None
        if incident is None:
            return None
        self._pressed[alarm.device_id, alarm.cancels] = incident.id
        return incident.subject, incident.alarm_class

    def _find_cancelled(self, alarm: Alarm) -> Incident | None:
        """The live incident which the cancelled press joined: before, or in this very batch (a device that was offline
        sends both at once).
        """
        incident_id = self._pressed.get((alarm.device_id or "", alarm.cancels or ""))
        return next((one for one in self._live.values() if one.id == incident_id), None) if incident_id else None

    def write(self, writer: Writer, alarms: Sequence[NewAlarm]) -> None:
        tx = self._tx
        opened = [
            (self._touched[one], self._fixes.get(one), self._paths.get(one, ()))
            for one in sorted(self._opened, key=lambda one: self._touched[one].subject)
        ]
        folded = [
            (incident, self._fixes.get(incident.id))
            for incident in self._touched.values()
            if incident.id not in self._opened
        ]
        tx.store_presses(opened, folded, [(new.alarm, new.key, new.incident_id) for new in alarms])
        due: dict[tuple[str, str, str], DueRow | None] = {}
        for change in self._changes:
            tx.timeline.add(*entry_rows(change.incident.id, change.entries))
            rows, gone = due_rows(change.incident.id, change.due)
            due.update(dict.fromkeys(gone))
            due.update({(row.subject_kind, row.subject_id, row.step): row for row in rows})
        for (kind, subject, step), row in due.items():
            if row is None and subject not in self._opened:
                tx.due.clear(kind, subject, [step])
        tx.due.set(*(row for row in due.values() if row is not None))
        tx.outbox.add(
            *(
                told_row(device, ref, "hold", incident_id, self._now, spare=True)
                for device, ref, incident_id in self._told_rows
            )
        )
        called = {change.incident.id: why_of(change) for change in self._changes if change.plan in ("next", "restart")}
        for incident_id in sorted(called):
            writer.call_next(tx, self._touched[incident_id], self._now, reason=called[incident_id])
