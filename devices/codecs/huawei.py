"""Huawei Cloud IoTDA: device topics `$oc/devices/{id}/…` and the platform's push (docs/wire/huawei.md).

`services` is a list of `{"service_id", "properties", "event_time"}`; events have `event_type` and `paras` instead; a
gateway lists `devices` with services each. Times are `yyyyMMddTHHmmssZ` or extended ISO 8601, UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from devices.codecs.json_body import MAX_EVENTS, as_list, as_object, device_name, read_body, word
from devices.codecs.thing_model import Thing
from devices.fields import clean_text, extras, show
from devices.model import Decoded, DeviceRef, Event, Uplink

__all__ = ["HuaweiCodec"]

_TOPIC = re.compile(r"\$oc/devices/([^/]{1,256})/(.{1,200})")
_ALARM_NAMES = ("alarm_type", "alarm_name", "name", "identifier", "event_type", "type")
_ONLINE = {"online": True, "offline": False, "abnormal": False, "inactive": False, "frozen": False}


class HuaweiCodec:
    """The codec of family `huawei`."""

    family = "huawei"

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        """Events of one report or push."""
        sent, error = read_body(uplink.payload)
        if error is None and not isinstance(sent, dict):
            error = f"an object was expected, not {show(sent)}"
        if error is not None:
            return Decoded() if uplink.topic and not uplink.payload.strip() else Decoded(error=error)
        topic = _TOPIC.fullmatch(uplink.topic)
        push = as_object(sent.get("notify_data"))
        header, body = as_object(push.get("header")), as_object(push.get("body")) if push else sent
        names = (header.get("device_id"), topic[1] if topic else None, body.get("device_id"), header.get("node_id"))
        name = next((name for name in names if isinstance(name, str) and name), uplink.topic or "huawei")
        thing = Thing("huawei", device.device_id or device_name(name), device.profile, uplink)
        at = sent.get("event_time_ms", sent.get("event_time"))
        found: list[Event] = []
        for one in as_list(body.get("devices"), 100):
            sub = as_object(one)
            sub_name = sub.get("device_id")
            if device.device_id or not isinstance(sub_name, str) or not sub_name:
                found += _device(
                    Thing("huawei", thing.device_id, device.profile, uplink, {"sub_device": show(sub_name).strip("'")}),
                    sub,
                    at,
                )
            else:
                found += _device(Thing("huawei", device_name(sub_name), device.profile, uplink), sub, at)
        found += _device(thing, body, at)
        if not found:
            status = word(body.get("status"))
            if status in _ONLINE:
                when = body.get("last_online_time") if status == "online" else None
                found = [thing.online(_ONLINE[status], body.get("status_update_time", when) or at, status=status)]
            elif "result_code" in body or (topic and "/response/" in topic[2]):
                ref = topic[2].rpartition("request_id=")[2] if topic else ""
                answer = extras(body, (), 8)
                found = [thing.event("reply", answer, ref=clean_text(ref, 64) or None)]
            elif (
                "alarm" in (what_of := show(sent.get("resource")).lower()) or "alarm" in show(sent.get("event")).lower()
            ):
                # the platform's own alarm: named by its body, else by the resource it is pushed as
                named = next((body[name] for name in _ALARM_NAMES if isinstance(body.get(name), str)), what_of)
                found = thing.happened(clean_text(named, 64).strip("'"), dict(body), at, "alarm")
            else:
                content = as_object(body.get("content")) or as_object(body.get("message"))
                bag = thing.properties(content, at) if content else []
                what = {"resource": show(sent.get("resource")).strip("'"), "body": extras(body, (), 16)}
                found = bag or [thing.event("unsupported", what)]
        return Decoded(tuple(found[:MAX_EVENTS]))


def _device(thing: Thing, body: Mapping[str, Any], default_at: object) -> list[Event]:
    """The services of one device; properties of one moment are told together, whichever service they belong to."""
    bags: dict[str, tuple[object, dict[str, Any]]] = {}
    found: list[Event] = []
    for service in map(as_object, as_list(body.get("services"), 100)):
        at = service.get("event_time") or service.get("eventTime") or default_at
        kind = service.get("event_type", service.get("eventType"))
        fields = (
            as_object(service.get("paras")) or as_object(service.get("properties")) or as_object(service.get("data"))
        )
        if isinstance(kind, str) and kind:
            found += thing.happened(kind, fields, at)
        elif fields:
            bag = bags.setdefault(show(at), (at, {}))[1]
            # the same name in two services is two properties: the second keeps its service
            bag |= {
                name if name not in bag else f"{show(service.get('service_id'))}.{name}": v
                for name, v in fields.items()
            }
    for at, bag in bags.values():
        found += thing.properties(bag, at)
    return found
