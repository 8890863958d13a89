"""A power cut in a micro-grid: dozens of devices, one line; an SOS in the dark still breaks through."""

from __future__ import annotations

import psycopg

from tests.service.conftest import World


def sockets(world: World, count: int, area: str | None = "G3") -> list[str]:
    names = [f"PW-{area}-{number}" for number in range(count)]
    with psycopg.connect(world.url) as connection:
        for name in names:
            connection.execute("INSERT INTO devices (id, family, area_id) VALUES (%s, 'care', %s)", (name, area))
    return names


def live(world: World) -> list[tuple[str, str, str]]:
    rows = world.rows(
        "SELECT subject, class, type FROM incidents WHERE state NOT IN ('resolved', 'closed') ORDER BY 1, 2"
    )
    return [(row["subject"], row["class"], row["type"]) for row in rows]


def test_many_devices_without_power_are_one_matter_and_an_sos_breaks_through(world: World) -> None:
    for name in sockets(world, 12):
        world.press(name, "power_fail")
    world.press("W1", "power_fail")
    world.press("W1", "sos")
    assert world.services.power.fold() == 13
    assert live(world) == [("power:G3", "technical", "power_fail"), ("resident:R1", "emergency", "sos")]
    shared = world.row("SELECT * FROM incidents WHERE subject = 'power:G3'")
    reasons = {one["code"]: one for one in shared["reasons"]}
    assert (reasons["power_cut"]["values"]["devices"], shared["area_id"]) == (13, "G3")
    closed = world.row("SELECT count(*) AS n FROM incidents WHERE disposition = 'duplicate' AND supervision = 'none'")
    assert closed["n"] == 13
    world.wait(31)
    sos = world.row("SELECT id FROM incidents WHERE class = 'emergency'")["id"]
    assert "offered" in world.kinds(sos), "its plan goes on as ever"


def test_who_comes_later_joins_and_nothing_is_folded_twice(world: World) -> None:
    names = sockets(world, 5)
    for name in names[:3]:
        world.press(name, "power_fail")
    assert world.services.power.fold() == 3
    assert world.services.power.fold() == 0
    world.press(names[4], "power_fail")
    assert world.services.power.fold() == 1
    shared = world.row("SELECT id FROM incidents WHERE subject = 'power:G3'")["id"]
    assert world.kinds(shared) == ["raised", "noted"]
    assert len(live(world)) == 1


def test_two_fuses_are_no_power_cut_nor_is_what_has_more_in_it(world: World) -> None:
    names = sockets(world, 3)
    for name in names[:2]:
        world.press(name, "power_fail")
    assert world.services.power.fold() == 0
    world.press(names[2], "power_fail")
    world.press(names[2], "tamper")
    assert world.services.power.fold() == 0, "a third one, and somebody opened it: that is its own"
    assert len(live(world)) == 3
