"""Vital signs: limits, what is usual, and all that must not raise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alarms.rules import ENTERED, Reading, Usual, judge, learn_usual
from tests.alarms.rules.pictures import CHINA, NOON, ago, ask, picture, readings

METRICS = (
    "heart_rate_bpm",
    "spo2_pct",
    "systolic_mmhg",
    "diastolic_mmhg",
    "temperature_c",
    "respiration_rpm",
    "glucose_mmol_l",
)
LIMITS = [
    ("heart_rate_high", "heart_rate_bpm", 131, 130),
    ("heart_rate_low", "heart_rate_bpm", 40, 41),
    ("spo2_low", "spo2_pct", 91, 92),
    ("respiration_high", "respiration_rpm", 25, 24),
    ("respiration_low", "respiration_rpm", 8, 9),
    ("systolic_high", "systolic_mmhg", 180, 179),
    ("systolic_low", "systolic_mmhg", 90, 91),
    ("diastolic_high", "diastolic_mmhg", 110, 109),
    ("fever", "temperature_c", 38.1, 38.0),
    ("glucose_low", "glucose_mmol_l", 3.9, 4.0),
    ("glucose_high", "glucose_mmol_l", 16.7, 16.6),
]


@pytest.mark.parametrize(("rule", "metric", "bad", "well"), LIMITS)
def test_the_limit_itself_is_bad_and_the_value_beside_it_is_not(
    rule: str, metric: str, bad: float, well: float
) -> None:
    assert ask(rule, picture(readings={metric: readings([bad] * 3)})).kind == "raise"
    assert ask(rule, picture(readings={metric: readings([well] * 3)})).kind == "quiet"


def test_a_raise_names_the_numbers_it_used() -> None:
    verdict = ask(
        "heart_rate_high",
        picture({"heart_rate_high": 120}, readings={"heart_rate_bpm": readings([118, 121, 125, 122])}),
    )
    assert (verdict.kind, verdict.type, verdict.priority) == ("raise", "heart_rate_high", "high")
    reason = verdict.reasons[0]
    assert reason.code == "limit"
    assert "121, 125, 122" in reason.text
    assert reason.values["rule"] == "heart_rate_high"
    assert (reason.values["limit"], reason.values["value"], reason.values["worst"]) == (120.0, 122, 125)


def test_one_slip_of_a_wrist_is_nothing_and_a_cuff_counts_alone() -> None:
    assert ask("heart_rate_high", picture(readings={"heart_rate_bpm": readings([80, 82, 170])})).kind == "quiet"
    assert ask("heart_rate_high", picture(readings={"heart_rate_bpm": readings([170, 170])})).kind == "quiet"
    assert ask("systolic_high", picture(readings={"systolic_mmhg": readings([185])})).kind == "raise"


def test_an_old_reading_and_a_buffered_one_never_raise_now() -> None:
    late = readings([170] * 3, now=NOON - timedelta(minutes=16))
    assert ask("heart_rate_high", picture(readings={"heart_rate_bpm": late})).kind == "quiet"
    stored = readings([170] * 20, buffered=True)
    assert ask("heart_rate_high", picture(readings={"heart_rate_bpm": stored})).kind == "quiet"


def test_the_clock_of_the_device_decides_nothing() -> None:
    wrong = tuple(replace(one, observed_at=ago(86_400 * 200)) for one in readings([170] * 3))
    assert ask("heart_rate_high", picture(readings={"heart_rate_bpm": wrong})).kind == "raise"


def test_a_watch_on_the_table_measures_nobody() -> None:
    off = {"heart_rate_bpm": readings([170] * 3), "wearing": (Reading(0, ago(500), ago(500), "W1"),)}
    assert ask("heart_rate_high", picture(readings=off)).kind == "quiet"
    other = {"heart_rate_bpm": readings([170] * 3), "wearing": (Reading(0, ago(500), ago(500), "W9"),)}
    assert ask("heart_rate_high", picture(readings=other)).kind == "raise"
    again = off | {"wearing": (Reading(0, ago(500), ago(500), "W1"), Reading(1, ago(400), ago(400), "W1"))}
    assert ask("heart_rate_high", picture(readings=again)).kind == "raise"


def test_what_a_nurse_entered_is_scored_elsewhere_but_where_news2_is_blind() -> None:
    entered = picture(readings={"heart_rate_bpm": readings([170], device=ENTERED)})
    assert ask("heart_rate_high", entered).kind == "quiet"
    entered = picture(readings={"systolic_mmhg": readings([182], device=ENTERED)})
    assert ask("systolic_high", entered).kind == "raise"
    entered = picture(readings={"systolic_mmhg": readings([85], device=ENTERED)})
    assert ask("systolic_low", entered).kind == "quiet"


def test_a_value_that_dances_on_the_limit_is_one_matter() -> None:
    seen, now, standing, raised = [], NOON, None, 0
    for step in range(120):
        now = NOON + timedelta(seconds=30 * step)
        seen.append(Reading(133 if step % 8 < 4 else 127, now, now, "W1"))
        verdict = ask("heart_rate_high", picture(readings={"heart_rate_bpm": tuple(seen)}), now=now, standing=standing)
        standing = verdict.standing
        raised += verdict.kind == "raise"
        assert verdict.kind != "clear"
    assert raised == 1


def test_it_is_over_after_ten_good_minutes_and_new_after_that() -> None:
    first = ask("heart_rate_high", picture(readings={"heart_rate_bpm": readings([150] * 3)}))
    good_at = NOON + timedelta(minutes=5)
    good = picture(readings={"heart_rate_bpm": readings([88] * 3, now=good_at)})
    held = ask("heart_rate_high", good, now=good_at, standing=first.standing)
    assert (held.kind, held.look_at) == ("hold", good_at + timedelta(minutes=10))
    later = good_at + timedelta(minutes=10)
    good = picture(readings={"heart_rate_bpm": readings([88] * 3, now=later)})
    over = ask("heart_rate_high", good, now=later, standing=held.standing)
    assert (over.kind, over.standing) == ("clear", None)
    again_at = later + timedelta(minutes=5)
    bad = picture(readings={"heart_rate_bpm": readings([150] * 3, now=again_at)})
    again = ask("heart_rate_high", bad, now=again_at, standing=over.standing)
    assert again.kind == "raise"
    assert again.key != first.key


def test_still_bad_after_two_hours_is_said_again() -> None:
    first = ask("heart_rate_high", picture(readings={"heart_rate_bpm": readings([150] * 3)}))
    for hours, kind in ((1.9, "hold"), (2.0, "raise")):
        now = NOON + timedelta(hours=hours)
        seen = picture(readings={"heart_rate_bpm": readings([150] * 3, now=now)})
        verdict = ask("heart_rate_high", seen, now=now, standing=first.standing)
        assert verdict.kind == kind
    assert verdict.reasons[-1].code == "still"
    assert verdict.key != first.key


@pytest.mark.parametrize("status", ["away", "hospital", "moved", "deceased"])
def test_who_is_not_at_home_raises_nothing_from_that_moment(status: str) -> None:
    seen = picture(readings={"heart_rate_bpm": readings([170] * 3)}, status=status)
    assert {one.kind for one in judge(seen, {}, now=NOON)} == {"quiet"}
    standing = ask("heart_rate_high", replace(seen, status="home")).standing
    cleared = ask("heart_rate_high", seen, standing=standing)
    assert (cleared.kind, cleared.standing, cleared.reasons[0].code) == ("clear", None, "resident_absent")


def test_a_rule_can_be_switched_off_for_one_resident() -> None:
    seen = picture({"off": ["heart_rate_high"]}, readings={"heart_rate_bpm": readings([170] * 3)})
    assert ask("heart_rate_high", seen).reasons[0].code == "switched_off"


# --- what is usual


USUAL = {"heart_rate_bpm": {12: Usual(62, 3, 21)}, "spo2_pct": {12: Usual(97, 0.4, 21)}}


def test_far_from_what_is_usual_at_this_hour() -> None:
    seen = picture(readings={"heart_rate_bpm": readings([98, 101, 99, 102])}, usual=USUAL)
    verdict = ask("heart_rate_trend", seen)
    assert (verdict.kind, verdict.type, verdict.priority) == ("raise", "heart_rate_abnormal", "medium")
    values = verdict.reasons[0].values
    assert (values["median"], values["usual"], values["spread"], values["days"]) == (100.0, 62, 4, 21)
    assert ask("heart_rate_trend", replace(seen, usual={})).kind == "quiet"
    assert (
        ask("heart_rate_trend", picture(readings={"heart_rate_bpm": readings([75, 76, 74])}, usual=USUAL)).kind
        == "quiet"
    )


def test_more_oxygen_than_usual_is_no_alarm() -> None:
    usual = {"spo2_pct": {12: Usual(91, 0.4, 21)}}
    assert ask("spo2_trend", picture(readings={"spo2_pct": readings([99] * 4)}, usual=usual)).kind == "quiet"
    usual = {"spo2_pct": {12: Usual(98, 0.4, 21)}}
    assert ask("spo2_trend", picture(readings={"spo2_pct": readings([93] * 4)}, usual=usual)).kind == "raise"


def test_the_usual_is_a_median_by_hour_and_needs_a_week() -> None:
    begin = NOON - timedelta(days=20)
    hours = [(begin + timedelta(hours=hour), 60.0 + (hour % 24) / 2) for hour in range(24 * 20)]
    hours += [(begin + timedelta(hours=1), 180.0)]  # one bad hour teaches nothing
    usual = learn_usual(hours, CHINA)
    assert usual[12].median == pytest.approx(60.0, abs=0.6)  # the series begins at noon in China
    assert usual[22].median == pytest.approx(65.0, abs=0.6)
    assert usual[12].spread < 3
    assert learn_usual(hours[: 24 * 5], CHINA) == {}


# --- properties


fillers = st.sampled_from([0.0, -1.0, 255.0, 127.0 + 400, 65535.0, -32768.0, float("nan"), float("inf"), 1e9])


@given(st.dictionaries(st.sampled_from(METRICS), st.lists(fillers, min_size=1, max_size=8), min_size=1))
def test_fillers_never_raise(values: dict[str, list[float]]) -> None:
    seen = picture(
        readings={metric: readings(listed) for metric, listed in values.items() if metric != "systolic_mmhg"},
        usual=USUAL,
    )
    assert {one.kind for one in judge(seen, {}, now=NOON)} == {"quiet"}


def test_nothing_known_raises_nothing() -> None:
    assert {one.kind for one in judge(picture(), {}, now=NOON)} == {"quiet"}


@given(st.lists(st.floats(20, 250), min_size=3, max_size=10), st.floats(0, 60))
def test_a_faster_heart_never_turns_a_raise_into_quiet(values: list[float], more: float) -> None:
    faster = [min(250.0, one + more) for one in values]
    if ask("heart_rate_high", picture(readings={"heart_rate_bpm": readings(values)})).kind == "raise":
        assert ask("heart_rate_high", picture(readings={"heart_rate_bpm": readings(faster)})).kind == "raise"


@given(st.lists(st.floats(50, 100), min_size=3, max_size=10), st.floats(0, 20))
def test_less_oxygen_never_turns_a_raise_into_quiet(values: list[float], less: float) -> None:
    lower = [max(50.0, one - less) for one in values]
    for rule in ("spo2_low", "spo2_trend"):
        if ask(rule, picture(readings={"spo2_pct": readings(values)}, usual=USUAL)).kind == "raise":
            assert ask(rule, picture(readings={"spo2_pct": readings(lower)}, usual=USUAL)).kind == "raise"


@given(st.lists(st.floats(20, 250), min_size=1, max_size=40), st.sampled_from([30.0, 60.0, 300.0]))
def test_a_rule_never_raises_twice_within_its_pause(values: list[float], every_s: float) -> None:
    standing, raised = None, []
    for index in range(len(values)):
        now = NOON + timedelta(seconds=every_s * index)
        seen = picture(readings={"heart_rate_bpm": readings(values[: index + 1], now=now, every_s=every_s)})
        verdict = ask("heart_rate_high", seen, now=now, standing=standing)
        standing = verdict.standing
        if verdict.kind == "raise":
            raised.append(now)
    assert all(later - one >= timedelta(minutes=10) for one, later in pairwise(raised))
