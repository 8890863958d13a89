"""A power cut is one matter, however many devices tell of it; a cry of somebody in the dark is still a cry.

Beside the path of alarms: each device's word is taken and answered as ever. What then stands open of several devices of
one area, and is about nothing but lost mains power, is folded into one incident of that area; the single ones are
closed as duplicates of it. Emergencies are of another class and are never touched. When the devices say that power is
back the shared incident ends by itself, and whoever is still without has a fault of its own, which stays open.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from hub.alarms import SYSTEM, Alarm, Close, Incident, Reason, apply, classify
from hub.alarms.power import CutDevice, PowerVerdict, judge_power
from hub.clock import Clock, IdSource
from hub.ports import CutRow, Database, EntryRow, Json, PowerRow, Transaction
from hub.service.raising import NewAlarm, Raising, again_where_raced
from hub.service.writing import Writer

__all__ = ["PowerCuts"]

_FEWEST: Final = 3
"""Two neighbours without power may be two fuses."""
_TOGETHER: Final = timedelta(minutes=10)
_NAMED: Final = 20


class PowerCuts:
    """Folds what has one cause. Any number of jobs may run beside each other."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, raising: Raising, writer: Writer) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._raising = raising
        self._writer = writer

    def fold(self) -> int:
        """Folds what stands open now; gives how many single incidents became part of a shared one."""

        def act() -> int:
            with self._database.begin() as tx:
                return self._fold(tx, self._clock())

        return again_where_raced(act)

    def _fold(self, tx: Transaction, now: datetime) -> int:
        of_area: dict[str, list[PowerRow]] = defaultdict(list)
        for row in tx.supervision.without_power(now - _TOGETHER, _FEWEST):
            of_area[row.area_id].append(row)
        return sum(self._fold_area(tx, area_id, rows, now) for area_id, rows in sorted(of_area.items()))

    def _fold_area(self, tx: Transaction, area_id: str, rows: list[PowerRow], now: datetime) -> int:
        subject, name = f"power:{area_id}", rows[0].area_name
        running = tx.incidents.lock_live([(subject, "technical")]).get((subject, "technical"))
        devices = sorted({row.device_id for row in rows})
        if running is None:
            shared_id = self._raise(tx, subject, area_id, name, devices, now)
        else:
            shared_id = running.id
            text = f"{len(devices)} more devices of {name} are without mains power"
            body = {"text": text, "values": {"joined": len(devices), "devices": devices[:_NAMED]}}
            tx.timeline.add(EntryRow(at=now, subject_kind="incident", subject_id=shared_id, kind="noted", body=body))
        folded = 0
        for row in rows:
            incident = tx.incidents.get(row.incident_id, lock=True)
            if incident is None or incident.state != "open" or set(incident.types) != {"power_fail"}:
                continue
            action = Close(
                disposition="duplicate", summary=f"并入停电：{name} · part of a power cut, {shared_id}", sampled=False
            )
            tx.supervision.cut_join(shared_id, row.incident_id, row.device_id)
            self._writer.write(tx, apply(incident, action, now=now, actor=SYSTEM), now=now)
            folded += 1
        return folded

    def _raise(self, tx: Transaction, subject: str, area_id: str, name: str, devices: list[str], now: datetime) -> str:
        text = (
            f"{len(devices)} devices of {name} lost mains power within {int(_TOGETHER.total_seconds() // 60)} minutes"
        )
        reason = Reason("power_cut", text, {"cause": subject, "name": name, "devices": len(devices)})
        alarm_class, priority = classify("power_fail")
        alarm = Alarm(
            id=self._new_id(),
            device_id=None,
            resident_id=None,
            type="power_fail",
            alarm_class=alarm_class,
            priority=priority,
            received_at=now,
            note=f"停电：{name} · {text}",
            source="system",
            attributes={"cause": subject, "devices": devices[:_NAMED]},
            upstream=subject,
            reasons=(reason,),
        )
        new = NewAlarm(alarm, family="power", actor=SYSTEM, area_id=area_id)
        self._raising.raise_alarms(tx, [new], now)
        return new.incident_id or ""

    # --- coming back

    def end(self) -> int:
        """Ends what its devices say is over; gives how many. Each cut its own transaction."""
        with self._database.begin() as tx:
            running = tx.supervision.cuts_running()
        ended = 0
        for incident_id in running:
            with self._database.begin() as tx:
                ended += self._tend(tx, incident_id, self._clock())
        return ended

    def _tend(self, tx: Transaction, incident_id: str, now: datetime) -> bool:
        incident = tx.incidents.get(incident_id, lock=True)
        if incident is None or not incident.live:
            return False
        newly = tx.supervision.cut_heard(incident_id, now)
        rows = tx.supervision.cut_devices(incident_id)
        devices = [CutDevice(one.device_id, one.tells, one.back_at, one.last_seen_at) for one in rows]
        verdict = judge_power(devices, now=now)
        if newly:
            text = f"{newly} more say that power is back: {len(verdict.back)} of {len(devices)}"
            self._note(tx, incident_id, text, {"back": len(verdict.back), "devices": len(devices)}, now)
        # Whoever is on the way sees for themselves, and what else is in the matter is not over with the power.
        if verdict.kind != "over" or incident.under_way or incident.on_scene or set(incident.types) != {"power_fail"}:
            return False
        self._over(tx, incident, verdict, {one.device_id: one for one in rows}, now)
        return True

    def _over(
        self, tx: Transaction, incident: Incident, verdict: PowerVerdict, rows: dict[str, CutRow], now: datetime
    ) -> None:
        tx.supervision.cut_settle(incident.id, verdict.heard, now)
        said = "; ".join(one.text for one in verdict.reasons)
        values = {name: value for one in verdict.reasons for name, value in one.values.items()}
        self._note(tx, incident.id, said, {**values, "still_without": list(verdict.faults[:_NAMED])}, now)
        action = Close(disposition="device_fault", summary=f"来电恢复 · power is back: {said}", sampled=False)
        self._writer.write(tx, apply(incident, action, now=now, actor=SYSTEM), now=now)
        self._raising.raise_alarms(tx, [self._fault(rows[one], now) for one in verdict.faults], now)

    def _fault(self, row: CutRow, now: datetime) -> NewAlarm:
        minutes = int((now - row.lost_at).total_seconds() // 60)
        text = f"its neighbours have power again; it lost it {minutes} minutes ago and does not say so"
        alarm_class, priority = classify("power_fail")
        alarm = Alarm(
            id=self._new_id(),
            device_id=row.device_id,
            resident_id=row.resident_id,
            type="power_fail",
            alarm_class=alarm_class,
            priority=priority,
            received_at=now,
            note=f"邻近设备已来电，本设备仍断电 · {text}",
            source="system",
            reasons=(Reason("power_fault", text, {"minutes": minutes}),),
        )
        return NewAlarm(alarm, family=row.family, actor=SYSTEM, area_id=row.area_id)

    @staticmethod
    def _note(tx: Transaction, incident_id: str, text: str, values: Json, now: datetime) -> None:
        body: Json = {"text": text, "values": values}
        tx.timeline.add(EntryRow(at=now, subject_kind="incident", subject_id=incident_id, kind="noted", body=body))
