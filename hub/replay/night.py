"""A recorded night played through codecs, rules and correlation: each decision with its reasons. Pure, in its own time.

What is played is what decides: the hub's own codecs, `hub.alarms` and the alarm's way into it. What is not: people. An
incident is closed where the record says that somebody closed it, and else so long after its last alarm (the rule set
says how long), since one that never ends would swallow the rest of the night. Nobody is called and no clock of an
unclaimed incident runs; each opening says when they would. The silence of devices is judged where their records say how
often they report (`hub.replay.hearing`).
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from devices import FAMILIES, Codec, Uplink
from hub.alarms import Acknowledge, Actor, Alarm, Close, Incident, Reason, Taken, apply, classify, take
from hub.alarms.chatter import CHATTER_WITHIN
from hub.alarms.rules import judge
from hub.alarms.windows import AfterWindow, Silenced, Window, stands_after
from hub.errors import HubError
from hub.ports import DeviceRow, Incoming
from hub.replay.decided import Decided, Tally, decided_of
from hub.replay.hearing import Hearing
from hub.replay.kept import KeptEvent
from hub.replay.people import Person, person_of
from hub.replay.recording import BadLine, Record, Recording
from hub.replay.rule_set import DEFAULT_RULES, RuleSet
from hub.replay.silences import Silences, Slot, goodbye
from hub.service.prepared import decoded_by
from hub.service.quieting import Quieting
from hub.service.raising import alarm_of
from hub.service.ruling import alarm_of_verdict

__all__ = ["Night", "play"]

_PACE: Final = timedelta(seconds=15)
_SOONEST: Final = timedelta(seconds=1)
_OPERATOR: Final = Actor(kind="operator", name="recorded", user_id="recorded", role="supervisor")
_CODECS: Final[Mapping[str, Codec]] = {name: family.codec for name, family in FAMILIES.items()}


class Night(Silences):
    """One playing of a recording. `decided`: what was decided, in order; `tally`: in numbers; `bad`: bad records."""

    def __init__(self, rules: RuleSet, zone: tzinfo) -> None:
        self._rules = rules
        self._zone = zone
        self._devices: dict[str, DeviceRow] = {}
        self._people: dict[str, Person] = {}
        self._live: dict[Slot, Incident] = {}
        self._names: dict[str, str] = {}
        self._joined: dict[tuple[str, str], Slot] = {}
        self._windows: dict[str, tuple[Window, list[tuple[Alarm, str | None]]]] = {}
        self._recent: dict[tuple[str, str], list[datetime]] = {}
        self._seen: set[bytes] = set()
        self._hearing = Hearing(zone)
        self._battery: dict[str, int] = {}
        self._ahead: list[tuple[datetime, int, str, str]] = []
        self._order = itertools.count()
        self._numbers = itertools.count(1)
        self.decided: list[Decided] = []
        self.tally = Tally()
        self.bad: list[BadLine] = []

    def play(self, recording: Recording) -> None:
        """Takes every record at its time, and whatever time alone brings about in between."""
        happened = (one.at for one in recording.records if one.kind not in ("device", "resident"))
        self._hearing.began_at = next(happened, None)
        for record in recording.records:
            if record.kind != "device" and record.kind != "resident":
                self._pass_to(record.at)
            try:
                self._take(record)
            except (ValueError, TypeError, KeyError, AttributeError, HubError) as error:
                self.bad.append(BadLine(record.line, f"{type(error).__name__}: {error}"))

    def name_of(self, resident_id: str | None) -> str | None:
        """The resident's name, where the recording has it."""
        person = self._people.get(resident_id or "")
        return person.resident.name or None if person is not None else None

    # ---- time -------------------------------------------------------------------------------------------------------

    def _later(self, at: datetime, what: str, about: str) -> None:
        heapq.heappush(self._ahead, (at, next(self._order), what, about))

    def _pass_to(self, now: datetime) -> None:
        while self._ahead and self._ahead[0][0] <= now:
            at, _, what, about = heapq.heappop(self._ahead)
            if what == "look":
                self._look(about, at)
            elif what == "window":
                self._window_over(about, at)
            elif what == "silence":
                self._listen(about, at)
            else:
                self._assume_closed(about, at)

    def _assume_closed(self, incident_id: str, at: datetime) -> None:
        slot = next((slot for slot, one in self._live.items() if one.id == incident_id), None)
        if slot is None:
            return
        incident = self._live[slot]
        after = timedelta(minutes=self._rules.close_after_min)
        if incident.last_alarm_at + after > at:
            self._later(incident.last_alarm_at + after, "close", incident_id)
            return
        del self._live[slot]
        text = (
            f"nobody closed it in the record: taken as closed {self._rules.close_after_min:g} min after its last alarm"
        )
        self._note(at, "assumed_close", incident, (Reason("assumed", text),))

    # ---- records ----------------------------------------------------------------------------------------------------

    def _take(self, record: Record) -> None:
        body = record.body
        match record.kind:
            case "uplink":
                self._uplink(record)
            case "device":
                self._devices[body["id"]] = DeviceRow(
                    body["id"],
                    body["family"],
                    body.get("resident_id"),
                    body.get("area_id"),
                    profile=body.get("profile") or {},
                    adopted=bool(body.get("adopted", True)),
                    revoked=bool(body.get("revoked", False)),
                )
                if body.get("resident_id"):
                    self._person(body["resident_id"])
                began = self._hearing.began_at
                if self._rules.silence and began is not None and self._hearing.watch(body, max(record.at, began)):
                    self._later(max(record.at, began), "silence", body["id"])
            case "heard":
                self._heard(body["device_id"], record.at)
            case "deaf":
                self._hearing.deaf(record.at, datetime.fromisoformat(body["ends_at"]), body.get("way"))
            case "resident":
                person = person_of(body, self._people.get(body["id"]))
                self._people[body["id"]] = person
                if body.get("at"):
                    self._pass_to(record.at)
                    self._later(record.at, "look", body["id"])  # a status is respected at once
            case "window":
                self._open_window(record)
            case "missed_meal" | "missed_visit":
                person = self._person(body["resident_id"])
                (person.meals if record.kind == "missed_meal" else person.visits).append(record.at)
                self._later(record.at, "look", body["resident_id"])
            case "done":
                self._done(record)

    def _person(self, resident_id: str) -> Person:
        if resident_id not in self._people:
            self._people[resident_id] = person_of({"id": resident_id})
        return self._people[resident_id]

    def _uplink(self, record: Record) -> None:
        body = record.body
        device_id, family = body["device_id"], body["family"]
        self.tally.uplinks += 1
        device = self._devices.get(device_id)
        if device is None:
            # A recording that lists no devices at all is of nobody's devices, not of unknown ones.
            device = DeviceRow(device_id, family, None, None, adopted=not self._devices)
        uplink = Uplink(payload=record.payload, received_at=record.at, topic=body.get("topic") or "")
        incoming = Incoming(uplink=uplink, device_id=device_id, family=family, lane="alarm", number=record.line)
        codecs: Mapping[str, Codec] = {family: KeptEvent(family, body["event"])} if "event" in body else _CODECS
        item = decoded_by(codecs, incoming, device)
        if item.decoded.error is not None and not item.decoded.events:
            self.tally.rejected += 1
            self._plain(record, "rejected", Reason("rejected", item.decoded.error))
        charging = next((e.attributes["charging"] for e in item.decoded.events if "charging" in e.attributes), None)
        said = charging if isinstance(charging, bool) else None
        self._heard(device_id, record.at, said, goodbye=goodbye(item.decoded.events))
        for event, key in zip(item.decoded.events, item.keys, strict=True):
            if key is not None and key in self._seen:
                self.tally.repeats += 1
                if event.kind == "alarm":
                    self._plain(
                        record, "repeat", Reason("repeat", "the same press again, known by its key"), event.type
                    )
                continue
            if key is not None:
                self._seen.add(key)
            if event.battery_pct is not None:
                self._battery[device_id] = event.battery_pct
            if event.kind == "alarm":
                self._alarm(alarm_of(f"line-{record.line}", event, incoming, device), device.area_id, record)
            if device.resident_id is not None and device.adopted:
                self._person(device.resident_id).hear(event, record.at)
                self._look_soon(device.resident_id, record.at)

    def _look_soon(self, resident_id: str, at: datetime) -> None:
        person = self._people[resident_id]
        self._later(at if person.looked_at is None else max(at, person.looked_at + _PACE), "look", resident_id)

    # ---- alarms -----------------------------------------------------------------------------------------------------

    def _alarm(self, alarm: Alarm, area_id: str | None, record: Record | None, what: str = "alarm") -> Decided:
        alarm = self._rules.weighed(alarm)
        at = alarm.received_at
        resident = self._people[alarm.resident_id].resident if alarm.resident_id in self._people else None
        area_id = area_id or (resident.area_id if resident else None)
        times = self._recent.setdefault((alarm.device_id or "", alarm.type), [])
        times[:] = [one for one in times if at - one <= CHATTER_WITHIN]
        in_force = [window for window, _ in self._windows.values()]
        quieting = Quieting(in_force, {(alarm.device_id or "", alarm.type): times}, at)
        if alarm.device_id is not None and not alarm.buffered:
            times.append(at)
        hushed = quieting.hushed(alarm, area_id)
        chatter = quieting.chatter(alarm) if self._rules.chatter else None
        if hushed is not None:
            self._windows[hushed[0].attributes["window"]][1].append((alarm, area_id))
        slot = (alarm.subject, alarm.alarm_class)
        cancelled = self._live.get(self._joined.get((alarm.device_id or "", alarm.cancels or ""), ("", "test")))
        taken = take(
            alarm,
            self._live.get(slot) if alarm.type != "cancel" else None,
            resident,
            now=at,
            incident_id=f"I-{next(self._numbers)}",
            area_id=area_id,
            cancelled=cancelled if alarm.type == "cancel" else None,
            hushed=None if hushed is None else hushed[1],
            chatter=chatter,
        )
        return self._took(alarm, taken, record, what)

    def _took(self, alarm: Alarm, taken: Taken, record: Record | None, what: str) -> Decided:
        incident = taken.change.incident if taken.change is not None else None
        if incident is not None:
            slot = (incident.subject, incident.alarm_class)
            self._live[slot] = incident
            if alarm.ref and alarm.device_id and alarm.type != "cancel":
                self._joined[alarm.device_id, alarm.ref] = slot
            if taken.decision.kind == "open":
                after = timedelta(minutes=self._rules.close_after_min)
                self._later(alarm.received_at + after, "close", incident.id)
        found = decided_of(alarm, taken, what=what, line=record.line if record else None)
        self.tally.count(found)
        self.decided.append(found)
        return found

    def _done(self, record: Record) -> None:
        body = record.body
        subject = f"resident:{body['resident_id']}" if body.get("resident_id") else f"device:{body['device_id']}"
        incident = self._live.get((subject, body["class"]))
        if incident is None:
            self._plain(record, "done", Reason("nothing_live", f"{body['action']}: nothing live of {subject}"))
            return
        action = (
            Acknowledge()
            if body["action"] == "acknowledge"
            else Close(disposition=body.get("disposition", "genuine"), summary=body.get("summary") or "recorded")
        )
        actor = replace(_OPERATOR, name=str(body.get("by") or "recorded"))
        after = apply(incident, action, now=record.at, actor=actor).incident
        slot = (incident.subject, incident.alarm_class)
        if after.live:
            self._live[slot] = after
        else:
            del self._live[slot]
        self._note(
            record.at, "done", after, (Reason(body["action"], f"{body['action']} by {actor.name}"),), record.line
        )

    # ---- rules ------------------------------------------------------------------------------------------------------

    def _look(self, resident_id: str, at: datetime) -> None:
        person = self._people[resident_id]
        if person.looked_at is not None and at - person.looked_at < _SOONEST:
            return
        person.looked_at = at
        self.tally.looks += 1
        picture = person.picture(at, self._rules, self._zone)
        verdicts = judge(picture, person.standing, now=at, rules=self._rules.rules)
        person.standing = {one.rule: one.standing for one in verdicts if one.standing is not None}
        for verdict in verdicts:
            if verdict.kind == "raise":
                alarm = alarm_of_verdict(f"rule-{verdict.rule}-{at.isoformat()}", picture, verdict, at)
                self._alarm(alarm, person.resident.area_id, None, what="rule")
            elif verdict.kind == "clear":
                over = Decided(at, "rule_over", "clear", verdict.type, rule=verdict.rule, resident_id=resident_id)
                self.decided.append(replace(over, reasons=verdict.reasons))
        due = min((one.look_at for one in verdicts if one.look_at is not None), default=None)
        if due is not None:
            self._later(max(due, at + _PACE), "look", resident_id)

    # ---- windows ----------------------------------------------------------------------------------------------------

    def _open_window(self, record: Record) -> None:
        body: Mapping[str, Any] = record.body
        window = Window(
            id=f"W-{record.line}",
            kind=body.get("window_kind", "silence"),
            starts_at=record.at,
            ends_at=datetime.fromisoformat(body["ends_at"]),
            reason=body["reason"],
            set_by=str(body.get("by", "recorded")),
            device_id=body.get("device_id"),
            area_id=body.get("area_id"),
            type=body.get("type"),
            areas=frozenset(body.get("areas", ())),
        )
        self._windows[window.id] = (window, [])
        self._later(window.ends_at, "window", window.id)

    def _window_over(self, window_id: str, at: datetime) -> None:
        _, held = self._windows.pop(window_id)
        for alarm, area_id, silenced in _gathered(held):
            person = self._people.get(alarm.resident_id or "")
            known = AfterWindow(
                heard_at=person.heard.get(alarm.device_id or "") if person else None,
                battery_pct=self._battery.get(alarm.device_id or ""),
                rule_stands=person is not None and silenced.rule in person.standing,
            )
            reason = stands_after(silenced, known)
            if reason is not None:
                again = replace(
                    alarm, id=f"{window_id}-{alarm.id}", received_at=at, source="system", reasons=(reason,), ref=None
                )
                self._alarm(again, area_id, None, what="window_over")

    # ---- notes ------------------------------------------------------------------------------------------------------

    def _plain(self, record: Record, outcome: str, reason: Reason, alarm_type: str | None = None) -> None:
        device_id, resident_id = record.body.get("device_id"), record.body.get("resident_id")
        kind = "uplink" if record.kind == "uplink" else record.kind
        found = Decided(record.at, kind, outcome, alarm_type or "", line=record.line, device_id=device_id)
        self.decided.append(replace(found, resident_id=resident_id, reasons=(reason,)))

    def _note(
        self, at: datetime, what: str, incident: Incident, reasons: tuple[Reason, ...], line: int | None = None
    ) -> None:
        found = Decided(at, what, incident.state, incident.type, line=line, incident=incident.id)
        self.decided.append(
            replace(
                found,
                alarm_class=incident.alarm_class,
                resident_id=incident.resident_id,
                device_id=incident.device_id,
                reasons=reasons,
            )
        )


def _gathered(held: Sequence[tuple[Alarm, str | None]]) -> Iterator[tuple[Alarm, str | None, Silenced]]:
    groups: dict[tuple[str | None, str | None, str, str | None], list[tuple[Alarm, str | None]]] = {}
    for alarm, area_id in held:
        rule = alarm.attributes.get("rule")
        groups.setdefault((alarm.device_id, alarm.resident_id, alarm.type, rule), []).append((alarm, area_id))
    for (device_id, resident_id, kind, rule), listed in groups.items():
        last, area_id = listed[-1]
        alarm_class = last.alarm_class if last.alarm_class == "test" else classify(kind)[0]
        first_at, last_at = listed[0][0].received_at, last.received_at
        yield (
            last,
            area_id,
            Silenced(
                kind, alarm_class, last.priority, len(listed), first_at, last_at, device_id, resident_id, area_id, rule
            ),
        )


def play(recording: Recording, zone: tzinfo, rules: RuleSet = DEFAULT_RULES) -> Night:
    """Plays a recording by a set of rules; gives the night afterwards."""
    night = Night(rules, zone)
    night.play(recording)
    return night
