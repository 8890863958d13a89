"""The mixed lane: makers' topics, on which alarms and telemetry come together (gateways for sensors, phones, robots).

One connection with a fixed client id, run by whichever hub has the lead, never a shared subscription: alarms come by
it. Which topics belong to which family is a setting. Messages are decoded on arrival, because only what is in them
tells whose they are; the lane waits for no company, so an alarm leaves for its transaction at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from devices import FAMILIES, DeviceRef, Uplink
from devices.codecs.zigbee2mqtt import Zigbee2MqttCodec
from devices.maker_topics import filters_of, topic_device
from devices.topics import is_device_id
from hub.bridge.delivery import Delivery, Route
from hub.errors import UnavailableError
from hub.ports.records import Incoming

__all__ = ["MIXED_CLIENT_ID", "NoteSensors", "mixed_filters", "mixed_route"]

MIXED_CLIENT_ID = "hub-mixed"

NoteSensors = Callable[[str, bytes], object]
"""Takes a gateway's list of its sensors: the gateway's device id, and the body of its message."""

_BRIDGE_LIST = "bridge/devices"

_log = logging.getLogger(__name__)


def mixed_filters(topics: Mapping[str, str]) -> list[str]:
    """What the lane subscribes, of `topics` (prefix to family)."""
    return [topic_filter for prefix, family in topics.items() for topic_filter in filters_of(family, prefix)]


def mixed_route(topics: Mapping[str, str], note_sensors: NoteSensors | None = None) -> Route:
    """Deliveries of makers' topics as uplinks of the family their prefix belongs to; the longest prefix decides."""
    prefixes = sorted(topics, key=len, reverse=True)

    def route(delivery: Delivery, dup: bool) -> Incoming:
        message = delivery.message
        topic = message.topic
        prefix = next((one for one in prefixes if topic == one or topic.startswith(f"{one}/")), None)
        family = topics[prefix] if prefix is not None else ""
        uplink = Uplink(message.payload, delivery.received_at, topic, message.retain)
        device_id = _whose(family, uplink, prefix) if prefix is not None else ""
        if (
            note_sensors is not None
            and family == Zigbee2MqttCodec.family
            and topic == f"{prefix}/{_BRIDGE_LIST}"
            and device_id
        ):
            _note(note_sensors, device_id, message.payload)
        return Incoming(uplink, device_id, family, "mixed", dup, number=message.mid)

    return route


def _whose(family: str, uplink: Uplink, prefix: str) -> str:
    """The device a message is filed under; "" where nothing in it tells that."""
    named = topic_device(family, prefix, uplink.topic)
    if named is not None and is_device_id(named):
        return named
    try:
        decoded = FAMILIES[family].codec.decode(uplink, DeviceRef("", family))
    except Exception:
        _log.exception("a message on %s could not be decoded", uplink.topic)
        return ""
    ids = {event.device_id for event in decoded.events if is_device_id(event.device_id)}
    # Several devices in one message of an unnamed gateway: filed under its family's, each named in the attributes.
    return next(iter(ids)) if len(ids) == 1 else f"{family}:gateway" if ids else ""


def _note(note: NoteSensors, device_id: str, payload: bytes) -> None:
    try:
        note(device_id, payload)
    except UnavailableError as error:
        _log.warning("%s: its list of sensors could not be kept: %s", device_id, error.detail)
    except Exception:
        _log.exception("%s: its list of sensors could not be kept", device_id)
