"""What goes into a codec and what comes out of it. Plain values: no I/O, no clock.

A codec turns one `Uplink` (bytes a device sent, and when they arrived) into a `Decoded`: canonical events, the replies
the device must get, or the reason why nothing could be made of it.

They are structs, not dataclasses: several are made of each message, and a frozen dataclass takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

from msgspec import Struct, field

__all__ = [
    "KINDS",
    "Codec",
    "Decoded",
    "DeviceRef",
    "Event",
    "EventKind",
    "Fix",
    "FixSource",
    "Reply",
    "Uplink",
    "Vitals",
]

EventKind = Literal["alarm", "vitals", "location", "activity", "status", "reply", "heartbeat", "unsupported"]
KINDS: tuple[EventKind, ...] = (
    "alarm",
    "vitals",
    "location",
    "activity",
    "status",
    "reply",
    "heartbeat",
    "unsupported",
)

FixSource = Literal["gnss", "wifi", "cell", "beacon", "manual", "last_known"]

Vitals = Mapping[str, float]
"""Metric name (care/v1 field name with its unit, such as `heart_rate_bpm`) to value; absent means not measured."""


class Fix(Struct, frozen=True):
    """A position, WGS-84 degrees. `accuracy_m` is None where the device did not say."""

    lat: float
    lon: float
    accuracy_m: float | None = None
    source: FixSource = "gnss"
    observed_at: datetime | None = None


class DeviceRef(Struct, frozen=True):
    """What a codec may know of the device: its id, its family and its profile (data: polarity, code table, units)."""

    device_id: str
    family: str = "care"
    profile: Mapping[str, Any] = field(default_factory=dict)


class Uplink(Struct, frozen=True):
    """One message as it arrived.

    `topic` is the MQTT topic, or "" for a frame of a TCP stream. `received_at` is the hub's clock.
    """

    payload: bytes
    received_at: datetime
    topic: str = ""
    retained: bool = False


class Event(Struct, frozen=True):
    """A canonical event (contract: "Canonical event").

    `type` is set for alarms only. `observed_at` is the device's clock (None: it gave none). `key` is the protocol's own
    de-duplication key; two events with one key are one event sent twice; None: the payload carries no key of its own.
    `buffered` marks a record stored on the device and sent later: it never raises "now".
    """

    device_id: str
    kind: EventKind
    type: str | None = None
    observed_at: datetime | None = None
    fix: Fix | None = None
    vitals: Vitals = field(default_factory=dict)
    battery_pct: int | None = None
    ref: str | None = None
    buffered: bool = False
    test: bool = False
    note: str | None = None
    cancels: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None


class Reply(Struct, frozen=True):
    """What must be sent back to the device.

    `topic` is "" on a TCP stream. `after_commit` is True where the reply promises that the message was taken: it may
    leave only after the events are durable.
    """

    payload: bytes
    topic: str = ""
    after_commit: bool = True


class Decoded(Struct, frozen=True):
    """A codec's answer. `error` is None, or why the payload (or a part of it) could not be understood.

    `events` may be filled beside an `error`: what could be understood is never thrown away.
    """

    events: tuple[Event, ...] = ()
    replies: tuple[Reply, ...] = ()
    error: str | None = None


class Codec(Protocol):
    """One family's decoder. Never raises, whatever the bytes; bounded time and memory."""

    family: str

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded: ...
