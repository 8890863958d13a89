"""The table of rules and that of their settings."""

from __future__ import annotations

from typing import Any

import pytest

from hub.alarms import ALARM_TYPES
from hub.alarms.rules import RULE_IDS, RULES, SETTINGS, Thresholds, check_thresholds


def test_every_rule_raises_a_known_type_and_says_its_name_twice() -> None:
    for rule in RULES.values():
        assert rule.raises in ALARM_TYPES
        assert rule.zh != rule.en
        assert rule.rests_on
        assert rule.steadiness.again_s >= 3600


def test_every_default_is_a_value_that_may_be_set() -> None:
    assert check_thresholds({name: setting.default for name, setting in SETTINGS.items()}, RULE_IDS) == []


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"hart_rate_high": 120}, "hart_rate_high: there is no such threshold"),
        ({"heart_rate_high": 300}, "heart_rate_high: must lie between 80 and 220 /min"),
        ({"heart_rate_high": "120"}, "heart_rate_high: must be a number"),
        ({"heart_rate_high": True}, "heart_rate_high: must be a number"),
        ({"heart_rate_high": float("nan")}, "heart_rate_high: must lie between"),
        ({"heart_rate_high": None}, "heart_rate_high: must be a number"),
        ({"night_from": "22.00"}, "night_from: must be a local time"),
        ({"night_from": None}, "night_from: must be a local time"),
        ({"night_from": "06:00"}, "night_from: must differ"),
        ({"well_by": "24:00"}, "well_by: must be a local time"),
        ({"medication_times": "08:00"}, "medication_times: must be a list"),
        ({"medication_times": ["08:00", "8"]}, "medication_times: '8' is no local time"),
        ({"medication_times": ["08:00"] * 13}, "medication_times: at most 12"),
        ({"off": ["fall"]}, "off: 'fall' is none of"),
        ({"off": [["fall"]]}, "off: ['fall'] is none of"),
        ({"spo2_scale_2": 1}, "spo2_scale_2: must be true or false"),
        ({"systolic_low": 120, "systolic_high": 130, "glucose_low": 6, "glucose_high": 8}, ""),
        ({"inactivity_floor_h": 13}, "inactivity_floor_h: 13 must be less than inactivity_unlearned_h (12)"),
    ],
)
def test_faults_are_named(values: dict[str, Any], fault: str) -> None:
    found = check_thresholds(values, RULE_IDS)
    if fault:
        assert any(one.startswith(fault) for one in found), found
    else:
        assert found == []


def test_a_residents_own_values_come_before_the_defaults() -> None:
    own = Thresholds(
        {"heart_rate_high": 110, "well_by": "09:15", "medication_times": ["20:00", "08:00", "08:00"], "off": ["fever"]}
    )
    assert (own.number("heart_rate_high"), own.number("heart_rate_low")) == (110.0, 40.0)
    assert (own.clock("well_by"), own.clocks("medication_times")) == (555, (480, 1200))
    assert own.off("fever")
    assert not own.off("inactivity")
    assert not own.flag("spo2_scale_2")
