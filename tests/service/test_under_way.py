"""Responders on their way: whose position is wanted, when, and what it does to their arrival."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import BadRequestError, ConflictError, ForbiddenError
from tests.service.conftest import World

PARK = {"lat": 31.3460, "lon": 118.3962, "accuracy_m": 12, "source": "gnss"}
HERE = {"lat": 31.3390, "lon": 118.3960, "accuracy_m": 10, "source": "gnss"}
FAR = {"lat": 31.3150, "lon": 118.3962, "accuracy_m": 15, "source": "gnss"}


def sent(world: World, responder: str = "S1") -> tuple[str, str]:
    """An incident at the home of R1, and the assignment of whoever is sent."""
    world.press("W1", fix={"lat": 31.3396, "lon": 118.3962, "accuracy_m": 12, "source": "gnss"})
    incident = str(world.row("SELECT id FROM incidents")["id"])
    world.services.handling.acknowledge(incident, world.actors["zhoumin"])
    return incident, world.services.dispatching.assign(incident, responder, world.actors["zhoumin"])


def stored(world: World, assignment: str) -> dict[str, Any]:
    return world.row("SELECT eta_s, eta_at, version, state FROM assignments WHERE id = %s", assignment)


def place(world: World) -> dict[str, Any]:
    return world.row("SELECT lat, position_at, position_accuracy_m FROM responders WHERE id = 'S1'")


def test_a_position_is_wanted_from_accepting_to_arriving_and_at_no_other_time(world: World) -> None:
    me, under_way, step = world.actors["sunwei"], world.services.under_way, world.services.dispatching.step
    with pytest.raises(ConflictError, match="no position is wanted"):
        under_way.seen(me, HERE)
    _, assignment = sent(world)
    with pytest.raises(ConflictError):
        under_way.seen(me, HERE)
    step(assignment, "accept", me)
    assert under_way.seen(me, HERE).kept
    step(assignment, "en-route", me)
    assert under_way.seen(me, HERE).kept
    step(assignment, "on-scene", me)
    with pytest.raises(ConflictError):
        under_way.seen(me, HERE)
    with pytest.raises(ForbiddenError):
        under_way.seen(world.actors["zhoumin"], HERE)


def test_the_arrival_is_reckoned_anew_from_where_they_are(world: World) -> None:
    me, under_way = world.actors["sunwei"], world.services.under_way
    incident, assignment = sent(world)
    world.services.dispatching.step(assignment, "accept", me)
    before = stored(world, assignment)
    world.wait(20)
    (far,) = under_way.seen(me, FAR).arrivals
    assert far.eta_s > before["eta_s"] + 600
    after = stored(world, assignment)
    assert (after["eta_s"], after["eta_at"], after["version"]) == (far.eta_s, world.now, before["version"])
    world.wait(30)
    under_way.seen(me, {**FAR, "lat": 31.3152})
    assert world.kinds(incident).count("arrival") == 1, "half a minute is no news"
    world.wait(60)
    (near,) = under_way.seen(me, HERE).arrivals
    assert near.eta_s < 300
    assert world.kinds(incident).count("arrival") == 2


def test_they_are_sent_on_where_the_resident_has_moved_to(world: World) -> None:
    me, under_way = world.actors["sunwei"], world.services.under_way
    _, assignment = sent(world)
    world.services.dispatching.step(assignment, "accept", me)
    (home,) = under_way.seen(me, HERE).arrivals
    world.wait(60)
    world.press("W1", fix={**PARK, "lat": 31.3500})
    (moved,) = under_way.seen(me, HERE).arrivals
    assert moved.eta_s > home.eta_s + 300


def test_the_newest_counts_and_vague_ones_do_not(world: World) -> None:
    me, under_way = world.actors["sunwei"], world.services.under_way
    _, assignment = sent(world)
    world.services.dispatching.step(assignment, "accept", me)
    world.wait(60)
    assert under_way.seen(me, HERE).kept
    assert place(world) == {"lat": HERE["lat"], "position_at": world.now, "position_accuracy_m": 10.0}
    earlier = {**FAR, "observed_at": "2026-11-22T02:00:20+00:00"}
    for fix, why in (
        ({**FAR, "accuracy_m": 2500}, "rough"),
        (earlier, "older"),
        ({**FAR, "source": "last_known"}, "old"),
    ):
        seen = under_way.seen(me, fix)
        assert (seen.kept, seen.why, seen.arrivals) == (False, why, ())
    assert place(world)["lat"] == HERE["lat"]
    with pytest.raises(BadRequestError):
        under_way.seen(me, {"lat": 0.0, "lon": 0.0})
