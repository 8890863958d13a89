"""Rates, quiet hours and pauses hold for every history, not only for those somebody thought of."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from hub.notices import CHANNELS, LANES, Lane
from hub.notices.pacing import QuietHours, RateRule, free_at, most_tries, retry_at, room

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
lanes = st.sampled_from(LANES)
rules = st.builds(
    lambda most, seconds, share: RateRule(most, timedelta(seconds=seconds), int(share * (most - 1))),
    st.integers(1, 30),
    st.integers(1, 120),
    st.floats(0, 1),
)
arrivals = st.lists(st.tuples(st.floats(0, 20), lanes, st.integers(1, 12)), max_size=60)


@given(rules, arrivals)
def test_no_stretch_of_time_holds_more_than_the_rate(rule: RateRule, asked: list[tuple[float, Lane, int]]) -> None:
    left: list[tuple[datetime, Lane]] = []
    now = START
    for pause, lane, wanted in asked:
        now += timedelta(seconds=pause)
        times = [at for at, _ in left]
        left += [(now, lane)] * min(wanted, room(times, rule, lane, now))
    for start, _ in left:
        inside = [lane for at, lane in left if start <= at < start + rule.per]
        assert len(inside) <= rule.most
        if "alarm" not in inside:
            assert len(inside) <= rule.most - rule.reserved


@given(rules, st.lists(st.floats(0, 200), max_size=80), lanes)
def test_when_it_is_free_there_is_room_and_never_a_moment_earlier(
    rule: RateRule, offsets: list[float], lane: Lane
) -> None:
    now = START + timedelta(seconds=200)
    recent = [START + timedelta(seconds=offset) for offset in offsets]
    free = free_at(recent, rule, lane, now)
    assert room(recent, rule, lane, free) >= 1
    if free > now:
        assert room(recent, rule, lane, now) == 0
        assert room(recent, rule, lane, free - timedelta(microseconds=1)) == 0


@given(rules, st.lists(st.floats(0, 60), max_size=80))
def test_routine_never_takes_what_is_kept_for_alarms(rule: RateRule, offsets: list[float]) -> None:
    recent = sorted(START + timedelta(seconds=offset) for offset in offsets)
    assert room(recent, rule, "alarm", recent[-1] if recent else START) >= room(
        recent, rule, "routine", recent[-1] if recent else START
    )


clocks = st.times().map(lambda at: at.replace(second=0, microsecond=0))
moments = st.integers(0, 365 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))


@given(clocks, clocks, moments)
def test_quiet_hours_end_and_never_hold_an_alarm(start: time, end: time, at: datetime) -> None:
    quiet = QuietHours(start, end, ZoneInfo("Asia/Shanghai"))
    assert quiet.until(at, "alarm") is None
    until = quiet.until(at, "routine")
    if start == end:
        assert until is None
    if until is not None:
        assert at < until <= at + timedelta(hours=24)
        assert quiet.until(until, "routine") is None
        assert quiet.until(until - timedelta(seconds=1), "routine") == until
        assert until.astimezone(quiet.zone).time() == end


def test_quiet_hours_over_midnight_and_within_a_day() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    night, noon = QuietHours(time(21, 30), time(7), zone), QuietHours(time(12), time(14), zone)
    at = lambda text: datetime.fromisoformat(f"2026-11-22T{text}+08:00")  # noqa: E731
    assert night.until(at("21:29:59"), "routine") is None
    assert night.until(at("21:30"), "routine") == at("07:00") + timedelta(days=1)
    assert night.until(at("00:10"), "routine") == at("07:00")
    assert night.until(at("07:00"), "routine") is None
    assert noon.until(at("13:00"), "routine") == at("14:00")
    assert noon.until(at("23:00"), "routine") is None


@given(st.uuids(), st.integers(1, 60), lanes, st.one_of(st.none(), st.floats(0, 900)))
def test_pauses_grow_and_respect_the_provider(ident: object, attempt: int, lane: Lane, asked: float | None) -> None:
    again = retry_at(str(ident), attempt, lane, START, asked)
    assert again == retry_at(str(ident), attempt, lane, START, asked)
    assert again > START
    assert again - START >= timedelta(seconds=asked or 0)
    assert again - START <= timedelta(seconds=max(30 if lane == "alarm" else 1800, asked or 0))


def test_tries_end() -> None:
    assert all(1 < most_tries(lane, channel) <= 60 for lane in LANES for channel in CHANNELS)
