"""SCAIP device types and statuses <-> our alarm types, in one table (facts of SS 91100:2014 / TS 50134-9).

A social alarm names what cried (device type) and how (status). The status decides where it speaks for itself (a low
battery is a low battery, whatever the device); else the device type does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.alarms.model import Told
from hub.alarms.table import UNKNOWN_TYPE

__all__ = ["ANSWERS", "BY_DEVICE_TYPE", "BY_STATUS", "ScaipCode", "answer_code", "scaip_code", "type_of"]


@dataclass(frozen=True, slots=True)
class ScaipCode:
    """Four digits each, as they stand in the message."""

    device_type: str
    status: str


AUTOMATIC: Final = "0009"
MANUAL: Final = "0010"

BY_STATUS: Final[dict[str, str]] = {
    "0016": "low_battery",
    "0019": "cancel",
    "0073": "offline",
    "0102": "test_call",
    "0110": "assistance",
}
"""Statuses that are an alarm type whatever the device. Not alarms: 0075 online, 0092 and 0093 reset, 0111 completed."""

NO_ALARM: Final[frozenset[str]] = frozenset({"0075", "0092", "0093", "0111"})

BY_DEVICE_TYPE: Final[dict[str, str]] = {
    "0003": "sos",
    "0005": "fall",
    "0010": "inactivity",
    "0011": "medication_missed",
    "0012": "bed_exit",
    "0014": "door",
    "0015": "wandering",
    "0019": "heart_rate_abnormal",
    "0021": "gas",
    "0023": "smoke",
    "0033": "water_leak",
    "0051": "sos",
}

_TO_SCAIP: Final[dict[str, ScaipCode]] = {
    "sos": ScaipCode("0003", MANUAL),
    "voice_help": ScaipCode("0003", MANUAL),
    "assistance": ScaipCode("0003", "0110"),
    "test_call": ScaipCode("0003", "0102"),
    "cancel": ScaipCode("0003", "0019"),
    "low_battery": ScaipCode("0003", "0016"),
    "offline": ScaipCode("0003", "0073"),
    "fall": ScaipCode("0005", AUTOMATIC),
    "inactivity": ScaipCode("0010", AUTOMATIC),
    "medication_missed": ScaipCode("0011", AUTOMATIC),
    "bed_exit": ScaipCode("0012", AUTOMATIC),
    "door": ScaipCode("0014", AUTOMATIC),
    "wandering": ScaipCode("0015", AUTOMATIC),
    "heart_rate_high": ScaipCode("0019", AUTOMATIC),
    "heart_rate_low": ScaipCode("0019", AUTOMATIC),
    "heart_rate_abnormal": ScaipCode("0019", AUTOMATIC),
    "gas": ScaipCode("0021", AUTOMATIC),
    "smoke": ScaipCode("0023", AUTOMATIC),
    "water_leak": ScaipCode("0033", AUTOMATIC),
}

ANSWERS: Final[dict[Told, int]] = {"handled": 0, "hold": 4, "rejected": 2}
"""What the device is told, as a SCAIP answer. SCAIP knows no `received`: committed but not yet taken is `hold`."""


def type_of(device_type: str, status: str = MANUAL) -> str | None:
    """Our alarm type for a SCAIP message; None where it is no alarm. Unknown: `assistance`, for somebody cried."""
    if status in NO_ALARM:
        return None
    return BY_STATUS.get(status) or BY_DEVICE_TYPE.get(device_type, UNKNOWN_TYPE)


def scaip_code(alarm_type: str) -> ScaipCode | None:
    """The pair that says our alarm type; None where SCAIP (as far as this table knows it) has no word for it."""
    return _TO_SCAIP.get(alarm_type)


def answer_code(told: Told) -> int:
    """The SCAIP answer for what the device is told."""
    return ANSWERS.get(told, ANSWERS["hold"])
