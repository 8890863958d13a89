"""Silence becomes an alarm: devices due for a look, judged by their profile, many silences of one cause folded.

One transaction a run. Who was heard meanwhile never leaves the database; only suspects are judged here. A silence goes
the way of every alarm: class technical, an incident of the resident (else the device, else the cause), reasons kept. A
device that is heard again closes its incident, unless somebody found more in it than a silence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import cast

from devices import FAMILIES
from hub.alarms import SYSTEM, Alarm, Close, Incident, Reason, Shelve, apply, classify
from hub.alarms.chatter import FLAP_WITHIN, QUIET_FOR, flapping
from hub.alarms.silence import SilenceVerdict, Watched, judge_silence, silence_rule
from hub.alarms.windows import silences_device
from hub.care import ResidentStatus, raises_alarms
from hub.clock import Clock, IdSource
from hub.ports import Database, EntryRow, SuspectRow, Transaction, WatchRow
from hub.service.causes import Causes
from hub.service.folding import Folding, Together
from hub.service.raising import NewAlarm, Raising, again_where_raced
from hub.service.writing import Writer

__all__ = ["Supervised", "Supervising"]

_DEAF_AFTER = timedelta(seconds=60)
"""A way that is deaf for less is a hiccup of the network."""
_RELEASE_SHARE = 0.1
_NAMED = 20
_ASKED_AGAIN = timedelta(seconds=2)
_LOOK_SOONEST, _LOOK_LATEST = timedelta(seconds=20), timedelta(minutes=5)

_WAY_NAMES = {"mqtt": "the MQTT broker", "tcp": "the TCP gateways", "http": "the HTTP intake"}


@dataclass(frozen=True, slots=True)
class Supervised:
    """One run in numbers: devices looked at, found silent, heard again, incidents opened and closed."""

    looked_at: int = 0
    silent: int = 0
    back: int = 0
    opened: int = 0
    closed: int = 0


class Supervising:
    """Looks at devices that could be silent. Any number of jobs may run beside each other. `zone`: the place's time."""

    def __init__(
        self, database: Database, clock: Clock, new_id: IdSource, raising: Raising, writer: Writer, zone: tzinfo
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._raising = raising
        self._writer = writer
        self._zone = zone

    def beat(self, process: str, ways: Mapping[str, bool]) -> None:
        """This process hears (or does not hear) these ways in. To be said every few seconds."""
        with self._database.begin() as tx:
            tx.supervision.beat(process, ways, self._clock())

    def leave(self, process: str) -> None:
        """This process ends."""
        with self._database.begin() as tx:
            tx.supervision.forget(process, self._clock())

    def run_once(self, limit: int = 1000) -> Supervised:
        """Looks at up to `limit` devices, in one transaction."""

        def act() -> Supervised:
            with self._database.begin() as tx:
                return _Run(self, tx, self._clock()).go(limit)

        return again_where_raced(act)


class _Run:
    """One run, inside its transaction."""

    def __init__(self, owner: Supervising, tx: Transaction, now: datetime) -> None:
        self._new_id, self._raising, self._writer = owner._new_id, owner._raising, owner._writer
        self._zone = owner._zone
        self._tx, self._now = tx, now
        # Locked first of all, as everywhere: whoever settles a window locks it before devices and incidents.
        self._windows = tx.windows.in_force(now)
        self._hearing = tx.supervision.hearing(now)
        self._rows: list[WatchRow] = []
        self._released: set[str] = set()
        self._opened = 0
        self._closed = 0

    def go(self, limit: int) -> Supervised:
        tx, now = self._tx, self._now
        self._ways()
        heard = {family: self._hears(known.transport) for family, known in FAMILIES.items()}
        looked_at, suspects = tx.supervision.claim(now, limit, heard)
        tx.supervision.drop([one.device_id for one in suspects if not one.watched and one.silent_since is None])
        back = [one for one in suspects if one.silent_since is not None and _is_back(one)]
        self._come_back(back)
        silent: list[tuple[SuspectRow, SilenceVerdict]] = []
        still = {one.device_id for one in back}
        for one in suspects:
            if one.device_id in still or not one.watched:
                continue
            if one.silent_since is not None:
                self._stays_silent(one, silent)
            else:
                self._judge(one, silent)
        self._raise(silent)
        tx.supervision.settle(self._rows)
        tx.supervision.offline([one.device_id for one, _ in silent])
        return Supervised(looked_at, len(silent), len(back), self._opened, self._closed)

    # ---- one device -------------------------------------------------------------------------------------------------

    def _hears(self, way: str) -> datetime | None:
        row = self._hearing.get(way)
        return row.since if row is not None and row.up else None

    def _verdict(self, one: SuspectRow, hearing_since: datetime) -> SilenceVerdict:
        status = one.resident_status
        absent = status if status is not None and not raises_alarms(cast("ResidentStatus", status)) else None
        watched = Watched(
            device_id=one.device_id,
            rule=silence_rule(one.interval_s, one.silence),
            added_at=one.added_at,
            hearing_since=hearing_since,
            heard_at=one.last_seen_at,
            charging=one.charging,
            owned=one.resident_id is not None,
            excused=absent,
            goodbye=one.online is False,
        )
        return judge_silence(watched, now=self._now, zone=self._zone)

    def _judge(self, one: SuspectRow, silent: list[tuple[SuspectRow, SilenceVerdict]]) -> None:
        if one.hearing_since is None:
            self._rows.append(WatchRow(one.device_id, self._now + _LOOK_SOONEST))
            return
        verdict = self._verdict(one, one.hearing_since)
        if verdict.kind == "silent":
            if not self._silenced(one, verdict):
                silent.append((one, verdict))
        elif verdict.kind == "excused":
            # Shown as silent; it raises nothing while its resident is away.
            self._rows.append(WatchRow(one.device_id, verdict.look_at, self._now, verdict.reasons[-1].code))
            self._tx.supervision.offline([one.device_id])
        else:
            reason = verdict.reasons[0].code if verdict.reasons else None
            self._rows.append(WatchRow(one.device_id, verdict.look_at, None, reason))

    def _stays_silent(self, one: SuspectRow, silent: list[tuple[SuspectRow, SilenceVerdict]]) -> None:
        assert one.silent_since is not None
        if one.incident_id in self._released:
            return  # it was claimed with those that came back: its row says already when it is looked at by itself
        if one.incident_id is None and one.hearing_since is not None:
            verdict = self._verdict(one, one.hearing_since)
            if verdict.kind == "silent":  # the resident is home again or a window over, and the device is still silent
                if not self._silenced(one, verdict):
                    silent.append((one, verdict))
                return
        age = (self._now - one.silent_since) / 20
        look_at = self._now + min(max(age, _LOOK_SOONEST), _LOOK_LATEST)
        self._rows.append(WatchRow(one.device_id, look_at, one.silent_since, "silent", one.incident_id))

    def _silenced(self, one: SuspectRow, verdict: SilenceVerdict) -> bool:
        """Shown as silent; a window holds the alarm back, and when it is over the device is looked at again."""
        found = silences_device(one.device_id, one.area_id, self._windows, now=self._now)
        if found is None:
            return False
        window, reason = found
        look_at = min(window.ends_at, self._now + _LOOK_LATEST)
        self._rows.append(WatchRow(one.device_id, look_at, one.silent_since or self._now, "silenced"))
        self._tx.supervision.offline([one.device_id])
        if one.silent_since is None:
            self._device_entry(one, "silent", (*verdict.reasons, reason), None)
        return True

    # ---- raising ----------------------------------------------------------------------------------------------------

    def _raise(self, silent: list[tuple[SuspectRow, SilenceVerdict]]) -> None:
        if not silent:
            return
        causes = Causes(self._tx, [one for one, _ in silent], self._now, self._hearing)
        alone: list[tuple[SuspectRow, SilenceVerdict]] = []
        together: dict[str, Together] = {}
        waiting: set[str] = set()
        for one, verdict in silent:
            span_s = silence_rule(one.interval_s, one.silence).span_s
            shared = causes.explain(one, span_s or 0)
            subject = shared.joins or (shared.cause.place if shared.cause is not None else None)
            if shared.wait_until is not None:
                waiting.add(self._put_off(one, shared.wait_until))
            elif subject is None:
                alone.append((one, verdict))
            else:
                together.setdefault(subject, Together(shared, [])).add(one, shared)
        self._take(alone, together, waiting)
        silent[:] = [(one, verdict) for one, verdict in silent if one.device_id not in waiting]

    def _put_off(self, one: SuspectRow, look_at: datetime) -> str:
        self._rows.append(WatchRow(one.device_id, look_at, one.silent_since, "quiet"))
        return one.device_id

    def _take(
        self, alone: Sequence[tuple[SuspectRow, SilenceVerdict]], together: dict[str, Together], waiting: set[str]
    ) -> None:
        folding = Folding(self._tx, self._writer, self._now)
        folding.lock(together)
        for subject in [name for name, found in together.items() if found.shared.joins and name not in folding.live]:
            # It ended this moment: whether there is a cause is asked once more.
            waiting.update(self._put_off(one, self._now + _ASKED_AGAIN) for one in together.pop(subject).members)
        alarms = {
            subject: self._shared_alarm_of(subject, found)
            for subject, found in together.items()
            if folding.grown(subject, found) is None
        }
        singles = {one.device_id: self._single_alarm(one, verdict.reasons) for one, verdict in alone}
        self._raising.raise_alarms(self._tx, [*alarms.values(), *singles.values()], self._now)
        self._opened += sum(1 for new in [*alarms.values(), *singles.values()] if new.incident_id is not None)
        for one, verdict in alone:
            new = singles[one.device_id]
            self._rows.append(self._row(one, verdict.reasons[0].code, new.incident_id))
            self._device_entry(one, "silent", verdict.reasons, new.incident_id)
        for subject, found in together.items():
            grown = folding.grown(subject, found)
            incident_id = grown.id if grown is not None else alarms[subject].incident_id
            self._rows += [self._row(one, "shared", incident_id) for one in found.members]
            if grown is not None:
                self._note(grown.id, *folding.joined(grown, found))
            if incident_id is not None:
                self._closed += folding.take_in(incident_id, found)
        self._rows = [row._replace(incident_id=folding.now_in(row.incident_id)) for row in self._rows]

    def _row(self, one: SuspectRow, reason: str, incident_id: str | None) -> WatchRow:
        since = one.silent_since or self._now
        return WatchRow(one.device_id, self._now + _LOOK_SOONEST, since, reason, incident_id)

    def _alarm(self, reasons: Sequence[Reason], **about: object) -> Alarm:
        alarm_class, priority = classify("offline")
        said = [{"code": one.code, "text": one.text, "values": dict(one.values)} for one in reasons]
        return Alarm(
            id=self._new_id(),
            type="offline",
            alarm_class=alarm_class,
            priority=priority,
            received_at=self._now,
            source="system",
            attributes={"reasons": said},
            reasons=tuple(reasons),
            **{"device_id": None, "resident_id": None, **about},  # type: ignore[arg-type]
        )

    def _single_alarm(self, one: SuspectRow, reasons: Sequence[Reason]) -> NewAlarm:
        alarm = self._alarm(reasons, device_id=one.device_id, resident_id=one.resident_id, note=reasons[0].text)
        return NewAlarm(alarm, family=one.family, actor=SYSTEM, area_id=one.area_id)

    def _shared_alarm_of(self, subject: str, found: Together) -> NewAlarm:
        cause = found.shared.cause
        area_id = cause.key if cause is not None and cause.kind == "area" else None
        new = self._shared_alarm(subject, found.shared.reasons, area_id)
        new.alarm.attributes["devices"] = [one.device_id for one in found.members[:_NAMED]]  # type: ignore[index]
        return new

    def _shared_alarm(self, subject: str, reasons: Sequence[Reason], area_id: str | None) -> NewAlarm:
        alarm = self._alarm(reasons, upstream=subject, note=reasons[0].text)
        alarm.attributes["cause"] = subject  # type: ignore[index]
        return NewAlarm(alarm, actor=SYSTEM, area_id=area_id)

    # ---- coming back ------------------------------------------------------------------------------------------------

    def _come_back(self, back: Sequence[SuspectRow]) -> None:
        of_incident: dict[str, list[SuspectRow]] = defaultdict(list)
        for one in back:
            if one.watched:
                self._rows.append(WatchRow(one.device_id, self._now + _LOOK_SOONEST))
            if one.incident_id is not None:
                of_incident[one.incident_id].append(one)
        gone = [one.device_id for one in back if not one.watched]
        if not of_incident:
            self._tx.supervision.drop(gone)
            return
        self._tx.supervision.settle(self._rows)  # who is back counts no more in what is left
        self._rows = []
        self._tx.supervision.drop(gone)
        for incident_id in sorted(of_incident):
            self._back_in(incident_id, of_incident[incident_id])

    def _back_in(self, incident_id: str, devices: Sequence[SuspectRow]) -> None:
        incident = self._tx.incidents.get(incident_id, lock=True)
        left = self._tx.supervision.left(incident_id)
        if incident is None or not incident.live:
            return
        for one in devices if incident.device_id is not None else ():
            self._device_entry(one, "back", (), incident_id)
        if incident.device_id is None and 0 < left <= _RELEASE_SHARE * _extent(incident):
            # The cause is over; the few that did not come back have a silence of their own.
            self._tx.supervision.release(incident_id, self._now)
            self._released.add(incident_id)
            left = 0
        if left:
            self._note(incident_id, f"{len(devices)} back, {left} still silent", {"back": len(devices), "left": left})
        elif set(incident.types) != {"offline"} or incident.under_way or incident.on_scene:
            self._note(incident_id, "the device is heard again; there is more in this matter", {"back": len(devices)})
        elif incident.device_id is not None and (reason := self._flaps(devices)) is not None:
            self._keep_quiet(incident, reason)
        else:
            self._close(incident, "设备已自行恢复 · heard again by itself")

    def _flaps(self, devices: Sequence[SuspectRow]) -> Reason | None:
        """Whether one of them comes and goes too often to be believed; its being back now is a change too."""
        since = self._now - FLAP_WITHIN
        found = (flapping([*self._tx.windows.changes(one.device_id, since), self._now], self._now) for one in devices)
        return next((reason for reason in found if reason is not None), None)

    def _keep_quiet(self, incident: Incident, reason: Reason) -> None:
        """A device that flaps stays one matter, on the shelf; at the shelf's end somebody sees to it."""
        if incident.shelved or incident.state != "open":
            return
        action = Shelve(until=self._now + QUIET_FOR, reason=f"flapping: {reason.text}")
        change = apply(incident, action, now=self._now, actor=SYSTEM)
        self._writer.write(self._tx, change, now=self._now)

    def _close(self, incident: Incident, summary: str) -> None:
        action = Close(disposition="device_fault", summary=summary, sampled=False)
        change = apply(incident, action, now=self._now, actor=SYSTEM)
        self._writer.write(self._tx, change, now=self._now)
        self._closed += 1

    # ---- ways in ----------------------------------------------------------------------------------------------------

    def _ways(self) -> None:
        """A way that is deaf is one matter, however many devices hang on it; when it is back, so is the matter."""
        subjects = {way: f"way:{way}" for way in _WAY_NAMES}
        live = self._tx.incidents.lock_live([(subject, "technical") for subject in subjects.values()])
        raised: list[NewAlarm] = []
        for way, subject in subjects.items():
            row, incident = self._hearing.get(way), live.get((subject, "technical"))
            if row is not None and row.up and incident is not None and set(incident.types) == {"offline"}:
                self._close(incident, "恢复 · the way in is back")
            elif row is not None and not row.up and incident is None and self._now - row.since >= _DEAF_AFTER:
                deaf_s = round((self._now - row.since).total_seconds())
                text = f"nothing is heard by {_WAY_NAMES[way]} for {deaf_s} s: the connection is away"
                raised.append(self._shared_alarm(subject, [Reason("deaf", text, {"way": way, "deaf_s": deaf_s})], None))
        if raised:
            self._raising.raise_alarms(self._tx, raised, self._now)
            self._opened += len(raised)

    # ---- words ------------------------------------------------------------------------------------------------------

    def _note(self, incident_id: str, text: str, values: Mapping[str, int]) -> None:
        body = {"text": text, **values}
        self._tx.timeline.add(
            EntryRow(at=self._now, subject_kind="incident", subject_id=incident_id, kind="noted", body=body)
        )

    def _device_entry(self, one: SuspectRow, kind: str, reasons: Sequence[Reason], incident_id: str | None) -> None:
        said = [{"code": reason.code, "text": reason.text} for reason in reasons]
        body = {"incident_id": incident_id, "reasons": said}
        self._tx.timeline.add(
            EntryRow(at=self._now, subject_kind="device", subject_id=one.device_id, kind=kind, body=body)
        )


def _is_back(one: SuspectRow) -> bool:
    """Heard since it was found silent; or it is watched no more, which ends its silence too."""
    assert one.silent_since is not None
    return not one.watched or (one.last_seen_at is not None and one.last_seen_at > one.silent_since)


def _extent(incident: Incident) -> int:
    """How many devices hung on the cause when it was found."""
    counts = [reason.values.get("devices") for reason in incident.reasons]
    return max((count for count in counts if isinstance(count, int)), default=0)
