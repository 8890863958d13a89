"""OneNET (China Mobile): OneJSON of devices and the platform's HTTP push (docs/wire/onenet.md).

Device side `{"id", "version", "params"}` on `$sys/{product}/{device}/thing/{property|event|pack|history}/post`,
answered on `…/reply`. The push is `{"messageType": "notify", "notifyType", "data"}`, or (older) `{"msg", "nonce",
"signature"}`, msg also as text. Events are keyed by identifier, several in one message. Times are milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from devices.codecs.json_body import MAX_EVENTS, as_object, device_name, read_body, word
from devices.codecs.thing_envelope import events_of, packed, thing_topic
from devices.codecs.thing_model import Thing
from devices.fields import clean_text, extras, show
from devices.model import Decoded, DeviceRef, Event, Reply, Uplink

__all__ = ["OneNetCodec"]


class OneNetCodec:
    """The codec of family `onenet`."""

    family = "onenet"

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        """Events of one post or push, and the answer a device's own post must get."""
        body, error = read_body(uplink.payload)
        if error is not None:
            return Decoded() if uplink.topic and not uplink.payload.strip() else Decoded(error=error)
        gathered = _gathered(body)
        if gathered is None:
            if not isinstance(body, dict):
                return Decoded(error=f"an object was expected, not {show(body)}")
            return _one(as_object(body.get("msg")) or body, uplink, device)
        all_of = [
            _one(one, uplink, device) if isinstance(one, dict) else Decoded(error=f"{show(one)} is not an object")
            for one in gathered[:MAX_EVENTS]
        ]
        events = [event for one in all_of for event in one.events]
        errors = [one.error for one in all_of if one.error is not None][:3]
        if max(len(gathered), len(events)) > MAX_EVENTS:
            errors.append(f"{len(gathered)} messages: only {MAX_EVENTS} events were taken")
        return Decoded(tuple(events[:MAX_EVENTS]), (), "; ".join(errors) or None)


def _gathered(body: Any) -> list[Any] | None:
    """What the platform gathered over a while: a list, or `msg` as one (also as text); None where it is one message."""
    sent = body.get("msg") if isinstance(body, dict) else body
    if isinstance(sent, str) and sent.lstrip()[:1] == "[":
        sent, _ = read_body(sent.encode("utf-8", "replace"))
    return sent if isinstance(sent, list) else None


def _one(body: Mapping[str, Any], uplink: Uplink, device: DeviceRef) -> Decoded:
    topic = thing_topic(uplink.topic)
    names = [body.get("deviceName"), topic.device, body.get("device_name"), body.get("imei"), body.get("dev_name")]
    names += [body.get("deviceId"), body.get("dev_id"), uplink.topic or "onenet"]
    name = next(name for name in names if isinstance(name, str | int) and not isinstance(name, bool) and name)
    thing = Thing("onenet", device.device_id or device_name(name), device.profile, uplink)

    def named(identity: Mapping[str, Any]) -> Thing:
        sub = identity.get("deviceName")
        if device.device_id:
            return Thing("onenet", device.device_id, device.profile, uplink, {"sub_device": show(sub).strip("'")})
        return Thing("onenet", device_name(sub) if isinstance(sub, str) else thing.device_id, device.profile, uplink)

    replies = _replies(uplink.topic, topic.path, body)
    if topic.path.endswith("reply") or ("code" in body and "params" not in body and "data" not in body):
        ref = body.get("id")
        text = clean_text(str(show(ref)).strip("'"), 64) if ref not in (None, "") else None
        found: list[Event] | None = [thing.event("reply", {"ack": body.get("code") in (200, "200")}, ref=text)]
    elif "notifyType" in body or "messageType" in body:
        found = _push(thing, body)
    elif "type" in body and body.keys() & {"dev_id", "dev_name", "imei", "ds_id"}:
        found = _older(thing, body)
    else:
        found = _post(thing, topic.path, body, named)
    if found is None:
        what = {"path": clean_text(topic.path, 128), "body": extras(body, (), 16)}
        return Decoded((thing.event("unsupported", what),), replies)
    return Decoded(tuple(found[:MAX_EVENTS]), replies)


def _post(thing: Thing, path: str, body: Mapping[str, Any], named: Any) -> list[Event] | None:
    params = body.get("params")
    if not isinstance(params, dict | list) or path.endswith(("/set", "/get", "/invoke")):  # what a device is told
        return None
    what = path.split("/")[0]
    if what == "history":
        return packed(params, named, thing, stored=True)
    if what in ("pack", "sub"):
        return packed(params, named, thing)
    if what == "event":
        return events_of(thing, params)
    if what == "property" or not path:
        return thing.properties(as_object(params))
    return None


def _push(thing: Thing, body: Mapping[str, Any]) -> list[Event] | None:
    fields = as_object(body.get("data"))
    what = word(body.get("notifyType"))
    status = word(fields.get("status"))
    if status in ("online", "offline"):
        return [thing.online(status == "online", fields.get("time", body.get("time")))]
    params = as_object(fields.get("params")) or {
        name: value for name, value in fields.items() if name not in ("id", "version", "time", "status")
    }
    at = fields.get("time", body.get("time"))
    if not params:
        return None
    if what == "event":
        identifier = fields.get("identifier")
        if isinstance(identifier, str) and identifier:
            return thing.happened(identifier, fields.get("value", fields.get("params")), at, fields.get("eventType"))
        return events_of(thing, params, at=at)
    if what in ("property", "datapoint", "properties"):
        return thing.properties(params, at)
    return None


def _older(thing: Thing, body: Mapping[str, Any]) -> list[Event] | None:
    """The push before thing models: type 1 a data point, 2 and 5 the device coming and going."""
    kind = str(show(body["type"])).strip("'")
    if kind in ("2", "5") and body.get("status") in (0, 1, "0", "1"):
        return [thing.online(body["status"] in (1, "1"), body.get("at"))]
    name = body.get("ds_id", body.get("datastream"))
    if kind == "1" and isinstance(name, str):
        return thing.properties({name: body.get("value")}, body.get("at"))
    return None


def _replies(topic: str, path: str, body: Mapping[str, Any]) -> tuple[Reply, ...]:
    sent = body.get("id")
    if not topic.startswith("$sys/") or not path.endswith("/post") or not isinstance(sent, str | int) or sent == "":
        return ()
    answer = {"id": clean_text(str(show(sent)).strip("'"), 64), "code": 200, "msg": "success"}
    return (Reply(json.dumps(answer).encode("ascii"), f"{topic}/reply"),)
