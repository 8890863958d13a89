"""The table of rules: what each looks at, what it raises, what it rests on. To add a rule: one line here.

Triggers of devices (an SOS, a fall, a low battery) need no rule: they are alarms by themselves (`hub.alarms.table`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from hub.alarms.model import Priority, Reason
from hub.alarms.rules.daily import bed_exit, inactivity, medication_missed, no_word, weak_signs
from hub.alarms.rules.fences import forbidden_place, wandering
from hub.alarms.rules.model import Finding, Picture, Standing, Verdict
from hub.alarms.rules.steady import Steadiness, settle
from hub.alarms.rules.vitals import Limit, Trend, limit_finding, trend_finding

__all__ = ["NEWS2_RULE", "RULES", "RULE_IDS", "Rule", "judge"]

Find = Callable[[Picture, datetime], Finding]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table. `find` is the rule itself; `rests_on` the source of its numbers."""

    id: str
    raises: str
    priority: Priority
    find: Find
    steadiness: Steadiness
    zh: str
    en: str
    rests_on: str


_NEWS2 = "three points of NEWS2 (Royal College of Physicians 2017)"
_OWN = "the resident's own last 28 days"
_SOON = Steadiness(clear_s=600, again_s=2 * 3600, forget_s=3600)
_SLOW = Steadiness(clear_s=1800, again_s=12 * 3600, forget_s=3 * 3600)
_CUFF = Steadiness(clear_s=0, again_s=6 * 3600, forget_s=6 * 3600)
_EACH = Steadiness(clear_s=0, again_s=24 * 3600, forget_s=12 * 3600, each_mark=True)


def _limit(id: str, raises: str, limit: Limit, steadiness: Steadiness, zh: str, en: str, rests_on: str) -> Rule:
    return Rule(id, raises, "high", _find_limit(limit), steadiness, zh, en, rests_on)


def _find_limit(limit: Limit) -> Find:
    return partial(limit_finding, limit)


def _find_trend(trend: Trend) -> Find:
    return partial(trend_finding, trend)


_ROWS: Final = (
    _limit(
        "heart_rate_high",
        "heart_rate_high",
        Limit("heart_rate_bpm", "high", "heart_rate_high", 5),
        _SOON,
        "心率过高",
        "Heart rate high",
        _NEWS2,
    ),
    _limit(
        "heart_rate_low",
        "heart_rate_low",
        Limit("heart_rate_bpm", "low", "heart_rate_low", 3),
        _SOON,
        "心率过低",
        "Heart rate low",
        _NEWS2,
    ),
    _limit(
        "spo2_low",
        "spo2_low",
        Limit("spo2_pct", "low", "spo2_low", 1),
        _SOON,
        "血氧过低",
        "Oxygen saturation low",
        _NEWS2,
    ),
    _limit(
        "respiration_high",
        "assistance",
        Limit("respiration_rpm", "high", "respiration_high", 2),
        _SOON,
        "呼吸过快",
        "Breathing fast",
        _NEWS2,
    ),
    _limit(
        "respiration_low",
        "assistance",
        Limit("respiration_rpm", "low", "respiration_low", 1),
        _SOON,
        "呼吸过慢",
        "Breathing slow",
        _NEWS2,
    ),
    _limit(
        "systolic_high",
        "blood_pressure_high",
        Limit("systolic_mmhg", "high", "systolic_high", 10, 1, True),
        _CUFF,
        "收缩压过高",
        "Systolic pressure high",
        "grade 3 of the Chinese and European guidelines on hypertension",
    ),
    _limit(
        "diastolic_high",
        "blood_pressure_high",
        Limit("diastolic_mmhg", "high", "diastolic_high", 5, 1, True),
        _CUFF,
        "舒张压过高",
        "Diastolic pressure high",
        "grade 3 of the Chinese and European guidelines on hypertension",
    ),
    _limit(
        "systolic_low",
        "blood_pressure_low",
        Limit("systolic_mmhg", "low", "systolic_low", 5, 1),
        _CUFF,
        "收缩压过低",
        "Systolic pressure low",
        _NEWS2,
    ),
    _limit(
        "fever",
        "fever",
        Limit("temperature_c", "high", "temperature_high", 0.3, 2),
        _SOON,
        "体温过高",
        "Fever",
        "above what has no point in NEWS2; no lower limit, a wrist reads the skin",
    ),
    _limit(
        "glucose_low",
        "assistance",
        Limit("glucose_mmol_l", "low", "glucose_low", 0.5, 1, True),
        _CUFF,
        "血糖过低",
        "Glucose low",
        "hypoglycaemia in people with diabetes",
    ),
    _limit(
        "glucose_high",
        "assistance",
        Limit("glucose_mmol_l", "high", "glucose_high", 1.0, 1, True),
        _CUFF,
        "血糖过高",
        "Glucose high",
        "where ketones are to be looked for",
    ),
    Rule(
        "heart_rate_trend",
        "heart_rate_abnormal",
        "medium",
        _find_trend(Trend("heart_rate_bpm", 20, 4)),
        _SLOW,
        "心率偏离平时",
        "Heart rate unlike the usual",
        _OWN,
    ),
    Rule(
        "spo2_trend",
        "spo2_low",
        "medium",
        _find_trend(Trend("spo2_pct", 4, 1, "low")),
        _SLOW,
        "血氧低于平时",
        "Oxygen saturation below the usual",
        _OWN,
    ),
    Rule(
        "respiration_trend",
        "assistance",
        "medium",
        _find_trend(Trend("respiration_rpm", 6, 1.5, "high")),
        _SLOW,
        "呼吸快于平时",
        "Breathing faster than usual",
        _OWN,
    ),
    Rule(
        "systolic_trend",
        "blood_pressure_high",
        "medium",
        _find_trend(Trend("systolic_mmhg", 30, 7, "high", 2)),
        _SLOW,
        "收缩压高于平时",
        "Systolic pressure above the usual",
        _OWN,
    ),
    Rule(
        "inactivity",
        "inactivity",
        "high",
        inactivity,
        Steadiness(clear_s=0, again_s=6 * 3600, forget_s=24 * 3600),
        "长时间无活动",
        "No activity",
        _OWN,
    ),
    Rule(
        "bed_exit",
        "bed_exit",
        "medium",
        bed_exit,
        Steadiness(clear_s=120, again_s=2 * 3600, forget_s=8 * 3600),
        "夜间离床未归",
        "Out of bed at night",
        "a setting by resident",
    ),
    Rule(
        "wandering",
        "wandering",
        "high",
        wandering,
        Steadiness(clear_s=120, again_s=2 * 3600, forget_s=6 * 3600),
        "走出安全区域",
        "Left the safe area",
        "fences by resident",
    ),
    Rule(
        "forbidden_place",
        "geofence_enter",
        "medium",
        forbidden_place,
        Steadiness(clear_s=120, again_s=2 * 3600, forget_s=6 * 3600),
        "进入危险区域",
        "Entered a dangerous place",
        "fences by resident",
    ),
    Rule(
        "medication_missed",
        "medication_missed",
        "medium",
        medication_missed,
        _EACH,
        "漏服药物",
        "Medication missed",
        "times by resident",
    ),
    Rule(
        "no_word", "inactivity", "medium", no_word, _EACH, "未报平安", "No word of well-being", "a setting by resident"
    ),
    Rule(
        "weak_signs",
        "inactivity",
        "high",
        weak_signs,
        Steadiness(clear_s=600, again_s=12 * 3600, forget_s=12 * 3600),
        "多个弱信号叠加",
        "Weak signs that add up",
        "three signs that alone mean little",
    ),
)

RULES: Final[Mapping[str, Rule]] = {row.id: row for row in _ROWS}
"""By id, in the order in which they are asked."""

NEWS2_RULE: Final = "news2"
"""The score of what a nurse entered; judged when it is entered (`hub.alarms.rules.news2`)."""

RULE_IDS: Final[frozenset[str]] = frozenset(RULES) | {NEWS2_RULE}


def judge(
    picture: Picture, standing: Mapping[str, Standing], *, now: datetime, rules: Mapping[str, Rule] = RULES
) -> list[Verdict]:
    """What every rule says of a resident, in the order of the table.

    A resident who is away, in hospital, moved or dead raises nothing from that moment; whatever stood is cleared, so
    that the first hour back home begins afresh. So does a rule that was switched off.
    """
    verdicts = []
    for rule in rules.values():
        stood = standing.get(rule.id)
        excuse = _excuse(picture, rule)
        if excuse is not None:
            kind = "quiet" if stood is None else "clear"
            verdicts.append(Verdict(rule.id, kind, rule.raises, rule.priority, (excuse,)))  # type: ignore[arg-type]
            continue
        finding = rule.find(picture, now)
        if finding.kind == "bad" and finding.reasons:
            # Whose rule it was is the first thing a reader asks.
            named = replace(finding.reasons[0], values={"rule": rule.id, **finding.reasons[0].values})
            finding = replace(finding, reasons=(named, *finding.reasons[1:]))
        verdicts.append(
            settle(
                rule.id,
                picture.resident_id,
                rule.raises,
                rule.priority,
                finding,
                stood,
                rule.steadiness,
                now=now,
            )
        )
    return verdicts


def _excuse(picture: Picture, rule: Rule) -> Reason | None:
    if picture.status != "home":
        return Reason("resident_absent", f"the resident is {picture.status}", {"status": picture.status})
    if picture.thresholds.off(rule.id):
        return Reason("switched_off", f"{rule.id} is switched off for this resident")
    return None
