"""Step 0 by the resident's own device: asked once, by whichever of them can, beside the operator and never instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from hub.service.asking import DEFAULT_SAYING, DeviceAsks
from tests.service.conftest import World, open_world
from tests.service.town import opened, progress, sign_in


@pytest.fixture
def town(shared_world: World) -> World:
    world = shared_world
    with psycopg.connect(world.url) as connection:
        connection.execute(
            "TRUNCATE incidents, alarms, notices, due, assignments, commands, response_plans, sessions CASCADE"
        )
    world.services.response_plans.seed()
    sign_in(world, "zhoumin")
    return world


def given(world: World) -> list[tuple[str, str, dict[str, Any]]]:
    rows = world.rows(
        "SELECT device_id, command, fields FROM commands WHERE command IN ('speak', 'call') ORDER BY created_at"
    )
    return [(row["device_id"], row["command"], row["fields"]) for row in rows]


def test_the_device_speaks_when_step_0_begins_and_says_it_once(town: World) -> None:
    incident_id = opened(town)
    assert given(town) == [], "nobody has begun with the voice yet"
    town.services.handling.acknowledge(incident_id, town.actors["zhoumin"])
    assert given(town) == [("W1", "speak", {"text": DEFAULT_SAYING})]
    assert "commanded" in town.kinds(incident_id)
    assert progress(town, incident_id)["voice"]["state"] == "running", "no answer of a device is contact"
    town.services.handling.release(incident_id, town.actors["zhoumin"])
    town.services.handling.acknowledge(incident_id, town.actors["zhoumin"])
    assert len(given(town)) == 1


def test_where_nobody_claims_it_speaks_before_others_are_called(town: World) -> None:
    opened(town)
    town.wait(31)
    assert [one[:2] for one in given(town)] == [("W1", "speak")]


def test_one_that_cannot_leaves_it_to_another_of_the_same_resident(town: World) -> None:
    with psycopg.connect(town.url) as connection:
        connection.execute("UPDATE devices SET online = true WHERE id = '9900000072'")
        connection.execute("UPDATE devices SET online = NULL WHERE id = 'P1'")
    first = opened(town)
    town.services.handling.acknowledge(first, town.actors["zhoumin"])
    command = town.row("SELECT id FROM commands WHERE command = 'speak'")["id"]
    reply = f'{{"id": "{command}", "status": "unsupported"}}'.encode()
    town.uplink("care/v1/W1/up/reply", reply, "W1", lane="telemetry")
    assert town.row("SELECT state FROM commands WHERE command = 'speak'")["state"] == "failed"
    town.services.handling.close(first, town.actors["zhoumin"], "false", "a mistake")
    second = opened(town, "fall")
    town.services.handling.acknowledge(second, town.actors["zhoumin"])
    assert [one[0] for one in given(town)] == ["W1", "9900000072"]
    assert "command_failed" not in town.kinds(first), "it has no voice: that is no failure"
    assert town.kinds(first).count("no_voice") == 1
    assert "command_failed" in [row["kind"] for row in town.rows("SELECT kind FROM timeline WHERE subject_id = 'W1'")]


def test_where_no_device_has_a_voice_one_line_says_so_and_none_is_asked(town: World) -> None:
    with psycopg.connect(town.url) as connection:
        # One whose model has none, one that said so; a button whose family has no such command at all.
        connection.execute("UPDATE devices SET profile = '{\"voice\": false}' WHERE id IN ('P1', '9900000072')")
    first = opened(town)
    desk = town.actors["zhoumin"]
    town.services.handling.acknowledge(first, desk)
    command = town.row("SELECT id FROM commands WHERE command = 'speak'")["id"]
    reply = f'{{"id": "{command}", "status": "unsupported"}}'.encode()
    town.uplink("care/v1/W1/up/reply", reply, "W1", lane="telemetry")
    town.services.handling.close(first, desk, "false", "a mistake")
    second = opened(town, "fall")
    for _ in range(2):
        town.services.handling.acknowledge(second, desk)
        town.services.handling.release(second, desk)
    assert len(given(town)) == 1, "none was asked again"
    kinds = town.kinds(second)
    assert (kinds.count("no_voice"), kinds.count("commanded"), kinds.count("command_failed")) == (1, 0, 0)
    body = town.row("SELECT body FROM timeline WHERE subject_id = %s AND kind = 'no_voice'", second)["body"]
    assert body["devices"] == {"W1": "unsupported", "P1": "profile", "9900000072": "profile"}
    # A month later its software may be another: it is asked once more.
    town.services.handling.close(second, desk, "false", "a mistake")
    town.now += timedelta(days=31)
    sign_in(town, "zhoumin")
    town.services.handling.acknowledge(opened(town), desk)
    assert [one[0] for one in given(town)] == ["W1", "W1"]
    with psycopg.connect(town.url) as connection:
        connection.execute("UPDATE devices SET profile = '{}'")


def test_what_an_operator_asks_and_the_device_refuses_stays_a_failure(town: World) -> None:
    incident_id = opened(town)
    given_id = town.services.commands.give(
        "W1", "speak", {"text": "您好"}, town.actors["zhoumin"], incident_id=incident_id
    )
    reply = f'{{"id": "{given_id}", "status": "unsupported"}}'.encode()
    town.uplink("care/v1/W1/up/reply", reply, "W1", lane="telemetry")
    assert town.kinds(incident_id).count("command_failed") == 1
    assert "no_voice" not in town.kinds(incident_id)


def test_a_plan_may_want_a_ring_to_the_desk_or_nothing(town: World) -> None:
    incident_id = opened(town)
    with town.database.begin() as tx:
        incident = tx.incidents.get(incident_id)
        assert incident is not None
        silent = replace(incident, plan=replace(incident.plan, voice=replace(incident.plan.voice, device="")))
        DeviceAsks(town.services.commands.give_in, "0553-123 4567")(tx, silent, town.now)
        ringing = replace(incident, plan=replace(incident.plan, voice=replace(incident.plan.voice, device="call")))
        DeviceAsks(town.services.commands.give_in, "0553-123 4567")(tx, ringing, town.now)
    assert given(town) == [("W1", "call", {"number": "05531234567"})]


def test_in_the_shadow_of_another_centre_no_device_speaks(database_url: str) -> None:
    with open_world(database_url, shadow=True) as world:
        world.services.response_plans.seed()
        incident_id = opened(world)
        world.services.handling.acknowledge(incident_id, world.actors["zhoumin"])
        assert progress(world, incident_id)["voice"]["state"] == "running"
        assert given(world) == []
