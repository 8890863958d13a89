"""Patterns: phases that never slip, seats that are never one person's, nights across midnight, holidays."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import BadRequestError
from hub.rota import CHINA, WEEKDAYS_ONLY, Calendar, Rotation, check_rotation, slots
from tests.rota.strategies import CHINA as ZONE
from tests.rota.strategies import MONDAY, rotations

HOLIDAYS = Calendar({one.day: one.kind for one in CHINA})
FOUR = Rotation("r", "四班", "guard", "FREQ=DAILY", MONDAY, time(8), 480, ("A", "B", "C", "D"))
DAY = timedelta(days=1)


def _who(rotation: Rotation, days: int, *, calendar: Calendar = WEEKDAYS_ONLY, start: date = MONDAY) -> str:
    return "".join(one.responder_id or "-" for one in slots(rotation, start, start + days * DAY, calendar, ZONE))


def test_turns_by_shift_day_and_week() -> None:
    assert _who(FOUR, 6) == "ABCDAB"
    assert _who(replace(FOUR, turn_length=2), 9) == "AABBCCDDA"
    assert _who(replace(FOUR, turn_unit="week"), 15) == "AAAAAAABBBBBBBC"
    assert _who(replace(FOUR, phase=-1), 5) == "DABCD"
    assert _who(replace(FOUR, seats=2), 3) == "ABCDAB"
    assert _who(replace(FOUR, seats=2, members=("A", "B", "C")), 3) == "ABCABC"
    assert _who(replace(FOUR, seats=3, members=("A", "B")), 2) == "AB-AB-"
    assert _who(replace(FOUR, members=()), 2) == "--"
    assert _who(replace(FOUR, active=False), 2) == ""
    assert _who(replace(FOUR, ends_on=MONDAY + DAY), 9) == "AB"


def test_four_crews_on_three_shifts_never_meet_themselves() -> None:
    """四班三运转: each works day, evening and night in turn, one rests; nobody has two of a day's shifts."""
    begins = ((time(8), 0), (time(16), -1), (time(0), -2))
    crews = [replace(FOUR, begins=at, phase=phase, turn_length=2, turn_unit="day") for at, phase in begins]
    for day in range(24):
        on = [_who(one, 1, start=MONDAY + day * DAY) for one in crews]
        assert len(set(on)) == 3
    hours = Counter(one for crew in crews for one in _who(crew, 24))
    assert set(hours.values()) == {18}


@settings(max_examples=150)
@given(rotations(), st.integers(0, 20), st.integers(1, 20))
def test_the_phase_does_not_depend_on_where_one_looks_from(rotation: Rotation, skip: int, days: int) -> None:
    begin = rotation.starts_on
    whole = slots(rotation, begin, begin + (skip + days) * DAY, HOLIDAYS, ZONE)
    part = slots(rotation, begin + skip * DAY, begin + (skip + days) * DAY, HOLIDAYS, ZONE)
    edge = datetime.combine(begin + skip * DAY, time(), ZONE)
    assert part == tuple(one for one in whole if one.starts_at >= edge)


@settings(max_examples=150)
@given(rotations())
def test_a_shift_is_as_long_as_it_says_and_has_nobody_twice(rotation: Rotation) -> None:
    found = slots(rotation, MONDAY, MONDAY + 21 * DAY, HOLIDAYS, ZONE)
    for one in found:
        assert one.ends_at - one.starts_at == timedelta(minutes=rotation.minutes)  # no clock is ever moved at +08:00
        assert one.starts_at.astimezone(ZONE).time() == rotation.begins
        assert HOLIDAYS.suits(one.starts_at.astimezone(ZONE).date(), rotation.days)
    for moment in {one.starts_at for one in found}:
        seated = [one.responder_id for one in found if one.starts_at == moment]
        assert len(seated) == rotation.seats
        named = [who for who in seated if who]
        assert len(set(named)) == len(named) == min(rotation.seats, len(rotation.members))


@settings(max_examples=100)
@given(rotations().filter(lambda one: bool(one.members) and one.turn_unit == "shift"))
def test_everybody_has_as_many_turns(rotation: Rotation) -> None:
    one_seat = replace(rotation, seats=1, phase=0)
    turns = Counter(one.responder_id for one in slots(one_seat, one_seat.starts_on, MONDAY + 120 * DAY, HOLIDAYS, ZONE))
    assert max(turns.values()) - min(turns.get(who, 0) for who in rotation.members) <= rotation.turn_length


def test_working_days_know_holidays_and_the_saturdays_that_make_up_for_them() -> None:
    office = replace(FOUR, days="workdays", members=("A",), starts_on=date(2026, 9, 14))
    on = {
        one.starts_at.astimezone(ZONE).date()
        for one in slots(office, date(2026, 9, 14), date(2026, 10, 13), HOLIDAYS, ZONE)
    }
    assert date(2026, 9, 20) in on  # a Sunday that is worked
    assert date(2026, 10, 10) in on
    assert not {date(2026, 9, 25), date(2026, 10, 1), date(2026, 10, 7)} & on
    others = replace(office, days="days_off")
    off = {
        one.starts_at.astimezone(ZONE).date()
        for one in slots(others, date(2026, 9, 14), date(2026, 10, 13), HOLIDAYS, ZONE)
    }
    assert not on & off
    assert len(on | off) == 29


def test_what_is_brought_along_of_2026_is_whole() -> None:
    """33 days off with the weekends among them, and six days that make up for it."""
    year = [one for one in CHINA if one.day.year == 2026]
    assert sum(one.kind == "off" for one in year) == 33
    worked = [one.day for one in year if one.kind == "work"]
    assert len(worked) == 6
    assert all(day.weekday() >= 5 for day in worked)
    free = sum(not HOLIDAYS.works(date(2026, 1, 1) + n * DAY) for n in range(365))
    assert free == sum((date(2026, 1, 1) + n * DAY).weekday() >= 5 for n in range(365)) + 13  # the law's thirteen days
    assert len({one.day for one in CHINA}) == len(CHINA)


def test_a_night_that_crosses_a_moved_clock_ends_by_the_wall() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = Rotation("r", "r", "guard", "FREQ=DAILY", date(2026, 3, 27), time(22), 480, ("A",))
    found = slots(night, date(2026, 3, 27), date(2026, 3, 30), WEEKDAYS_ONLY, berlin)
    assert {one.ends_at.astimezone(berlin).time() for one in found} == {time(6)}
    assert [(one.ends_at - one.starts_at) // timedelta(hours=1) for one in found] == [8, 7, 8]
    short = replace(night, begins=time(2, 15), minutes=30)
    assert all(
        one.ends_at > one.starts_at for one in slots(short, date(2026, 3, 27), date(2026, 3, 30), WEEKDAYS_ONLY, berlin)
    )


def test_the_last_shift_before_midnight_of_new_year_belongs_to_its_day() -> None:
    night = replace(FOUR, starts_on=date(2026, 12, 31), begins=time(23, 59), minutes=2)
    (one,) = slots(night, date(2026, 12, 31), date(2027, 1, 1), HOLIDAYS, ZONE)
    assert (one.starts_at, one.ends_at) == (
        datetime(2026, 12, 31, 15, 59, tzinfo=UTC),
        datetime(2026, 12, 31, 16, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rule": "FREQ=HOURLY"}, "rule"),
        ({"rule": "every monday"}, "rule"),
        ({"rule": "FREQ=DAILY;COUNT=3"}, "rule"),
        ({"rule": "FREQ=WEEKLY;BYDAY=XX"}, "rule"),
        ({"rule": "FREQ=DAILY;INTERVAL=x"}, "rule"),
        ({"rule": ""}, "rule"),
        ({"rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31"}, "rule"),
        ({"rule": "FREQ=WEEKLY;BYDAY=MO,TU", "days": "workdays"}, "rule"),
        ({"minutes": 0}, "minutes"),
        ({"seats": 99}, "seats"),
        ({"turn_length": 0}, "turn_length"),
        ({"ends_on": MONDAY - DAY}, "ends_on"),
        ({"members": ("A", "A"), "seats": 2}, "members"),
    ],
)
def test_a_pattern_that_cannot_be_meant_is_refused_with_its_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        check_rotation(replace(FOUR, **change))  # type: ignore[arg-type]
    assert refused.value.extra["field"] == field
    check_rotation(FOUR)


def test_slots_come_in_order() -> None:
    found = slots(replace(FOUR, seats=2), MONDAY, MONDAY + 9 * DAY, HOLIDAYS, ZONE)
    assert all((a.starts_at, a.seat) < (b.starts_at, b.seat) for a, b in pairwise(found))
