"""When a power cut is over: what the devices say decides, and who is left without is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.alarms.power import SETTLES, CutDevice, judge_power

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def devices(back: list[float], tells: int = 0, mute: int = 0, heard: int = 0, at: float = 0.0) -> list[CutDevice]:
    """`back`: minutes since each said so; `tells` can and did not; of `mute` that cannot, `heard` were heard lately."""
    said = [CutDevice(f"b{n}", True, ago(one), ago(one)) for n, one in enumerate(back)]
    silent = [CutDevice(f"t{n}", True, None, ago(at)) for n in range(tells)]
    cannot = [CutDevice(f"m{n}", False, None, ago(at) if n < heard else ago(90)) for n in range(mute)]
    return [*said, *silent, *cannot]


def test_nobody_says_so_and_it_stands_however_much_is_heard() -> None:
    assert judge_power(devices([], tells=6, mute=6, heard=6), now=NOW).kind == "out"
    assert judge_power([], now=NOW).kind == "out"


def test_one_lamp_that_was_moved_ends_nothing_half_of_those_that_tell_do() -> None:
    assert judge_power(devices([30], tells=5), now=NOW).kind == "out"
    assert judge_power(devices([30, 30], tells=2), now=NOW).kind == "out", "three at least where there are so many"
    assert judge_power(devices([30, 29, 28], tells=3), now=NOW).kind == "over"
    assert judge_power(devices([30], mute=1, heard=1), now=NOW).kind == "over", "the only one that can tell"


def test_the_others_have_ten_minutes_then_they_are_faults_of_their_own() -> None:
    assert judge_power(devices([9, 9, 9], tells=1), now=NOW).kind == "settling"
    verdict = judge_power(devices([11, 11, 11], tells=1, mute=2, heard=1), now=NOW)
    assert (verdict.kind, verdict.heard, verdict.faults) == ("over", ("m0",), ("t0", "m1"))
    assert [one.code for one in verdict.reasons] == ["power_back", "power_fault"]


def test_everybody_back_is_over_at_once() -> None:
    verdict = judge_power(devices([0.1, 0.2, 0.3], mute=2, heard=2), now=NOW)
    assert (verdict.kind, verdict.faults, [one.code for one in verdict.reasons]) == ("over", (), ["power_back"])


@given(
    st.lists(st.floats(0, 60), max_size=8), st.integers(0, 8), st.integers(0, 8), st.integers(0, 8), st.floats(0, 60)
)
def test_nobody_is_forgotten_and_waiting_never_undoes_an_end(
    back: list[float], tells: int, mute: int, heard: int, at: float
) -> None:
    known = devices(back, tells, mute, heard, at)
    verdict = judge_power(known, now=NOW)
    if verdict.kind != "out":
        assert sorted((*verdict.back, *verdict.heard, *verdict.faults)) == sorted(one.device_id for one in known)
        later = judge_power(known, now=NOW + SETTLES)
        assert (later.kind, later.faults) == ("over", verdict.faults)
