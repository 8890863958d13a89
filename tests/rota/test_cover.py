"""Gaps found ahead: nobody counted twice, nothing missed, whoever answers for an area above counts."""

from __future__ import annotations

from datetime import time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.rota import (
    WEEKDAYS_ONLY,
    Cover,
    Duty,
    Override,
    Rotation,
    Shift,
    duties,
    gaps,
    left_open,
    slots,
    unfilled,
)
from tests.rota.strategies import CHINA, MONDAY, START, at, overrides, shifts

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
PATH = ("D", "C", "G1")


def _gaps(cover: Cover, on_duty: tuple[Duty, ...], days: int = 7) -> list[tuple[float, float, int]]:
    """(begin, end, have) in hours from midnight of Monday."""
    return [
        ((one.starts_at - START) / HOUR, (one.ends_at - START) / HOUR, one.have)
        for one in gaps([cover], on_duty, START, START + days * DAY, WEEKDAYS_ONLY, CHINA)
    ]


@settings(max_examples=150)
@given(shifts(12), overrides(), st.integers(1, 3), st.integers(0, 23), st.sampled_from([60, 480, 720, 1_440]))
def test_a_quarter_is_in_a_gap_where_too_few_different_people_are_there(
    some: list[Shift], other: list[Override], people: int, hour: int, minutes: int
) -> None:
    cover = Cover("c", "guard", people, PATH, time(hour), minutes)
    on_duty = duties(some, other, START, START + 7 * DAY)
    found = gaps([cover], on_duty, START, START + 7 * DAY, WEEKDAYS_ONLY, CHINA)
    for quarter in range(0, 7 * 96, 3):
        moment = at(quarter)
        wanted = any(
            begin <= moment < begin + timedelta(minutes=minutes)
            for begin in (START + day * DAY + hour * HOUR for day in range(-1, 8))
        )
        have = {
            one.responder_id
            for one in on_duty
            if one.role == "guard" and one.starts_at <= moment < one.ends_at and one.area_ids <= {*PATH}
        }
        inside = [one for one in found if one.starts_at <= moment < one.ends_at]
        assert len(inside) == (wanted and len(have) < people)
        assert all(one.have == len(have) for one in inside)
    assert all(one.starts_at < one.ends_at for one in found)


def test_two_shifts_of_one_person_are_one_person() -> None:
    day = [Shift(name, "A", "guard", START, START + DAY) for name in ("a", "b")]
    assert _gaps(Cover("c", "guard", 2, PATH), duties(day, [], START, START + DAY), 1) == [(0, 24, 1)]


def test_whoever_answers_above_counts_and_whoever_answers_below_or_beside_does_not() -> None:
    def on(*area: str) -> tuple[Duty, ...]:
        return (Duty("A", "guard", START, START + DAY, frozenset(area)),)

    cover = Cover("c", "guard", 1, ("D", "C"))
    assert _gaps(cover, on("D"), 1) == []
    assert _gaps(cover, on("C"), 1) == []
    assert _gaps(cover, on(), 1) == []
    assert _gaps(cover, on("G1"), 1) == [(0, 24, 0)]
    assert _gaps(cover, on("C2", "D"), 1) == []
    assert _gaps(Cover("c", "nurse", 1, ("D", "C")), on("D"), 1) == [(0, 24, 0)]
    assert _gaps(Cover("c", "guard"), on("G1"), 1) == []  # wanted anywhere at all


def test_a_night_window_crosses_midnight_and_a_gap_over_days_is_one() -> None:
    night = Cover("c", "guard", 1, PATH, time(22), 480)
    assert _gaps(night, (), 2) == [(0, 6, 0), (22, 30, 0), (46, 48, 0)]
    assert _gaps(Cover("c", "guard", 1, PATH), ()) == [(0, 168, 0)]
    relief = duties(
        [Shift("a", "A", "guard", START, START + 8 * HOUR), Shift("b", "B", "guard", START + 8 * HOUR, START + DAY)],
        [],
        START,
        START + DAY,
    )
    assert _gaps(Cover("c", "guard", 1, PATH), relief, 1) == []
    assert _gaps(Cover("c", "guard", 2, PATH), relief, 1) == [(0, 24, 1)]


def test_cover_may_be_wanted_on_working_days_alone() -> None:
    found = _gaps(Cover("c", "guard", 1, PATH, time(9), 60, "days_off"), ())
    assert found == [(5 * 24 + 9, 5 * 24 + 10, 0), (6 * 24 + 9, 6 * 24 + 10, 0)]


def test_what_an_absence_leaves_open_is_named_once_and_what_is_stood_in_for_is_not() -> None:
    shift = Shift("s", "A", "guard", START, START + 8 * HOUR, frozenset({"G1"}))
    ill = Override("i", "absent", START + 2 * HOUR, START + DAY, "A")
    again = Override("j", "absent", START + 4 * HOUR, START + DAY, "A")
    (gap,) = left_open([shift], [ill, again], START, START + DAY)
    assert (gap.kind, gap.about, gap.area_id) == ("absent", "A", "G1")
    assert (gap.starts_at, gap.ends_at) == (START + 2 * HOUR, START + 8 * HOUR)
    relief = Override("k", "instead", START, START + DAY, "A", "B")
    assert left_open([shift], [ill, relief], START, START + DAY) == ()


@settings(max_examples=100)
@given(shifts(), overrides())
def test_what_is_left_open_is_what_absences_took(some: list[Shift], other: list[Override]) -> None:
    end = START + 8 * DAY
    open_ones = left_open(some, other, START, end)
    before = duties(some, [one for one in other if one.kind != "absent"], START, end)
    after = duties(some, other, START, end)

    def length(spans: object) -> timedelta:
        return sum(((one.ends_at - one.starts_at) for one in spans), timedelta())  # type: ignore[attr-defined]

    assert length(before) - length(after) == length(open_ones)


def test_a_rotation_without_enough_members_is_a_gap() -> None:
    rotation = Rotation("r", "r", "guard", "FREQ=DAILY", MONDAY, time(20), 720, ("A",), seats=2)
    some = slots(rotation, MONDAY - DAY, MONDAY + 2 * DAY, WEEKDAYS_ONLY, CHINA)
    found = unfilled("guard", "G1", some, START, START + DAY)
    assert [((one.starts_at - START) / HOUR, (one.ends_at - START) / HOUR) for one in found] == [(20, 24)]
