"""One failure is one line for the operator, however the silences trickle in and whichever cause is certain first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.service.conftest import World

STATION = "移动网络·第3网格基站"
EVERY = 60
SPAN_S = EVERY * 1.5 + 5


@pytest.fixture
def watched(world: World) -> World:
    """A hub that has heard for a minute; the small place's own devices were never heard and count for nothing."""
    world.services.profiles.seed()
    with world.database.begin() as tx:
        for street in ("M1", "M2"):
            row = {"id": street, "parent_id": "G3", "kind": "micro_grid", "name": f"第3网格 {street}"}
            tx.reference.insert("areas", row)
    unseen(world, 60)
    return world


def beat(world: World) -> None:
    world.services.supervising.beat("test", {"mqtt": True, "tcp": True})


def add(
    world: World, name: str, count: int, *, area: str, upstream: str | None = None, every: int = EVERY
) -> list[str]:
    """Devices of nobody that were heard this moment."""
    names = [f"{name}-{number:02}" for number in range(count)]
    with psycopg.connect(world.url) as connection:
        for one in names:
            connection.execute(
                "INSERT INTO devices (id, family, upstream, area_id, interval_s, last_seen_at, online, created_at)"
                " VALUES (%s, 'care', %s, %s, %s, %s, true, %s)",
                (one, upstream, area, every, world.now, world.now),
            )
    return names


def hear(world: World, names: list[str]) -> None:
    """They say something; `last_seen_at` is all that supervision looks at."""
    with psycopg.connect(world.url) as connection:
        connection.execute(
            "UPDATE devices SET last_seen_at = %s, online = true WHERE id = ANY (%s)", (world.now, names)
        )


def look(world: World, names: list[str] | None = None) -> None:
    """Supervision looks: at all that are due, or, as a slow hub gets round to them, at these first."""
    beat(world)
    if names is None:
        while world.services.supervising.run_once(500).looked_at:
            pass
        return
    due = world.rows("SELECT device_id FROM device_watch WHERE check_at <= %s", world.now)
    held = [row["device_id"] for row in due if row["device_id"] not in names]
    later = world.now + timedelta(milliseconds=1)
    with psycopg.connect(world.url) as connection:
        connection.execute("UPDATE device_watch SET check_at = %s WHERE device_id = ANY (%s)", (later, held))
    world.services.supervising.run_once(500)


def pass_time(world: World, seconds: float, talking: list[str] | None = None) -> None:
    """Time passes, five seconds a step; whoever talks is heard in each."""
    end = world.now + timedelta(seconds=seconds)
    while world.now < end:
        hear(world, talking or [])
        look(world)
        world.now += timedelta(seconds=5)


def unseen(world: World, seconds: float, talking: list[str] | None = None) -> None:
    """Time in which the hub hears and has no leisure to look at anybody."""
    end = world.now + timedelta(seconds=seconds)
    while world.now < end:
        beat(world)
        world.now += timedelta(seconds=5)
    hear(world, talking or [])


def matters(world: World, *, closed: bool = False) -> list[dict[str, Any]]:
    states = "NOT IN" if closed else "IN"
    return world.rows(
        "SELECT * FROM incidents WHERE class = 'technical' AND state"
        f" {states} ('open', 'acknowledged', 'in_progress') ORDER BY opened_at, subject"
    )


def members(world: World, incident: dict[str, Any]) -> set[str]:
    found = world.rows("SELECT device_id FROM device_watch WHERE incident_id = %s", incident["id"])
    return {row["device_id"] for row in found}


@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_a_station_that_has_most_of_an_area_is_the_station_in_any_number_of_pieces(watched: World, pieces: int) -> None:
    watches = add(watched, "W", 21, area="M1", upstream=STATION)
    others = add(watched, "R", 10, area="M2", upstream="broker")
    unseen(watched, SPAN_S, others)
    for piece in range(pieces):
        watched.now += timedelta(seconds=1)
        look(watched, watches[piece::pieces])
    (incident,) = matters(watched)
    assert incident["subject"] == f"upstream:{STATION}"
    assert members(watched, incident) == set(watches)
    assert matters(watched, closed=True) == []


def test_a_street_that_was_certain_first_is_taken_in(watched: World) -> None:
    """The rest of the station speaks once an hour: only later it is certain that it is the station."""
    street = add(watched, "W", 6, area="M1", upstream=STATION)
    rest = add(watched, "S", 8, area="M2", upstream=STATION, every=180)
    pass_time(watched, 110)
    (first,) = matters(watched)
    assert first["subject"] == "area:M1"
    pass_time(watched, 180)
    (incident,) = matters(watched)
    assert incident["subject"] == f"upstream:{STATION}"
    assert members(watched, incident) == {*street, *rest}
    (closed,) = matters(watched, closed=True)
    assert (closed["id"], closed["state"], closed["disposition"]) == (first["id"], "closed", "duplicate")
    assert str(incident["id"]) in closed["summary"]
    assert "noted" in watched.kinds(incident["id"])
    # Everybody is back: the one line ends, and nothing is left behind.
    pass_time(watched, 60, [*street, *rest])
    assert matters(watched) == []
    assert watched.rows("SELECT 1 FROM device_watch WHERE silent_since IS NOT NULL") == []


def test_what_somebody_is_at_work_on_grows_instead(watched: World) -> None:
    street = add(watched, "W", 6, area="M1", upstream=STATION)
    rest = add(watched, "S", 8, area="M2", upstream=STATION, every=180)
    pass_time(watched, 110)
    (first,) = matters(watched)
    watched.services.handling.acknowledge(str(first["id"]), watched.actors["zhoumin"])
    pass_time(watched, 180)
    (incident,) = matters(watched)
    assert (incident["id"], incident["state"]) == (first["id"], "acknowledged")
    assert members(watched, incident) == {*street, *rest}
    noted = watched.rows("SELECT body FROM timeline WHERE subject_id = %s AND kind = 'noted'", str(first["id"]))
    assert any(STATION in row["body"]["text"] for row in noted)


def test_singles_that_turn_out_to_be_many_are_taken_in(watched: World) -> None:
    """One after another falls silent while the others still speak, until it is half of them."""
    watches = add(watched, "W", 12, area="M1", upstream=STATION)
    elsewhere = add(watched, "E", 3, area="M2", upstream="broker")
    for gone in range(1, 5):
        pass_time(watched, 60, watches[gone:] + elsewhere)
    pass_time(watched, 60, watches[4:] + elsewhere)
    assert {one["subject"] for one in matters(watched)} == {f"device:{name}" for name in watches[:4]}
    pass_time(watched, 110, watches[6:] + elsewhere)
    (incident,) = matters(watched)
    assert incident["subject"] in (f"upstream:{STATION}", "area:M1")
    assert members(watched, incident) == set(watches[:6])
    assert {one["disposition"] for one in matters(watched, closed=True)} == {"duplicate"}


def test_a_single_with_more_in_it_stays(watched: World) -> None:
    watches = add(watched, "W", 10, area="M1", upstream=STATION)
    pass_time(watched, 110, watches[1:])
    (single,) = matters(watched)
    watched.press(watches[0], "low_battery")
    with psycopg.connect(watched.url) as connection:  # the press was a sign of life; it fell silent at once
        connection.execute("UPDATE devices SET last_seen_at = %s WHERE id = %s", (single["opened_at"], watches[0]))
    pass_time(watched, 110)
    assert {one["subject"] for one in matters(watched)} == {single["subject"], f"upstream:{STATION}"}


def test_the_last_to_come_back_have_no_line_of_their_own_and_who_does_not_has_one(watched: World) -> None:
    watches = add(watched, "W", 20, area="M1", upstream=STATION)
    elsewhere = add(watched, "E", 3, area="M2", upstream="broker")
    pass_time(watched, 110, elsewhere)
    (incident,) = matters(watched)
    pass_time(watched, 80, watches[2:] + elsewhere)
    assert matters(watched) == [], "the cause is over, and two of them have their whole span again"
    pass_time(watched, 60, watches[1:] + elsewhere)
    assert [one["id"] for one in matters(watched, closed=True)] == [incident["id"]]
    assert [one["subject"] for one in matters(watched)] == [f"device:{watches[0]}"]


def test_whoever_was_never_judged_meanwhile_has_its_span_again_too(watched: World) -> None:
    """A slow hub: the station is back before one of its watches was looked at."""
    watches = add(watched, "W", 20, area="M1", upstream=STATION)
    unseen(watched, SPAN_S)
    look(watched, watches[1:])
    assert len(matters(watched)) == 1
    unseen(watched, 20, watches[1:])
    look(watched, watches[1:])
    assert matters(watched) == []
    watched.now += timedelta(seconds=1)
    look(watched)
    assert matters(watched) == []
    unseen(watched, SPAN_S, watches[1:])
    look(watched)
    assert [one["subject"] for one in matters(watched)] == [f"device:{watches[0]}"]
