"""Devices as the hub understands them: bytes in, canonical events and answers out. Pure: no I/O, no clock, no logging.

`FAMILIES[name].codec.decode(uplink, device)` is the whole idea; docs/howto/add-a-device.md says how to add a family.
"""

from __future__ import annotations

from devices.alarm_types import ALARM_TYPES
from devices.codecs.watch_commands import watch_command, watch_content
from devices.commands import AckStatus, ack_reply, care_command, command_payload
from devices.frames import Framer
from devices.model import (
    KINDS,
    Codec,
    Decoded,
    DeviceRef,
    Event,
    EventKind,
    Fix,
    FixSource,
    Reply,
    Uplink,
    Vitals,
)
from devices.registry import FAMILIES, Family, UnknownFamilyError, family_of

__all__ = [
    "ALARM_TYPES",
    "FAMILIES",
    "KINDS",
    "AckStatus",
    "Codec",
    "Decoded",
    "DeviceRef",
    "Event",
    "EventKind",
    "Family",
    "Fix",
    "FixSource",
    "Framer",
    "Reply",
    "UnknownFamilyError",
    "Uplink",
    "Vitals",
    "ack_reply",
    "care_command",
    "command_payload",
    "family_of",
    "watch_command",
    "watch_content",
]
