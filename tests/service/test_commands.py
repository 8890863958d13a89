"""Commands: given, delivered, answered, sent again, expired; and those the hub gives by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Actor, DeviceConflict
from tests.service.conftest import World

WATCH = "8800000015"
NO_FIX = "AL,220414,134652,V,0.0,N,0.0,E,0.0,0.0,0,0,100,60,0,0,00010000,1,1,460,0,9360,4082,131"
WITH_FIX = "UD,220414,134752,A,31.339600,N,118.3962000,E,0.1,0.0,100,7,60,90,1000,50,00000000,1,1,460,0,9360,4082,131"


def frame(content: str) -> bytes:
    return f"[3G*{WATCH}*{len(content):04X}*{content}]".encode()


@pytest.fixture
def watch(world: World) -> World:
    world.services.devices.add(WATCH, "watch", "R2", Actor("operator", "test"))
    return world


def states(world: World) -> list[tuple[str, str]]:
    return [(row["command"], row["state"]) for row in world.rows("SELECT command, state FROM commands ORDER BY id")]


def outbox(world: World) -> list[dict[str, Any]]:
    rows = world.rows("SELECT id, body FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL ORDER BY id")
    return [row for row in rows if row["body"]["kind"] == "command"]


def hear(world: World, payload: bytes, family: str, device: str, topic: str = "") -> None:
    world.wait(1.1)  # what is awaited is looked up once a second
    world.uplink(topic, payload, device, family=family, lane="telemetry")


def leave(world: World) -> None:
    world.services.commands.left([row["id"] for row in outbox(world)])


def operator(world: World) -> Actor:
    return world.actors["op1"] if "op1" in world.actors else next(iter(world.actors.values()))


def test_a_command_goes_its_whole_way(watch: World) -> None:
    command_id = watch.services.commands.give(WATCH, "locate", {}, operator(watch))
    assert states(watch) == [("locate", "queued")]
    (row,) = outbox(watch)
    assert row["body"]["id"] == command_id
    leave(watch)
    assert states(watch) == [("locate", "sent")]
    hear(watch, frame("CR"), "watch", WATCH)
    assert states(watch) == [("locate", "delivered")]
    watch.wait(20)
    hear(watch, frame(WITH_FIX), "watch", WATCH)
    stored = watch.row("SELECT state, answer, delivered_at, ended_at FROM commands")
    assert stored["state"] == "answered"
    assert stored["answer"]["fix"]["lat"] == pytest.approx(31.3396)
    assert stored["delivered_at"] < stored["ended_at"]
    kinds = [row["kind"] for row in watch.rows("SELECT kind FROM timeline WHERE subject_id = %s ORDER BY seq", WATCH)]
    assert kinds == ["added", "commanded", "command_delivered", "command_answered"]


def test_a_position_that_nobody_asked_for_answers_nothing(watch: World) -> None:
    watch.services.commands.give(WATCH, "locate", {}, operator(watch))
    hear(watch, frame(WITH_FIX), "watch", WATCH)
    assert states(watch) == [("locate", "queued")]  # it has not left yet: the position is an older one's


def test_what_a_care_device_says_is_the_last_word(world: World) -> None:
    done = world.services.commands.give("W1", "set_interval", {"seconds": 300}, operator(world))
    refused = world.services.commands.give("W1", "speak", {"text": "您好"}, operator(world))
    leave(world)
    topic = "care/v1/W1/up/reply"
    hear(world, f'{{"id": "{refused}", "status": "unsupported", "reason": "no speaker"}}'.encode(), "care", "W1", topic)
    hear(world, f'{{"id": "{done}", "status": "done"}}'.encode(), "care", "W1", topic)
    rows = world.rows("SELECT id::text, state, reason FROM commands ORDER BY created_at, id")
    assert {row["id"]: (row["state"], row["reason"]) for row in rows} == {
        done: ("answered", None),
        refused: ("failed", "unsupported: no speaker"),
    }
    hear(world, f'{{"id": "{done}", "status": "failed"}}'.encode(), "care", "W1", topic)  # too late
    assert world.row("SELECT state FROM commands WHERE id = %s", done)["state"] == "answered"


@pytest.mark.parametrize(
    ("device", "command", "fields", "error", "says"),
    [
        ("nobody", "locate", {}, NotFoundError, "no device nobody"),
        (WATCH, "dance", {}, ConflictError, "a device of family watch cannot dance; it can locate, "),
        (WATCH, "set_interval", {"seconds": 0}, BadRequestError, "seconds: "),
        (WATCH, "call", {"number": "drop table"}, BadRequestError, "number: "),
        ("z", "locate", {}, ConflictError, "a device of family zigbee2mqtt cannot locate; it only reports"),
        ("W1", "speak", {"text": " "}, BadRequestError, "text: "),
        ("W1", "speak", {"id": "x", "text": "hallo"}, BadRequestError, "may not be called 'id'"),
    ],
)
def test_what_cannot_be_is_said_at_once(
    watch: World, device: str, command: str, fields: dict[str, Any], error: type[Exception], says: str
) -> None:
    watch.services.devices.add("z", "zigbee2mqtt", None, operator(watch))
    with pytest.raises(error) as caught:
        watch.services.commands.give(device, command, fields, operator(watch))
    assert says in str(caught.value)
    assert states(watch) == []
    assert outbox(watch) == []


def test_an_sos_without_a_place_asks_for_one_by_itself(watch: World) -> None:
    watch.uplink("", frame(NO_FIX), WATCH, family="watch")
    incident = watch.row("SELECT id FROM incidents")["id"]
    row = watch.row("SELECT command, state, created_by, incident_id FROM commands")
    assert (row["command"], row["state"], row["created_by"], row["incident_id"]) == ("locate", "queued", None, incident)
    assert "commanded" in watch.kinds(incident)
    watch.wait(5)
    watch.uplink("", frame(NO_FIX.replace("134652", "134752")), WATCH, family="watch")
    assert len(states(watch)) == 1, "one question is enough while it waits"
    leave(watch)
    hear(watch, frame(WITH_FIX), "watch", WATCH)
    assert states(watch) == [("locate", "answered")]
    assert "command_answered" in watch.kinds(incident)


def test_a_place_that_is_known_is_not_asked_for(watch: World) -> None:
    watch.uplink("", frame(WITH_FIX.replace("UD,", "AL,").replace("00000000", "00010000")), WATCH, family="watch")
    watch.press("W1")  # a button at home: care devices that know where they are say so
    assert states(watch) == []


def test_a_command_of_an_incident_is_told_there_and_nowhere_else(watch: World) -> None:
    watch.uplink("", frame(NO_FIX), WATCH, family="watch")
    incident = str(watch.row("SELECT id FROM incidents")["id"])
    with pytest.raises(ConflictError, match="is not about device W1"):
        watch.services.commands.give("W1", "locate", {}, operator(watch), incident_id=incident)
    missing = "00000000-0000-7000-8000-000000000000"
    with pytest.raises(NotFoundError, match="no incident"):
        watch.services.commands.give(WATCH, "find", {}, operator(watch), incident_id=missing)
    watch.services.commands.give(WATCH, "call", {"number": "110"}, operator(watch), incident_id=incident)
    assert watch.kinds(incident).count("commanded") == 2
    assert watch.row("SELECT count(*) AS n FROM audit WHERE action = 'device.command'")["n"] == 2


def test_what_is_not_answered_is_sent_again_and_expires(watch: World) -> None:
    watch.services.commands.give(WATCH, "locate", {}, operator(watch))
    watch.services.commands.give(WATCH, "call", {"number": "110"}, operator(watch))
    for _ in range(5):
        leave(watch)
        watch.wait(61)
        watch.services.commands.tidy()
    sent = {row["command"]: row["attempts"] for row in watch.rows("SELECT command, attempts FROM commands")}
    assert sent == {"locate": 3, "call": 1}, "a call that is repeated would be placed twice"
    watch.wait(600)
    watch.services.commands.tidy()
    assert states(watch) == [("locate", "sent"), ("call", "expired")]
    watch.wait(3600)
    watch.services.commands.tidy()
    rows = watch.rows("SELECT state, reason FROM commands ORDER BY id")
    assert {row["state"] for row in rows} == {"expired"}
    assert rows[0]["reason"] == "the device never said that it had it"
    hear(watch, frame("CR"), "watch", WATCH)
    assert states(watch)[0] == ("locate", "expired")


def test_what_never_left_expires_with_its_reason(watch: World) -> None:
    lives = timedelta(seconds=30)
    watch.services.commands.give(WATCH, "find", {}, operator(watch), lives=lives)
    (row,) = outbox(watch)
    watch.services.commands.put_off(row["id"], "the device is not connected", final=False)
    assert states(watch) == [("find", "queued")]
    watch.wait(31)
    watch.services.commands.tidy()
    assert watch.row("SELECT reason FROM commands")["reason"] == "the device was not there in time"


def test_what_can_never_be_delivered_fails(watch: World) -> None:
    watch.services.commands.give(WATCH, "find", {}, operator(watch))
    (row,) = outbox(watch)
    watch.services.commands.put_off(row["id"], "devices of family watch cannot be told anything", final=True)
    assert states(watch) == [("find", "failed")]


def test_a_device_that_comes_back_gets_what_waits(watch: World) -> None:
    watch.services.commands.give(WATCH, "find", {}, operator(watch))
    with watch.database.begin() as tx:
        assert len(tx.outbox.claim("device", watch.now, 10, retry_after=timedelta(seconds=15))) == 1
    with watch.database.begin() as tx:
        assert tx.outbox.claim("device", watch.now, 10, retry_after=timedelta(seconds=15)) == []
    watch.services.commands.hasten([WATCH])
    with watch.database.begin() as tx:
        assert len(tx.outbox.claim("device", watch.now, 10, retry_after=timedelta(seconds=15))) == 1


def test_two_of_one_kind_are_answered_in_their_order(watch: World) -> None:
    first = watch.services.commands.give(WATCH, "set_interval", {"seconds": 60}, operator(watch))
    watch.wait(1)
    watch.services.commands.give(WATCH, "set_interval", {"seconds": 600}, operator(watch))
    leave(watch)
    hear(watch, frame("UPLOAD,60"), "watch", WATCH)
    answered = watch.row("SELECT id::text FROM commands WHERE state = 'answered'")
    assert answered["id"] == first


def test_an_id_that_two_use_is_kept_and_told_once(watch: World) -> None:
    found = DeviceConflict(WATCH, watch.now, "watch", "two_addresses", ("10.0.0.1", "10.0.0.2"))
    watch.services.commands.conflict(found)
    watch.services.commands.conflict(found._replace(at=watch.now + timedelta(minutes=5)))
    row = watch.row("SELECT kind, addresses, times FROM device_conflicts")
    assert (row["kind"], row["addresses"], row["times"]) == ("two_addresses", ["10.0.0.1", "10.0.0.2"], 2)
    told = watch.rows("SELECT body FROM timeline WHERE kind = 'conflict'")
    assert len(told) == 1
