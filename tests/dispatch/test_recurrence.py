"""Days of a service that comes again and again: the rule, its exceptions, holidays, pauses."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch import HolidayPolicy, Occurrence, Pause, Recurrence, RuleError, occurrences, read_rule
from hub.rota import CHINA, Calendar

CALENDAR = Calendar({one.day: one.kind for one in CHINA})
START = date(2026, 1, 1)


def holiday(day: date) -> bool:
    return CALENDAR.exceptions.get(day) == "off"


def whole(
    recurrence: Recurrence,
    first: date,
    last: date,
    policy: HolidayPolicy = "keep",
    pauses: tuple[Pause, ...] = (),
) -> list[Occurrence]:
    return occurrences(recurrence, first, last, policy=policy, holiday=holiday, works=CALENDAR.works, pauses=pauses)


def days(*texts: str) -> list[date]:
    return [date.fromisoformat(text) for text in texts]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "empty"),
        ("FREQ=HOURLY", "FREQ must be one of"),
        ("BYDAY=MO", "not missing"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be a number from 1"),
        ("FREQ=DAILY;INTERVAL=2;INTERVAL=3", "twice"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "exclude one another"),
        ("FREQ=DAILY;UNTIL=20261301", "no day"),
        ("FREQ=DAILY;UNTIL=20270101T080000Z", "must be a day"),
        ("FREQ=DAILY;UNTIL=20251231", "lies before"),
        ("FREQ=DAILY;BYHOUR=8,18", "window"),
        ("FREQ=YEARLY;BYWEEKNO=3", "BYWEEKNO is not supported"),
        ("FREQ=YEARLY;BYEASTER=1", "BYEASTER is not supported"),
        ("FREQ=WEEKLY;BYDAY=1MO", "counts weekdays"),
        ("FREQ=WEEKLY;BYDAY=XX", "no weekday"),
        ("FREQ=MONTHLY;BYDAY=6MO", "there is no 6MO"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "FREQ=WEEKLY"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS needs"),
        ("FREQ=DAILY;COUNT=1;BYMONTH=2;BYMONTHDAY=30", "never comes true"),
        ("FREQ=YEARLY;BYMONTH=3;UNTIL=20260201", "never comes true"),
        ("DTSTART:20260101\nRRULE:FREQ=DAILY", "starts_on"),
        ("every monday", "NAME=VALUE"),
    ],
)
def test_what_a_plan_cannot_follow_is_refused_in_plain_words(rule: str, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        read_rule(rule, START)


@given(st.text(alphabet="FREQ=DAILYWKMONTHBYSETPOSCOUNTUNTIL;,+-0123456789: \n", max_size=60))
def test_no_text_brings_it_down(text: str) -> None:
    try:
        rule = read_rule(text, START)
    except RuleError:
        return
    assert read_rule(rule, START) == rule


WEEKDAYS = st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, max_size=4, unique=True)


@st.composite
def rules(draw: st.DrawFn) -> str:
    parts = [f"FREQ={draw(st.sampled_from(['DAILY', 'WEEKLY', 'MONTHLY']))}", f"INTERVAL={draw(st.integers(1, 5))}"]
    if draw(st.booleans()):
        parts.append("BYDAY=" + ",".join(draw(WEEKDAYS)))
    if draw(st.booleans()):
        parts.append("WKST=" + draw(st.sampled_from(["MO", "SU"])))
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, 60))}")
    elif draw(st.booleans()):
        parts.append(f"UNTIL={START + timedelta(days=draw(st.integers(0, 900))):%Y%m%d}")
    return ";".join(parts)


@settings(max_examples=150)
@given(rules(), st.integers(0, 40), st.integers(-30, 1200), st.integers(0, 60))
def test_looking_late_gives_what_counting_through_gives(rule: str, begin: int, look: int, span: int) -> None:
    starts_on = START + timedelta(days=begin)
    try:
        rule = read_rule(rule, starts_on)
    except RuleError:
        return
    first, last = starts_on + timedelta(days=look), starts_on + timedelta(days=look + span)
    every = [
        moment.date()
        for moment in rrulestr(rule, dtstart=datetime.combine(starts_on, time())).xafter(
            datetime.combine(starts_on, time()), inc=True, count=2000
        )
    ]
    wanted = [day for day in every if first <= day <= last]
    assert Recurrence(rule, starts_on).days(first, last) == wanted


def test_exceptions_further_days_and_both_ends() -> None:
    plan = Recurrence(
        "FREQ=WEEKLY;BYDAY=MO",
        date(2026, 11, 3),
        date(2026, 11, 30),
        except_for=frozenset(days("2026-11-16")),
        extra=frozenset(days("2026-11-18", "2026-12-18", "2026-11-01")),
    )
    assert plan.days(date(2026, 1, 1), date(2027, 1, 1)) == days("2026-11-09", "2026-11-18", "2026-11-23", "2026-11-30")


def test_a_public_holiday_is_kept_skipped_or_moved() -> None:
    plan = Recurrence("FREQ=WEEKLY;BYDAY=TH,FR", START)
    span = date(2026, 9, 28), date(2026, 10, 9)
    assert [one.day for one in whole(plan, *span)] == days("2026-10-01", "2026-10-02", "2026-10-08", "2026-10-09")
    assert [one.day for one in whole(plan, *span, "skip")] == [None, None, *days("2026-10-08", "2026-10-09")]
    # The day after the holiday has its own, so Thursday is done the day before; then that one is taken, too.
    moved = whole(plan, *span, "move")
    assert [one.day for one in moved] == [date(2026, 9, 30), None, *days("2026-10-08", "2026-10-09")]
    assert (moved[0].on, moved[0].moved, moved[1].left_out) == (date(2026, 10, 1), True, "holiday")


def test_a_weekend_is_no_holiday_and_a_make_up_day_is_worked() -> None:
    saturdays = Recurrence("FREQ=WEEKLY;BYDAY=SA", START)
    assert [one.day for one in whole(saturdays, date(2026, 11, 1), date(2026, 11, 14), "skip")] == days(
        "2026-11-07", "2026-11-14"
    )
    daily = Recurrence("FREQ=DAILY;COUNT=1", date(2026, 5, 5))
    assert [one.day for one in whole(daily, date(2026, 5, 1), date(2026, 5, 9), "move")] == days("2026-05-06")


def test_a_moved_day_does_not_leave_the_plan() -> None:
    plan = Recurrence("FREQ=DAILY", date(2026, 10, 1), date(2026, 10, 3))
    assert [one.day for one in whole(plan, date(2026, 9, 1), date(2026, 11, 1), "move")] == [None, None, None]


def test_pauses_hold_what_falls_into_them_after_moving() -> None:
    plan = Recurrence("FREQ=WEEKLY;BYDAY=MO", START)
    found = whole(
        plan,
        date(2026, 11, 1),
        date(2026, 11, 30),
        pauses=(Pause(date(2026, 11, 9), date(2026, 11, 16)), Pause(date(2026, 11, 30))),
    )
    assert [(one.on.day, one.left_out) for one in found] == [
        (2, None), (9, "paused"), (16, "paused"), (23, None), (30, "paused"),
    ]  # fmt: skip


@settings(max_examples=60)
@given(
    WEEKDAYS,
    st.sampled_from(["keep", "skip", "move"]),
    st.integers(0, 420),
    st.integers(0, 50),
    st.integers(0, 50),
)
def test_what_becomes_of_a_day_does_not_depend_on_the_span(
    weekdays: list[str], policy: HolidayPolicy, begin: int, one: int, other: int
) -> None:
    plan = Recurrence("FREQ=WEEKLY;BYDAY=" + ",".join(weekdays), START)
    first = START + timedelta(days=begin)
    last = first + timedelta(days=20)
    narrow = whole(plan, first, last, policy)
    wide = whole(plan, first - timedelta(days=one), last + timedelta(days=other), policy)
    assert [found for found in wide if first <= found.on <= last] == narrow
    done = [found.day for found in wide if found.day is not None]
    assert len(done) == len(set(done)), "never two on one day"
