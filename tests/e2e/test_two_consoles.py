"""Two hub processes on one database, a desk on each: what is told beside the timeline reaches both, and each once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.live import Stream, listening
from tests.fixtures.brokers import Broker
from tests.fixtures.hub import MakeHub, RunningHub

RESIDENT, SENT = "R-0006", "sunwei"


def told(stream: Stream, name: str) -> list[dict[str, Any]]:
    return [data for had, _, data in list(stream.events) if had == name]


def test_a_responders_way_and_who_looks_are_told_on_the_consoles_of_both(
    make_hub: MakeHub, embedded_broker: Broker, tmp_path: Path
) -> None:
    here = make_hub(embedded_broker, residents=200)
    folder = tmp_path / "there"
    folder.mkdir()
    there = RunningHub(here.database_url, embedded_broker, folder, here.world, only="api")
    try:
        there.start()
        with (
            here.sign_in() as desk,
            there.sign_in("operator2") as other,
            there.sign_in(SENT) as phone,
            here.sign_in(SENT) as moved_phone,
            listening(desk) as near,
            listening(other) as far,
        ):
            for stream in (near, far):
                stream.wait("hb", lambda data: data["database"] is True)
            raised = desk.post("/api/v1/alarms", json={"type": "sos", "resident_id": RESIDENT}).json()
            incident = raised["incident"]["id"]
            assert desk.post(f"/api/v1/incidents/{incident}/acknowledge", json={}).status_code == 200
            me = phone.get("/api/v1/session").json()["user"]["person_id"]
            sent = desk.post(f"/api/v1/incidents/{incident}/assign", json={"responder_id": me}).json()
            mine = next(one for one in sent["assignments"] if one["responder"]["id"] == me)["id"]
            assert phone.post(f"/api/v1/assignments/{mine}/accept", json={}).status_code == 200

            lines = here.rows("SELECT count(*) AS n FROM timeline")[0]["n"]
            latitudes = [31.3396 + step / 10_000 for step in range(4)]
            answers = []
            for number, lat in enumerate(latitudes):
                # Both processes take some of them; the first may move the arrival, which is a line.
                fix = {"lat": lat, "lon": 118.3962, "accuracy_m": 8, "source": "gnss"}
                answer = (phone, moved_phone)[number % 2].post("/api/v1/my/position", json={"fix": fix})
                assert answer.status_code == 200, answer.text
                answers.append(answer.json())
            for stream in (near, far):
                stream.wait("responder.moved", lambda data: data["lat"] == latitudes[-1])
                moved = told(stream, "responder.moved")
                assert [one["lat"] for one in moved] == latitudes, "each once, in order"
                assert {one["responder_id"] for one in moved} == {me}
                assert [one["arrivals"] for one in moved] == [one["arrivals"] for one in answers]
            assert here.rows("SELECT count(*) AS n FROM timeline")[0]["n"] - lines <= 1, "no line for each move"

            looks = {"incident_id": incident}
            assert other.post("/api/v1/presence", json=looks).status_code == 200
            for stream in (near, far):
                seen = stream.wait("presence.updated", lambda data: bool(data["present"]))["present"]
                assert [one["incident_id"] for one in seen] == [incident]
                assert len(told(stream, "presence.updated")) == 1
    finally:
        there.end()
