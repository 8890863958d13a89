"""What a press is judged by is read once, and is true: devices that changed, keys long forgotten, batches prepared."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import psycopg

from devices import Uplink
from hub.ports import DeviceRow, Incoming
from tests.service.conftest import World


def test_a_press_after_the_device_changed_hands_is_the_new_wearers(world: World) -> None:
    """The hub remembers devices to spare an exchange; it never judges a press by what it remembers."""
    world.press("W1")
    with psycopg.connect(world.url) as connection:
        connection.execute("UPDATE devices SET resident_id = 'R2' WHERE id = 'W1'")
    world.press("W1")
    subjects = [row["resident_id"] for row in world.rows("SELECT resident_id FROM alarms ORDER BY received_at, id")]
    assert sorted(subjects) == ["R1", "R2"]
    assert world.row("SELECT count(*) AS n FROM incidents")["n"] == 2


def test_without_the_database_a_device_is_known_by_whichever_was_read_later(world: World) -> None:
    """Heard here an hour ago as nobody's, read with the register since; and the other way round."""
    ingest = world.services.ingest
    topic, body = "care/v1/W1/up/alarm", json.dumps({"type": "sos", "observed_at": world.now.isoformat()}).encode()
    incoming = Incoming(Uplink(body, world.now, topic), "W1", "care", "alarm")
    register: dict[str, tuple[datetime, DeviceRow]] = {}
    ingest.remember_by(register.get)
    assert ingest.foreseen(incoming).device.resident_id is None
    register["W1"] = (world.now - timedelta(hours=1), DeviceRow("W1", "care", "R2", None))
    assert ingest.foreseen(incoming).device.resident_id == "R2"
    world.press("W1")
    assert ingest.foreseen(incoming).device.resident_id == "R1"
    register["W1"] = (world.now + timedelta(hours=1), DeviceRow("W1", "care", "R2", None))
    assert ingest.foreseen(incoming).device.resident_id == "R2"


def test_a_revoked_device_is_refused_at_its_next_press(world: World) -> None:
    world.press("W1")
    with psycopg.connect(world.url) as connection:
        connection.execute("UPDATE devices SET revoked_at = now() WHERE id = 'W1'")
    outcome = world.press("W1")
    assert outcome.outcome == "quarantined"
    assert [json.loads(reply.payload)["status"] for reply in outcome.replies] == ["rejected"]
    assert world.row("SELECT count(*) AS n FROM alarms")["n"] == 1


def test_a_press_that_the_ledger_forgot_is_still_a_repeat_and_its_device_is_told(world: World) -> None:
    """A device that was put in a drawer untold, and is charged after two months."""
    body = json.dumps({"ref": "r-old", "type": "sos", "observed_at": world.now.isoformat()}).encode()
    topic = "care/v1/W1/up/alarm"
    world.uplink(topic, body, "W1")
    world.now += timedelta(days=60)
    with world.database.begin() as tx:
        assert tx.ledger.prune(world.now - timedelta(days=45)) == 1
    outcome = world.uplink(topic, body, "W1")
    assert outcome.outcome == "repeat"
    assert "received" in [json.loads(reply.payload)["status"] for reply in outcome.replies]
    assert world.row("SELECT count(*) AS n, max(repeats) AS repeats FROM alarms") == {"n": 1, "repeats": 1}


def _vitals(world: World, rate: int, device: str = "W1") -> Incoming:
    body = json.dumps({"observed_at": world.now.isoformat(), "heart_rate_bpm": rate}).encode()
    return Incoming(Uplink(body, world.now, f"care/v1/{device}/up/vitals"), device, "care", "telemetry")


def test_a_prepared_uplink_is_taken_like_any_other_and_only_once(world: World) -> None:
    ingest = world.services.ingest
    assert ingest.prepare(_vitals(world, 70)) is None  # its device was never met
    assert [one.outcome for one in ingest.telemetry([_vitals(world, 70)])] == ["accepted"]
    prepared = ingest.prepare(_vitals(world, 71))
    assert prepared is not None
    batch = [prepared, _vitals(world, 71), _vitals(world, 72)]
    assert [one.outcome for one in ingest.telemetry(batch)] == ["accepted", "repeat", "accepted"]
    # The same object again, as after a commit whose outcome was not known.
    assert [one.outcome for one in ingest.telemetry([prepared])] == ["repeat"]
    stored = world.rows("SELECT value FROM observations WHERE metric = 'heart_rate_bpm' ORDER BY value")
    assert [row["value"] for row in stored] == [70, 71, 72]


def test_what_is_remembered_of_a_device_is_not_used_for_long(world: World) -> None:
    ingest = world.services.ingest
    ingest.telemetry([_vitals(world, 70)])
    world.now += timedelta(seconds=6)
    assert ingest.prepare(_vitals(world, 71)) is None
