"""Whose silence it is: one cause behind many, whichever of it is known first."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.alarms.shared_silence import Cause, Group, SharedCauses, SharedSilence

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
PATIENT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A machine that is busy with something else makes no example wrong."""
STATION, GRID, STREET = "upstream:S", "area:G", "area:M"


def group(*places: str, devices: int, every: float = 10, quiet_s: float | None = None, silent: int = 0) -> Group:
    heard = None if quiet_s is None else NOON - timedelta(seconds=quiet_s)
    return Group(frozenset(places), every, devices, silent, heard)


def causes(*groups: Group) -> list[Cause]:
    """Everything that these groups hang on."""
    long_ago = NOON - timedelta(days=30)
    found = []
    for place in sorted({place for one in groups for place in one.places}):
        kind, _, key = place.partition(":")
        own = tuple(one for one in groups if place in one.places)
        found.append(Cause(kind, key, key, own, long_ago))  # type: ignore[arg-type]
    return found


def of(
    groups: Sequence[Group],
    *places: str,
    live: Mapping[str, float] | None = None,
    over: Mapping[str, float] | None = None,
    heard_s: float = 20,
    span_s: float = 20,
) -> SharedSilence:
    """What becomes of a device there; `live`, `over`: seconds ago."""
    known = SharedCauses(
        causes(*groups),
        now=NOON,
        live={place: NOON - timedelta(seconds=age) for place, age in (live or {}).items()},
        over={place: NOON - timedelta(seconds=age) for place, age in (over or {}).items()},
    )
    return known.of(places, heard_at=NOON - timedelta(seconds=heard_s), span_s=span_s)


def place_of(found: SharedSilence) -> str | None:
    return None if found.cause is None else found.cause.place


def test_nobody_behind_it_heard_for_a_whole_turn_is_one_matter() -> None:
    found = of([group(STATION, devices=8, every=60, quiet_s=72)], STATION)
    assert place_of(found) == STATION
    assert found.reasons[0].code == "dark"
    assert found.reasons[0].values["devices"] == 8


def test_a_quiet_cause_makes_its_devices_wait_and_a_talking_one_does_not() -> None:
    quiet = of([group(STATION, devices=100, every=60, quiet_s=30)], STATION)
    assert quiet.cause is None
    assert quiet.wait_until is not None
    assert NOON < quiet.wait_until <= NOON + timedelta(seconds=60)
    assert of([group(STATION, devices=100, every=60, quiet_s=1)], STATION) == SharedSilence()


def test_two_devices_have_no_cause_in_common() -> None:
    assert of([group(STATION, devices=2, every=60, quiet_s=600)], STATION) == SharedSilence()


def test_half_of_them_falling_silent_is_one_matter_too() -> None:
    found = of([group(STATION, devices=10, every=60, quiet_s=1, silent=5)], STATION)
    assert found.reasons[0].code == "many_silent"
    assert of([group(STATION, devices=10, every=60, quiet_s=1, silent=4)], STATION).cause is None


def test_the_widest_cause_that_is_dark_explains_it() -> None:
    groups = [
        group(STREET, GRID, "upstream:all", devices=5, every=60, quiet_s=300),
        group(GRID, "upstream:all", devices=45, every=60, quiet_s=200),
        group("upstream:all", devices=850, every=60, quiet_s=1),
    ]
    assert place_of(of(groups, "upstream:all", STREET, GRID)) == GRID


# ---- a failed base station whose watches are more than half of what an area has -------------------------------------


def station(silent: int, *, quiet_s: float = 19, beyond: float = 3) -> list[Group]:
    """41 watches behind one station, in the four streets of a grid that has 33 other devices."""
    return [
        group(STATION, STREET, GRID, devices=15, quiet_s=quiet_s, silent=min(silent, 15)),
        group(STATION, GRID, devices=26, quiet_s=quiet_s, silent=max(0, silent - 15)),
        group(STREET, GRID, devices=2, every=3600, quiet_s=beyond),
        group(GRID, devices=7, every=120, quiet_s=beyond),
        group(GRID, devices=24, every=3600, quiet_s=beyond),
    ]


@settings(PATIENT)
@given(st.integers(1, 41), st.floats(16.1, 3000), st.floats(0, 60))
def test_however_many_of_them_are_known_it_is_the_station(silent: int, quiet_s: float, beyond: float) -> None:
    """Half of the area is silent because of the station: it is no second cause, and none in its place."""
    found = of(station(silent, quiet_s=quiet_s, beyond=min(beyond, quiet_s)), STATION, STREET, GRID)
    assert place_of(found) == STATION
    assert found.takes_in == ()


@settings(PATIENT)
@given(st.integers(28, 41), st.floats(0, 9))
def test_also_where_one_of_them_still_speaks(silent: int, quiet_s: float) -> None:
    found = of(station(silent, quiet_s=quiet_s), STATION, STREET, GRID)
    assert place_of(found) == STATION


def test_what_speaks_rarely_is_no_word_against_a_cause_that_is_dark() -> None:
    """The station has slow devices elsewhere too, whose silence nobody can know yet."""
    elsewhere = group(STATION, "area:H", devices=100, every=300, quiet_s=19)
    assert place_of(of([*station(41), elsewhere], STATION, STREET, GRID)) == STATION


def test_somebody_else_of_the_area_has_a_silence_of_its_own() -> None:
    assert of(station(41), STREET, GRID, heard_s=200, span_s=185) == SharedSilence()


def test_an_area_that_is_silent_without_the_station_too_is_the_cause() -> None:
    groups = [*station(41)[:2], group(STREET, GRID, devices=20, every=10, quiet_s=19, silent=20)]
    assert place_of(of(groups, STATION, STREET, GRID)) == GRID


def test_two_stations_of_one_area_are_the_area() -> None:
    groups = [
        group(STATION, GRID, devices=30, silent=30, quiet_s=30),
        group("upstream:T", GRID, devices=30, silent=30, quiet_s=30),
        group(GRID, devices=14, quiet_s=1),
    ]
    assert place_of(of(groups, STATION, GRID)) == GRID
    assert place_of(of(groups, "upstream:T", GRID)) == GRID


def test_a_street_that_is_certain_first_waits_for_what_is_wider_and_as_fast() -> None:
    groups = [
        group(STATION, STREET, GRID, devices=5, quiet_s=19, silent=5),
        group(STATION, GRID, devices=36, quiet_s=12),
    ]
    found = of(groups, STATION, STREET)
    assert found.cause is None
    assert found.wait_until is not None
    # And not for devices that say something once an hour.
    slow = [groups[0], group(STATION, GRID, devices=36, every=3600, quiet_s=1800)]
    assert place_of(of(slow, STREET)) == STREET


# ---- one after another ----------------------------------------------------------------------------------------------


def test_a_wider_cause_takes_in_what_was_opened_for_its_parts() -> None:
    groups = [*station(41)[:2], group(STREET, GRID, devices=20, every=60, quiet_s=90, silent=20)]
    found = of(groups, STATION, STREET, GRID, live={STATION: 60, STREET: 50, "upstream:else": 40})
    assert place_of(found) == GRID
    assert found.joins is None
    assert found.takes_in == (STREET, STATION)
    assert found.since is not None
    assert found.since <= NOON - timedelta(minutes=10)
    # What was open long before is another matter.
    assert of(groups, STATION, GRID, live={STATION: 86_400}).takes_in == ()


def test_a_part_joins_the_whole_that_is_open_already() -> None:
    found = of(station(41), STATION, STREET, GRID, live={GRID: 15})
    assert (found.joins, found.takes_in) == (GRID, ())
    # Not one of yesterday that a few devices hold open.
    assert of(station(41), STATION, STREET, GRID, live={GRID: 86_400}).joins is None
    assert of(station(41), STATION, GRID, live={STATION: 9}).joins == STATION


def test_whoever_fell_silent_before_it_was_found_belongs_to_it_though_others_are_back() -> None:
    back = [group(STATION, devices=41, quiet_s=1, silent=9)]
    assert of(back, STATION, live={STATION: 40}, heard_s=60).joins == STATION
    assert of(back, STATION, live={STATION: 40}, heard_s=21) == SharedSilence()


def test_after_the_end_everybody_has_the_whole_span_again() -> None:
    back = [group(STATION, devices=41, quiet_s=1, silent=1)]
    found = of(back, STATION, over={STATION: 4}, heard_s=60, span_s=20)
    assert found.wait_until == NOON + timedelta(seconds=16)
    assert of(back, STATION, over={STATION: 20}, heard_s=60, span_s=20) == SharedSilence()
    assert of(back, STATION, over={STATION: 40}, heard_s=30, span_s=20) == SharedSilence()


# ---- rules ----------------------------------------------------------------------------------------------------------


@settings(PATIENT)
@given(st.integers(3, 2000), st.integers(10, 90_000), st.floats(0, 1e6))
def test_waiting_ends(devices: int, interval: int, quiet_s: float) -> None:
    """A cause that stays quiet becomes dark: nobody waits longer than a turn."""
    found = of([group(STATION, devices=devices, every=interval, quiet_s=quiet_s)], STATION)
    if quiet_s > interval * 1.1 + 6:
        assert found.cause is not None
    if found.wait_until is not None:
        assert NOON < found.wait_until <= NOON + timedelta(seconds=max(2.0, interval * 0.1))


@dataclass(frozen=True)
class _Town:
    groups: tuple[Group, ...]


@st.composite
def towns(draw: st.DrawFn) -> _Town:
    """Streets of two grids, behind three stations, heard whenever."""
    groups = []
    for street, grid in (("area:M1", "area:G1"), ("area:M2", "area:G1"), ("area:M3", "area:G2")):
        for upstream in draw(st.sets(st.sampled_from(["upstream:A", "upstream:B", "upstream:C"]), min_size=1)):
            devices = draw(st.integers(1, 40))
            groups.append(
                group(
                    street,
                    grid,
                    upstream,
                    devices=devices,
                    every=draw(st.sampled_from([10, 60, 3600])),
                    quiet_s=draw(st.floats(0, 8000)),
                    silent=draw(st.integers(0, devices)),
                )
            )
    return _Town(tuple(groups))


@settings(PATIENT)
@given(towns())
def test_a_crowd_is_never_left_alone(town: _Town) -> None:
    """Holding causes against one another leaves some of a cause to themselves, and never as many as are one matter."""
    known = SharedCauses(causes(*town.groups), now=NOON)
    lone = {one for one in town.groups if known.of(sorted(one.places), heard_at=None, span_s=20) == SharedSilence()}
    for cause in causes(*town.groups):
        silent = sum(one.silent for one in cause.groups if one in lone)
        assert silent < 5 or silent * 2 < cause.devices


@settings(PATIENT)
@given(towns(), st.randoms(use_true_random=False))
def test_the_order_in_which_causes_are_read_decides_nothing(town: _Town, order: random.Random) -> None:
    found = causes(*town.groups)
    first = SharedCauses(found, now=NOON)
    again = SharedCauses(order.sample(found, len(found)), now=NOON)
    heard = NOON - timedelta(seconds=30)
    for one in town.groups:
        places = sorted(one.places)
        assert first.of(places, heard_at=heard, span_s=20) == again.of(places, heard_at=heard, span_s=20)
