"""The smallest proof that the whole runs: start, sign in, stop within five seconds."""

from __future__ import annotations

from tests.fixtures.hub import RunningHub


def test_start_sign_in_stop(running_hub: RunningHub) -> None:
    with running_hub.sign_in("operator") as client:
        me = client.get("/api/v1/session").json()
        assert me["user"]["name"] == "周敏"
        incidents = client.get("/api/v1/incidents", params={"state": "live"}).json()
        assert incidents["items"] == []
    assert running_hub.stop() == 0
    assert "Traceback" not in running_hub.log
