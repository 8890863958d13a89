"""The silence of devices in a played night: judged by the hub's own rules, over when they are heard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from devices import Event
from hub.alarms import SYSTEM, Alarm, AlarmClass, Close, Incident, Reason, apply, classify
from hub.alarms.shared_silence import SharedSilence
from hub.ports import DeviceRow
from hub.replay.decided import Decided
from hub.replay.hearing import Hearing
from hub.replay.people import Person
from hub.replay.recording import Record

__all__ = ["Silences", "Slot", "goodbye"]

Slot = tuple[str, AlarmClass]
_SOONEST: Final = timedelta(seconds=1)


class Silences:
    """The part of a night that listens; what it needs of the night stands below."""

    _hearing: Hearing
    _devices: dict[str, DeviceRow]
    _people: dict[str, Person]
    _live: dict[Slot, Incident]

    def _later(self, at: datetime, what: str, about: str) -> None:
        raise NotImplementedError

    def _alarm(self, alarm: Alarm, area_id: str | None, record: Record | None, what: str = "alarm") -> Decided:
        raise NotImplementedError

    def _note(
        self, at: datetime, what: str, incident: Incident, reasons: tuple[Reason, ...], line: int | None = None
    ) -> None:
        raise NotImplementedError

    def _listen(self, device_id: str, at: datetime) -> None:
        one = self._hearing.devices.get(device_id)
        if one is None or one.silent_since is not None:
            return
        deaf_until = self._hearing.is_deaf(one, at)
        if deaf_until is not None:
            self._later(deaf_until, "silence", device_id)
            return
        device = self._devices[device_id]
        person = self._people.get(device.resident_id or "")
        verdict = self._hearing.judge(one, at, person.resident.status if person else None)
        if verdict.kind != "silent":
            self._later(max(verdict.look_at, at + _SOONEST), "silence", device_id)
            return
        many = {subject: incident.opened_at for (subject, _), incident in self._live.items() if _of_many(incident)}
        shared = self._hearing.shared(one, at, many)
        if shared.wait_until is not None:
            self._later(max(shared.wait_until, at + _SOONEST), "silence", device_id)
            return
        one.silent_since = at
        cause = shared.cause
        whole = shared.joins or (cause.place if cause is not None else None)
        own = f"resident:{device.resident_id}" if device.resident_id else f"device:{device_id}"
        one.subject = whole or own
        if whole is not None:
            self._take_in(shared, whole, at)
            if (whole, "technical") in self._live:
                return  # one more behind the same cause
        reasons = verdict.reasons if cause is None else shared.reasons
        alarm_class, priority = classify("offline")
        alarm = Alarm(
            id=f"silent-{device_id}-{at.isoformat()}",
            device_id=device_id if cause is None else None,
            resident_id=device.resident_id if cause is None else None,
            type="offline",
            alarm_class=alarm_class,
            priority=priority,
            received_at=at,
            source="system",
            upstream=None if cause is None else one.subject,
            note=reasons[0].text,
            reasons=reasons,
        )
        self._alarm(alarm, device.area_id, None, what="silence")

    def _take_in(self, shared: SharedSilence, whole: str, at: datetime) -> None:
        """What was opened for parts of a cause, or for single devices, before the whole of it was certain."""
        if shared.cause is None or shared.since is None:
            return
        behind = [other for other in self._hearing.devices.values() if whole in self._hearing.places(other)]
        parts = {other.subject for other in behind if other.silent_since is not None and other.subject != whole}
        beyond = {other.subject for other in self._hearing.devices.values() if other not in behind}
        for subject in sorted(part for part in parts if part is not None and part not in beyond):
            slot: Slot = (subject, "technical")
            incident = self._live.get(slot)
            if incident is None or incident.state != "open" or set(incident.types) != {"offline"}:
                continue
            if incident.opened_at < shared.since:
                continue
            action = Close(disposition="duplicate", summary=f"part of {whole}", sampled=False)
            del self._live[slot]
            for other in behind:
                other.subject = whole if other.subject == subject else other.subject
            self._note(at, "silence_over", apply(incident, action, now=at, actor=SYSTEM).incident, shared.reasons)

    def _heard(self, device_id: str, at: datetime, charging: bool | None = None, *, goodbye: bool = False) -> None:
        one = self._hearing.devices.get(device_id)
        if one is None:
            return
        one.goodbye = goodbye
        one.charging = one.charging if charging is None else charging
        if not goodbye:
            one.heard_at = at
        if one.silent_since is None or goodbye:
            return
        subject, one.silent_since, one.subject = one.subject, None, None
        self._later(at, "silence", device_id)
        slot: Slot = (subject or "", "technical")
        incident = self._live.get(slot)
        others = any(other.subject == subject for other in self._hearing.devices.values())
        if incident is None or others or set(incident.types) != {"offline"}:
            return
        action = Close(disposition="device_fault", summary="heard again by itself", sampled=False)
        after = apply(incident, action, now=at, actor=SYSTEM).incident
        del self._live[slot]
        if _of_many(incident):
            self._hearing.ended(incident.subject, at)
        self._note(at, "silence_over", after, (Reason("heard_again", "it is heard again"),))


def _of_many(incident: Incident) -> bool:
    return incident.alarm_class == "technical" and incident.subject.partition(":")[0] in ("upstream", "area")


def goodbye(events: Sequence[Event]) -> bool:
    """Whether the last thing a device said is that it goes."""
    return bool(events) and events[-1].kind == "status" and events[-1].attributes.get("online") is False
