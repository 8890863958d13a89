"""China's public holidays as they are brought along; what the database has of a day goes before.

2026: the State Council's arrangement of 4 November 2025, complete with its make-up working days. 2027: the statutory
days of 全国年节及纪念日放假办法 (as amended for 2025) with the days that make up for those that fall on a weekend; days
moved by that year's arrangement are entered when it is published.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

from hub.rota.days import DayKind

__all__ = ["CHINA", "Holiday"]


class Holiday(NamedTuple):
    """One day that is not what its weekday says, or bears a name. `source`: `notice` or `statutory`."""

    day: date
    kind: DayKind
    name: str
    source: str


_SPANS: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("2026-01-01", "2026-01-03", "元旦", "notice"),
    ("2026-02-15", "2026-02-23", "春节", "notice"),
    ("2026-04-04", "2026-04-06", "清明节", "notice"),
    ("2026-05-01", "2026-05-05", "劳动节", "notice"),
    ("2026-06-19", "2026-06-21", "端午节", "notice"),
    ("2026-09-25", "2026-09-27", "中秋节", "notice"),
    ("2026-10-01", "2026-10-07", "国庆节", "notice"),
    ("2027-01-01", "2027-01-01", "元旦", "statutory"),
    ("2027-02-05", "2027-02-10", "春节", "statutory"),
    ("2027-04-05", "2027-04-05", "清明节", "statutory"),
    ("2027-05-01", "2027-05-04", "劳动节", "statutory"),
    ("2027-06-09", "2027-06-09", "端午节", "statutory"),
    ("2027-09-15", "2027-09-15", "中秋节", "statutory"),
    ("2027-10-01", "2027-10-05", "国庆节", "statutory"),
)
_WORKED: Final[tuple[tuple[str, str], ...]] = (
    ("2026-01-04", "元旦调休"),
    ("2026-02-14", "春节调休"),
    ("2026-02-28", "春节调休"),
    ("2026-05-09", "劳动节调休"),
    ("2026-09-20", "国庆节调休"),
    ("2026-10-10", "国庆节调休"),
)


def _all() -> Iterator[Holiday]:
    for first, last, name, source in _SPANS:
        day, end = date.fromisoformat(first), date.fromisoformat(last)
        while day <= end:
            yield Holiday(day, "off", name, source)
            day += timedelta(days=1)
    for on, name in _WORKED:
        yield Holiday(date.fromisoformat(on), "work", name, "notice")


CHINA: Final[tuple[Holiday, ...]] = tuple(sorted(_all()))
