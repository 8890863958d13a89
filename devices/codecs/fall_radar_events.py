"""How the dialects of family `fall_radar` make their events: times, keys, marks of a retained message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from devices.codecs.json_body import event_key, moment, window
from devices.fields import Faults
from devices.model import Event, EventKind, Uplink

__all__ = ["WINDOW_S", "Teller"]

WINDOW_S = 30.0
"""Repeats of a state that carries no time of its own are one alarm within so many seconds."""


class Teller:
    """Makes the events of one message of one device."""

    __slots__ = ("_uplink", "device_id", "faults", "observed_at")

    def __init__(self, device_id: str, uplink: Uplink) -> None:
        self.device_id = device_id
        self._uplink = uplink
        self.faults: Faults = {}
        self.observed_at: datetime | None = None

    def time(self, value: object) -> None:
        """Take the device's time for the events to come."""
        self.observed_at = moment(value, self.faults)

    def event(self, kind: EventKind, attributes: Mapping[str, Any], *, mark: str | None = None, **more: Any) -> Event:
        """An event. `mark` tells it from others of the same time; without a time of its own telemetry has no key."""
        found = dict(attributes)
        if self._uplink.retained:
            found["retained"] = True
        if self.faults:
            found["faults"] = self.faults
        if mark is not None and self.observed_at is not None:
            more.setdefault("key", event_key("fall_radar", self.device_id, mark, self.observed_at.isoformat()))
        return Event(self.device_id, kind, observed_at=self.observed_at, attributes=found, **more)

    def alarm(
        self, type_: str, attributes: Mapping[str, Any], *, mark: str, ref: str | None = None, **more: Any
    ) -> Event:
        """An alarm; a retained one is old. Where the message carries no time, the stretch of arrival tells repeats."""
        if self.observed_at is None and "key" not in more:
            stretch = window(self._uplink.received_at, WINDOW_S)
            more["key"] = event_key("fall_radar", self.device_id, mark, ref or "", stretch)
        return self.event("alarm", attributes, mark=mark, type=type_, ref=ref, buffered=self._uplink.retained, **more)
