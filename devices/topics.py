"""MQTT topics of `care/v1`: taking them apart, building them, and the filters the hub subscribes to."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, get_args

__all__ = [
    "ALARM_FILTER",
    "DEVICE_ID",
    "DOWN_CHANNELS",
    "TELEMETRY_FILTERS",
    "UP_CHANNELS",
    "CareTopic",
    "DownChannel",
    "UpChannel",
    "down_topic",
    "is_device_id",
    "parse_up",
    "shared",
    "up_topic",
]

UpChannel = Literal["alarm", "vitals", "location", "activity", "status", "reply"]
DownChannel = Literal["ack", "command"]
UP_CHANNELS: tuple[UpChannel, ...] = get_args(UpChannel)
DOWN_CHANNELS: tuple[DownChannel, ...] = get_args(DownChannel)

DEVICE_ID = re.compile(r"(?!hub-)[A-Za-z0-9_.:-]{1,64}")
"""What a device may be called; `hub-` is kept for the hub's own connections. Use with `fullmatch`."""

_UP = re.compile(r"care/v1/((?!hub-)[A-Za-z0-9_.:-]{1,64})/up/([A-Za-z0-9_.-]{1,32})")

ALARM_FILTER = "care/v1/+/up/alarm"
"""The alarm lane. Never a shared subscription: a member that is away would keep its share."""

TELEMETRY_FILTERS: tuple[str, ...] = tuple(f"care/v1/+/up/{channel}" for channel in UP_CHANNELS if channel != "alarm")
"""The telemetry lane; see `shared` for several workers."""


class CareTopic(NamedTuple):
    """An uplink topic taken apart. `channel` may be a word this version does not know."""

    device_id: str
    channel: str


def is_device_id(text: str) -> bool:
    """Whether `text` may name a device."""
    return DEVICE_ID.fullmatch(text) is not None


def parse_up(topic: str) -> CareTopic | None:
    """`care/v1/{device_id}/up/{channel}` taken apart; None where the topic is not of that form."""
    match = _UP.fullmatch(topic)
    return CareTopic(match[1], match[2]) if match else None


def _checked(device_id: str) -> str:
    if not is_device_id(device_id):
        raise ValueError(f"not a device id: {device_id!r} (1-64 of A-Z a-z 0-9 _ . : -, never beginning with hub-)")
    return device_id


def up_topic(device_id: str, channel: UpChannel) -> str:
    """Where a device publishes. ValueError: not a device id."""
    return f"care/v1/{_checked(device_id)}/up/{channel}"


def down_topic(device_id: str, channel: DownChannel) -> str:
    """Where a device is told something. ValueError: not a device id."""
    return f"care/v1/{_checked(device_id)}/down/{channel}"


def shared(group: str, topic_filter: str) -> str:
    """`topic_filter` as a shared subscription of `group` (telemetry only)."""
    return f"$share/{group}/{topic_filter}"
