"""The words an alarm event may carry in `type` (docs/wire/care-v1.md). Class and priority are the hub's to give."""

from __future__ import annotations

__all__ = ["ALARM_TYPES", "CANCEL", "UNKNOWN_TYPE", "alarm_type"]

CANCEL = "cancel"
UNKNOWN_TYPE = "assistance"
"""What an unknown or missing word becomes: somebody asked for something, so somebody looks."""

ALARM_TYPES: frozenset[str] = frozenset(
    {
        # emergency
        "sos", "fall", "voice_help", "smoke", "gas",
        "assistance", "inactivity", "water_leak",
        # health
        "heart_rate_high", "heart_rate_low", "heart_rate_abnormal", "spo2_low",
        "blood_pressure_high", "blood_pressure_low", "fever",
        "bed_exit", "medication_missed",
        # whereabouts
        "wandering", "door", "geofence_enter",
        # technical
        "low_battery", "power_off", "power_fail", "device_fault", "off_wrist", "tamper", "robot_stuck", "offline",
        # test
        "test_call",
        CANCEL,
    }
)  # fmt: skip


def alarm_type(word: str) -> str | None:
    """The canonical type of `word`, forgiving case, blanks and hyphens; None where there is no such type."""
    if word in ALARM_TYPES:
        return word
    folded = word.strip().lower().replace("-", "_").replace(" ", "_")
    return folded if folded in ALARM_TYPES else None
