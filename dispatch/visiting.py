"""Visiting the elderly who need it most (探访关爱): who belongs to which group, how great the risk is, how often to go.

The groups are those of the care for special-hardship elderly people in China. A flag on the resident's record always
counts; what the record says otherwise (lives alone, age, ability) counts as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

__all__ = [
    "GROUPS",
    "RISKS",
    "VISIT_RESULTS",
    "Group",
    "Person",
    "Risk",
    "Turn",
    "VisitResult",
    "groups_of",
    "risk_of",
    "visit_days",
]

Risk = Literal["high", "medium", "low"]
RISKS: Final[tuple[Risk, ...]] = ("high", "medium", "low")
VisitResult = Literal["well", "needs_help", "not_home", "moved", "in_hospital"]
VISIT_RESULTS: Final[tuple[VisitResult, ...]] = ("well", "needs_help", "not_home", "moved", "in_hospital")
"""One tap each. `not_home` is no visit: somebody goes again."""

_ADVANCED_AGE: Final = 80  # 高龄: from eighty
_GREAT_AGE: Final = 90
_DISABLED: Final = 3  # GB/T 42195-2022: 3 severe, 4 total loss of ability
_PARTLY_DISABLED: Final = 2


@dataclass(frozen=True, slots=True)
class Group:
    """One group; `flags`: the words on a record that mean it."""

    id: str
    zh: str
    en: str
    flags: frozenset[str]


GROUPS: Final[Mapping[str, Group]] = {
    group.id: group
    for group in (
        Group("lives_alone", "独居", "Lives alone", frozenset({"独居", "lives_alone"})),
        Group("empty_nest", "空巢", "Empty nest", frozenset({"空巢", "empty_nest"})),
        Group("left_behind", "留守", "Left behind", frozenset({"留守", "left_behind"})),
        Group("disabled", "失能", "Cannot care for self", frozenset({"失能", "半失能", "disabled"})),
        Group("dementia", "失智", "Dementia", frozenset({"失智", "认知障碍", "dementia"})),
        Group("severe_disability", "重残", "Severe disability", frozenset({"重残", "重度残疾", "severe_disability"})),
        Group("advanced_age", "高龄", "Eighty and over", frozenset({"高龄", "advanced_age"})),
        Group("destitute", "特困", "Destitute", frozenset({"特困", "destitute"})),
        Group("low_income", "低保", "Minimum living allowance", frozenset({"低保", "低收入", "low_income"})),
        Group("lost_only_child", "失独", "Lost the only child", frozenset({"失独", "计生特殊家庭", "lost_only_child"})),
    )
}


@dataclass(frozen=True, slots=True)
class Person:
    """What of a resident's record decides here."""

    flags: frozenset[str] = frozenset()
    lives_alone: bool = False
    ability_level: int | None = None
    born_on: date | None = None

    def age(self, today: date) -> int | None:
        if self.born_on is None:
            return None
        return today.year - self.born_on.year - ((today.month, today.day) < (self.born_on.month, self.born_on.day))


def groups_of(person: Person, today: date) -> frozenset[str]:
    """The groups the person belongs to."""
    found = {group.id for group in GROUPS.values() if group.flags & person.flags}
    if person.lives_alone:
        found.add("lives_alone")
    if (person.ability_level or 0) >= _DISABLED:
        found.add("disabled")
    if (person.age(today) or 0) >= _ADVANCED_AGE:
        found.add("advanced_age")
    return frozenset(found)


def risk_of(person: Person, today: date) -> Risk:
    """How great the risk is that something happens and nobody notices.

    high: cannot care for self (severe or total loss, dementia) or is ninety, with nobody in the home; or three groups
    and nobody in the home. medium: any two groups, or partly dependent with nobody in the home. low: the rest.
    """
    groups = groups_of(person, today)
    alone = bool(groups & {"lives_alone", "empty_nest", "left_behind"})
    frail = bool(groups & {"disabled", "dementia", "severe_disability"}) or (person.age(today) or 0) >= _GREAT_AGE
    if alone and (frail or len(groups) >= 3):
        return "high"
    if len(groups) >= 2 or (alone and (person.ability_level or 0) >= _PARTLY_DISABLED):
        return "medium"
    return "low"


@dataclass(frozen=True, slots=True)
class Turn:
    """One visit of a month. `on`, the first day of its part of the month, names it; `day` is when somebody goes."""

    on: date
    day: date


def visit_days(month: date, per_month: int, seed: int, works: Callable[[date], bool]) -> list[Turn]:
    """When somebody is visited in a month: in equal parts of it, on a working day where the part has one.

    `seed` (of the resident) chooses the day within the part, so that not everybody is visited on the first.
    """
    first = month.replace(day=1)
    length = ((first + timedelta(days=32)).replace(day=1) - first).days
    per_month = min(per_month, length)
    turns: list[Turn] = []
    for n in range(per_month):
        part = [first + timedelta(days=at) for at in range(n * length // per_month, (n + 1) * length // per_month)]
        choice = [day for day in part if works(day)] or part
        turns.append(Turn(part[0], choice[seed % len(choice)]))
    return turns
