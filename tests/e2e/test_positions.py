"""A tracker that cried without a position is asked for one; its answer, over TCP, is where people are sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.e2e.test_watch_tcp import Line
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

TRACKER, RESIDENT = "7710008801", "R-0006"


def frame(kind: str, state: str, lat: float, lon: float, status: str = "00000000") -> bytes:
    now = datetime.now(UTC)
    where = f"{now:%d%m%y,%H%M%S},{state},{lat:.6f},N,{lon:.7f},E,0.1,0.0,100,7,60,90,1000,50,{status}"
    content = f"{kind},{where},4,1,460,0,9360,4082,131"
    return f"[3G*{TRACKER}*{len(content):04X}*{content}]".encode()


def test_the_answer_to_locate_over_tcp_becomes_the_place(watch_hub: RunningHub) -> None:
    with watch_hub.sign_in("supervisor") as keeper:
        body = {"id": TRACKER, "family": "watch", "resident_id": RESIDENT}
        assert keeper.post("/api/v1/devices", json=body).status_code == 201
        home = keeper.get(f"/api/v1/residents/{RESIDENT}").json()
    assert watch_hub.watch_port is not None

    with watch_hub.sign_in("operator") as desk:

        def incident() -> dict[str, Any]:
            items = desk.get("/api/v1/incidents", params={"state": "live", "limit": 500}).json()["items"]
            return next((one for one in items if (one["device"] or {}).get("id") == TRACKER), {})

        watch = Line(watch_hub.watch_port)
        try:
            watch.send(frame("AL", "V", 0, 0, "00010000"))
            told = b""
            while not told.endswith(b"*CR]"):
                told += watch.read(1)
            before = incident()
            assert (before["fix"], before["place"]["kind"]) == (None, "home")
            watch.send(f"[3G*{TRACKER}*0002*CR]".encode())
            watch.send(frame("UD", "A", home["lat"] + 0.012, home["lon"]))
            after = wait_until(lambda: found if (found := incident())["fix"] else None, what="the position")
        finally:
            watch.close()
        assert (after["place"]["kind"], after["place"]["reason"]["code"]) == ("fix", "elsewhere")
        assert abs(after["place"]["apart_m"] - 1334) < 20
        assert abs(after["place"]["lat"] - home["lat"] - 0.012) < 1e-5
        lines = desk.get(f"/api/v1/incidents/{after['id']}/timeline").json()["items"]
        assert {"commanded", "positioned"} <= {one["kind"] for one in lines}
