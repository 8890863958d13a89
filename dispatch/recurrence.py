"""On which days a service comes that comes again and again: rules of RFC 5545, exceptions, public holidays, pauses.

The rule is read by python-dateutil; what it would take and a care plan cannot mean (times of day, weeks of the year) is
refused in plain words. A plan has at most one occurrence a day: two meals a day are two plans.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal

from dateutil.rrule import rrule, rrulestr

__all__ = ["HolidayPolicy", "Occurrence", "Pause", "Recurrence", "RuleError", "occurrences", "read_rule"]

HolidayPolicy = Literal["keep", "skip", "move"]
"""On a public holiday: it comes all the same; it does not come; it comes on the next working day, or on the last one
before where that one has its own. Where both have their own it does not come."""

_KEYS: Final = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"})
_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_LONGEST_INTERVAL: Final = {"DAILY": 366, "WEEKLY": 104, "MONTHLY": 60, "YEARLY": 10}
_WEEKDAYS: Final = frozenset({"MO", "TU", "WE", "TH", "FR", "SA", "SU"})
_MOST_COUNT: Final = 3_660
_AROUND: Final = timedelta(days=40)
"""No public holiday is longer: what a day becomes depends on nothing further away."""


class RuleError(ValueError):
    """A rule that cannot be followed; the message says which part and why."""


@dataclass(frozen=True, slots=True)
class Pause:
    """From one day to another, both within; `last` None: until it is lifted."""

    first: date
    last: date | None = None

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule over days. `extra`: days beside the rule, `except_for`: days of the rule that do not come."""

    rule: str
    starts_on: date
    ends_on: date | None = None
    except_for: frozenset[date] = frozenset()
    extra: frozenset[date] = frozenset()

    def days(self, first: date, last: date) -> list[date]:
        """The days of the rule from `first` to `last`, both within, in order."""
        if self.ends_on is not None:
            last = min(last, self.ends_on)
        first = max(first, self.starts_on)
        if last < first:
            return []
        found = {day for day in self.extra if first <= day <= last}
        found |= set(_between(self.rule, self.starts_on, first, last))
        return sorted(found - self.except_for)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One day of the rule. `on` names it for ever; `day` is when it is done, None where it is not (`left_out`)."""

    on: date
    day: date | None
    left_out: Literal["holiday", "paused"] | None = field(default=None)

    @property
    def moved(self) -> bool:
        return self.day is not None and self.day != self.on


def read_rule(text: str, starts_on: date) -> str:
    """The rule in its usual form (capitals, no `RRULE:`). RuleError: it is none, or none that a plan can follow."""
    plain = text.strip().upper().removeprefix("RRULE:").strip().rstrip(";")
    if not plain:
        raise RuleError("is empty; a weekly service is FREQ=WEEKLY;BYDAY=MO")
    if len(plain) > 300:
        raise RuleError("is longer than 300 characters")
    if "\n" in plain or "DTSTART" in plain or "EXDATE" in plain or "RDATE" in plain:
        raise RuleError("give the rule alone: the first day is starts_on, exceptions are exdates, further days rdates")
    parts = _parts(plain)
    _check(parts, starts_on)
    rule = ";".join(f"{name}={value}" for name, value in parts.items())
    try:
        first = _first(rule, starts_on)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise RuleError(f"cannot be read: {error}") from None
    if first is None or ("UNTIL" in parts and first > date.fromisoformat(parts["UNTIL"])):
        raise RuleError("never comes true")
    return rule


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for piece in text.split(";"):
        name, equals, value = (one.strip() for one in piece.partition("="))
        if not equals or not value:
            raise RuleError(f"{piece!r} is not of the form NAME=VALUE")
        if name in parts:
            raise RuleError(f"{name} is there twice")
        if name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
            raise RuleError(f"{name} is not supported: the time of day is the plan's window (begins, ends)")
        if name not in _KEYS:
            raise RuleError(f"{name} is not supported; known: {', '.join(sorted(_KEYS))}")
        parts[name] = value
    return parts


def _check(parts: dict[str, str], starts_on: date) -> None:
    frequency = parts.get("FREQ")
    if frequency not in _FREQUENCIES:
        raise RuleError(f"FREQ must be one of {', '.join(_FREQUENCIES)}, not {frequency or 'missing'}")
    # An interval of 0 would never come to an end.
    _whole(parts, "INTERVAL", 1, _LONGEST_INTERVAL[frequency])
    _whole(parts, "COUNT", 1, _MOST_COUNT)
    if "COUNT" in parts and "UNTIL" in parts:
        raise RuleError("COUNT and UNTIL exclude one another")
    if "UNTIL" in parts:
        if not re.fullmatch(r"\d{8}", parts["UNTIL"]):
            raise RuleError(f"UNTIL must be a day like 20271231, not {parts['UNTIL']}")
        try:
            until = date.fromisoformat(parts["UNTIL"])
        except ValueError:
            raise RuleError(f"UNTIL: there is no day {parts['UNTIL']}") from None
        if until < starts_on:
            raise RuleError(f"UNTIL {until} lies before the first day {starts_on}")
    _list(parts, "BYMONTH", 1, 12, negative=False)
    _list(parts, "BYMONTHDAY", 1, 31, negative=True)
    _list(parts, "BYSETPOS", 1, 366, negative=True)
    if "BYSETPOS" in parts and not {"BYDAY", "BYMONTHDAY", "BYMONTH"} & parts.keys():
        raise RuleError("BYSETPOS needs BYDAY, BYMONTHDAY or BYMONTH beside it")
    if "BYMONTHDAY" in parts and frequency == "WEEKLY":
        raise RuleError("BYMONTHDAY cannot stand with FREQ=WEEKLY")
    if parts.get("WKST", "MO") not in _WEEKDAYS:
        raise RuleError(f"WKST must be one of {', '.join(sorted(_WEEKDAYS))}")
    for one in parts["BYDAY"].split(",") if "BYDAY" in parts else ():
        found = re.fullmatch(r"([+-]?\d{1,2})?([A-Z]{2})", one)
        if found is None or found[2] not in _WEEKDAYS:
            raise RuleError(f"BYDAY: {one} is no weekday; they are MO, TU, WE, TH, FR, SA, SU")
        if found[1] is not None:
            if frequency not in ("MONTHLY", "YEARLY"):
                raise RuleError(f"BYDAY: {one} counts weekdays, which needs FREQ=MONTHLY or YEARLY")
            if not 1 <= abs(int(found[1])) <= (5 if frequency == "MONTHLY" or "BYMONTH" in parts else 53):
                raise RuleError(f"BYDAY: there is no {one}")


def _whole(parts: dict[str, str], name: str, low: int, high: int) -> None:
    if name in parts and not (re.fullmatch(r"\d{1,6}", parts[name]) and low <= int(parts[name]) <= high):
        raise RuleError(f"{name} must be a number from {low} to {high}, not {parts[name]}")


def _list(parts: dict[str, str], name: str, low: int, high: int, *, negative: bool) -> None:
    for one in parts[name].split(",") if name in parts else ():
        sign = "[+-]?" if negative else ""
        if not re.fullmatch(sign + r"\d{1,3}", one) or not low <= abs(int(one)) <= high:
            raise RuleError(f"{name}: {one} is not between {low} and {high}{', nor negative' if negative else ''}")


@lru_cache(maxsize=4096)
def _rule(rule: str, starts_on: date) -> rrule:
    found = rrulestr(rule, dtstart=datetime.combine(starts_on, time()), cache=False)
    if not isinstance(found, rrule):
        raise RuleError("must be one rule")
    return found


def _first(rule: str, starts_on: date) -> date | None:
    """The first day of the rule, were it for ever; None where there is none.

    python-dateutil looks for the day of a rule that never comes up to the year 9999, for seconds. The calendar repeats
    itself every 400 years, so it is asked as near to that end as can be.
    """
    years = (9_999 - starts_on.year) // 400 * 400
    begun = datetime.combine(starts_on.replace(year=starts_on.year + years), time())
    found = next(iter(_rule(rule, starts_on).replace(dtstart=begun, count=None, until=None)), None)
    return None if found is None else found.date().replace(year=found.year - years)


def _between(rule: str, starts_on: date, first: date, last: date) -> list[date]:
    start, end = datetime.combine(first, time()), datetime.combine(last, time())
    found: list[date] = []
    for moment in _nearer(rule, starts_on, first):
        if moment > end:
            break
        if moment >= start:
            found.append(moment.date())
    return found


def _nearer(rule: str, starts_on: date, first: date) -> Iterable[datetime]:
    """The same rule begun later, in step with itself: one that runs for years is not counted from its first day.

    Not with COUNT, which counts from there, nor by month and year, where there is little to count.
    """
    whole = _rule(rule, starts_on)
    parts = dict(piece.split("=", 1) for piece in rule.split(";"))
    step = {"DAILY": 1, "WEEKLY": 7}.get(parts["FREQ"])
    if step is None or "COUNT" in parts:
        return whole
    span = step * int(parts.get("INTERVAL", 1))
    later = starts_on + timedelta(days=((first - starts_on).days // span - 1) * span)
    if later <= starts_on:
        return whole
    if "UNTIL" in parts and parts["UNTIL"] < later.strftime("%Y%m%d"):
        return ()
    begun: rrule = whole.replace(dtstart=datetime.combine(later, time()))
    return begun


def occurrences(
    recurrence: Recurrence,
    first: date,
    last: date,
    *,
    policy: HolidayPolicy,
    holiday: Callable[[date], bool],
    works: Callable[[date], bool],
    pauses: Collection[Pause] = (),
) -> list[Occurrence]:
    """What becomes of the rule's days from `first` to `last`.

    `holiday`: a public holiday (a plain weekend is none); `works`: a working day. The answer for a day does not depend
    on the span that is asked for.
    """
    days = recurrence.days(first - _AROUND, last + _AROUND)
    placed = _placed(recurrence, days, policy, holiday, works)
    found: list[Occurrence] = []
    for on in days:
        if not first <= on <= last:
            continue
        day = placed[on]
        if day is None:
            found.append(Occurrence(on, None, "holiday"))
        elif any(pause.covers(day) for pause in pauses):
            found.append(Occurrence(on, None, "paused"))
        else:
            found.append(Occurrence(on, day))
    return found


def _placed(
    recurrence: Recurrence,
    days: Sequence[date],
    policy: HolidayPolicy,
    holiday: Callable[[date], bool],
    works: Callable[[date], bool],
) -> dict[date, date | None]:
    if policy == "keep":
        return {day: day for day in days}
    placed: dict[date, date | None] = {day: None if holiday(day) else day for day in days}
    if policy == "skip":
        return placed
    taken = {day for day in placed.values() if day is not None}
    for on in days:
        if placed[on] is not None:
            continue
        for way in (1, -1):
            day = on + timedelta(days=way)
            while abs((day - on).days) < _AROUND.days and (holiday(day) or not works(day)):
                day += timedelta(days=way)
            late = recurrence.ends_on is not None and day > recurrence.ends_on
            if day not in taken and not late and day >= recurrence.starts_on and works(day) and not holiday(day):
                placed[on] = day
                taken.add(day)
                break
    return placed
