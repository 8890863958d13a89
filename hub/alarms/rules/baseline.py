"""What is usual for a resident, learned from the last weeks: values by hour of the day, and how long without a sign.

Medians and not means, so that one bad night teaches nothing; a day counts once, however often a device reports.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from statistics import median
from typing import Final

from hub.alarms.rules.model import Rest, Usual

__all__ = ["FEWEST_DAYS", "LEARNED_DAYS", "learn_rest", "learn_usual"]

LEARNED_DAYS: Final = 28
FEWEST_DAYS: Final = 7
"""Fewer days are no habit: nothing is said of such an hour."""
_MAD: Final = 1.4826
"""Median deviation times this is the standard deviation of a normal distribution."""
_HOUR: Final = timedelta(hours=1)
_LONGEST_SHARE: Final = 0.95


def learn_usual(hours: Iterable[tuple[datetime, float]], zone: tzinfo, *, beside_h: int = 1) -> Mapping[int, Usual]:
    """Local hour -> median and spread of the hourly means (begin of the hour, mean) of the last weeks.

    Each hour learns from `beside_h` hours before and after it too: people are not punctual. Hours with fewer than
    seven days are left out.
    """
    found: dict[int, list[tuple[date, float]]] = defaultdict(list)
    for at, mean in hours:
        local = at.astimezone(zone)
        for beside in range(-beside_h, beside_h + 1):
            then = local + beside * _HOUR
            found[then.hour].append((then.date(), mean))
    usual: dict[int, Usual] = {}
    for hour in sorted(found):
        by_day: dict[date, list[float]] = defaultdict(list)
        for day, mean in found[hour]:
            by_day[day].append(mean)
        if len(by_day) < FEWEST_DAYS:
            continue
        values = [median(day) for day in by_day.values()]
        middle = median(values)
        usual[hour] = Usual(middle, _MAD * median(abs(value - middle) for value in values), len(values))
    return usual


def learn_rest(signs: Collection[datetime], now: datetime, zone: tzinfo) -> Mapping[int, Rest]:
    """Local hour -> how long the resident had been without a sign when it ended, on the days before today.

    `signs`: the begins of the hours in which there was one. Days before the first sign, and today, do not count; nor
    does a gap longer than a day: that was an absence or a broken sensor, and no habit.
    """
    hours = sorted({_hour(one, zone) for one in signs if one <= now})
    if not hours:
        return {}
    first = hours[0]
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    at = max(first, today - timedelta(days=LEARNED_DAYS))
    gaps: dict[int, list[float]] = defaultdict(list)
    index, latest = 0, first
    while at < today:
        while index < len(hours) and hours[index] <= at:
            latest = hours[index]
            index += 1
        gap = (at - latest) / _HOUR
        if gap < 24:
            gaps[at.hour].append(gap)
        at += _HOUR
    rest: dict[int, Rest] = {}
    for hour, found in gaps.items():
        if len(found) >= FEWEST_DAYS:
            ordered = sorted(found)
            longest = ordered[min(len(ordered) - 1, int(len(ordered) * _LONGEST_SHARE))]
            rest[hour] = Rest(median(ordered), longest, len(ordered))
    return rest


def _hour(at: datetime, zone: tzinfo) -> datetime:
    return at.astimezone(zone).replace(minute=0, second=0, microsecond=0)
