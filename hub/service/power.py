"""A power cut is one matter, however many devices tell of it; a cry of somebody in the dark is still a cry.

Beside the path of alarms: each device's word is taken and answered as ever. What then stands open of several devices of
one area, and is about nothing but lost mains power, is folded into one incident of that area; the single ones are
closed as duplicates of it. Emergencies are of another class and are never touched.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from hub.alarms import SYSTEM, Alarm, Close, Reason, apply, classify
from hub.clock import Clock, IdSource
from hub.ports import Database, EntryRow, PowerRow, Transaction
from hub.service.raising import RACES, NewAlarm, RaceLostError, Raising
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
        for attempt in range(RACES):
            try:
                with self._database.begin() as tx:
                    return self._fold(tx, self._clock())
            except RaceLostError:
                if attempt == RACES - 1:
                    raise
        raise AssertionError("unreachable")

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
