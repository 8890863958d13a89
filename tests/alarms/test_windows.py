"""Silences, maintenance and test windows: what they cover, and what is raised when they end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alarms import ALARM_TYPES, AlarmClass, classify, decide
from hub.alarms.windows import (
    LONGEST_WINDOW,
    WINDOW_KINDS,
    AfterWindow,
    Silenced,
    Window,
    check_window,
    covering,
    silences_device,
    stands_after,
)
from tests.alarms.builders import NOW, alarm, at, incident, resident


def window(**changes: Any) -> Window:
    base = Window("w", "silence", at(-60), at(3600), "the sensor is being changed", "方磊", device_id="D-1")
    return replace(base, **changes)


kinds = st.sampled_from(WINDOW_KINDS)
types = st.sampled_from(sorted(ALARM_TYPES))
windows = st.builds(
    window,
    id=st.sampled_from(["w1", "w2", "w3"]),
    kind=kinds,
    starts_at=st.integers(-7200, 7200).map(at),
    ends_at=st.integers(-7200, 7200).map(at),
    device_id=st.sampled_from([None, "D-1", "D-2"]),
    area_id=st.sampled_from([None, "grid-3", "grid-4"]),
    type=st.one_of(st.none(), types),
)


@given(st.lists(windows, max_size=6), types, st.booleans())
def test_no_window_ever_silences_an_emergency_a_critical_alarm_or_a_person(
    given_windows: list[Window], kind: str, by_person: bool
) -> None:
    press = alarm(kind, source="person" if by_person else "device")
    found = covering(press, "grid-3", given_windows, now=NOW)
    if press.alarm_class == "emergency" or press.priority == "critical" or by_person:
        assert found is None
    if found is not None:
        silenced_by, reason = found
        assert silenced_by.in_force(NOW)
        assert silenced_by.meets("D-1", "grid-3", kind)
        assert reason.code == "silenced"
        assert all(
            other.ends_at <= silenced_by.ends_at
            for other in given_windows
            if other.in_force(NOW) and covering(press, "grid-3", [other], now=NOW)
        ), "of several the one that ends last holds it: the others end without a word"


def test_an_emergency_made_critical_by_a_plan_is_not_silenced_either() -> None:
    battery = alarm("low_battery")
    assert covering(battery, None, [window()], now=NOW) is not None
    assert covering(replace(battery, priority="critical"), None, [window()], now=NOW) is None


@pytest.mark.parametrize("kind", ["silence", "maintenance"])
@pytest.mark.parametrize("alarm_type", sorted(ALARM_TYPES))
def test_what_a_window_over_a_device_covers(kind: Any, alarm_type: str) -> None:
    alarm_class, _ = classify(alarm_type)
    press = alarm(alarm_type)
    quiet = covering(press, None, [window(kind=kind)], now=NOW) is not None
    assert quiet == (alarm_class in ("technical", "test")), "a heart is silenced only by its name"
    named = covering(press, None, [window(kind=kind, type=alarm_type)], now=NOW) is not None
    assert named == (alarm_class != "emergency")


@pytest.mark.parametrize("alarm_type", sorted(ALARM_TYPES))
def test_a_test_window_covers_tests_and_nothing_else(alarm_type: str) -> None:
    testing = [window(kind="test")]
    assert (covering(alarm(alarm_type), None, testing, now=NOW) is not None) == (alarm_type == "test_call")
    assert covering(alarm(alarm_type, test=True), None, testing, now=NOW) is not None


def test_a_real_press_in_a_test_window_opens_an_incident() -> None:
    press = alarm("sos")
    assert covering(press, None, [window(kind="test")], now=NOW) is None
    assert decide(press, None, resident(), now=NOW).kind == "open"


def test_begin_is_inclusive_and_end_exclusive() -> None:
    press, one = alarm("low_battery"), window(starts_at=at(10), ends_at=at(20))
    assert [covering(press, None, [one], now=at(second)) is not None for second in (9, 10, 19, 20)] == [
        False,
        True,
        True,
        False,
    ]


def test_scope_is_all_that_is_given() -> None:
    one = window(area_id="community", areas=frozenset({"community", "grid-3"}), type="low_battery")
    cases = {
        ("D-1", "grid-3", "low_battery"): True,
        ("D-1", "community", "low_battery"): True,
        ("D-1", "grid-4", "low_battery"): False,
        ("D-1", None, "low_battery"): False,
        ("D-2", "grid-3", "low_battery"): False,
        ("D-1", "grid-3", "tamper"): False,
    }
    assert {case: one.meets(*case) for case in cases} == cases


def test_a_silenced_alarm_is_recorded_with_its_reason_and_told() -> None:
    press = alarm("low_battery")
    found = covering(press, None, [window()], now=NOW)
    assert found is not None
    decision = decide(press, None, resident(), now=NOW, hushed=found[1])
    assert (decision.kind, decision.tell, decision.reasons[0].code) == ("record_only", ("received",), "silenced")
    assert "方磊" in decision.reasons[0].text
    live = incident("low_battery")
    assert decide(press, live, resident(), now=NOW, hushed=found[1]).kind == "record_only"


def test_a_silence_of_a_device_is_covered_like_its_alarms() -> None:
    assert silences_device("D-1", None, [window()], now=NOW) is not None
    assert silences_device("D-1", None, [window(kind="test")], now=NOW) is None
    assert silences_device("D-2", None, [window()], now=NOW) is None
    assert silences_device("D-2", None, [window(device_id=None, type="offline")], now=NOW) is not None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"device_id": None}, "device_id"),
        ({"type": "sos"}, "type"),
        ({"type": "water_leak"}, "type"),
        ({"type": "no_such"}, "type"),
        ({"reason": "  "}, "reason"),
        ({"ends_at": at(-60)}, "ends_at"),
        ({"ends_at": at(-60) + LONGEST_WINDOW["silence"] + timedelta(seconds=1)}, "ends_at"),
    ],
)
def test_what_cannot_be_set(changes: dict[str, Any], field: str) -> None:
    assert field in [name for name, _ in check_window(window(**changes))]


def test_what_can_be_set() -> None:
    assert check_window(window()) == []
    assert check_window(window(ends_at=at(-60) + LONGEST_WINDOW["silence"])) == []
    assert check_window(window(kind="test", type="sos", ends_at=at(600))) == [], "a test of the button"


def held(kind: str, **changes: Any) -> Silenced:
    alarm_class, priority = classify(kind)
    return replace(Silenced(kind, alarm_class, priority, 4, at(0), at(900), device_id="D-1"), **changes)


@pytest.mark.parametrize(
    ("silenced", "known", "raised"),
    [
        (held("offline"), AfterWindow(), False),  # its supervision looks at it then
        (held("low_battery"), AfterWindow(battery_pct=20), True),
        (held("low_battery"), AfterWindow(battery_pct=21), False),
        (held("low_battery"), AfterWindow(), True),
        (held("power_off"), AfterWindow(heard_at=at(899)), True),
        (held("power_off"), AfterWindow(heard_at=at(901)), False),
        (held("tamper"), AfterWindow(heard_at=at(1000), battery_pct=90), True),
        (held("door"), AfterWindow(), False),
        (held("heart_rate_high"), AfterWindow(), False),
        (held("heart_rate_high", rule="heart_rate_high"), AfterWindow(rule_stands=True), True),
        (held("heart_rate_high", rule="heart_rate_high"), AfterWindow(), False),
        (held("test_call"), AfterWindow(rule_stands=True), False),
    ],
)
def test_what_is_raised_when_a_window_ends(silenced: Silenced, known: AfterWindow, raised: bool) -> None:
    reason = stands_after(silenced, known)
    assert (reason is not None) == raised
    if reason is not None:
        assert reason.values["count"] == 4


@given(types, st.sampled_from(get_args(AlarmClass)), st.booleans())
def test_the_end_of_a_window_never_raises_a_test_or_an_emergency(kind: str, cls: AlarmClass, stands: bool) -> None:
    found = stands_after(held(kind, alarm_class=cls), AfterWindow(rule_stands=stands))
    assert found is None or cls not in ("test", "emergency")
