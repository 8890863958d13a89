"""A whole hub planning a day: ended in the middle it leaves nothing behind, and takes the plan up again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until


def _planners(hub_pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            mine = entry.name.isdigit() and b"hub.planning.child" in (entry / "cmdline").read_bytes()
            if mine and f"PPid:\t{hub_pid}\n" in (entry / "status").read_text():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.long
@pytest.mark.mosquitto
def test_a_plan_survives_the_end_of_its_hub(hub: RunningHub) -> None:
    assert hub.process is not None
    day = (datetime.now(UTC) + timedelta(days=2)).date()
    wanted_from = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
    with hub.sign_in("fanglei") as client:
        resident = client.get("/api/v1/residents", params={"limit": 1}).json()["items"][0]["id"]
        order = {"kind": "companionship", "resident_id": resident, "wanted_from": wanted_from.isoformat()}
        assert client.post("/api/v1/orders", json=order).status_code == 201
        asked = client.post("/api/v1/plans", json={"date": day.isoformat(), "seconds": 20})
        assert asked.status_code == 202, asked.text
        path = asked.headers["location"]
    pid = hub.process.pid
    planners = wait_until(lambda: _planners(pid), 60, what="the planner's process")
    assert hub.stop(5.0) == 0
    wait_until(lambda: not any(Path(f"/proc/{one}").exists() for one in planners), 30, what="its end")
    hub.start()

    def ended() -> Any:
        with hub.sign_in("fanglei") as client:
            found = client.get(path).json()
        return found if found["state"] != "running" else None

    plan = wait_until(ended, 180, what="the plan taken up again")
    assert plan["state"] == "ready", plan
    # Nobody is on duty that day: the order is left out, and says so.
    assert [one["code"] for one in plan["unplanned"]] == ["nobody"]
    assert hub.stop(5.0) == 0
