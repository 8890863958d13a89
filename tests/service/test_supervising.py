"""Silence becomes a technical incident, many silences one, and none after an outage; the clock is the test's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.service.conftest import World

SPAN = 455
"""Five minutes one and a half times, and five seconds: the profile of care/v1 devices."""


def rows(world: World, query: str, *params: Any) -> list[dict[str, Any]]:
    with psycopg.connect(world.url, row_factory=dict_row) as connection:
        return connection.execute(query, params).fetchall()  # type: ignore[call-overload,no-any-return]


def technical(world: World, where: str = "true") -> list[dict[str, Any]]:
    return rows(world, f"SELECT * FROM incidents WHERE class = 'technical' AND {where} ORDER BY opened_at, id")


def live(world: World) -> list[dict[str, Any]]:
    return technical(world, "state IN ('open', 'acknowledged', 'in_progress')")


@pytest.fixture
def watched(world: World) -> World:
    """The small place with its profiles, a hub that has heard for an hour, and devices that were just heard."""
    world.services.profiles.seed()
    with psycopg.connect(world.url) as connection:
        # The rows are as old as the machine's clock says; the place lives by the test's.
        connection.execute("UPDATE devices SET created_at = %s", (world.now,))
    pass_time(world, 60)
    return world


def pass_time(
    world: World, seconds: float, *, ways: dict[str, bool] | None = None, talking: tuple[str, ...] = ()
) -> None:
    """Time passes in beats of five seconds; those who talk are heard each minute."""
    end = world.now + timedelta(seconds=seconds)
    ways = {"mqtt": True, "tcp": True} if ways is None else ways
    step = 0
    while world.now < end:
        if ways:
            world.services.supervising.beat("test", ways)
        if step % 12 == 0:
            for device in talking:
                alive(world, device)
        while world.services.supervising.run_once(500).looked_at == 500:
            pass
        world.now += timedelta(seconds=5)
        step += 1


def alive(world: World, device: str) -> None:
    world.uplink(f"care/v1/{device}/up/status", b'{"online": true}', device, lane="telemetry")


def add(world: World, count: int, *, upstream: str | None = None, area: str | None = None) -> list[str]:
    """Devices of nobody, just heard."""
    names = [f"{upstream or area}-{number:03}" for number in range(count)]
    at = world.now
    with psycopg.connect(world.url) as connection:
        for number, name in enumerate(names):
            connection.execute(
                "INSERT INTO devices (id, family, upstream, area_id, interval_s, last_seen_at, online, created_at)"
                " VALUES (%s, 'care', %s, %s, 60, %s, true, %s)",
                (name, upstream, area, at - timedelta(seconds=number % 60), at),
            )
    return names


def test_a_missed_turn_is_a_technical_incident_with_its_reasons(watched: World) -> None:
    alive(watched, "W1")
    heard = watched.now
    pass_time(watched, SPAN - 5, talking=("W2",))
    assert live(watched) == []
    pass_time(watched, 15, talking=("W2",))
    (incident,) = live(watched)
    assert incident["type"] == "offline"
    assert incident["priority"] == "low"
    assert incident["device_id"] == "W1"
    assert incident["subject"] == "resident:R1"
    assert (incident["opened_at"] - heard).total_seconds() <= SPAN + 5
    (alarm,) = rows(watched, "SELECT * FROM alarms")
    assert alarm["source"] == "system"
    assert alarm["attributes"]["reasons"][0]["code"] == "silent"
    assert rows(watched, "SELECT online FROM devices WHERE id = 'W1'")[0]["online"] is False
    kinds = [row["kind"] for row in rows(watched, "SELECT kind FROM timeline WHERE subject_id = 'W1' ORDER BY seq")]
    assert kinds[-1] == "silent"


def test_heard_again_it_closes_by_itself_and_the_timeline_says_so(watched: World) -> None:
    alive(watched, "W1")
    pass_time(watched, SPAN + 10, talking=("W2",))
    (incident,) = live(watched)
    alive(watched, "W1")
    pass_time(watched, 30, talking=("W1", "W2"))
    assert live(watched) == []
    (closed,) = technical(watched)
    assert closed["state"] == "closed"
    assert closed["disposition"] == "device_fault"
    assert closed["resolved_by"] is None
    entries = rows(watched, "SELECT * FROM timeline WHERE subject_id = %s ORDER BY seq", str(incident["id"]))
    assert [entry["kind"] for entry in entries] == ["raised", "resolved", "closed"]
    assert {entry["actor_kind"] for entry in entries} == {"system"}
    assert rows(watched, "SELECT online FROM devices WHERE id = 'W1'")[0]["online"] is True


def test_more_than_a_silence_is_left_to_a_person(watched: World) -> None:
    alive(watched, "W1")
    pass_time(watched, SPAN + 10, talking=("W2",))
    watched.press("W1", "low_battery")
    pass_time(watched, 60, talking=("W1", "W2"))
    (incident,) = live(watched)
    assert set(incident["types"]) == {"offline", "low_battery"}
    noted = rows(watched, "SELECT body FROM timeline WHERE subject_id = %s AND kind = 'noted'", str(incident["id"]))
    assert "heard again" in noted[0]["body"]["text"]


def test_one_bridge_down_is_one_incident(watched: World) -> None:
    names = add(watched, 40, upstream="bridge-7")
    pass_time(watched, 200, talking=("W1", "W2"))
    (incident,) = live(watched)
    assert incident["subject"] == "upstream:bridge-7"
    assert incident["device_id"] is None
    watch = rows(watched, "SELECT * FROM device_watch WHERE incident_id = %s", incident["id"])
    assert len(watch) == 40
    assert len(rows(watched, "SELECT 1 FROM alarms")) == 1
    # Half of them come back: the matter stays. All but a few: it is over, and the few are looked at by themselves.
    for name in names[:20]:
        alive(watched, name)
    pass_time(watched, 60, talking=("W1", "W2", *names[:20]))
    assert [one["id"] for one in live(watched)] == [incident["id"]]
    pass_time(watched, 240, talking=("W1", "W2", *names[:38]))
    left = live(watched)
    assert {one["subject"] for one in left} == {f"device:{name}" for name in names[38:]}
    (over,) = technical(watched, "state = 'closed'")
    assert over["subject"] == "upstream:bridge-7"


def test_devices_of_a_talking_bridge_are_silent_for_themselves(watched: World) -> None:
    names = add(watched, 10, upstream="bridge-8")
    pass_time(watched, 200, talking=("W1", "W2", *names[1:]))
    (incident,) = live(watched)
    assert incident["subject"] == f"device:{names[0]}"


def test_an_area_without_power_is_one_incident(watched: World) -> None:
    with watched.database.begin() as tx:
        tx.reference.insert("areas", {"id": "MG", "kind": "micro_grid", "name": "西里 3 幢"})
    add(watched, 12, area="MG")
    pass_time(watched, 200, talking=("W1", "W2"))
    (incident,) = live(watched)
    assert incident["subject"] == "area:MG"
    assert incident["area_id"] == "MG"


def test_no_flood_after_the_hub_was_away(watched: World) -> None:
    names = add(watched, 30, upstream="bridge-9")
    # A night without the hub: no beats, nothing heard, no runs.
    watched.now += timedelta(hours=9)
    pass_time(watched, 90, talking=("W1", "W2", *names))
    assert live(watched) == []


def test_a_broker_that_is_away_is_one_incident_and_nobody_else_is_silent(watched: World) -> None:
    add(watched, 30, upstream="bridge-9")
    pass_time(watched, 600, ways={"mqtt": False, "tcp": True})
    (incident,) = live(watched)
    assert incident["subject"] == "way:mqtt"
    assert "60" in str(incident["reasons"]) or incident["reasons"][-1]["code"]
    pass_time(watched, 60, talking=("W1", "W2"))
    assert live(watched) == []
    # From here everybody has the whole span again, and then it counts.
    pass_time(watched, 120, talking=("W1", "W2"))
    assert [one["subject"] for one in live(watched)] == ["upstream:bridge-9"]


def test_a_resident_in_hospital_has_no_device_to_repair(watched: World) -> None:
    alive(watched, "W1")
    with watched.database.begin() as tx:
        tx.residents.set_status("R1", "hospital", None, watched.now)
    pass_time(watched, SPAN + 300, talking=("W2",))
    assert live(watched) == []
    (found,) = rows(watched, "SELECT silent_since, reason FROM device_watch WHERE device_id = 'W1'")
    assert found["silent_since"] is not None
    assert found["reason"] in ("resident_absent", "silent")
    with watched.database.begin() as tx:
        tx.residents.set_status("R1", "home", None, watched.now)
    pass_time(watched, 400, talking=("W2",))
    assert [one["subject"] for one in live(watched)] == ["resident:R1"]


def test_given_to_a_resident_and_never_heard(watched: World) -> None:
    pass_time(watched, 600, talking=())
    assert live(watched) == [], "they were never heard, and have a day for their first report"
    watched.now += timedelta(hours=23, minutes=55)
    pass_time(watched, 600)
    assert {(one["subject"], one["type"]) for one in live(watched)} == {
        ("resident:R1", "offline"),
        ("resident:R2", "offline"),
    }
    codes = {row["attributes"]["reasons"][0]["code"] for row in rows(watched, "SELECT attributes FROM alarms")}
    assert codes == {"never_reported"}


def test_a_revoked_device_is_watched_no_more(watched: World) -> None:
    alive(watched, "W1")
    with watched.database.begin() as tx:
        tx.reference.patch("devices", "W1", {"revoked_at": watched.now}, version=None)
    pass_time(watched, SPAN + 30, talking=("W2",))
    assert live(watched) == []
    assert rows(watched, "SELECT 1 FROM device_watch WHERE device_id = 'W1'") == []


def test_a_profile_that_allows_more_is_obeyed_within_seconds(watched: World) -> None:
    alive(watched, "W1")
    actor = watched.actors["fanglei"]
    watched.services.profiles.add(
        {"id": "slow", "family": "care", "zh": "慢", "en": "slow", "interval_s": 3600, "silence": {}}, actor
    )
    with watched.database.begin() as tx:
        tx.reference.patch("devices", "W1", {"profile_id": "slow"}, version=None)
    pass_time(watched, SPAN + 60, talking=("W2",))
    assert live(watched) == []
    watched.services.profiles.change("slow", {"interval_s": 60}, actor)
    pass_time(watched, 20, talking=("W2",))
    assert len(live(watched)) == 1
