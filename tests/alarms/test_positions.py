"""Which of two fixes an incident keeps, and where people are sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import cos, radians
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alarms.positions import metres_between, place_of, prefer, read_fix

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HOME = (31.3396, 118.3962)


def near(north_m: float, east_m: float = 0.0) -> tuple[float, float]:
    return HOME[0] + north_m / 111_195, HOME[1] + east_m / (111_195 * cos(radians(HOME[0])))


def fix(
    at: tuple[float, float] = HOME,
    accuracy: float | None = 12.0,
    source: str = "gnss",
    minutes: float | None = 0.0,
    age_min: float | None = 0.0,
) -> dict[str, Any]:
    """`minutes` after noon it was measured; `age_min` old when it came. None: not known."""
    body: dict[str, Any] = {"lat": at[0], "lon": at[1], "accuracy_m": accuracy, "source": source}
    if minutes is not None:
        body["observed_at"] = (NOON + timedelta(minutes=minutes)).isoformat()
    if age_min is not None:
        body["age_s"] = age_min * 60
    return body


CELL = fix(near(900), 3000, "cell", 5)
REMEMBERED = fix(near(200), 20, "last_known", None, None)
KEPT = fix()


@pytest.mark.parametrize(
    ("held", "new", "takes", "code"),
    [
        (None, KEPT, True, "first"),
        (None, CELL, True, "first"),  # better than nothing; where people are sent is another question
        (None, fix((0.0, 0.0)), False, "no_place"),
        (KEPT, {"lat": 91, "lon": 0}, False, "no_place"),
        (KEPT, {"source": "gnss"}, False, "no_place"),
        # a cell of kilometres proves nothing, however new
        (KEPT, CELL, False, "rough"),
        (KEPT, fix(near(900), None, "cell", 5), False, "rough"),
        (KEPT, fix(near(900), None, "unheard of", 5), False, "rough"),
        (fix(near(9), 40, minutes=-600, age_min=0), CELL, False, "rough"),
        (REMEMBERED, CELL, False, "rough"),
        (CELL, KEPT, True, "surer"),
        (CELL, REMEMBERED, True, "surer"),
        (CELL, fix(near(900), 2000, "cell", 4), True, "surer"),
        (CELL, fix(near(900), 3000, "cell", 6), True, "surer"),
        (CELL, fix(near(900), 3000, "cell", 4), False, "rough"),
        # what was measured comes before what is remembered
        (KEPT, REMEMBERED, False, "remembered"),
        (KEPT, fix(near(300), 5, minutes=-20, age_min=45), False, "remembered"),
        (REMEMBERED, fix(near(300), 450, "wifi", 1), True, "measured"),
        (REMEMBERED, fix(near(300), 20, "last_known", -90, 90), True, "newer"),
        (fix(near(300), 20, "last_known", -90, 90), REMEMBERED, False, "older"),
        # newer, and about as exact
        (KEPT, fix(near(20), 15, minutes=2), True, "newer"),
        (KEPT, fix(near(40), 15, minutes=2), True, "moved"),
        (KEPT, fix(near(5), 15, minutes=0.5), False, "still"),
        (KEPT, fix(near(5), 6, minutes=0.5), True, "newer"),
        (KEPT, fix(near(5), 15, minutes=1.5), True, "newer"),
        (KEPT, fix(near(40), 5, minutes=-2, age_min=3), False, "older"),
        (KEPT, KEPT, False, "older"),
        # vaguer: it counts only where it cannot be the same place
        (KEPT, fix(near(100), 450, "cell", 10), False, "vaguer"),
        (KEPT, fix(near(700), 450, "cell", 10), True, "moved"),
        (fix(accuracy=150, source="wifi"), fix(near(100), 290, "wifi", 10), True, "newer"),
        # no accuracy, or 0, is that of the source
        (KEPT, fix(near(90), 0, "wifi", 3), False, "vaguer"),
        (KEPT, fix(near(90), None, "gnss", 3), True, "moved"),
    ],
)
def test_the_better_position_is_kept(held: Any, new: Any, takes: bool, code: str) -> None:
    judged = prefer(held, new)
    assert (judged.new, judged.reason.code) == (takes, code)


FIXES = st.builds(
    lambda north, east, accuracy, source, minutes, age: fix(near(north, east), accuracy, source, minutes, age),
    st.floats(-5000, 5000),
    st.floats(-5000, 5000),
    st.one_of(st.none(), st.floats(0, 6000)),
    st.sampled_from(["gnss", "wifi", "cell", "beacon", "manual", "last_known", "?"]),
    st.one_of(st.none(), st.floats(-600, 600)),
    st.one_of(st.none(), st.floats(0, 600)),
)


@given(st.lists(FIXES, max_size=12))
def test_whatever_comes_a_position_only_gets_better_or_newer(told: list[dict[str, Any]]) -> None:
    kept: dict[str, Any] | None = None
    for new in told:
        before = read_fix(kept)
        if prefer(kept, new).new:
            kept = new
        after = read_fix(kept)
        if before is None or after is None or after == before:
            continue
        assert after.rank >= before.rank
        if after.rank == before.rank > 0:
            assert after.observed_at is not None
            assert before.observed_at is None or after.observed_at > before.observed_at
        if before.rank == after.rank == 2 and metres_between(before.point, after.point) <= before.accuracy_m:
            assert after.accuracy_m <= max(50.0, 2 * before.accuracy_m)
    if kept is not None:
        assert not prefer(kept, kept).new
        assert max(read_fix(one).rank for one in told if read_fix(one)) == read_fix(kept).rank  # type: ignore[union-attr]


SOS, WANDERS, SMOKE = ("sos",), ("wandering",), ("smoke",)


@pytest.mark.parametrize(
    ("position", "types", "away", "kind", "code"),
    [
        (None, SOS, False, "home", "no_fix"),
        (fix(near(40)), SOS, False, "home", "at_home"),
        (fix(near(140), 120, "wifi"), SOS, False, "home", "at_home"),
        (fix(near(800)), SOS, False, "fix", "elsewhere"),
        (CELL, SOS, False, "home", "rough"),
        (fix(near(900), None, "cell"), WANDERS, False, "home", "rough"),
        (fix(near(900), 800, "wifi"), SOS, False, "home", "rough"),
        (fix(near(900), 800, "wifi"), WANDERS, False, "fix", "outdoors"),
        (fix(near(900), 800, "wifi"), SOS, True, "fix", "outdoors"),
        (fix(near(140), 120, "wifi"), WANDERS, False, "fix", "outdoors"),
        (fix(near(20), 120, "wifi"), WANDERS, False, "home", "at_home"),
        (REMEMBERED, SOS, False, "home", "age_unknown"),
        (REMEMBERED, WANDERS, False, "home", "age_unknown"),
        (fix(near(800), 20, "last_known", -45, 45), SOS, False, "home", "old"),
        (fix(near(800), 20, "last_known", -45, 45), WANDERS, False, "fix", "outdoors"),
        (fix(near(800), 20, "last_known", -10, 10), SOS, False, "fix", "elsewhere"),
        (fix(near(800), 20, "gnss", -45, 45), SOS, False, "home", "old"),
        (fix(near(800), 20, "gnss", 45, 0), SOS, False, "fix", "elsewhere"),
        (fix(near(800)), SMOKE, False, "home", "indoors"),
        (fix(near(800), source="manual"), SMOKE, False, "fix", "elsewhere"),
        (fix(near(800)), ("smoke", "sos"), False, "fix", "elsewhere"),
    ],
)
def test_people_are_sent_where_somebody_is(position: Any, types: Any, away: bool, kind: str, code: str) -> None:
    place = place_of(position, HOME, "home", types, NOON, away=away)
    assert place is not None
    assert (place.kind, place.reason.code) == (kind, code)
    assert (place.lat, place.lon) == (HOME if kind == "home" else (position["lat"], position["lon"]))
    apart = None if position is None else metres_between((position["lat"], position["lon"]), HOME)
    assert place.apart_m == apart


def test_an_area_is_vaguer_than_any_position_that_proves_something() -> None:
    place = place_of(fix(near(30)), HOME, "area", SOS, NOON)
    assert place is not None
    assert (place.kind, place.reason.code) == ("fix", "surer")
    vague = place_of(CELL, HOME, "area", SOS, NOON)
    assert vague is not None
    assert (vague.kind, vague.reason.code) == ("area", "rough")


def test_without_an_address_the_position_is_all_there_is() -> None:
    place = place_of(CELL, None, "home", SOS, NOON)
    assert place is not None
    assert (place.kind, place.reason.code, place.apart_m) == ("fix", "no_address", None)
    assert place_of(None, None, "home", SOS, NOON) is None
    assert place_of(fix((0.0, 0.0)), None, "home", SOS, NOON) is None


@given(FIXES, st.sets(st.sampled_from(["sos", "fall", "wandering", "smoke", "inactivity"]), min_size=1), st.booleans())
def test_a_position_of_kilometres_never_beats_a_home(position: dict[str, Any], types: set[str], away: bool) -> None:
    place, found = place_of(position, HOME, "home", types, NOON, away=away), read_fix(position)
    assert place is not None
    assert found is not None
    if found.accuracy_m > 1000 or (found.source == "last_known" and found.observed_at is None):
        assert place.kind == "home"
    if place.kind == "fix":
        assert place.apart_m is not None
        assert place.apart_m > 50
