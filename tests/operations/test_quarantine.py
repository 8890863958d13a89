"""What cannot be taken is kept, looked at, and taken again: once, with the time it came, and its device is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from devices import FAMILIES, Codec, Decoded, DeviceRef, Uplink
from dispatch import HaversineTravel
from hub.api import hash_password
from hub.clock import new_id, utc_now
from hub.errors import ConflictError, NotFoundError
from hub.ports import SYSTEM, DeviceRow, Incoming
from hub.service import Services, build_services
from hub.store import PostgresDatabase
from tests.fixtures.hub import load_sample
from tests.operations.cli import hub_command

Json = dict[str, Any]
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


class Breakable:
    """The care codec, until told to fail as one with a fault would."""

    def __init__(self) -> None:
        self.broken = False
        self._codec = FAMILIES["care"].codec

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        if self.broken:
            raise ZeroDivisionError("a fault of ours")
        return self._codec.decode(uplink, device)


class Room:
    """The use cases on a database with a few people, and the ways in and out of quarantine."""

    def __init__(self, database: PostgresDatabase) -> None:
        self.database = database
        self.codec = Breakable()
        codecs: dict[str, Codec] = {"care": self.codec}
        self.services: Services = build_services(
            database,
            clock=utc_now,
            new_id=new_id,
            codecs=codecs,
            travel=HaversineTravel(),
            sample=lambda _incident: False,
            hash_secret=hash_password,
        )
        self.desk = self.services.quarantine

    def rows(self, query: str) -> list[Json]:
        with psycopg.connect(self.database.url, row_factory=dict_row) as connection:
            return connection.execute(query.encode()).fetchall()

    def send(self, device_id: str, body: Json | bytes, channel: str = "alarm", at: datetime = NOW) -> str:
        """As the bridge does: what cannot be taken alone is kept aside."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        lane: Any = "alarm" if channel == "alarm" else "telemetry"
        incoming = Incoming(Uplink(payload, at, topic=f"care/v1/{device_id}/up/{channel}"), device_id, "care", lane)
        try:
            return self.services.ingest.alarms([incoming])[0].outcome
        except ZeroDivisionError as error:
            self.services.ingest.quarantine(incoming, f"{type(error).__name__}: {error}")
            return "quarantined"


@pytest.fixture
def room(database_url: str, tmp_path: Path) -> Iterator[Room]:
    folder = tmp_path / "data"
    folder.mkdir()
    load_sample(database_url, folder, residents=40)
    with PostgresDatabase(database_url) as database:
        yield Room(database)


@pytest.fixture
def device_id(room: Room) -> str:
    found: str = room.rows("SELECT id FROM devices WHERE family = 'care' AND resident_id IS NOT NULL LIMIT 1")[0]["id"]
    return found


def press(ref: str) -> Json:
    return {"ref": ref, "type": "sos", "observed_at": NOW.isoformat()}


def test_a_poison_message_is_replayed_once_with_the_time_it_came(room: Room, device_id: str) -> None:
    room.codec.broken = True
    assert room.send(device_id, press("p-1")) == "quarantined"
    (row,) = room.desk.page()
    assert (row.why, row.reason, row.family) == ("failed", "ZeroDivisionError: a fault of ours", "care")
    assert json.loads(room.desk.show(row.id).payload) == press("p-1")

    with pytest.raises(ConflictError, match="a fault of ours"):
        room.desk.replay(row.id, SYSTEM)
    (row,) = room.desk.page()
    assert (row.tries, row.last_error) == (1, "ZeroDivisionError: a fault of ours")
    assert room.rows("SELECT * FROM alarms") == []

    room.codec.broken = False
    done = room.desk.replay(row.id, SYSTEM)
    assert (done.state, done.outcome, done.settled_name) == ("replayed", "accepted", SYSTEM.name)
    (alarm,) = room.rows("SELECT ref, received_at, incident_id FROM alarms")
    assert (alarm["ref"], alarm["received_at"]) == ("p-1", NOW)
    assert room.rows("SELECT body FROM outbox WHERE channel = 'device'") == [
        {"body": {"kind": "ack", "ref": "p-1", "status": "received"}}
    ]
    (entry,) = room.rows("SELECT detail, subject FROM audit WHERE action = 'quarantine.replay'")
    assert entry["detail"]["alarms"] == 1
    assert room.desk.page() == []
    with pytest.raises(ConflictError, match="was replayed already"):
        room.desk.replay(row.id, SYSTEM)
    assert len(room.rows("SELECT * FROM alarms")) == 1


def test_what_the_device_sent_again_meanwhile_is_a_repeat(room: Room, device_id: str) -> None:
    room.codec.broken = True
    for _ in range(3):
        room.send(device_id, press("p-2"))
    room.codec.broken = False
    assert room.send(device_id, press("p-2")) == "accepted"
    outcomes = [room.desk.replay(row.id, SYSTEM).outcome for row in room.desk.page()]
    assert outcomes == ["repeat"] * 3
    assert len(room.rows("SELECT * FROM alarms")) == 1


def test_a_press_older_than_the_ledger_is_a_repeat_and_is_told(room: Room, device_id: str) -> None:
    """A watch that lay in a drawer for two months sends what it has: its alarm is stored, and it must hear so."""
    assert room.send(device_id, press("old-1")) == "accepted"
    with psycopg.connect(room.database.url) as connection:
        connection.execute("DELETE FROM uplink_seen")
    payload = json.dumps(press("old-1")).encode()
    uplink = Uplink(payload, NOW + timedelta(days=60), topic=f"care/v1/{device_id}/up/alarm")
    fresh = json.dumps(press("new-1")).encode()
    others = Uplink(fresh, NOW + timedelta(days=60), topic=f"care/v1/{device_id}/up/alarm")
    outcomes = room.services.ingest.alarms([Incoming(one, device_id, "care", "alarm") for one in (uplink, others)])
    assert [one.outcome for one in outcomes] == ["repeat", "accepted"]
    assert [json.loads(one.replies[0].payload)["status"] for one in outcomes] == ["received", "received"]
    assert room.desk.page() == []
    (stored,) = room.rows("SELECT repeats FROM alarms WHERE ref = 'old-1'")
    assert stored["repeats"] == 1


def test_telemetry_of_a_device_adopted_later_is_stored_once(room: Room) -> None:
    vitals = {"observed_at": NOW.isoformat(), "heart_rate_bpm": 71}
    assert room.send("NEW-1", vitals, "vitals") == "quarantined"
    (row,) = room.desk.page(device_id="NEW-1")
    assert row.why == "unadopted"
    with pytest.raises(ConflictError, match="still not added"):
        room.desk.replay(row.id, SYSTEM)
    with room.database.begin() as tx:
        tx.devices.add(DeviceRow("NEW-1", "care", None, None), name=None, secret_hash=None)
    assert room.desk.replay(row.id, SYSTEM).outcome == "accepted"
    stored = room.rows("SELECT value, received_at FROM observations WHERE device_id = 'NEW-1'")
    assert stored == [{"value": 71.0, "received_at": NOW}]
    assert room.send("NEW-1", vitals, "vitals") == "repeat"
    assert len(room.rows("SELECT * FROM observations WHERE device_id = 'NEW-1'")) == 1


def test_a_revoked_device_that_repeats_itself_is_kept_once(room: Room, device_id: str) -> None:
    with room.database.begin() as tx:
        tx.session.connection.execute("UPDATE devices SET revoked_at = now() WHERE id = %s", (device_id,))
    for number in range(3):
        assert room.send(device_id, press("r-1"), at=NOW + timedelta(seconds=number)) == "quarantined"
    (row,) = room.desk.page()
    assert row.why == "revoked"
    with pytest.raises(ConflictError, match="still revoked"):
        room.desk.replay(row.id, SYSTEM)
    with room.database.begin() as tx:
        tx.session.connection.execute("UPDATE devices SET revoked_at = NULL WHERE id = %s", (device_id,))
    assert room.desk.replay(row.id, SYSTEM).outcome == "accepted"
    assert room.send(device_id, press("r-1")) == "repeat"
    assert len(room.rows("SELECT * FROM alarms")) == 1


def test_what_names_no_device_or_says_nothing_can_be_discarded(room: Room) -> None:
    nameless = Incoming(Uplink(b"\xff\x00", NOW, topic="somewhere/else"), "", "care", "mixed")
    room.services.ingest.quarantine(nameless, "the topic names no device")
    (row,) = room.desk.page()
    assert (row.why, row.device_id) == ("nameless", None)
    with pytest.raises(ConflictError, match="names no device"):
        room.desk.replay(row.id, SYSTEM)
    done = room.desk.discard(row.id, "a neighbour's lamp", SYSTEM)
    assert (done.state, done.outcome) == ("discarded", "a neighbour's lamp")
    with pytest.raises(ConflictError, match="was discarded already"):
        room.desk.discard(row.id, "again", SYSTEM)
    with pytest.raises(NotFoundError):
        room.desk.show(4711)
    assert room.desk.page() == []
    assert [one.id for one in room.desk.page(state=None)] == [row.id]


def test_what_stays_unreadable_waits_with_the_reason(room: Room, device_id: str) -> None:
    room.codec.broken = True
    room.send(device_id, b"{no json")
    room.codec.broken = False
    (row,) = room.desk.page()
    with pytest.raises(ConflictError, match="it is rejected"):
        room.desk.replay(row.id, SYSTEM)
    (row,) = room.desk.page()
    assert row.tries == 1
    assert "rejected" in (row.last_error or "")
    # The replay was undone whole: the log of uplinks has the one line of its coming.
    assert len(room.rows("SELECT * FROM uplinks")) == 1


def test_the_commands(room: Room, device_id: str, tmp_path: Path) -> None:
    room.codec.broken = True
    for number in range(3):
        room.send(device_id, press(f"c-{number}"))
    room.send("GHOST-1", press("c-9"))
    url = room.database.url
    listed = hub_command(url, tmp_path, "quarantine", "list")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.count("failed: ZeroDivisionError") == 4
    first = room.desk.page()[0].id
    shown = hub_command(url, tmp_path, "quarantine", "show", str(first))
    assert json.loads(json.loads(shown.stdout)["payload_text"])["ref"] == "c-0"
    assert hub_command(url, tmp_path, "quarantine", "discard", str(first), "--reason", "test").returncode == 0
    done = hub_command(url, tmp_path, "quarantine", "replay", "--all", "--device", device_id)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("accepted") == 2
    assert "settled" not in done.stdout
    again = hub_command(url, tmp_path, "quarantine", "replay", str(first))
    assert again.returncode == 1
    assert "was discarded already" in again.stdout
    assert hub_command(url, tmp_path, "quarantine", "replay").returncode == 2
    lines = hub_command(url, tmp_path, "quarantine", "list", "--all", "--json").stdout.splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["discarded", "replayed", "replayed", "waiting"]
