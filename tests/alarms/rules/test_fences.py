"""Wandering: polygons, schedules, and positions that prove nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alarms.rules import Fence, check_ring
from hub.alarms.rules.fences import accuracy_of, fence_active, metres_outside
from tests.alarms.rules.pictures import CHINA, HOME, NOON, ask, local, north, picture, position, square

FENCE = square(200)
OUT = (position(*north(600), seconds=120), position(*north(650)))


def test_two_accurate_positions_beyond_the_line() -> None:
    verdict = ask("wandering", picture(fences=(FENCE,), positions=OUT))
    assert (verdict.kind, verdict.type, verdict.priority) == ("raise", "wandering", "high")
    values = verdict.reasons[0].values
    assert values["beyond_m"] == pytest.approx(420, abs=2)  # 650 - 200 - 30 of slack
    assert (values["accuracy_m"], values["fence"]) == (10, "柳岸")


@pytest.mark.parametrize("metres", [300, 2_000, 50_000, 500_000])
def test_a_fix_of_three_kilometres_proves_nothing(metres: float) -> None:
    loose = tuple(position(*north(metres), seconds=seconds, accuracy=3000) for seconds in (600, 300, 10))
    assert ask("wandering", picture(fences=(FENCE,), positions=loose)).kind == "quiet"
    unsaid = tuple(replace(one, accuracy_m=None, source="cell") for one in loose)
    assert ask("wandering", picture(fences=(FENCE,), positions=unsaid)).kind == "quiet"
    # Nor does it calm: who was out is not home because of it.
    standing = ask("wandering", picture(fences=(FENCE,), positions=OUT)).standing
    home = (position(*HOME, accuracy=3000),)
    assert ask("wandering", picture(fences=(FENCE,), positions=home), standing=standing).kind == "hold"


def test_the_whole_circle_must_lie_beyond_the_line() -> None:
    near = tuple(
        position(*north(400), seconds=seconds, accuracy=accuracy) for seconds, accuracy in ((100, 175), (10, 175))
    )
    assert ask("wandering", picture(fences=(FENCE,), positions=near)).kind == "quiet"
    sharp = tuple(replace(one, accuracy_m=165) for one in near)
    assert ask("wandering", picture(fences=(FENCE,), positions=sharp)).kind == "raise"


def test_a_single_jump_is_nothing_and_a_doubtless_one_is_enough() -> None:
    inside, jump = position(*HOME, seconds=100), position(*north(600))
    assert ask("wandering", picture(fences=(FENCE,), positions=(inside, jump))).kind == "quiet"
    assert ask("wandering", picture(fences=(FENCE,), positions=(jump,))).kind == "quiet"
    assert ask("wandering", picture(fences=(FENCE,), positions=(position(*north(900)),))).kind == "raise"


def test_old_stored_and_remembered_positions_prove_nothing() -> None:
    for change in (
        {"buffered": True},
        {"source": "last_known"},
        {"received_at": NOON - timedelta(minutes=31)},
    ):
        seen = tuple(replace(one, **change) for one in OUT)
        assert ask("wandering", picture(fences=(FENCE,), positions=seen)).kind == "quiet"


def test_no_fence_no_wandering_and_a_second_fence_is_home_too() -> None:
    assert ask("wandering", picture(positions=OUT)).kind == "quiet"
    park = replace(square(200, centre=north(650)), id="F2", name="公园")
    assert ask("wandering", picture(fences=(FENCE, park), positions=OUT)).kind == "quiet"
    assert ask("wandering", picture(fences=(replace(FENCE, active=False),), positions=OUT)).kind == "quiet"


def test_a_fence_holds_by_its_schedule_past_midnight_too() -> None:
    night = replace(FENCE, from_min=22 * 60, to_min=6 * 60, days=frozenset({0}))  # Monday's night
    assert not fence_active(night, local("21:59"), CHINA)
    assert fence_active(night, local("22:00"), CHINA)
    assert fence_active(night, local("05:59", day=24), CHINA)
    assert not fence_active(night, local("06:00", day=24), CHINA)
    assert not fence_active(night, local("05:00"), CHINA)  # that is Sunday's night
    assert not fence_active(night, local("22:00", day=24), CHINA)
    day = replace(FENCE, from_min=8 * 60, to_min=18 * 60)
    assert [fence_active(day, local(clock), CHINA) for clock in ("07:59", "08:00", "17:59", "18:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert ask("wandering", picture(fences=(night,), positions=OUT)).kind == "quiet"


def test_back_inside_it_is_over_after_a_while() -> None:
    standing = ask("wandering", picture(fences=(FENCE,), positions=OUT)).standing
    now, kinds = NOON, []
    for _ in range(4):
        now += timedelta(minutes=1)
        home = picture(fences=(FENCE,), positions=(position(*HOME, now=now),))
        verdict = ask("wandering", home, now=now, standing=standing)
        standing = verdict.standing
        kinds.append(verdict.kind)
    assert kinds == ["hold", "hold", "clear", "quiet"]


def test_inside_a_forbidden_place() -> None:
    pond = square(60, kind="forbidden", centre=north(500))
    at = ask("forbidden_place", picture(fences=(pond,), positions=(position(*north(500)),)))
    assert (at.kind, at.type) == ("raise", "geofence_enter")
    for where, accuracy in ((north(500), 3000), (north(300), 10), (north(435), 20)):
        seen = picture(fences=(pond,), positions=(position(*where, accuracy=accuracy),))
        assert ask("forbidden_place", seen).kind == "quiet"


@pytest.mark.parametrize(
    ("said", "source", "taken"), [(25.0, "gnss", 25.0), (None, "gnss", 50.0), (0.0, "cell", 3000.0)]
)
def test_an_accuracy_nobody_said_is_assumed_by_its_source(said: float | None, source: str, taken: float) -> None:
    assert accuracy_of(position(*HOME, accuracy=said, source=source)) == taken
    assert accuracy_of(position(*HOME, accuracy=said, source="last_known")) is None


def test_what_is_no_fence() -> None:
    assert check_ring(FENCE.ring) is None
    assert "3 to 500" in str(check_ring(FENCE.ring[:2]))
    assert "no place" in str(check_ring([(91.0, 0.0), (0.0, 0.0), (0.0, 1.0)]))
    assert "right order" in str(check_ring([(31.0, 118.0), (118.0, 31.0), (31.0, 118.1)][:1] * 2 + [(40.0, 118.0)]))
    assert "100 square metres" in str(check_ring([(31.0, 118.0), (31.0, 118.1), (31.0, 118.2)]))


places = st.tuples(st.floats(-1500, 1500), st.floats(-1500, 1500))


@given(places)
def test_the_distance_to_a_square_is_that_of_school(place: tuple[float, float]) -> None:
    east, up = place
    lat, lon = HOME[0] + up / 111_195, HOME[1] + east / (111_195 * 0.8541)
    x, y = max(abs(east) - 200, 0), max(abs(up) - 200, 0)
    wanted = (x * x + y * y) ** 0.5 if x or y else -min(200 - abs(east), 200 - abs(up))
    assert metres_outside(FENCE, lat, lon) == pytest.approx(wanted, abs=3)


@given(st.lists(places, min_size=1, max_size=4), st.floats(1, 5000), st.floats(1, 5000))
def test_a_less_accurate_fix_never_proves_more(path: list[tuple[float, float]], accuracy: float, worse: float) -> None:
    def verdict(metres: float) -> str:
        seen = tuple(
            position(
                HOME[0] + up / 111_195,
                HOME[1] + east / (111_195 * 0.8541),
                seconds=60.0 * (len(path) - index),
                accuracy=metres,
            )
            for index, (east, up) in enumerate(path)
        )
        return ask("wandering", picture(fences=(FENCE,), positions=seen)).kind

    if verdict(accuracy + worse) == "raise":
        assert verdict(accuracy) == "raise"


@given(st.floats(231, 20_000), st.floats(0, 20_000), st.floats(1, 500))
def test_further_away_is_never_less_of_an_alarm(metres: float, more: float, accuracy: float) -> None:
    def verdict(where: float) -> str:
        seen = tuple(position(*north(where), seconds=seconds, accuracy=accuracy) for seconds in (100, 10))
        return ask("wandering", picture(fences=(FENCE,), positions=seen)).kind

    if verdict(metres) == "raise":
        assert verdict(metres + more) == "raise"


def test_a_fence_of_many_corners_with_a_bay() -> None:
    ring = ((0.0, 0.0), (0.0, 0.01), (0.01, 0.01), (0.01, 0.006), (0.004, 0.005), (0.01, 0.004), (0.01, 0.0))
    bay = Fence("B", "bay", "safe", ring)
    assert metres_outside(bay, 0.009, 0.005) > 0
    assert metres_outside(bay, 0.003, 0.005) < 0
