"""The table of types is the contract's table, and every word has both languages."""

from __future__ import annotations

import pytest

from dispatch import RESPONSE_SKILLS, SKILLS
from hub.alarms import ALARM_TYPES, CLASS_LABELS, CLASSES, PRIORITIES, PRIORITY_LABELS, classify, label
from hub.alarms.scaip import BY_DEVICE_TYPE, BY_STATUS, answer_code, scaip_code, type_of

CONTRACT = """
sos fall voice_help smoke gas | emergency | critical
assistance inactivity water_leak | emergency | high
heart_rate_high heart_rate_low heart_rate_abnormal spo2_low blood_pressure_high blood_pressure_low fever | health | high
bed_exit medication_missed | health | medium
wandering | whereabouts | high
door | whereabouts | medium
geofence_enter | whereabouts | low
low_battery power_off power_fail device_fault off_wrist tamper robot_stuck offline | technical | low
test_call | test | low
"""


def test_types_are_those_of_the_contract() -> None:
    expected: dict[str, tuple[str, str]] = {}
    for line in CONTRACT.strip().splitlines():
        words, alarm_class, priority = (part.strip() for part in line.split("|"))
        expected |= dict.fromkeys(words.split(), (alarm_class, priority))
    assert {word: classify(word) for word in ALARM_TYPES if word != "cancel"} == expected


def test_unknown_word_counts_as_assistance() -> None:
    assert classify("fridge_open") == classify("assistance") == ("emergency", "high")
    assert label("fridge_open") == ("fridge_open", "fridge_open")


@pytest.mark.parametrize("word", [*ALARM_TYPES, "fridge_open"])
def test_a_test_never_mixes_with_emergencies(word: str) -> None:
    assert classify(word, test=True) == ("test", "low")


def test_every_label_has_chinese_and_english() -> None:
    for row in ALARM_TYPES.values():
        assert row.zh.strip()
        assert row.en.strip()
        assert not row.zh.isascii()
    assert len({row.zh for row in ALARM_TYPES.values()}) == len(ALARM_TYPES)
    assert set(CLASS_LABELS) == set(CLASSES)
    assert set(PRIORITY_LABELS) == set(PRIORITIES)


def test_every_type_that_can_raise_an_incident_names_who_may_answer() -> None:
    assert set(RESPONSE_SKILLS) == set(ALARM_TYPES) - {"cancel"}
    assert all(skill in SKILLS for skills in RESPONSE_SKILLS.values() for skill in skills)


def test_scaip_pairs_name_our_types_and_come_back() -> None:
    for alarm_type in (*BY_STATUS.values(), *BY_DEVICE_TYPE.values()):
        assert alarm_type in ALARM_TYPES
    for alarm_type in ALARM_TYPES:
        pair = scaip_code(alarm_type)
        if pair is not None and alarm_type not in ("voice_help", "heart_rate_high", "heart_rate_low"):
            assert type_of(pair.device_type, pair.status) == alarm_type
    heart = scaip_code("heart_rate_low")
    assert heart is not None
    assert type_of(heart.device_type, heart.status) == "heart_rate_abnormal"


@pytest.mark.parametrize(
    ("device_type", "status", "expected"),
    [
        ("0003", "0010", "sos"),
        ("0023", "0009", "smoke"),
        ("0023", "0016", "low_battery"),
        ("0005", "0019", "cancel"),
        ("0003", "0102", "test_call"),
        ("9999", "0009", "assistance"),
        ("0003", "0092", None),
        ("0003", "0075", None),
        ("0003", "0111", None),
    ],
)
def test_scaip_status_goes_before_device_type(device_type: str, status: str, expected: str | None) -> None:
    assert type_of(device_type, status) == expected


def test_scaip_answers() -> None:
    assert (answer_code("handled"), answer_code("hold"), answer_code("received"), answer_code("rejected")) == (
        0,
        4,
        4,
        2,
    )
