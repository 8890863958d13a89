"""What a check proves: never refused, flagged with reasons, judged by the numbers of the table and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import Place
from dispatch.gate import GATE_LIMITS, gate_limits, judge_gate
from dispatch.proof import (
    ELEMENTS,
    FINDINGS,
    PROOF_LIMITS,
    Arrival,
    Expected,
    PhoneFix,
    Told,
    elements,
    finding,
    judge_arrival,
    judge_leaving,
    lateness,
    missing_carers,
)
from dispatch.visit_tasks import VISIT_TASKS, tasks_of

NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOME = Place(31.3396, 118.3962)
THERE = PhoneFix(31.3396, 118.3962, 12.0)
NURSE = Expected(
    responder_id="S2",
    carers=1,
    begin_from=NINE,
    begin_by=NINE + 30 * MINUTE,
    duration=timedelta(minutes=45),
    offered_at=NINE - timedelta(hours=20),
    personal=True,
    place=HOME,
)
PAIR = replace(NURSE, carers=2, duration=timedelta(minutes=60), gate=True)


def told(minutes: float = 5, fix: PhoneFix | None = THERE, sent: float = 0, own: bool = True) -> Told:
    at = NINE + minutes * MINUTE
    return Told(at, at + sent * MINUTE, fix, own)


def north(metres: float, accuracy: float | None = 12.0) -> PhoneFix:
    return PhoneFix(31.3396 + metres / 111_195, 118.3962, accuracy)


def test_a_visit_in_time_at_the_door_by_its_carer_is_verified() -> None:
    arrival = judge_arrival(told(), NURSE)
    leaving = judge_leaving(told(50), NURSE, told().at)
    assert arrival.verified
    assert leaving.verified
    assert arrival.late is None
    assert arrival.distance_m == pytest.approx(0, abs=1)
    assert elements(arrival, leaving) == dict.fromkeys(ELEMENTS, True)


@pytest.mark.parametrize(
    ("fix", "flags"),
    [
        (north(149, None), ()),
        (north(152, None), ("too_far",)),
        (north(240, 100), ()),
        (north(260, 100), ("too_far",)),
        (north(100, 800), ("fix_coarse",)),
        (None, ("no_fix",)),
        (replace(THERE, source="manual"), ("fix_source",)),
        (replace(THERE, at=NINE - 30 * MINUTE), ("fix_old",)),
    ],
)
def test_place_is_150_m_and_the_accuracy_that_the_phone_states(fix: PhoneFix | None, flags: tuple[str, ...]) -> None:
    assert judge_arrival(told(fix=fix), NURSE).flags == flags


def test_a_place_that_may_be_anywhere_is_not_judged_and_one_without_coordinates_is_looked_at() -> None:
    errand = replace(NURSE, personal=False, anywhere=True)
    assert judge_arrival(told(fix=None), errand).verified
    assert judge_arrival(told(fix=north(5000)), errand).verified
    assert judge_arrival(told(), replace(NURSE, place=None)).flags == ("place_unknown",)


@pytest.mark.parametrize(
    ("sent", "flags", "notes"),
    [
        (0, (), ()),
        (11, (), ("sent_later",)),
        (60 * 71, (), ("sent_later",)),
        (60 * 73, ("sent_much_later",), ()),
        (-1, (), ()),
        (-3, ("clock_ahead",), ()),
    ],
)
def test_a_check_that_came_later_keeps_its_time_and_a_wrong_clock_is_noticed(
    sent: float, flags: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    found = judge_arrival(told(sent=sent), NURSE)
    assert found.flags == flags
    assert tuple(one.code for one in found.findings if not one.fails) == notes
    behind = judge_arrival(told(), replace(NURSE, offered_at=NINE + timedelta(hours=1)))
    assert "clock_behind" in behind.flags


def test_late_is_yellow_red_missed_at_15_30_60_minutes() -> None:
    by = NURSE.begin_by
    levels = [lateness(by, by + minutes * MINUTE) for minutes in (-30, 0, 14.9, 15, 29.9, 30, 59.9, 60, 600)]
    assert levels == [None, None, None, "yellow", "yellow", "red", "red", "missed", "missed"]
    # Late is known and fails nothing: somebody came.
    assert judge_arrival(told(50), NURSE).late == "yellow"
    assert judge_arrival(told(50), NURSE).verified
    # Sent an hour later, but there in time.
    assert judge_arrival(told(5, sent=90), NURSE).late is None


def test_who_it_was_and_whether_they_may() -> None:
    assert judge_arrival(told(own=False), NURSE).flags == ("not_own",)
    assert judge_arrival(told(), replace(NURSE, qualified=False)).flags == ("not_qualified",)
    assert judge_arrival(told(), replace(NURSE, absent="hospital")).flags == ("resident_absent",)
    assert judge_arrival(told(-90), NURSE).flags == ("early",)


def test_personal_care_is_no_shorter_than_30_minutes_unless_nobody_claims_it() -> None:
    arrived = told().at
    assert judge_leaving(told(34), NURSE, arrived).flags == ("too_short",)
    assert judge_leaving(told(35), NURSE, arrived).verified
    assert judge_leaving(told(10), NURSE, arrived, done=False).verified
    assert judge_leaving(told(10, None), NURSE, arrived, done=False).verified, "a closed door needs no second proof"
    assert judge_leaving(told(40, None), NURSE, arrived).flags == ("no_fix",)
    # What was ordered for less than that is as long as it was ordered.
    assert judge_leaving(told(21), replace(NURSE, duration=15 * MINUTE), arrived).verified
    cleaning = replace(NURSE, personal=False, duration=timedelta(minutes=120))
    assert judge_leaving(told(60), cleaning, arrived).flags == ("short",)
    assert judge_leaving(told(70), cleaning, arrived).verified
    assert judge_leaving(told(50), NURSE, None).flags == ("no_check_in",)
    assert judge_leaving(told(1), NURSE, arrived).flags == ("out_before_in",)


def test_two_carers_are_two_and_together() -> None:
    first = Arrival("S4", NINE)
    assert judge_arrival(told(5), PAIR, [first]).verified
    assert judge_arrival(told(15), PAIR, [first]).flags == ("apart",)
    assert judge_arrival(told(5), PAIR).verified, "the first of two is not late because the other is"
    done = judge_leaving(told(70), PAIR, told().at, [], gate="pass")
    assert done.flags == ("alone",)
    assert judge_leaving(told(70), PAIR, told().at, [first], gate="pass").verified
    assert missing_carers(2, [first], NINE + 9 * MINUTE) is None
    alone = missing_carers(2, [first], NINE + 10 * MINUTE)
    assert alone is not None
    assert (alone.zh, alone.en) == ("应到 2 人，实到 1 人", "1 of 2 carers came")
    assert missing_carers(2, [first, Arrival("S5", NINE)], NINE + 60 * MINUTE) is None
    assert missing_carers(2, [], NINE + 60 * MINUTE) is None, "nobody there is late, not alone"


def test_a_bath_needs_its_gate() -> None:
    other = [Arrival("S4", NINE)]
    assert judge_leaving(told(70), PAIR, told().at, other).flags == ("gate_missing",)
    assert judge_leaving(told(70), PAIR, told().at, other, gate="stop").flags == ("gate_stopped",)
    assert judge_leaving(told(20), PAIR, told().at, other, gate="stop", done=False).verified


TIMES = st.integers(-300_000, 300_000).map(lambda minutes: NINE + minutes * MINUTE)
FIXES = st.none() | st.builds(
    PhoneFix,
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.none() | st.floats(0, 1e6),
    st.sampled_from(["gnss", "wifi", "cell", "manual", "beacon", "last_known"]),
    st.none() | TIMES,
)
EXPECTED = st.builds(
    Expected,
    responder_id=st.just("S2"),
    carers=st.sampled_from([1, 2]),
    begin_from=st.just(NINE),
    begin_by=st.just(NINE + 30 * MINUTE),
    duration=st.integers(5, 240).map(lambda n: n * MINUTE),
    offered_at=TIMES,
    personal=st.booleans(),
    gate=st.booleans(),
    place=st.none() | st.just(HOME),
    anywhere=st.booleans(),
    absent=st.none() | st.just("hospital"),
    qualified=st.booleans(),
)


@given(TIMES, TIMES, FIXES, EXPECTED, st.lists(st.builds(Arrival, st.sampled_from(["S2", "S3"]), TIMES), max_size=3))
def test_whatever_a_phone_says_is_judged_in_words_and_never_refused(
    at: datetime, recorded_at: datetime, fix: PhoneFix | None, expected: Expected, others: list[Arrival]
) -> None:
    one = Told(at, recorded_at, fix)
    for judged in (judge_arrival(one, expected, others), judge_leaving(one, expected, at, others, gate="pass")):
        assert judged.verified == (not judged.flags)
        assert len(set(judged.flags)) == len(judged.flags)
        for found in judged.findings:
            assert found.fails == FINDINGS[found.code][0]
            assert "{" not in found.zh + found.en
        # The coordinates decide alone: whoever is nearer can never be too far where the farther one is not.
        if fix is not None and "too_far" in judged.flags:
            assert judged.distance_m is not None
            assert judged.distance_m > PROOF_LIMITS.radius_m + (fix.accuracy_m or 0)


@given(TIMES, st.integers(0, 600), st.integers(0, 600))
def test_lateness_only_grows(by: datetime, first: int, more: int) -> None:
    order = [None, "yellow", "red", "missed"]
    assert order.index(lateness(by, by + first * MINUTE)) <= order.index(lateness(by, by + (first + more) * MINUTE))


VALUES = {
    "systolic_mmhg": 128.0,
    "diastolic_mmhg": 78.0,
    "heart_rate_bpm": 72.0,
    "temperature_c": 36.5,
    "spo2_pct": 97.0,
}


def test_the_gate_passes_within_its_limits_and_stops_with_every_reason_outside() -> None:
    assert judge_gate(VALUES, "given").verdict == "pass"
    stop = judge_gate({**VALUES, "systolic_mmhg": 172, "temperature_c": 38.2}, "given")
    assert (stop.verdict, stop.outcome, stop.nurse) == ("stop", "aborted", True)
    assert [one.code for one in stop.reasons] == ["too_high", "too_high"]
    assert stop.reasons[0].zh == "收缩压 172 mmHg，高于 159"
    forgot = judge_gate({key: value for key, value in VALUES.items() if key != "temperature_c"}, "given")
    assert (forgot.verdict, forgot.nurse) == ("stop", False)
    assert [one.code for one in forgot.reasons] == ["not_measured"]
    assert judge_gate({k: v for k, v in VALUES.items() if k != "spo2_pct"}, "given").verdict == "pass"
    assert judge_gate(VALUES, "refused").outcome == "refused"
    assert not judge_gate(VALUES, "refused").nurse
    assert judge_gate(VALUES, "unable").nurse


@given(
    st.dictionaries(st.sampled_from(list(GATE_LIMITS)), st.floats(0, 300)),
    st.sampled_from(["given", "refused", "unable"]),
)
def test_nothing_passes_that_is_outside_or_unmeasured_or_unwanted(values: dict[str, float], consent: str) -> None:
    found = judge_gate(values, consent)  # type: ignore[arg-type]
    inside = all(
        (limit.metric not in values and not limit.required)
        or (
            limit.metric in values
            and (limit.low is None or values[limit.metric] >= limit.low)
            and (limit.high is None or values[limit.metric] <= limit.high)
        )
        for limit in GATE_LIMITS.values()
    )
    assert (found.verdict == "pass") == (inside and consent == "given")
    assert (found.outcome is None) == (found.verdict == "pass")


def test_a_kind_may_have_limits_of_its_own_and_a_slip_is_named() -> None:
    strict = gate_limits({"systolic_mmhg": [100, 140]})
    assert judge_gate({**VALUES, "systolic_mmhg": 145}, "given", strict).verdict == "stop"
    for wrong in ({"pulse": [1, 2]}, {"systolic_mmhg": 140}, {"systolic_mmhg": [150, 100]}, {"spo2_pct": ["a", None]}):
        with pytest.raises(ValueError, match="gate_limits"):
            gate_limits(wrong)


def test_every_visit_has_its_list_and_a_record_may_name_another() -> None:
    assert [one.code for one in tasks_of("bathing")][:2] == ["water_temperature", "non_slip"]
    own = [{"code": "feet", "zh": "泡脚", "en": "Foot bath"}, "bath", {"code": 3}, "nonsense", None]
    assert [one.zh for one in tasks_of("bathing", None, own)] == ["泡脚", "洗浴"]
    assert tasks_of("bathing", ["hair"], ["nails"])[0].code == "nails"
    assert tasks_of("bathing", "nonsense", []) == VISIT_TASKS["bathing"]
    assert tasks_of("unheard_of") == ()


def test_every_word_can_be_said() -> None:
    with pytest.raises(KeyError):
        finding("unheard_of")
    assert all(zh and en for _, zh, en in FINDINGS.values())
