"""What a batch with presses is judged by, read in one exchange."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from hub.alarms.model import AlarmClass, Incident
from hub.alarms.windows import Window
from hub.care import Resident
from hub.ports.records import DeviceRow
from hub.ports.windows import Recent

__all__ = ["Situation"]


class Situation(NamedTuple):
    """What a batch with presses is judged by. `live` incidents are locked; `operators`: persons signed in."""

    devices: Mapping[str, DeviceRow]
    fresh: set[bytes]
    """Keys claimed now; the others are repeats."""
    residents: Mapping[str, Resident]
    live: Mapping[tuple[str, AlarmClass], Incident]
    operators: int
    windows: tuple[Window, ...] = ()
    """In force, and locked against being settled."""
    recent: Recent = MappingProxyType({})
    """When the same alarms came lately."""
    plans_stamp: int = 0
    """See `Plans.stamp`."""
