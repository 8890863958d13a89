"""A power cut in a micro-grid: dozens of devices, one line; an SOS in the dark still breaks through."""

from __future__ import annotations

import json
from datetime import timedelta

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


def say(world: World, name: str, **status: object) -> None:
    world.uplink(f"care/v1/{name}/up/status", json.dumps(status).encode(), name, lane="telemetry")


def cut(world: World) -> tuple[list[str], str]:
    """Six sockets on the mains lose it: they told before what they live on."""
    names = sockets(world, 6)
    for name in names:
        say(world, name, online=True, charging=True)
    world.now += timedelta(seconds=30)
    for name in names:
        world.press(name, "power_fail", ref=f"cut-{name}")
    assert world.services.power.fold() == 6
    return names, str(world.row("SELECT id FROM incidents WHERE subject = 'power:G3'")["id"])


def test_it_ends_by_itself_when_the_devices_say_so_and_a_real_fault_stays_open(world: World) -> None:
    names, shared = cut(world)
    world.now += timedelta(minutes=20)
    for name in names:
        say(world, name, online=True)
    assert world.services.power.end() == 0, "they are heard: that may be their batteries"
    for name in names[:4]:
        say(world, name, charging=True)
    assert world.services.power.end() == 0
    notes = [row["body"]["text"] for row in world.rows("SELECT body FROM timeline WHERE kind = 'noted' ORDER BY seq")]
    assert notes[-1] == "4 more say that power is back: 4 of 6"
    world.now += timedelta(minutes=5)
    world.press(names[4], "cancel", cancels=f"cut-{names[4]}")
    assert world.services.power.end() == 0
    world.now += timedelta(minutes=6)
    assert world.services.power.end() == 1
    ended = world.row("SELECT state, disposition, summary FROM incidents WHERE id = %s", shared)
    assert ended["disposition"] == "device_fault"
    assert "5 of 6 devices say that power is back" in ended["summary"]
    assert live(world) == [(f"device:{names[5]}", "technical", "power_fail")]
    left = world.row("SELECT reasons FROM incidents WHERE subject = %s AND state = 'open'", f"device:{names[5]}")
    assert any(one["code"] == "power_fault" for one in left["reasons"])
    assert world.services.power.fold() == 0
    assert world.services.power.end() == 0


def test_whoever_is_on_the_way_sees_for_themselves(world: World) -> None:
    names, shared = cut(world)
    world.services.dispatching.assign(shared, "S1", world.actors["zhoumin"])
    assignment = world.row("SELECT id FROM assignments WHERE incident_id = %s", shared)
    for step in ("accept", "en-route"):
        world.services.dispatching.step(str(assignment["id"]), step, world.actors["sunwei"])
    world.now += timedelta(minutes=20)
    for name in names:
        say(world, name, charging=True)
    assert world.services.power.end() == 0
    assert [one[0] for one in live(world)] == ["power:G3"]
