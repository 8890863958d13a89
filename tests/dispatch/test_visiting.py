"""Who is visited how often: groups, risk, days of a month."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import GROUPS, Person, groups_of, risk_of, visit_days

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("person", "groups", "risk"),
    [
        (Person(), set(), "low"),
        (Person(lives_alone=True, born_on=date(1950, 1, 1)), {"lives_alone"}, "low"),
        (Person(born_on=date(1946, 11, 23)), {"advanced_age"}, "low"),
        (Person(born_on=date(1946, 11, 24)), set(), "low"),
        (Person(frozenset({"低保"}), born_on=date(1940, 1, 1)), {"low_income", "advanced_age"}, "medium"),
        (Person(lives_alone=True, ability_level=2), {"lives_alone"}, "medium"),
        (Person(lives_alone=True, ability_level=3), {"lives_alone", "disabled"}, "high"),
        (Person(frozenset({"空巢"}), born_on=date(1934, 1, 1)), {"empty_nest", "advanced_age"}, "high"),
        (Person(frozenset({"失能"}), ability_level=4), {"disabled"}, "low"),
        (Person(frozenset({"独居", "特困", "失独"})), {"lives_alone", "destitute", "lost_only_child"}, "high"),
        (Person(frozenset({"使用轮椅"})), set(), "low"),
    ],
)
def test_groups_and_risk(person: Person, groups: set[str], risk: str) -> None:
    assert (groups_of(person, TODAY), risk_of(person, TODAY)) == (groups, risk)


def test_the_groups_of_the_ordinance_are_there() -> None:
    words = {group.zh for group in GROUPS.values()}
    assert {"独居", "空巢", "失能", "高龄", "特困", "低保", "失独"} <= words
    assert all(group.zh in group.flags for group in GROUPS.values())


def works(day: date) -> bool:
    return day.weekday() < 5


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.integers(0, 40), st.integers(0, 2**31))
def test_visits_of_a_month_lie_apart_and_in_it(month: date, per_month: int, seed: int) -> None:
    turns = visit_days(month, per_month, seed, works)
    length = len({turn.on for turn in visit_days(month, 99, 0, works)})
    assert len(turns) == min(per_month, length)
    assert len({turn.on for turn in turns}) == len({turn.day for turn in turns}) == len(turns)
    assert all((turn.day.year, turn.day.month) == (month.year, month.month) for turn in turns)
    if per_month <= 4:
        assert all(works(turn.day) for turn in turns)
    assert sorted(turn.day for turn in turns) == [turn.day for turn in turns]
