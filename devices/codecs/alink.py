"""Alink JSON, the thing model of Alibaba Cloud IoT: device side and server-side push (docs/wire/alink.md).

Device side `{"id", "version", "params", "method"}` on `/sys/{product}/{device}/thing/…`, answered on the topic with
`_reply` appended unless `sys.ack` is 0. The push has `items`, or an event's `identifier` and `value`, and the device in
its body. Times are milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from devices.codecs.json_body import MAX_EVENTS, as_object, device_name, read_body, word
from devices.codecs.thing_envelope import ThingTopic, events_of, identifier_of, packed, thing_topic
from devices.codecs.thing_model import Thing, stamped
from devices.fields import clean_text, extras, show
from devices.model import Decoded, DeviceRef, Event, Reply, Uplink

__all__ = ["AlinkCodec"]

_ONLINE = {"online": True, "offline": False}


class AlinkCodec:
    """The codec of family `alink`."""

    family = "alink"

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        """Events of one post or push, and the answer a device's own post must get."""
        body, error = read_body(uplink.payload)
        if error is None and not isinstance(body, dict):
            error = f"an object was expected, not {show(body)}"
        if error is not None:
            return Decoded() if uplink.topic and not uplink.payload.strip() else Decoded(error=error)
        topic = thing_topic(uplink.topic)
        sent_name = body.get("deviceName")
        name = sent_name if isinstance(sent_name, str) and sent_name else topic.device or _of_status(uplink.topic)
        thing = Thing("alink", device.device_id or device_name(name), device.profile, uplink)

        def named(identity: Mapping[str, Any]) -> Thing:
            sub = identity.get("deviceName")
            if device.device_id:  # filed under the device that spoke; the one behind it stays visible
                return Thing("alink", device.device_id, device.profile, uplink, {"sub_device": show(sub).strip("'")})
            return Thing("alink", device_name(sub) if isinstance(sub, str) else thing.device_id, device.profile, uplink)

        if topic.path.endswith("_reply") or ("code" in body and "params" not in body and "items" not in body):
            return Decoded((_answer(thing, body),))
        found = _read(thing, body, topic, named)
        replies = _replies(uplink.topic, body, topic)
        if found is None:
            what = {
                "method": show(body.get("method")),
                "path": clean_text(topic.path, 128),
                "body": extras(body, (), 16),
            }
            return Decoded((thing.event("unsupported", what),), replies)
        return Decoded(tuple(found[:MAX_EVENTS]), replies)


def _of_status(topic: str) -> str:
    """`/as/mqtt/status/{product}/{device}` names its device at its end."""
    parts = topic.split("/")
    return parts[-1] if "status" in parts and len(parts) > 2 else topic or "alink"


def _answer(thing: Thing, body: Mapping[str, Any]) -> Event:
    ref = body.get("id")
    found = {"ack": body.get("code") in (200, "200"), **extras(body, ("id", "data"), 8)}
    return thing.event("reply", found, ref=clean_text(str(show(ref)).strip("'"), 64) if ref not in (None, "") else None)


def _read(thing: Thing, body: Mapping[str, Any], topic: ThingTopic, named: Any) -> list[Event] | None:
    status = word(body.get("status"))
    if status in _ONLINE and "params" not in body and "items" not in body:
        at = next((body[name] for name in ("utcTime", "timestamp", "gmtCreate") if body.get(name)), None)
        return [thing.online(_ONLINE[status], at)]
    path, method = topic.path, body.get("method") if isinstance(body.get("method"), str) else ""
    identifier = body.get("identifier")
    if isinstance(identifier, str) and identifier and "params" not in body and "items" not in body:
        return thing.happened(identifier, body.get("value"), body.get("time", body.get("gmtCreate")), body.get("type"))
    if isinstance(body.get("items"), dict):
        return thing.properties(body["items"], body.get("gmtCreate"))
    params = body.get("params")
    how = f"{path} {method}"
    if "history" in how:
        return packed(params, named, thing, stored=True)
    if "pack" in how or "batch" in how or (isinstance(params, dict) and params.keys() & {"subDevices"}):
        return packed(params, named, thing)
    if "property/post" in how or "property.post" in how:
        return thing.properties(as_object(params)) if isinstance(params, dict) else None
    name = identifier_of(path) or _of_method(str(method))
    if name:
        fields = as_object(params)
        value, at = stamped(fields)
        return thing.happened(name, value if "value" in fields else params, at, fields.get("type"))
    if isinstance(params, dict) and "event" in how:
        return events_of(thing, params)
    return None


def _of_method(method: str) -> str:
    parts = method.split(".")
    return clean_text(parts[2], 64) if len(parts) >= 4 and parts[:2] == ["thing", "event"] else ""


def _replies(topic: str, body: Mapping[str, Any], parts: ThingTopic) -> tuple[Reply, ...]:
    """The device's own posts are answered, by their id; pushes of the platform are not."""
    sent = body.get("id")
    if (
        not topic.startswith("/sys/")
        or not parts.path.startswith("event/")
        or not isinstance(sent, str | int)
        or sent == ""
    ):
        return ()
    if as_object(body.get("sys")).get("ack") in (0, "0"):
        return ()
    answer = {
        "code": 200,
        "data": {},
        "id": clean_text(str(show(sent)).strip("'"), 64),
        "message": "success",
        "method": clean_text(body["method"], 128) if isinstance(body.get("method"), str) else "",
        "version": "1.0",
    }
    return (Reply(json.dumps(answer).encode("ascii"), f"{topic}_reply"),)
