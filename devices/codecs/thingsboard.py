"""ThingsBoard's device and gateway API over MQTT (docs/wire/thingsboard.md).

`v1/devices/me/telemetry`: `{name: value}`, `{"ts", "values"}` or a list of either; `…/attributes`;
`v1/gateway/telemetry` and `…/attributes`: the same under each device's name; `v1/gateway/connect` and `…/disconnect`.
Times are milliseconds. There are no events: an alarm is a property that is on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from devices.codecs.json_body import MAX_EVENTS, as_object, device_name, read_body
from devices.codecs.thing_model import Thing
from devices.fields import Faults, clean_text, extras, show
from devices.model import Decoded, DeviceRef, Event, Uplink

__all__ = ["ThingsBoardCodec"]

_LATE = timedelta(minutes=2)


class ThingsBoardCodec:
    """The codec of family `thingsboard`."""

    family = "thingsboard"

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        """Events of one upload; a gateway's names the devices behind it."""
        body, error = read_body(uplink.payload)
        if error is None and not isinstance(body, dict | list):
            error = f"an object or an array was expected, not {show(body)}"
        if error is not None:
            return Decoded() if uplink.topic and not uplink.payload.strip() else Decoded(error=error)
        topic = uplink.topic.strip("/")

        def thing(name: object = None) -> Thing:
            if name is None or not device.device_id:
                named = device_name(name if isinstance(name, str) and name else "me")
                return Thing("thingsboard", device.device_id or named, device.profile, uplink)
            # filed under the gateway that spoke; the device behind it stays visible
            context = {"sub_device": clean_text(name, 64) if isinstance(name, str) else show(name)}
            return Thing("thingsboard", device.device_id, device.profile, uplink, context)

        if topic.startswith("v1/gateway/"):
            found = _gateway(topic.removeprefix("v1/gateway/"), body, thing)
        elif "/rpc/" in topic or "/attributes/re" in topic:
            found = [_call(thing(), topic, as_object(body))]
        elif topic.endswith(("/attributes", "/telemetry")) or not topic:
            named = as_object(body).get("deviceName")
            found = _uploaded(thing(named if isinstance(named, str) and not device.device_id else None), body)
        else:
            found = [thing().event("unsupported", {"body": extras(as_object(body), (), 16)})]
        return Decoded(tuple(found[:MAX_EVENTS]))


def _gateway(channel: str, body: Any, thing: Any) -> list[Event]:
    fields = as_object(body)
    if channel in ("connect", "disconnect"):
        name = fields.get("device")
        return [thing(name).online(channel == "connect")] if isinstance(name, str) else [_odd(thing(), channel, fields)]
    if channel in ("telemetry", "attributes"):
        found: list[Event] = []
        for name, sent in list(fields.items())[:100]:
            found += _uploaded(thing(name), sent)
        return found or [_odd(thing(), channel, fields)]
    if channel == "rpc" and "id" in fields:
        return [thing(fields.get("device")).event("reply", extras(fields, ("id",), 8), ref=_ref(fields["id"]))]
    return [_odd(thing(), channel, fields)]


def _odd(thing: Thing, channel: str, fields: Mapping[str, Any]) -> Event:
    return thing.event("unsupported", {"channel": clean_text(channel, 64), "body": extras(fields, (), 16)})


def _ref(sent: object) -> str | None:
    return clean_text(str(show(sent)).strip("'"), 64) or None


def _call(thing: Thing, topic: str, body: Mapping[str, Any]) -> Event:
    """A call is what the platform tells a device; its response is the device's answer."""
    ref = _ref(topic.rsplit("/", 1)[-1])
    if "/rpc/response/" in topic or ("/rpc/request/" not in topic and "method" not in body):
        return thing.event("reply", extras(body, (), 16), ref=ref)
    method = body.get("method")
    found: dict[str, Any] = {"channel": "rpc", **extras(body, ("method",), 8)}
    if isinstance(method, str):
        found["command"] = clean_text(method, 64)
    return thing.event("unsupported", found)


def _uploaded(thing: Thing, sent: object) -> list[Event]:
    """A list of records: the newest is now, those more than two minutes older were stored."""
    records = [as_object(one) for one in sent[:MAX_EVENTS]] if isinstance(sent, list) else [as_object(sent)]
    timed: list[tuple[object, Mapping[str, Any], datetime | None]] = []
    for record in records:
        stamped = isinstance(record.get("values"), dict)
        at = record.get("ts") if stamped else None
        timed.append((at, record["values"] if stamped else record, thing.time(at, Faults())))
    newest = max((when for _, _, when in timed if when is not None), default=None)
    found: list[Event] = []
    for at, values, when in timed:
        late = when is not None and newest is not None and newest - when > _LATE
        if values:
            found += thing.properties(values, at, stored=late)
    return found or [thing.event("heartbeat", {})]
