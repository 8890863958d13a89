"""Thing models of cloud platforms: properties and events by name, made canonical by tables and the device's profile.

The platforms (`alink`, `onenet`, `huawei`, `thingsboard`) differ in their envelopes only; what is inside is a bag of
properties `{name: value}` or `{name: {"value", "time"}}`, and events `{identifier: {"value": {...}, "time"}}`.

Profile entries: `properties` (name to a canonical name, an alarm type, `alarm_code`, or null: raw), `events`
(identifier to an alarm type, or null: no alarm), `alarm_codes` (value of an `alarm_code` property to alarm type, or
null), `scale` (name to a factor), `datum` (wgs84, gcj02, bd09), `zone_minutes` (offset of times written without one).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from devices.alarm_types import ALARM_TYPES, UNKNOWN_TYPE, alarm_type
from devices.codecs.json_body import MAX_EVENTS, charge, event_key, moment, place, truth, window, word
from devices.codecs.thing_model_table import ALARM_WORDS, PROPERTY_NAMES, alarm_of, folded
from devices.fields import METRICS, Faults, clean_text, extras, metric, number, show
from devices.model import Event, EventKind, Fix, Uplink

__all__ = ["Thing", "stamped"]

_MAX_NAMES = 200
_DEPTH = 3
_WINDOW_S = 30.0
_LATE = timedelta(minutes=2)
_STAMPS = ("time", "ts", "timestamp", "eventTime", "event_time")
_PRESSURE = re.compile(r"\s*(\d{2,3})\s*[/|,]\s*(\d{2,3})\s*", re.ASCII)
_QUIET = frozenset({"", "normal", "none", "no", "null", "unknown", "0", "ok", "false"})
_DENSITY = frozenset({"smoke", "gas", "water_leak"})  # a number that is neither 0 nor 1 is a measurement there

_Item = tuple[str, object, datetime | None]


def stamped(sent: object) -> tuple[object, object]:
    """A value and its own time, for `{"value", "time"}` and for a bare value (time None)."""
    if isinstance(sent, dict) and "value" in sent:
        return sent["value"], next((sent[name] for name in _STAMPS if sent.get(name) not in (None, "")), None)
    return sent, None


@dataclass(slots=True)
class _Bag:
    """The properties of one moment, sorted out."""

    vitals: dict[str, float] = field(default_factory=dict)
    battery_pct: int | None = None
    where: dict[str, object] = field(default_factory=dict)
    alarms: list[tuple[str, str, str]] = field(default_factory=list)
    """Alarm type, name of the property, code."""
    raw: dict[str, Any] = field(default_factory=dict)
    faults: Faults = field(default_factory=dict)


@dataclass(slots=True)
class Thing:
    """One device behind one message: turns its properties and events into canonical events."""

    family: str
    device_id: str
    profile: Mapping[str, Any]
    uplink: Uplink
    context: dict[str, Any] = field(default_factory=dict)
    """What every event of this device carries in its attributes."""

    def time(self, value: object, faults: Faults) -> datetime | None:
        """A time of the platform, in UTC."""
        minutes = number(self.profile.get("zone_minutes"))
        return moment(
            value, faults, offset=None if minutes is None or abs(minutes) > 900 else timedelta(minutes=minutes)
        )

    def event(self, kind: EventKind, attributes: Mapping[str, Any], faults: Faults | None = None, **more: Any) -> Event:
        """An event of this device."""
        found = {**self.context, **attributes}
        if self.uplink.retained:
            found["retained"] = True
            more["buffered"] = True
        if faults:
            found["faults"] = dict(faults)
        return Event(self.device_id, kind, attributes=found, **more)

    def online(self, online: bool, at: object = None, **attributes: Any) -> Event:
        """A life-cycle message of the platform."""
        faults: Faults = {}
        observed_at = self.time(at, faults)
        word_ = "online" if online else "offline"
        key = None if observed_at is None else self._key("lifecycle", word_, observed_at)
        found = {"online": online, "availability": word_, **attributes}
        return self.event("status", found, faults, observed_at=observed_at, key=key)

    # ---- properties --------------------------------------------------------------------------------------------------

    def properties(self, sent: Mapping[str, Any], at: object = None, *, stored: bool = False) -> list[Event]:
        """Events of a bag of properties: one for each moment it speaks of, and one for each alarm in it.

        `at` is the time of what has none of its own. Several moments in one message: the newest is now, those more
        than two minutes older were stored; with `stored` all are.
        """
        faults: Faults = {}
        default = self.time(at, faults)
        moments: dict[datetime | None, list[_Item]] = {}
        for name, value, when in self._items(sent, default, faults):
            moments.setdefault(when, []).append((name, value, when))
        newest = max((when for when in moments if when is not None), default=None)
        found: list[Event] = []
        for when, items in moments.items():
            late = stored or (when is not None and newest is not None and newest - when > _LATE)
            found += self._told(self._sorted(items), when, late, faults)
        return found[:MAX_EVENTS]

    def _items(self, sent: Mapping[str, Any], default: datetime | None, faults: Faults) -> Iterator[_Item]:
        for name, one in list(sent.items())[:_MAX_NAMES]:
            # several values of one property, each with its time, where a device sends a batch
            several = isinstance(one, list) and one and all(isinstance(item, dict) and "value" in item for item in one)
            for item in one[:_MAX_NAMES] if several else [one]:
                value, at = stamped(item)
                yield name, value, (self.time(at, faults) or default) if at is not None else default

    def _sorted(self, items: Iterable[_Item], depth: int = _DEPTH, bag: _Bag | None = None) -> _Bag:
        bag = bag or _Bag()
        for name, value, when in items:
            meaning = self._meaning(name)
            if isinstance(value, dict) and depth and meaning not in ALARM_TYPES:
                self._sorted([(inner, stamped(one)[0], when) for inner, one in value.items()], depth - 1, bag)
            elif not self._take(bag, name, meaning, self._scaled(name, value)) and len(bag.raw) < _MAX_NAMES:
                bag.raw |= extras({name: value}, ())
        return bag

    def _meaning(self, name: str) -> str | None:
        chosen = self.profile.get("properties")
        if isinstance(chosen, dict):
            for spelt in (name, folded(name)):
                if spelt in chosen:
                    return chosen[spelt] if isinstance(chosen[spelt], str) else None
        return PROPERTY_NAMES.get(folded(name)) or (name if name in METRICS else None) or _switch(name)

    def _scaled(self, name: str, value: object) -> object:
        scale = self.profile.get("scale")
        factor = number(scale.get(name)) if isinstance(scale, dict) else None
        found = number(value)
        return value if factor is None or found is None else round(found * factor, 6)

    def _take(self, bag: _Bag, name: str, meaning: str | None, value: object) -> bool:
        """Whether the property was understood."""
        if meaning is None:
            return False
        if meaning in METRICS:
            found = metric(meaning, value, bag.faults)
            if found is not None:
                bag.vitals[meaning] = found
        elif meaning == "battery_pct":
            level = charge(value, bag.faults)
            bag.battery_pct = bag.battery_pct if level is None else level
        elif meaning in ("lat", "lon", "accuracy_m", "datum"):
            bag.where[meaning] = value
        elif meaning == "wearing":
            worn = truth(value)
            if worn is None:
                return False
            bag.vitals["wearing"] = float(worn)
        elif meaning == "blood_pressure":
            pair = _PRESSURE.fullmatch(value[:20]) if isinstance(value, str) else None
            if pair is None:
                return False
            for metric_name, digits in zip(("systolic_mmhg", "diastolic_mmhg"), pair.groups(), strict=True):
                if (found := metric(metric_name, digits, bag.faults)) is not None:
                    bag.vitals[metric_name] = found
        elif meaning == "alarm_code":
            return self._code(bag, name, value)
        else:
            return self._switched(bag, name, meaning, value)
        return True

    def _code(self, bag: _Bag, name: str, value: object) -> bool:
        """A property whose value says which alarm it is; numbers mean something only by the profile."""
        text = clean_text(value if isinstance(value, str) else show(value), 64).strip()
        chosen = self.profile.get("alarm_codes")
        if isinstance(chosen, dict) and text in chosen:
            type_ = chosen[text]
            if type_ is None:
                return False
        elif value is None or value is False or word(text) in _QUIET:
            return False
        else:
            type_ = (alarm_of(text) if isinstance(value, str) else None) or UNKNOWN_TYPE
        known = type_ if isinstance(type_, str) and type_ in ALARM_TYPES else UNKNOWN_TYPE
        bag.alarms.append((known, name, f"{name}={text}"))
        return True

    def _switched(self, bag: _Bag, name: str, meaning: str, value: object) -> bool:
        """A property that is an alarm while it is on."""
        type_ = meaning if meaning in ALARM_TYPES else UNKNOWN_TYPE
        on = truth(value)
        if on is None:
            if value is None or (isinstance(value, str) and word(value) in _QUIET):
                return False
            if type_ in _DENSITY and number(value) is not None:
                return False
            on = True  # it says something we do not know: somebody looks, with the value beside it
            type_ = type_ if number(value) is not None or isinstance(value, dict) else UNKNOWN_TYPE
        if on:
            bag.alarms.append((type_, name, f"{name}={show(value)}"))
        return on

    def _told(self, bag: _Bag, when: datetime | None, late: bool, faults: Faults) -> list[Event]:
        bag.faults |= faults
        fix = self._fix(bag, when)
        if bag.vitals.get("wearing") == 0.0:  # what a sensor sends from a bedside table is a placeholder
            for name in [name for name in bag.vitals if name not in ("steps", "wearing")]:
                bag.faults[name] = f"{show(bag.vitals.pop(name))}: not worn"
        raw = {"properties": bag.raw} if bag.raw else {}
        common: dict[str, Any] = {"observed_at": when, "battery_pct": bag.battery_pct, "buffered": late}
        found = [
            self.event(
                "alarm", {"code": code, **raw}, bag.faults, type=type_, fix=fix,
                key=self._key("alarm", f"{type_} {name}", when, code), **common,
            )
            for type_, name, code in bag.alarms
        ]  # fmt: skip
        if bag.vitals:
            mark = sorted(bag.vitals.items())
            key = None if when is None else self._key("vitals", repr(mark), when)
            found.append(self.event("vitals", raw, bag.faults, vitals=bag.vitals, key=key, **common))
        if fix is not None:
            key = None if when is None else self._key("location", f"{fix.lat} {fix.lon}", when)
            found.append(self.event("location", {} if bag.vitals else raw, bag.faults, fix=fix, key=key, **common))
        if not found:
            key = None if when is None else self._key("status", repr(sorted(bag.raw)), when, str(bag.battery_pct))
            found.append(self.event("status", {"online": True, **raw}, bag.faults, key=key, **common))
        return found

    def _fix(self, bag: _Bag, when: datetime | None) -> Fix | None:
        where = bag.where
        if not where.keys() & {"lat", "lon"}:
            bag.raw |= extras(where, ())
            return None
        datum = where.get("datum", self.profile.get("datum"))
        return place(
            where.get("lat"), where.get("lon"), bag.faults,
            accuracy_m=where.get("accuracy_m"), datum=datum, observed_at=when,
        )  # fmt: skip

    # ---- events ------------------------------------------------------------------------------------------------------

    def happened(
        self, identifier: str, value: object, at: object = None, level: object = None, *, stored: bool = False
    ) -> list[Event]:
        """An event of the thing model. `level` is the platform's word for it (info, alert, error).

        An event that is an alarm carries what its values say beside it; an event that is none gives what its values
        give, or is `unsupported`.
        """
        faults: Faults = {}
        name = clean_text(identifier, 64)
        when = self.time(at, faults)
        fields = value if isinstance(value, dict) else {} if value is None else {"value": value}
        bag = self._sorted([(inner, stamped(one)[0], when) for inner, one in list(fields.items())[:_MAX_NAMES]])
        chosen = self.profile.get("events")
        if isinstance(chosen, dict) and identifier in chosen:
            type_ = chosen[identifier]
            type_ = (
                None if type_ is None else type_ if isinstance(type_, str) and type_ in ALARM_TYPES else UNKNOWN_TYPE
            )
        else:
            type_ = alarm_of(identifier)
            if type_ in (None, UNKNOWN_TYPE) and bag.alarms:
                type_ = None  # the values say it better
            elif type_ is None and word(level) in ("alert", "alarm", "warn", "warning", "error", "fault", "critical"):
                type_ = "device_fault" if word(level) in ("error", "fault") else UNKNOWN_TYPE
        head: dict[str, Any] = {"event": name} | ({"level": word(level)} if word(level) else {})
        if type_ is None:
            if bag.alarms or bag.vitals or bag.where or bag.battery_pct is not None:
                return [self._headed(event, head) for event in self._told(bag, when, stored, faults)]
            raw = {**head, "properties": bag.raw}
            return [self.event("unsupported", raw, bag.faults | faults, observed_at=when, buffered=stored)]
        for alarm in [one for one in bag.alarms if one[0] == UNKNOWN_TYPE and self._meaning(one[1]) == "alarm_code"]:
            # Its name says which alarm it is; a code nobody explained is no second one.
            bag.alarms.remove(alarm)
            bag.raw[alarm[1]] = alarm[2].partition("=")[2]
        bag.alarms = [alarm for alarm in bag.alarms if alarm[0] != type_]
        # an SOS that brings a pulse along is one alarm and the pulse; the sos switch inside it is the same press
        bag.alarms.insert(0, (type_, name, name))
        return [self._headed(event, head) for event in self._told(bag, when, stored, faults)]

    @staticmethod
    def _headed(event: Event, head: Mapping[str, Any]) -> Event:
        found = {**event.attributes, **head}
        return Event(
            event.device_id, event.kind, event.type, event.observed_at, event.fix, event.vitals, event.battery_pct,
            event.ref, event.buffered, attributes=found, key=event.key,
        )  # fmt: skip

    def _key(self, kind: str, mark: str, when: datetime | None, more: str = "") -> str:
        """With a time, the time; without, the stretch of arrival (alarms only: a switch that stays on comes again)."""
        at = window(self.uplink.received_at, _WINDOW_S) if when is None else when.isoformat()
        return event_key(self.family, self.device_id, kind, mark, at, more)


def _switch(name: str) -> str | None:
    """A property named like an alarm, such as `sos` or `fallDetected`."""
    found = ALARM_WORDS.get(folded(name)) or alarm_type(name)
    if found is None:
        found = alarm_of(name)
        return None if found == UNKNOWN_TYPE else found
    return found
