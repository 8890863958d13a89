"""The hub's test of its own alarm path, on a running hub: over the broker, timed, reported, closed."""

from __future__ import annotations

from typing import Any

from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until


def finished(client: Any, row_id: str) -> dict[str, Any] | None:
    items = client.get("/api/v1/reports/path-tests").json()["items"]
    found: list[dict[str, Any]] = [one for one in items if one["id"] == row_id and one["finished_at"]]
    return found[0] if found else None


def test_a_press_of_its_own_goes_all_the_way_and_nobody_is_called(watch_hub: RunningHub) -> None:
    with watch_hub.sign_in("supervisor") as client:
        asked = client.post("/api/v1/path-tests")
        assert asked.status_code == 202, asked.text
        row = wait_until(lambda: finished(client, asked.json()["id"]), 60)
        assert row is not None
        assert (row["state"], row["reason"]) == ("passed", None)
        assert 0 < row["told_s"] < 30
        assert 0 < row["shown_s"] < 30
        devices = client.get("/api/v1/incidents", params={"class": "test", "state": "closed"}).json()["items"]
        assert [(one["disposition"], one["assignments"]) for one in devices] == [("test", [])]
        assert "hub_path_test_passed 1.0" in client.get("/metrics").text
