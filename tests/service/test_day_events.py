"""What an event changes, and what speaks against a change: values in, values out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import HaversineTravel, Mode, Place, Way
from hub.errors import BadRequestError, ConflictError
from hub.service.day_checks import against
from hub.service.day_events import edits_of, moved_by
from hub.service.day_facts import DayFacts, Standing
from hub.service.day_outcome import changes
from hub.service.day_ways import RoadWays
from tests.planning.day_facts import facts_of, standing_in

HOUR = 3600


def _day(now_min: int | None = 300) -> DayFacts:
    """Six visits, one after the other: three of c0, three of c1."""
    facts = facts_of(2, orders=6, carers=4, now_min=now_min)
    names = sorted(facts.orders)
    stands = {
        visit_id: Standing(
            (("c0", "c1")[n // 3],),
            ((9 + n % 3) * HOUR,),
            ((9 + n % 3) * HOUR + facts.orders[visit_id].order.duration_min * 60,),
        )
        for n, visit_id in enumerate(names)
    }
    single = {
        visit_id: replace(one, order=replace(one.order, carers=1), lat=31.34 + n / 1000, lon=118.4)
        for n, (visit_id, one) in enumerate(sorted(facts.orders.items()))
    }
    facts = replace(
        facts, orders=single, spans={**facts.spans, "c0": ((8 * HOUR, 17 * HOUR),), "c1": ((8 * HOUR, 17 * HOUR),)}
    )
    return standing_in(facts, stands, accepted=frozenset(names))


def _names(facts: DayFacts) -> list[str]:
    return sorted(facts.orders)


def test_an_ill_carer_releases_what_is_still_to_come() -> None:
    facts = _day()
    names = _names(facts)
    edits = edits_of(facts, [{"kind": "ill", "responder_id": "c0", "from": facts.at(10 * HOUR)}], facts.standing)
    assert edits.released == {names[1], names[2]}
    assert edits.absent == {"c0": ((10 * HOUR, 24 * HOUR),)}
    until = {"kind": "ill", "responder_id": "c0", "from": facts.at(10 * HOUR), "until": facts.at(11 * HOUR).isoformat()}
    assert edits_of(facts, [until], facts.standing).released == {names[1]}
    with pytest.raises(BadRequestError) as wrong:
        edits_of(facts, [{**until, "responder_id": "nobody"}], facts.standing)
    assert wrong.value.extra["field"] == "events.0.responder_id"
    with pytest.raises(BadRequestError):
        edits_of(facts, [{**until, "until": facts.at(9 * HOUR)}], facts.standing)


def test_a_late_visit_takes_the_rest_of_its_route_along() -> None:
    facts = _day()
    names = _names(facts)
    edits = edits_of(facts, [{"kind": "late", "visit_id": names[0], "minutes": 30}], facts.standing)
    assert edits.pinned == {names[0]: (("c0",), (9 * HOUR + 1800,))}
    assert edits.released >= {names[1], names[2]}
    assert edits.released.isdisjoint(names[3:])


def test_two_visits_and_two_carers_change_places() -> None:
    facts = _day()
    names = _names(facts)
    visits = moved_by(facts, {"kind": "swap", "visit_id": names[0], "with_visit_id": names[4]}, facts.standing)
    assert visits[names[0]].carers == ("c1",)
    assert visits[names[4]].carers == ("c0",)
    assert visits[names[0]].start == facts.standing[names[0]].start
    everything = {"kind": "swap", "responder_id": "c0", "with_responder_id": "c1"}
    moved = moved_by(facts, everything, facts.standing)
    assert {visit_id: one.carers for visit_id, one in moved.items()} == {
        **dict.fromkeys(names[:3], ("c1",)),
        **dict.fromkeys(names[3:], ("c0",)),
    }
    for wrong in (
        {"kind": "swap", "visit_id": names[0], "with_visit_id": names[0]},
        {"kind": "swap", "responder_id": "c0", "with_responder_id": "c0"},
        {"kind": "move", "visit_id": names[0], "start": facts.at(30 * HOUR)},
        {"kind": "move", "visit_id": names[0], "start": facts.at(2 * HOUR)},
    ):
        with pytest.raises(BadRequestError):
            moved_by(facts, wrong, facts.standing)


def test_what_has_begun_is_not_moved() -> None:
    facts = _day()
    names = _names(facts)
    one = facts.orders[names[0]]
    begun = {**facts.orders, names[0]: replace(one, visit=replace(one.visit, state="in_service"))}
    facts = replace(facts, orders=begun)
    with pytest.raises(ConflictError) as late:
        moved_by(facts, {"kind": "move", "visit_id": names[0], "start": facts.at(12 * HOUR)}, facts.standing)
    assert late.value.code == "too-late"


def test_a_closed_road_releases_only_routes_through_it() -> None:
    facts = _day()
    names = _names(facts)
    here = facts.orders[names[4]]
    assert here.lat is not None
    assert here.lon is not None
    ring = [[here.lat - 3e-4, here.lon - 1e-3], [here.lat - 3e-4, here.lon + 1e-3], [here.lat + 3e-4, here.lon]]
    event = {"kind": "road_closed", "ring": ring, "from": facts.at(8 * HOUR)}
    edits = edits_of(facts, [event], facts.standing)
    assert edits.released == set(names[3:])
    assert edits.closures[0].ring
    later = {**event, "from": facts.at(14 * HOUR)}
    assert edits_of(facts, [later], facts.standing).released == frozenset()
    closed = edits_of(facts, [later], facts.standing).closures[0]
    assert (closed.since, closed.until) == (14 * HOUR, None)
    noon = {**event, "from": facts.at(4 * HOUR), "until": facts.at(11 * HOUR)}
    closed = edits_of(facts, [noon], facts.standing).closures[0]
    assert (closed.since, closed.until) == (None, 11 * HOUR)
    factor = {"kind": "road_closed", "factor": 2.0, "from": facts.at(8 * HOUR)}
    assert edits_of(facts, [factor], facts.standing).released == set(names)


def _codes(found: Sequence[Any]) -> set[str]:
    return {one["code"] for one in found}


def test_what_speaks_against_a_move() -> None:
    facts = _day()
    names = _names(facts)
    beside = facts.standing[names[4]]
    at_once = {names[0]: Standing(("c1",), (beside.start + 60,), (beside.start + 1260,))}
    found = against(facts, at_once, facts.standing)
    assert "overlap" in _codes(found)
    assert all(one["reason"] and one["reason_zh"] for one in found)
    night = {names[0]: Standing(("c0",), (22 * HOUR,), (22 * HOUR + 1200,))}
    assert "shift" in _codes(against(facts, night, facts.standing))
    off = {names[0]: Standing(("c3",), (9 * HOUR,), (9 * HOUR + 1200,))}
    nobody = replace(facts, spans={"c0": facts.spans["c0"]})
    assert "off_rota" in _codes(against(nobody, off, facts.standing))
    end = facts.standing[names[3]].end
    tight = {names[0]: Standing(("c1",), (end + 30,), (end + 60,))}
    assert "travel" in _codes(against(facts, tight, facts.standing))


@given(st.integers(0, 2000))
def test_nothing_is_different_from_itself(seed: int) -> None:
    facts = facts_of(seed, orders=5)
    stands = {
        visit_id: Standing(
            tuple(sorted(facts.carers))[: one.order.carers], (HOUR,) * one.order.carers, (2 * HOUR,) * one.order.carers
        )
        for visit_id, one in facts.orders.items()
    }
    facts = standing_in(facts, stands, accepted=frozenset(stands))
    assert changes(facts, facts.standing, facts.orders) == []
    gone = changes(facts, {}, facts.orders)
    assert {one["visit_id"] for one in gone} == set(stands)
    assert all(one["tell"] == ["resident", "contact", "responder"] and one["now"] is None for one in gone)


class _Road:
    """A road network in which every way takes twice as long as the crow's flight; it counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def estimates(self, starts: Sequence[tuple[Place, Mode]], end: Place) -> Sequence[Way]:
        self.asked += len(starts)
        found = []
        for way, (_, mode) in zip(HaversineTravel().estimates(starts, end), starts, strict=True):
            fixed = HaversineTravel().pace[mode].fixed_s
            found.append(Way(way.metres * 2, (way.seconds - fixed) * 2 + fixed, "roads"))
        return found


def test_roads_are_asked_once_for_what_is_near() -> None:
    road = _Road()
    ways = RoadWays(road, "bike")
    places = [(31.33 + n / 500, 118.39) for n in range(60)]
    assert ways.known(places, 0.0) == ()
    found = ways.known(places, 60.0)
    assert len(found) == road.asked == 60 * 40
    assert ways.known(places, 60.0) == found
    assert road.asked == 60 * 40
    assert RoadWays(HaversineTravel(), "bike").known(places, 60.0) == ()
