"""Residents as values."""

from __future__ import annotations

from datetime import date

import pytest

from hub.care import ABSENT_STATUSES, RESIDENT_STATUSES, age_on, raises_alarms


@pytest.mark.parametrize(
    ("today", "years"),
    [
        (date(2026, 3, 1), 82),
        (date(2026, 2, 28), 81),
        (date(2026, 12, 31), 82),
        (date(2024, 2, 29), 79),
        (date(1944, 3, 1), 0),
    ],
)
def test_age_in_full_years(today: date, years: int) -> None:
    assert age_on(date(1944, 3, 1), today) == years


def test_a_birthday_on_a_leap_day_is_the_first_of_march_in_other_years() -> None:
    assert age_on(date(1944, 2, 29), date(2026, 2, 28)) == 81
    assert age_on(date(1944, 2, 29), date(2026, 3, 1)) == 82


def test_who_raises_alarms() -> None:
    assert {status for status in RESIDENT_STATUSES if raises_alarms(status)} == {"home", "away"}
    assert set(RESIDENT_STATUSES) - ABSENT_STATUSES == {"home"}
