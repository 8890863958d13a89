"""NEWS2: every boundary of the chart, from both sides; what is missing is said and never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alarms.rules import CONSCIOUSNESS, Measured, news2

# (parameter, value, points): the first and the last value of every field of the chart.
BOUNDARIES: list[tuple[str, float, int]] = [
    *(("respiration_rpm", value, 3) for value in (1, 7, 8)),
    *(("respiration_rpm", value, 1) for value in (9, 10, 11)),
    *(("respiration_rpm", value, 0) for value in (12, 16, 20)),
    *(("respiration_rpm", value, 2) for value in (21, 24)),
    *(("respiration_rpm", value, 3) for value in (25, 26, 90)),
    *(("spo2_pct", value, 3) for value in (30, 90, 91)),
    *(("spo2_pct", value, 2) for value in (92, 93)),
    *(("spo2_pct", value, 1) for value in (94, 95)),
    *(("spo2_pct", value, 0) for value in (96, 100)),
    *(("systolic_mmhg", value, 3) for value in (30, 89, 90)),
    *(("systolic_mmhg", value, 2) for value in (91, 100)),
    *(("systolic_mmhg", value, 1) for value in (101, 110)),
    *(("systolic_mmhg", value, 0) for value in (111, 219)),
    *(("systolic_mmhg", value, 3) for value in (220, 300)),
    *(("heart_rate_bpm", value, 3) for value in (10, 39, 40)),
    *(("heart_rate_bpm", value, 1) for value in (41, 50)),
    *(("heart_rate_bpm", value, 0) for value in (51, 90)),
    *(("heart_rate_bpm", value, 1) for value in (91, 110)),
    *(("heart_rate_bpm", value, 2) for value in (111, 130)),
    *(("heart_rate_bpm", value, 3) for value in (131, 300)),
    *(("temperature_c", value, 3) for value in (25.0, 34.9, 35.0)),
    *(("temperature_c", value, 1) for value in (35.1, 36.0)),
    *(("temperature_c", value, 0) for value in (36.1, 37.0, 38.0)),
    *(("temperature_c", value, 1) for value in (38.1, 39.0)),
    *(("temperature_c", value, 2) for value in (39.1, 45.0)),
]
SCALE_2: list[tuple[float, bool | None, int | None]] = [
    *((value, oxygen, 3) for value in (30, 82, 83) for oxygen in (False, True, None)),
    *((value, oxygen, 2) for value in (84, 85) for oxygen in (False, True, None)),
    *((value, oxygen, 1) for value in (86, 87) for oxygen in (False, True, None)),
    *((value, oxygen, 0) for value in (88, 92) for oxygen in (False, True, None)),
    *((value, False, 0) for value in (93, 94, 95, 96, 97, 100)),
    *((value, True, 1) for value in (93, 94)),
    *((value, True, 2) for value in (95, 96)),
    *((value, True, 3) for value in (97, 100)),
    *((value, None, None) for value in (93, 97, 100)),
]
WELL: dict[str, Any] = {
    "respiration_rpm": 16,
    "spo2_pct": 97,
    "oxygen": False,
    "systolic_mmhg": 130,
    "heart_rate_bpm": 72,
    "consciousness": "alert",
    "temperature_c": 36.8,
}


def of(name: str, value: float) -> dict[str, Any]:
    return {name: value}


@pytest.mark.parametrize(("name", "value", "points"), BOUNDARIES)
def test_every_boundary_of_the_chart(name: str, value: float, points: int) -> None:
    found = news2(Measured(**of(name, value)))
    assert found.points == {name: points}
    assert found.total == points
    assert (found.known, found.partial) == (1, True)
    # The same value among six others that are well: only its own points are added.
    whole = news2(Measured(**(WELL | {name: value})))
    assert (whole.total, whole.known, whole.partial) == (points, 7, False)


@pytest.mark.parametrize(("value", "oxygen", "points"), SCALE_2)
def test_every_boundary_of_oxygen_scale_2(value: float, oxygen: bool | None, points: int | None) -> None:
    found = news2(Measured(spo2_pct=value, oxygen=oxygen), scale_2=True)
    assert found.points.get("spo2_pct") == points
    assert found.scale == 2
    if points is None:
        assert "air or oxygen" in found.not_scored["spo2_pct"]


def test_air_is_nothing_and_oxygen_two() -> None:
    assert news2(Measured(oxygen=False)).points == {"oxygen": 0}
    assert news2(Measured(oxygen=True)).points == {"oxygen": 2}


@pytest.mark.parametrize("word", CONSCIOUSNESS)
def test_only_alert_is_nothing(word: Any) -> None:
    assert news2(Measured(consciousness=word)).points == {"consciousness": 0 if word == "alert" else 3}


@pytest.mark.parametrize(
    ("value", "points"),
    [(35.04, 3), (35.05, 1), (36.04, 1), (36.05, 0), (38.04, 0), (38.05, 1), (39.04, 1), (39.05, 2)],
)
def test_temperature_counts_in_tenths_halves_upwards(value: float, points: int) -> None:
    assert news2(Measured(temperature_c=value)).total == points


def test_the_whole_score_and_the_partial_one_are_worded_apart() -> None:
    assert news2(Measured(**WELL)).words == ("NEWS2 = 0", "NEWS2 = 0")
    partial = news2(Measured(respiration_rpm=25, spo2_pct=95, heart_rate_bpm=80, temperature_c=38.5))
    assert partial.words == ("部分评分 5（4/7 项）", "partial score 5 (4 of 7)")
    assert "NEWS2 =" not in partial.reasons[0].text
    assert set(partial.not_scored) == {"oxygen", "systolic_mmhg", "consciousness"}


@pytest.mark.parametrize(
    ("values", "total", "response"),
    [
        ({}, 0, "routine"),
        ({"heart_rate_bpm": 91}, 1, "low"),
        ({"heart_rate_bpm": 111, "respiration_rpm": 21}, 4, "low"),
        ({"heart_rate_bpm": 131}, 3, "urgent"),
        ({"heart_rate_bpm": 111, "respiration_rpm": 21, "temperature_c": 38.5}, 5, "urgent"),
        ({"heart_rate_bpm": 111, "respiration_rpm": 21, "oxygen": True}, 6, "urgent"),
        ({"heart_rate_bpm": 111, "respiration_rpm": 21, "oxygen": True, "spo2_pct": 95}, 7, "emergency"),
        (
            {
                "heart_rate_bpm": 131,
                "respiration_rpm": 25,
                "oxygen": True,
                "spo2_pct": 91,
                "systolic_mmhg": 90,
                "consciousness": "pain",
                "temperature_c": 35.0,
            },
            20,
            "emergency",
        ),
    ],
)
def test_what_the_total_calls_for(values: dict[str, Any], total: int, response: str) -> None:
    found = news2(Measured(**(WELL | values)))
    assert (found.total, found.response) == (total, response)


def test_nothing_measured_is_no_score() -> None:
    found = news2(Measured())
    assert (found.total, found.known, found.response) == (0, 0, "routine")
    assert found.words[1] == "partial score 0 (0 of 7)"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name in ("respiration_rpm", "spo2_pct", "systolic_mmhg", "heart_rate_bpm", "temperature_c")
        for value in (0, -1, 65535, float("nan"), float("inf"))
    ]
    + [("spo2_pct", 101), ("spo2_pct", 127), ("temperature_c", 98.6)],
)
def test_what_nobody_can_have_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        news2(Measured(**of(name, value)))


_PARTS = {
    "respiration_rpm": st.none() | st.floats(1, 90),
    "spo2_pct": st.none() | st.floats(30, 100),
    "oxygen": st.none() | st.booleans(),
    "systolic_mmhg": st.none() | st.floats(30, 300),
    "heart_rate_bpm": st.none() | st.floats(10, 300),
    "consciousness": st.none() | st.sampled_from(CONSCIOUSNESS),
    "temperature_c": st.none() | st.floats(25, 45),
}


@given(st.fixed_dictionaries(_PARTS), st.booleans())
def test_a_score_is_the_sum_of_its_parts_and_says_what_is_missing(values: dict[str, Any], scale_2: bool) -> None:
    found = news2(Measured(**values), scale_2=scale_2)
    assert found.total == sum(found.points.values())
    assert 0 <= found.total <= 20
    assert found.points.keys() | found.not_scored.keys() == values.keys()
    assert not found.points.keys() & found.not_scored.keys()
    assert found.partial == bool(found.not_scored)
    assert found.reasons[0].values["known"] == len(found.points)


@given(st.fixed_dictionaries(_PARTS), st.sampled_from(sorted(_PARTS)))
def test_measuring_less_never_scores_more(values: dict[str, Any], left_out: str) -> None:
    fewer = news2(Measured(**(values | {left_out: None})))
    assert fewer.total <= news2(Measured(**values)).total


@given(st.floats(51, 299), st.floats(0.5, 100))
def test_a_faster_pulse_never_scores_less(pulse: float, more: float) -> None:
    faster = min(pulse + more, 300)
    assert news2(Measured(heart_rate_bpm=faster)).total >= news2(Measured(heart_rate_bpm=pulse)).total
