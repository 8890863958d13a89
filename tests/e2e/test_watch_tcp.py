"""Captured frames of bracket watches, sent to the real TCP port of a running hub: incidents, and the exact answers."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.devices.captures import needs, rows
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

Json = dict[str, Any]

FRAMES = "captures/watch_frames.jsonl"
OUR_WORD = {"device_removed": "off_wrist", "geofence_exit": "wandering"}
CLASS_OF = {"sos": "emergency", "fall": "emergency", "low_battery": "technical", "off_wrist": "technical"}
EXTRA_ANSWERS = {"bphrt": "bphrt"}
"""The vendor's document wants this one; the decoder the captures were run on is silent."""
WANTED_BY = {"6907919734": "R-0001", "0304187109": "R-0002"}
"""Whose watches these two are here; the others stand on a shelf."""

pytestmark = needs(FRAMES)


def truth(row: Json) -> Json:
    found: Json = row["expect"]["canonical"]
    return found


def alarm_types(row: Json) -> list[str]:
    """In the hub's words; an AL frame without a bit is somebody asking for assistance."""
    words = [OUR_WORD.get(word, word) for word in truth(row).get("alarms") or []]
    return words or (["assistance"] if row["watch"]["type"].startswith("AL") else [])


def answers(row: Json) -> list[bytes]:
    found = [reply["text"].encode() for reply in row["expect"]["traccar_reply"]]
    content = EXTRA_ANSWERS.get(row["watch"]["type"])
    if content:
        found = [f"[{row['watch']['vendor']}*{row['watch']['device_id']}*{len(content):04x}*{content}]".encode()]
    return found


ALARMS = [row for row in rows(FRAMES) if alarm_types(row)]
OTHERS = [row for row in rows(FRAMES) if not alarm_types(row)]


def name(row: Json) -> str:
    return str(row["id"])


class Line:
    """A watch's connection."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(source, 0))
        self.received = b""

    def send(self, *pieces: bytes) -> None:
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            self._socket.sendall(piece)

    def read(self, length: int) -> bytes:
        """That many further bytes. TimeoutError where they do not come."""
        while len(self.received) < length:
            piece = self._socket.recv(4096)
            assert piece, f"the hub hung up after {self.received!r}"
            self.received += piece
        head, self.received = self.received[:length], self.received[length:]
        return head

    def silent(self) -> bool:
        """Whether nothing more has arrived."""
        self._socket.setblocking(False)
        try:
            self.received += self._socket.recv(4096)
        except BlockingIOError:
            pass
        finally:
            self._socket.settimeout(10)
        return self.received == b""

    def close(self) -> None:
        self._socket.close()


def tell_where(hub: RunningHub, watch: Line, device_id: str) -> None:
    """Where the alarm brought no position, the hub asks for one: the watch says that it has heard."""
    query = "SELECT state FROM commands WHERE device_id = %s AND command = 'locate'"
    if not any(row["state"] in ("queued", "sent") for row in hub.rows(query, device_id)):
        return
    asked = b""
    while not asked.endswith(b"]"):
        asked += watch.read(1)
    assert asked.endswith(b"*0002*CR]")
    watch.send(asked)
    wait_until(lambda: [row["state"] for row in hub.rows(query, device_id)] == ["delivered"])


@contextmanager
def line(hub: RunningHub) -> Iterator[Line]:
    assert hub.watch_port is not None
    found = Line(hub.watch_port)
    try:
        yield found
    finally:
        found.close()


@pytest.fixture(scope="module")
def desk(watch_hub: RunningHub) -> Iterator[httpx.Client]:
    with watch_hub.sign_in("operator") as client:
        yield client


@pytest.fixture(scope="module")
def hub(watch_hub: RunningHub) -> RunningHub:
    """The captured watches are added: one by the command, the others over HTTP."""
    known = {row["id"] for row in watch_hub.rows("SELECT id FROM devices")}
    ids = sorted({row["watch"]["device_id"] for row in rows(FRAMES)} - known)
    first, *others = sorted(ids, key=lambda one: one not in WANTED_BY)
    added = watch_hub.hub("device", "add", first, "--family", "watch", "--resident", WANTED_BY[first])
    assert added.returncode == 0, added.stderr
    assert added.stdout.split()[-1] == first, "the family has no credential: the id is the last word"
    with watch_hub.sign_in("supervisor") as keeper:
        for device_id in others:
            body = {"id": device_id, "family": "watch"}
            if device_id in WANTED_BY:
                body["resident_id"] = WANTED_BY[device_id]
            answer = keeper.post("/api/v1/devices", json=body)
            assert answer.status_code == 201, answer.text
    return watch_hub


def incidents_of(desk: httpx.Client, device_id: str) -> list[Json]:
    """With their alarms, live ones only."""
    answer = desk.get("/api/v1/incidents", params={"state": "live", "limit": 500})
    assert answer.status_code == 200, answer.text
    mine = [row["id"] for row in answer.json()["items"] if (row["device"] or {}).get("id") == device_id]
    return [desk.get(f"/api/v1/incidents/{one}").json() for one in mine]


@pytest.mark.parametrize("row", ALARMS, ids=name)
def test_an_alarm_frame_becomes_an_incident_before_its_answer(hub: RunningHub, desk: httpx.Client, row: Json) -> None:
    device_id, types = row["watch"]["device_id"], alarm_types(row)
    expected = b"".join(answers(row))
    with line(hub) as watch:
        watch.send(row["frame"].encode())
        assert watch.read(len(expected)) == expected
        # The answer is the promise: by now everybody can see it.
        incidents = incidents_of(desk, device_id)
        tell_where(hub, watch, device_id)
        # The protocol's own key: second and status word. Three of these frames are of one second.
        at, status = datetime.fromisoformat(truth(row)["time_utc"]), row["watch"]["status_hex"].lower()
        found = [
            (incident, alarm)
            for incident in incidents
            for alarm in incident["alarm_rows"]
            if datetime.fromisoformat(alarm["observed_at"]) == at and alarm["ref"].endswith(f"-{status}")
        ]
        assert sorted(alarm["type"] for _, alarm in found) == sorted(types)
        for incident, alarm in found:
            assert incident["class"] == alarm["class"] == CLASS_OF[alarm["type"]]
            assert alarm["type"] in incident["types"]
            assert alarm["battery_pct"] == truth(row)["battery"]
            assert (alarm["fix"] is not None) == truth(row)["fix"]
            if alarm["fix"] is not None:
                assert (alarm["fix"]["lat"], alarm["fix"]["lon"]) == (truth(row)["lat"], truth(row)["lon"])
            assert (incident["resident"] or {}).get("id") == WANTED_BY.get(device_id, alarm["resident_id"])
            assert alarm["attributes"]["trust"] == "unauthenticated"

        # The answer was lost on the way: it comes again, the alarm does not.
        counted = {one["id"]: one["alarms"] for one in incidents}
        watch.send(row["frame"].encode())
        assert watch.read(len(expected)) == expected
        assert {one["id"]: one["alarms"] for one in incidents_of(desk, device_id)} == counted
        assert watch.silent()


@pytest.mark.parametrize("row", OTHERS, ids=name)
def test_every_other_frame_has_its_answer_or_none(hub: RunningHub, row: Json) -> None:
    device_id, vendor = row["watch"]["device_id"], row["watch"]["vendor"]
    expected = answers(row)

    def taken() -> int:
        counted = hub.rows("SELECT count(*) AS n FROM uplinks WHERE device_id = %s", device_id)
        return int(counted[0]["n"])

    before = taken()
    with line(hub) as watch:
        watch.send(row["frame"].encode())
        assert watch.read(sum(map(len, expected))) == b"".join(expected)
        wait_until(lambda: taken() == before + 1, what="the frame to be taken")
        # Whatever wants an answer has it by now: the next one is the heartbeat's.
        heartbeat = f"[{vendor}*{device_id}*0002*LK]".encode()
        watch.send(heartbeat)
        assert watch.read(len(heartbeat)) == heartbeat
        assert watch.silent()
    outcomes = hub.rows("SELECT outcome FROM uplinks WHERE device_id = %s", device_id)
    assert {one["outcome"] for one in outcomes} <= {"accepted", "repeat"}


def fresh(row: Json, date: str, time: str) -> bytes:
    """The frame as if it had been sent at another time: a press of its own."""
    text, count = re.subn(r",\d{6},\d{6},", f",{date},{time},", row["frame"], count=1)
    assert count == 1
    found: str = text
    return found.encode()


def test_frames_in_pieces_and_glued_together(hub: RunningHub, desk: httpx.Client) -> None:
    row = next(one for one in ALARMS if alarm_types(one) == ["sos"] and one["watch"]["vendor"] == "3G")
    device_id, (answer,) = row["watch"]["device_id"], answers(row)
    heartbeat = f"[3G*{device_id}*0002*LK]".encode()
    before = sum(one["alarms"] for one in incidents_of(desk, device_id))
    with line(hub) as watch:
        # Byte by byte, as a bad radio link brings it.
        frame = fresh(row, "010126", "000001")
        watch.send(*(frame[place : place + 1] for place in range(len(frame))))
        assert watch.read(len(answer)) == answer

        # Three at once, the last one cut in the middle of its header.
        glued = heartbeat + fresh(row, "010126", "000002") + fresh(row, "010126", "000003")
        cut = len(glued) - len(row["frame"]) + 9
        watch.send(b"\r\n" + glued[:cut])
        assert watch.read(len(heartbeat)) == heartbeat
        assert watch.read(len(answer)) == answer
        watch.send(glued[cut:] + heartbeat)
        rest = watch.read(len(answer) + len(heartbeat))
        assert rest in (answer + heartbeat, heartbeat + answer), "LK is answered at once, AL after the commit"
        assert watch.silent()
    assert sum(one["alarms"] for one in incidents_of(desk, device_id)) == before + 3


def test_a_watch_nobody_added_is_not_silenced(hub: RunningHub, desk: httpx.Client) -> None:
    row = next(one for one in ALARMS if alarm_types(one) == ["sos"] and one["watch"]["vendor"] == "3G")
    stranger = "5550009999"
    frame = row["frame"].replace(row["watch"]["device_id"], stranger).encode()
    expected = answers(row)[0].replace(row["watch"]["device_id"].encode(), stranger.encode())
    with line(hub) as watch:
        watch.send(frame)
        assert watch.read(len(expected)) == expected
    (incident,) = incidents_of(desk, stranger)
    assert (incident["type"], incident["resident"]) == ("sos", None)
