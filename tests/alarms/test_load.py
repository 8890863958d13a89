"""Floods, seats, bad actors and the mix of priorities."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alarms.load import (
    FLOOD_ALARMS,
    FLOOD_OVER,
    FLOOD_WITHIN,
    Actor,
    bad_actors,
    flood_spans,
    flooded,
    load_word,
    priority_mix,
    seat_of,
)
from tests.alarms.builders import at

series = st.lists(st.integers(0, 7200), max_size=60)
seats = st.sets(st.sampled_from("ABCDEF"), max_size=6)


def in_flood_second_by_second(times: list[int], until: int) -> list[int]:
    """The definition itself: ten in ten minutes begin it, fewer than five end it."""
    found, on = [], False
    ten = int(FLOOD_WITHIN.total_seconds())
    for second in range(until + 1):
        lately = sum(1 for one in times if second - ten < one <= second)
        on = lately >= (FLOOD_OVER if on else FLOOD_ALARMS)
        if on:
            found.append(second)
    return found


@given(series)
def test_floods_are_those_of_the_definition(times: list[int]) -> None:
    until = 9000
    spans = flood_spans([at(one) for one in times], at(until))
    inside = [second for second in range(until + 1) if any(span.begin <= at(second) < span.end for span in spans)]
    assert inside == in_flood_second_by_second(times, until)
    assert all(one.end <= other.begin for one, other in itertools.pairwise(spans))
    assert all(span.alarms >= FLOOD_ALARMS for span in spans)


def test_a_flood_that_goes_on_ends_now() -> None:
    spans = flood_spans([at(second) for second in range(12)], at(60))
    assert [(span.begin, span.end, span.alarms) for span in spans] == [(at(9), at(60), 12)]


@pytest.mark.parametrize(
    ("count", "before", "is_flood"), [(9, False, False), (10, False, True), (5, True, True), (4, True, False)]
)
def test_a_flood_begins_at_ten_and_ends_below_five(count: int, before: bool, is_flood: bool) -> None:
    assert flooded(count, before=before) == is_flood


@pytest.mark.parametrize(
    ("an_hour", "in_flood", "word"),
    [
        (6, False, "comfortable"),
        (7, False, "busy"),
        (12, False, "busy"),
        (13, False, "over"),
        (2, True, "flood"),
    ],
)
def test_a_word_for_the_load(an_hour: float, in_flood: bool, word: str) -> None:
    assert load_word(an_hour, in_flood=in_flood) == word


@given(st.text(max_size=12), seats, seats)
def test_a_flooded_seat_spills_to_the_next_and_never_to_a_flooded_one(
    place: str, on_duty: set[str], full: set[str]
) -> None:
    found = seat_of(place, on_duty, full)
    calm = seat_of(place, on_duty, ())
    assert found.home == calm.seat, "the home is the same, flood or not"
    if not on_duty:
        assert (found.seat, found.rule) == (None, "nobody")
    elif found.home not in full:
        assert (found.seat, found.rule) == (found.home, "home")
    elif on_duty <= full:
        assert (found.seat, found.rule) == (found.home, "all_flooded")
    else:
        assert found.rule == "spilled"
        assert found.seat in on_duty - full


@given(st.text(max_size=12), seats, st.sampled_from("ABCDEF"))
def test_when_a_seat_goes_only_its_own_places_move(place: str, on_duty: set[str], gone: str) -> None:
    before, after = seat_of(place, on_duty, ()), seat_of(place, on_duty - {gone}, ())
    assert after.seat == before.seat or before.seat == gone


def test_places_are_spread_over_the_seats() -> None:
    homes = [seat_of(f"C-{number}", "ABCD", ()).seat for number in range(400)]
    assert min(homes.count(seat) for seat in "ABCD") > 60


def test_bad_actors_are_the_few_that_make_half_of_it() -> None:
    actors = [Actor("quiet", 1), Actor("worst", 60), Actor("second", 30), Actor("third", 9), Actor("never", 0)]
    found = bad_actors(actors, 100, days=1)
    assert [(one.rank, one.id, one.bad) for one in found] == [
        (1, "worst", True),
        (2, "second", False),
        (3, "third", False),
        (4, "quiet", False),
    ]
    assert (found[0].share, found[1].together) == (0.6, 0.9)


@given(st.lists(st.integers(0, 50), max_size=30), st.floats(0.1, 60))
def test_bad_actors_never_say_more_than_everything(counts: list[int], days: float) -> None:
    actors = [Actor(f"D-{number}", count) for number, count in enumerate(counts)]
    found = bad_actors(actors, sum(counts), days=days)
    assert sum(one.alarms for one in found) == sum(counts)
    assert all(0 < one.share <= one.together <= 1.0000001 for one in found)
    assert [one.alarms for one in found] == sorted((one.alarms for one in found), reverse=True)


def test_the_mix_against_five_fifteen_eighty() -> None:
    mix = priority_mix({"critical": 11, "high": 10, "medium": 40, "low": 39})
    assert (mix["critical"]["share"], mix["critical"]["over"]) == (0.11, True)
    assert (mix["high"]["over"], mix["rest"]["n"]) == (False, 79)
    assert priority_mix({"critical": 3})["critical"]["over"] is False, "three alarms have no mix"
    assert priority_mix({})["critical"]["share"] is None


def test_the_span_of_a_flood_is_ten_minutes_after_the_fifth_last() -> None:
    times = [at(second) for second in range(10)]
    (span,) = flood_spans(times, at(5000))
    assert span.end == at(5) + timedelta(minutes=10)
