"""The settings of the rules: a literal table with default, bounds and source. A resident may differ in each.

To add one: a line here; docs/alarm-rules.md lists them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

__all__ = ["SETTINGS", "Setting", "Thresholds", "check_thresholds", "minute_of"]

Kind = Literal["number", "clock", "clocks", "flag", "rules"]
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_MOST_CLOCKS = 12


@dataclass(frozen=True, slots=True)
class Setting:
    """One line. `clock`: local HH:MM, None switches the rule off; `rules`: ids of rules that are off for the resident.

    `low` and `high` bound a number: what lies outside is a slip of the pen.
    """

    id: str
    kind: Kind
    default: Any
    unit: str
    zh: str
    en: str
    low: float = 0
    high: float = 0


def _number(id: str, default: float, low: float, high: float, unit: str, zh: str, en: str) -> Setting:
    return Setting(id, "number", default, unit, zh, en, low, high)


_ROWS: Final = (
    # Three points of NEWS2 (Royal College of Physicians 2017), where the rows below do not say otherwise.
    _number("heart_rate_high", 131, 80, 220, "/min", "心率上限", "Heart rate, upper limit"),
    _number("heart_rate_low", 40, 25, 70, "/min", "心率下限", "Heart rate, lower limit"),
    _number("spo2_low", 91, 70, 96, "%", "血氧下限", "Oxygen saturation, lower limit"),
    _number("respiration_high", 25, 18, 60, "/min", "呼吸上限", "Respiration, upper limit"),
    _number("respiration_low", 8, 4, 12, "/min", "呼吸下限", "Respiration, lower limit"),
    _number("systolic_low", 90, 60, 120, "mmHg", "收缩压下限", "Systolic pressure, lower limit"),
    # Grade 3 of the Chinese and European guidelines on hypertension.
    _number("systolic_high", 180, 130, 260, "mmHg", "收缩压上限", "Systolic pressure, upper limit"),
    _number("diastolic_high", 110, 85, 160, "mmHg", "舒张压上限", "Diastolic pressure, upper limit"),
    # Above the 38.0 that still has no point in NEWS2. No lower limit: a wrist reads the skin, one to two degrees low.
    _number("temperature_high", 38.1, 37.0, 41.0, "°C", "体温上限", "Temperature, upper limit"),
    # Hypoglycaemia in people with diabetes: at most 3.9; 16.7: where ketones are to be looked for.
    _number("glucose_low", 3.9, 2.0, 6.0, "mmol/L", "血糖下限", "Glucose, lower limit"),
    _number("glucose_high", 16.7, 8.0, 33.0, "mmol/L", "血糖上限", "Glucose, upper limit"),
    _number("trend_spreads", 4.0, 2.5, 10.0, "x", "偏离平时的倍数", "Distance from the usual, in spreads"),
    _number("inactivity_floor_h", 4.0, 1.0, 24.0, "h", "无活动最短时长", "Inactivity, never before"),
    _number(
        "inactivity_unlearned_h", 12.0, 3.0, 48.0, "h", "尚未学会时的无活动时长", "Inactivity, before it is learned"
    ),
    Setting("night_from", "clock", "22:00", "", "夜间开始", "Night begins"),
    Setting("night_to", "clock", "06:00", "", "夜间结束", "Night ends"),
    _number("bed_exit_min", 30, 5, 240, "min", "夜间离床时长", "Out of bed at night, longest"),
    Setting("medication_times", "clocks", (), "", "服药时间", "When medication is due"),
    _number("medication_grace_min", 60, 10, 360, "min", "服药宽限", "Medication, grace"),
    Setting("well_by", "clock", None, "", "每日报平安时限", "Word of well-being, by"),
    _number("well_grace_min", 30, 0, 360, "min", "报平安宽限", "Word of well-being, grace"),
    _number("fix_accuracy_m", 500, 20, 2000, "m", "定位可用精度", "Position, worst accuracy that proves anything"),
    Setting("spo2_scale_2", "flag", False, "", "血氧目标 88-92 %（医嘱）", "Oxygen target of 88-92 % on record"),
    Setting("off", "rules", (), "", "停用的规则", "Rules switched off"),
)

SETTINGS: Final[Mapping[str, Setting]] = {row.id: row for row in _ROWS}
"""By id, in the order in which people read them."""

_DEFAULTS: Final[Mapping[str, Any]] = {row.id: row.default for row in _ROWS}


def minute_of(clock: str) -> int:
    """Minutes of the day of HH:MM."""
    return int(clock[:2]) * 60 + int(clock[3:5])


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A resident's settings: what differs from the defaults. Made of checked values."""

    own: Mapping[str, Any] = field(default_factory=dict)

    def number(self, name: str) -> float:
        return float(self.own.get(name, _DEFAULTS[name]))

    def clock(self, name: str) -> int | None:
        """Local minute of the day; None: not set."""
        value = self.own.get(name, _DEFAULTS[name])
        return None if value is None else minute_of(value)

    def clocks(self, name: str) -> tuple[int, ...]:
        return tuple(sorted({minute_of(one) for one in self.own.get(name, _DEFAULTS[name])}))

    def flag(self, name: str) -> bool:
        return bool(self.own.get(name, _DEFAULTS[name]))

    def off(self, rule: str) -> bool:
        """Whether the rule is switched off for this resident."""
        return rule in self.own.get("off", _DEFAULTS["off"])


def check_thresholds(values: Mapping[str, Any], rules: frozenset[str]) -> list[str]:
    """Every fault of `values` (id -> value), each `id: what is wrong`; `rules`: the ids `off` may name.

    Together they must make sense: a lower limit lies below its upper one.
    """
    faults = [f"{name}: there is no such threshold" for name in values if name not in SETTINGS]
    faults += [
        f"{name}: {wrong}"
        for name, value in values.items()
        if name in SETTINGS and (wrong := _wrong(SETTINGS[name], value, rules))
    ]
    if faults:
        return faults
    whole = Thresholds(values)
    for low, high in (
        ("heart_rate_low", "heart_rate_high"),
        ("respiration_low", "respiration_high"),
        ("systolic_low", "systolic_high"),
        ("glucose_low", "glucose_high"),
        ("inactivity_floor_h", "inactivity_unlearned_h"),
    ):
        if whole.number(low) >= whole.number(high):
            faults.append(f"{low}: {whole.number(low):g} must be less than {high} ({whole.number(high):g})")
    if whole.clock("night_from") == whole.clock("night_to"):
        faults.append("night_from: must differ from night_to")
    return faults


def _wrong(setting: Setting, value: object, rules: frozenset[str]) -> str | None:
    if setting.kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "must be a number"
        if not setting.low <= value <= setting.high:
            return f"must lie between {setting.low:g} and {setting.high:g} {setting.unit}".rstrip()
        return None
    if setting.kind == "flag":
        return None if isinstance(value, bool) else "must be true or false"
    if setting.kind == "clock":
        if value is None and setting.default is None:
            return None
        return None if isinstance(value, str) and _CLOCK.fullmatch(value) else "must be a local time like 07:30"
    if not isinstance(value, list | tuple):
        return "must be a list"
    if setting.kind == "clocks":
        if len(value) > _MOST_CLOCKS:
            return f"at most {_MOST_CLOCKS} times a day"
        bad = [one for one in value if not (isinstance(one, str) and _CLOCK.fullmatch(one))]
        return f"{bad[0]!r} is no local time like 07:30" if bad else None
    unknown = [one for one in value if not isinstance(one, str) or one not in rules]
    return f"{unknown[0]!r} is none of {', '.join(sorted(rules))}" if unknown else None
