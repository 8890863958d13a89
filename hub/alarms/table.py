"""The table of alarm types: class, priority, and what people call them. To add a type: one line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.alarms.model import AlarmClass, Priority

__all__ = [
    "ALARM_TYPES",
    "CLASS_LABELS",
    "PLACE_TYPES",
    "PRIORITY_LABELS",
    "UNKNOWN_TYPE",
    "AlarmType",
    "classify",
    "label",
]


@dataclass(frozen=True, slots=True)
class AlarmType:
    """One line of the table. `zh` and `en` are what a person reads."""

    id: str
    alarm_class: AlarmClass
    priority: Priority
    zh: str
    en: str


# A cancel is a word about another alarm: it takes the class of the incident it joins. The class here is that of the
# row of a cancel that joins nothing.
_ROWS: Final = (
    AlarmType("sos", "emergency", "critical", "SOS 呼救", "SOS"),
    AlarmType("fall", "emergency", "critical", "跌倒", "Fall"),
    AlarmType("voice_help", "emergency", "critical", "语音呼救", "Call for help by voice"),
    AlarmType("smoke", "emergency", "critical", "烟雾报警", "Smoke"),
    AlarmType("gas", "emergency", "critical", "燃气泄漏", "Gas"),
    AlarmType("assistance", "emergency", "high", "请求协助", "Assistance wanted"),
    AlarmType("inactivity", "emergency", "high", "长时间无活动", "No activity"),
    AlarmType("water_leak", "emergency", "high", "漏水", "Water leak"),
    AlarmType("heart_rate_high", "health", "high", "心率过高", "Heart rate high"),
    AlarmType("heart_rate_low", "health", "high", "心率过低", "Heart rate low"),
    AlarmType("heart_rate_abnormal", "health", "high", "心率异常", "Heart rate abnormal"),
    AlarmType("spo2_low", "health", "high", "血氧过低", "Oxygen saturation low"),
    AlarmType("blood_pressure_high", "health", "high", "血压过高", "Blood pressure high"),
    AlarmType("blood_pressure_low", "health", "high", "血压过低", "Blood pressure low"),
    AlarmType("fever", "health", "high", "体温过高", "Fever"),
    AlarmType("bed_exit", "health", "medium", "离床未归", "Out of bed"),
    AlarmType("medication_missed", "health", "medium", "漏服药物", "Medication missed"),
    AlarmType("wandering", "whereabouts", "high", "走出安全区域", "Left the safe area"),
    AlarmType("door", "whereabouts", "medium", "门磁异常", "Door"),
    AlarmType("geofence_enter", "whereabouts", "low", "进入区域", "Entered an area"),
    AlarmType("low_battery", "technical", "low", "电量低", "Battery low"),
    AlarmType("power_off", "technical", "low", "设备关机", "Switched off"),
    AlarmType("power_fail", "technical", "low", "断电", "Mains power lost"),
    AlarmType("device_fault", "technical", "low", "设备故障", "Device fault"),
    AlarmType("off_wrist", "technical", "low", "设备脱腕", "Taken off the wrist"),
    AlarmType("tamper", "technical", "low", "设备被拆动", "Tampered with"),
    AlarmType("robot_stuck", "technical", "low", "机器人受困", "Robot stuck"),
    AlarmType("offline", "technical", "low", "设备离线", "Offline"),
    AlarmType("test_call", "test", "low", "测试呼叫", "Test call"),
    AlarmType("cancel", "technical", "low", "取消报警", "Cancelled by the device"),
)

ALARM_TYPES: Final[Mapping[str, AlarmType]] = {row.id: row for row in _ROWS}
"""By their word, in the order in which people read them."""

UNKNOWN_TYPE: Final = "assistance"
"""What an unknown word raises; whoever classifies keeps the word in the alarm's `attributes`."""

PLACE_TYPES: Final[frozenset[str]] = frozenset({"smoke", "gas", "water_leak"})
"""Cries of the flat, not of its resident: they endanger whoever is near, also while the resident is in hospital."""

CLASS_LABELS: Final[dict[AlarmClass, tuple[str, str]]] = {
    "emergency": ("险情", "Emergency"),
    "health": ("健康", "Health"),
    "whereabouts": ("行踪", "Whereabouts"),
    "technical": ("设备", "Technical"),
    "test": ("测试", "Test"),
}

PRIORITY_LABELS: Final[dict[Priority, tuple[str, str]]] = {
    "critical": ("特急", "Critical"),
    "high": ("重要", "High"),
    "medium": ("一般", "Medium"),
    "low": ("提示", "Low"),
}


def classify(alarm_type: str, *, test: bool = False) -> tuple[AlarmClass, Priority]:
    """Class and priority of a type; an unknown word counts as `UNKNOWN_TYPE`, and the caller keeps the word.

    `test`: the device says that it is only tested. Whatever the type, that is class "test" and never among emergencies.
    """
    if test:
        return "test", "low"
    row = ALARM_TYPES.get(alarm_type, ALARM_TYPES[UNKNOWN_TYPE])
    return row.alarm_class, row.priority


def label(alarm_type: str) -> tuple[str, str]:
    """(Chinese, English) name of a type; an unknown word stands for itself."""
    row = ALARM_TYPES.get(alarm_type)
    return (row.zh, row.en) if row else (alarm_type, alarm_type)
