"""`care/v1`, the hub's own wire (docs/wire/care-v1.md): MQTT topic and JSON body to canonical events and answers.

What decides here:
- the topic says who speaks and on which channel; nothing in the body can say otherwise;
- an alarm stands whatever is wrong beside it; the fault is noted in `attributes["faults"]`;
- `received` is an answer like any other protocol's: it is among the replies, marked `after_commit`;
- a record without a usable time has no key of its own, nor has an alarm without `ref`: only MQTT's DUP tells a repeat.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from devices.alarm_types import CANCEL, UNKNOWN_TYPE, alarm_type
from devices.codecs.care_fix import read_fix
from devices.commands import ack_reply
from devices.fields import METRICS, Faults, battery, clean_text, extras, metric, number, show, utc_time
from devices.model import Decoded, DeviceRef, Event, Reply, Uplink
from devices.topics import parse_up

__all__ = ["MAX_ITEMS", "CareCodec"]

MAX_ITEMS = 500
"""Records one uplink may carry."""

_LIVE = timedelta(minutes=2)  # an alarm in an array that is younger was pressed while the network came back: it is now
_EPOCH_2001 = 978_307_200
_REF_LIMIT = 64
_ECHO_LIMIT = 256  # a ref that is too long is still echoed, so that its device stops repeating

_JSON = msgspec.json.Decoder()
_RAW_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_BLANK = b" \t\r\n"


class _Record(msgspec.Struct):
    """One JSON object and what is known of it from outside its body. `raw` is what its digest is taken of."""

    device_id: str
    channel: str
    body: dict[str, Any]
    raw: bytes | msgspec.Raw
    received_at: datetime
    in_array: bool
    retained: bool

    def buffered(self, default: bool) -> bool:
        said = self.body.get("buffered")
        return (said if isinstance(said, bool) else default) or self.retained

    def attributes(self, faults: Faults) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if faults:
            found["faults"] = faults
        if self.retained:
            found["retained"] = True
        return found

    def key(self, observed_at: datetime | None) -> str | None:
        """Telemetry: device, channel, time and a digest of the record as sent."""
        if observed_at is None:
            return None
        digest = blake2b(self.raw, digest_size=12).hexdigest()
        return f"care/{self.channel}/{self.device_id}/{int(observed_at.timestamp() * 1000)}/{digest}"


class CareCodec:
    """The codec of family `care`."""

    family = "care"

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        """Events and answers of one MQTT message. `device` adds nothing: the topic names the sender."""
        del device
        topic = parse_up(uplink.topic)
        if topic is None:
            return Decoded(error=f"topic {show(uplink.topic)} is not care/v1/{{device_id}}/up/{{channel}}")
        read = _READERS.get(topic.channel, _unsupported)
        if topic.channel == "status" and not uplink.payload:
            return Decoded()  # a retained last will being wiped: nothing was said
        records, in_array, error = _parse(uplink.payload)
        if error is not None:
            return Decoded(replies=(_rejected(topic.device_id, error),), error=error)

        if not in_array:  # the common case, kept short
            value, raw = records[0]
            record = _Record(topic.device_id, topic.channel, value, raw, uplink.received_at, False, uplink.retained)
            event, reply = read(record)
            return Decoded((event,), () if reply is None else (reply,))

        events: list[Event] = []
        replies: list[Reply] = []
        errors: list[str] = []
        for index, (value, raw) in enumerate(records[:MAX_ITEMS]):
            if not isinstance(value, dict):
                errors.append(f"item {index}: an object was expected, not {show(value)}")
                replies.append(_rejected(topic.device_id, errors[-1]))
                continue
            record = _Record(topic.device_id, topic.channel, value, raw, uplink.received_at, True, uplink.retained)
            event, reply = read(record)
            events.append(event)
            if reply is not None:
                replies.append(reply)
        if len(records) > MAX_ITEMS:
            errors.append(f"{len(records)} items: only the first {MAX_ITEMS} were taken")
            replies.append(_rejected(topic.device_id, errors[-1]))
        shown = "; ".join(errors[:3]) + (f"; and {len(errors) - 3} more" if len(errors) > 3 else "")
        return Decoded(tuple(events), tuple(replies), shown or None)


def _rejected(device_id: str, reason: str) -> Reply:
    return ack_reply(device_id, None, "rejected", reason)


# --- the body ---------------------------------------------------------------------------------------------------------

_Records = list[tuple[Any, bytes | msgspec.Raw]]


def _parse(payload: bytes) -> tuple[_Records, bool, str | None]:
    """The records of a body with their raw bytes, whether it was an array, and why it could not be read."""
    try:
        if payload[:1] == b"{":
            return [(_JSON.decode(payload), payload)], False, None
        if payload.lstrip(_BLANK)[:1] == b"[":
            return [(_JSON.decode(item), item) for item in _RAW_ITEMS.decode(payload)], True, None
        value = _JSON.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as strict:
        return _parse_leniently(payload, str(strict))
    if isinstance(value, dict):
        return [(value, payload)], False, None
    return [], False, f"an object or an array was expected, not {show(value)}"


def _parse_leniently(payload: bytes, strict_reason: str) -> tuple[_Records, bool, str | None]:
    """What small firmwares get wrong and mean no harm by: a closing NUL, a byte order mark, NaN, GB 18030 text."""
    trimmed = payload.removeprefix(b"\xef\xbb\xbf").strip(_BLANK + b"\x00")
    for encoding in ("utf-8", "gb18030"):
        try:
            value = json.loads(trimmed.decode(encoding))
            if isinstance(value, dict):
                return [(value, payload)], False, None
            if isinstance(value, list):
                return [(item, _bytes_of(item)) for item in value], True, None
        except (ValueError, RecursionError):
            continue
    return [], False, f"not JSON: {strict_reason}" if trimmed else "an empty body"


def _bytes_of(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode("ascii")


# --- channels ---------------------------------------------------------------------------------------------------------


def _time(record: _Record, faults: Faults) -> datetime | None:
    return utc_time(record.body.get("observed_at"), faults)


_ALARM_FIELDS = frozenset(
    {"ref", "type", "observed_at", "fix", "battery_pct", "test", "note", "cancels", "buffered", "device_id"}
)


def _alarm(record: _Record) -> tuple[Event, Reply | None]:
    body, faults = record.body, Faults()
    observed_at = _time(record, faults)
    attributes: dict[str, Any] = {}
    sent = body.get("type")
    found = alarm_type(sent) if isinstance(sent, str) else None
    if found is None:
        attributes["code"] = clean_text(sent, 64) if isinstance(sent, str) else None
        faults["type"] = "missing" if sent is None else f"{show(sent)} is not an alarm type"
    ref, echo = _reference(body.get("ref"), faults)
    fix = read_fix(body.get("fix"), faults, attributes)
    level = battery(body.get("battery_pct"), faults)
    test = body.get("test")
    if test is not None and not isinstance(test, bool):
        faults["test"] = f"{show(test)} is not true or false: taken for a real alarm"
    cancels = _text(body, "cancels", faults, _REF_LIMIT)
    if found == CANCEL and cancels is None:
        faults.setdefault("cancels", "missing")
    more = extras(body, _ALARM_FIELDS)
    if more:
        attributes["extra"] = more
    late = observed_at is not None and record.received_at - observed_at > _LIVE
    event = Event(
        device_id=record.device_id,
        kind="alarm",
        type=found or UNKNOWN_TYPE,
        observed_at=observed_at,
        fix=fix,
        battery_pct=level,
        ref=ref,
        buffered=record.buffered(record.in_array and late),
        test=test is True,
        note=_text(body, "note", faults),
        cancels=cancels,
        attributes=attributes | record.attributes(faults),
        key=_alarm_key(record.device_id, echo, found or sent, observed_at, body.get("observed_at"), test=test is True),
    )
    return event, ack_reply(record.device_id, echo, "received")


def _reference(sent: object, faults: Faults) -> tuple[str | None, str | None]:
    """The `ref` to keep and the one to echo."""
    if isinstance(sent, int | float) and not isinstance(sent, bool):
        faults["ref"] = "a number: taken as text"
        sent = show(sent)
    if sent is None or sent == "":
        faults["ref"] = "missing"
        return None, None
    if not isinstance(sent, str):
        faults["ref"] = f"{show(sent)} is not text"
        return None, None
    if len(sent) > _REF_LIMIT:
        faults["ref"] = f"{len(sent)} characters: cut to {_REF_LIMIT}"
    return clean_text(sent, _REF_LIMIT), clean_text(sent, _ECHO_LIMIT)


def _alarm_key(
    device_id: str, ref: str | None, sent_type: Any, at: datetime | None, sent_at: Any, *, test: bool
) -> str | None:
    """Device, ref, type, time. A time that cannot be read still tells two presses apart, so it stands for itself.

    A test has keys of its own: it must never make the real press behind it look like a repeat.
    """
    if at is not None:
        time = at.isoformat()
    elif isinstance(sent_at, str) and sent_at and not sent_at.startswith(("0", "19", "2000")):
        time = f"?{clean_text(sent_at, 64)}"
    elif (epoch := number(sent_at)) is not None and epoch > _EPOCH_2001:
        time = f"?{epoch}"
    else:  # no time, or a clock that was never set: with a counter that restarts, the next press would look the same
        return None
    if ref is None:
        return None
    told = [ref, show(sent_type) if not isinstance(sent_type, str) else clean_text(sent_type), time]
    parts = json.dumps([*told, "test"] if test else told)
    return f"care/alarm/{device_id}/{blake2b(parts.encode('ascii'), digest_size=16).hexdigest()}"


def _vitals(record: _Record) -> tuple[Event, Reply | None]:
    faults: Faults = {}
    vitals: dict[str, float] = {}
    level: int | None = None
    worn: bool | None = None
    for name, value in record.body.items():
        if name in METRICS:
            found = metric(name, value, faults)
            if found is not None:
                vitals[name] = found
        elif name == "battery_pct":
            level = battery(value, faults)
        elif name == "wearing" and value is not None:
            if isinstance(value, bool):
                worn = value
            else:
                faults["wearing"] = f"{show(value)} is not true or false"
    if worn is not None:
        if not worn:  # what a sensor sends from a bedside table is a placeholder
            for name in [name for name in vitals if name != "steps"]:
                faults[name] = f"{show(vitals.pop(name))}: not worn"
        vitals["wearing"] = float(worn)
    observed_at = _time(record, faults)
    return Event(
        device_id=record.device_id,
        kind="vitals",
        observed_at=observed_at,
        vitals=vitals,
        battery_pct=level,
        buffered=record.buffered(record.in_array),
        attributes=record.attributes(faults),
        key=record.key(observed_at),
    ), None


def _location(record: _Record) -> tuple[Event, Reply | None]:
    faults, attributes = Faults(), dict[str, Any]()
    observed_at = _time(record, faults)
    sent = record.body.get("fix")
    fix = read_fix(sent, faults, attributes)
    if sent is None:
        faults["fix"] = "missing"
    return Event(
        device_id=record.device_id,
        kind="location",
        observed_at=observed_at,
        fix=fix,
        battery_pct=battery(record.body.get("battery_pct"), faults),
        buffered=record.buffered(record.in_array),
        attributes=attributes | record.attributes(faults),
        key=record.key(observed_at),
    ), None


def _activity(record: _Record) -> tuple[Event, Reply | None]:
    faults: Faults = {}
    observed_at = _time(record, faults)
    state = _text(record.body, "state", faults, 64)
    if state is None:
        faults.setdefault("state", "missing")
    return Event(
        device_id=record.device_id,
        kind="activity",
        observed_at=observed_at,
        battery_pct=battery(record.body.get("battery_pct"), faults),
        buffered=record.buffered(record.in_array),
        attributes={"state": state} | record.attributes(faults),
        key=record.key(observed_at),
    ), None


def _status(record: _Record) -> tuple[Event, Reply | None]:
    body, faults = record.body, Faults()
    attributes: dict[str, Any] = {}
    for word in ("online", "charging"):
        said = body.get(word)
        if isinstance(said, bool):
            attributes[word] = said
        elif said is not None:
            faults[word] = f"{show(said)} is not true or false"
    rssi = body.get("rssi_dbm")
    if isinstance(rssi, int | float) and not isinstance(rssi, bool) and -200 <= rssi < 0:
        attributes["rssi_dbm"] = rssi
    elif rssi not in (None, 0, ""):
        faults["rssi_dbm"] = f"{show(rssi)} is not a signal strength in dBm"
    firmware = _text(body, "firmware", faults, 64)
    if firmware is not None:
        attributes["firmware"] = firmware
    level = battery(body.get("battery_pct"), faults)
    # A last will was written at connect time, so it has no time of its own: absent is right here.
    observed_at = _time(record, faults) if "observed_at" in body else None
    event = Event(
        device_id=record.device_id,
        kind="status",
        observed_at=observed_at,
        battery_pct=level,
        # A retained status is the state that holds, not an old record: no `record.buffered` here.
        buffered=record.in_array,
        attributes=attributes | record.attributes(faults),
        key=record.key(observed_at),
    )
    return event, None


_REPLY_FIELDS = frozenset({"id", "observed_at", "buffered"})


def _reply(record: _Record) -> tuple[Event, Reply | None]:
    body, faults = record.body, Faults()
    observed_at = _time(record, faults) if "observed_at" in body else None
    sent = body.get("id")
    ref = clean_text(sent if isinstance(sent, str) else show(sent), _REF_LIMIT) if sent not in (None, "") else None
    if ref is None:
        faults["id"] = "missing"
    attributes = extras(body, _REPLY_FIELDS) | record.attributes(faults)
    event = Event(
        device_id=record.device_id,
        kind="reply",
        observed_at=observed_at,
        ref=ref,
        buffered=record.buffered(record.in_array),
        attributes=attributes,
        key=record.key(observed_at),
    )
    return event, None


def _unsupported(record: _Record) -> tuple[Event, Reply | None]:
    attributes = {"channel": record.channel, "body": extras(record.body, ())} | record.attributes({})
    return Event(device_id=record.device_id, kind="unsupported", attributes=attributes), None


def _text(body: Mapping[str, Any], name: str, faults: Faults, limit: int = 2000) -> str | None:
    value = body.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return clean_text(value, limit)
    faults[name] = f"{show(value)} is not text"
    return None


_READERS: Mapping[str, Callable[[_Record], tuple[Event, Reply | None]]] = {
    "alarm": _alarm,
    "vitals": _vitals,
    "location": _location,
    "activity": _activity,
    "status": _status,
    "reply": _reply,
}
