"""The status word of the `[3G*..]` watch family, as data.

Source: the vendor's server guide (4P-Touch, 2025), confirmed by captured frames and by captures of a watch cloud (bits
0, 16, 17). 32 bits as 8 hex digits: the high half says what alarm this is, the low half how the watch is. The oldest SG
firmware sends 4 hex digits: the low half only. A device profile may replace entries (`profile["alarm_bits"]`: bit
number to type).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devices.alarm_types import UNKNOWN_TYPE, alarm_type

__all__ = ["ALARM_BITS", "COMMAND_WORDS", "STATE_BITS", "alarm_bits", "states"]

ALARM_BITS: Mapping[int, str] = {
    16: "sos",
    17: "low_battery",
    18: "wandering",  # left the fence
    19: "geofence_enter",
    20: "off_wrist",
    21: "fall",
    22: "heart_rate_abnormal",
}

STATE_BITS: Mapping[int, str] = {
    0: "low_battery",
    1: "outside_fence",
    2: "inside_fence",
    3: "worn_or_strap_state",
    4: "not_moving",
}

COMMAND_WORDS = frozenset(
    {
        "CR", "FIND", "CALL", "MESSAGE", "UPLOAD", "RESET", "POWEROFF", "HRTSTART", "BODYTEMP2", "HEALTHAUTOSET",
        "FALLDOWN", "LSSET", "REMOVE", "REMOVESMS", "LOWBAT", "SOSSMS", "TAKEPILLS", "WORK", "LZ", "SOS", "SOS1",
        "SOS2", "SOS3", "CENTER", "PHB", "PHB2", "MONITOR", "SILENCETIME", "SILENCETIME2", "REMIND", "PEDO",
        "WALKTIME", "IP", "FACTORY", "APN", "PW", "FLOWER", "SLEEPTIME", "PROFILE", "WHITELIST1", "WHITELIST2",
        "BODYTEMP", "PHBX", "PHBX2", "DPHBX", "ACALL", "APPLOCK", "DEVREFUSEPHONESWITCH", "RCAPTURE", "WIFISEARCH",
        "WIFICUR", "WIFIDEL",
    }
)  # fmt: skip
"""Commands that a watch echoes once it has them: such a frame is a reply, and never gets one itself."""


def alarm_bits(status: int, profile: Mapping[str, Any]) -> list[tuple[int, str | None]]:
    """Each set alarm bit with its type, lowest bit first; None for a bit that no table knows."""
    own = profile.get("alarm_bits")
    own = own if isinstance(own, Mapping) else {}
    found: list[tuple[int, str | None]] = []
    for bit in range(16, 32):
        if status >> bit & 1:
            word = own.get(str(bit), own.get(bit))
            if isinstance(word, str):
                found.append((bit, alarm_type(word) or UNKNOWN_TYPE))
            else:
                found.append((bit, ALARM_BITS.get(bit)))
    return found


def states(status: int) -> list[str]:
    """The set state bits by name, lowest first; undocumented ones by number."""
    return [STATE_BITS.get(bit, f"bit_{bit}") for bit in range(16) if status >> bit & 1]
