"""Who is on duty when, after everything that is otherwise; held against a count of single quarters of an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings

from hub.rota import Duty, Override, Shift, duties
from tests.rota.strategies import START, at, overrides, shifts

END = START + timedelta(days=8)
DAY = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _there(some: list[Shift], other: list[Override], moment: datetime) -> set[tuple[str, str, str | None]]:
    """Who is there at one moment, said plainly: (person, role, shift)."""
    on = [(one.responder_id, one.role, one.id, one) for one in some if one.starts_at <= moment < one.ends_at]
    there: list[tuple[str, str, str | None]] = [(who, role, shift) for who, role, shift, _ in on]
    now = [one for one in other if one.starts_at <= moment < one.ends_at]
    for one in now:
        if one.kind == "extra":
            there.append((str(one.substitute_id), str(one.role), None))
        elif one.kind == "instead":
            there = [(str(one.substitute_id) if who == one.responder_id else who, role, s) for who, role, s in there]
    gone = {one.responder_id for one in now if one.kind == "absent"}
    return {one for one in there if one[0] not in gone}


@settings(max_examples=150)
@given(shifts(), overrides())
def test_at_every_moment_those_are_there_whom_the_rules_leave(some: list[Shift], other: list[Override]) -> None:
    found = duties(some, other, START, END)
    for quarter in range(0, 8 * 96, 5):
        moment = at(quarter)
        if moment >= END:
            break
        on = {(one.responder_id, one.role, one.shift_id) for one in found if one.starts_at <= moment < one.ends_at}
        assert on == _there(some, other, moment)


@settings(max_examples=100)
@given(shifts(), overrides())
def test_a_duty_is_never_empty_and_a_narrow_view_shows_the_same(some: list[Shift], other: list[Override]) -> None:
    begin, end = START + timedelta(days=2, hours=3), START + timedelta(days=4)
    whole, narrow = duties(some, other, START, END), duties(some, other, begin, end)
    assert all(one.starts_at < one.ends_at for one in whole)
    for quarter in range(2 * 96 + 12, 4 * 96, 7):
        moment = at(quarter)
        assert _at(whole, moment) == _at(narrow, moment)


def _at(some: tuple[Duty, ...], moment: datetime) -> set[tuple[str, str, str | None]]:
    return {(one.responder_id, one.role, one.shift_id) for one in some if one.starts_at <= moment < one.ends_at}


def test_a_night_shift_is_split_around_an_absence_and_the_substitute_is_named() -> None:
    night = Shift("n", "A", "guard", DAY + 14 * HOUR, DAY + 22 * HOUR)  # 22:00 to 06:00 at +08:00
    ill = Override("i", "instead", DAY + 16 * HOUR, DAY + 18 * HOUR, "A", "B")
    assert [
        (one.responder_id, one.starts_at - DAY, one.ends_at - DAY, one.instead_of)
        for one in duties([night], [ill], DAY, DAY + 24 * HOUR)
    ] == [
        ("A", 14 * HOUR, 16 * HOUR, None),
        ("B", 16 * HOUR, 18 * HOUR, "A"),
        ("A", 18 * HOUR, 22 * HOUR, None),
    ]


def test_who_stands_in_can_be_stood_in_for_and_who_is_ill_stands_in_for_nobody() -> None:
    shift = Shift("s", "A", "guard", DAY, DAY + 8 * HOUR)
    first = Override("1", "instead", DAY, DAY + 8 * HOUR, "A", "B")
    second = Override("2", "instead", DAY, DAY + 8 * HOUR, "B", "C")
    assert [one.responder_id for one in duties([shift], [first, second], DAY, DAY + 8 * HOUR)] == ["C"]
    ill = Override("3", "absent", DAY, DAY + 8 * HOUR, "C")
    assert duties([shift], [ill, first, second], DAY, DAY + 8 * HOUR) == ()


def test_an_override_of_one_shift_or_one_role_leaves_the_others() -> None:
    guard = Shift("g", "A", "guard", DAY, DAY + 8 * HOUR)
    nurse = Shift("n", "A", "nurse", DAY, DAY + 8 * HOUR)
    one_shift = Override("1", "absent", DAY, DAY + 8 * HOUR, "A", shift_id="g")
    assert [one.role for one in duties([guard, nurse], [one_shift], DAY, DAY + 8 * HOUR)] == ["nurse"]
    one_role = Override("2", "absent", DAY, DAY + 8 * HOUR, "A", role="nurse")
    assert [one.role for one in duties([guard, nurse], [one_role], DAY, DAY + 8 * HOUR)] == ["guard"]
