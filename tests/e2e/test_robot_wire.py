"""Robots on VDA 5050 over the hub's live broker: an error and an emergency stop become incidents, the will is heard."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

from simulators.fleet import Report, run_scenario
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

ROBOTS = tuple(f"CareBots:R-000{number}" for number in (1, 2, 3))


def test_what_robots_say_of_themselves(watch_hub: RunningHub, tmp_path: Path) -> None:
    hub = watch_hub
    with hub.sign_in("supervisor") as keeper:
        for robot in ROBOTS:
            added = keeper.post("/api/v1/devices", json={"id": robot, "family": "vda5050"})
            assert added.status_code == 201, added.text
    reports: list[Report] = []

    def play() -> None:
        reports.append(
            asyncio.run(
                run_scenario(
                    "robots", broker=hub.broker.url, speed=10, retry_s=(0.05, 0.2), ledger=tmp_path / "l.jsonl"
                )
            )
        )

    running = threading.Thread(target=play)
    running.start()
    with hub.sign_in("operator") as desk:

        def device(robot: str) -> dict[str, Any]:
            answer = desk.get(f"/api/v1/devices/{robot}")
            found: dict[str, Any] = answer.json()
            return found

        wait_until(lambda: device(ROBOTS[2]).get("online"), 60, what="the robot to be online")
        wait_until(lambda: device(ROBOTS[2]).get("online") is False, 60, what="the last will to be heard")
        wait_until(lambda: device(ROBOTS[2]).get("online"), 60, what="the robot to be back")
        wait_until(lambda: device(ROBOTS[1]).get("battery_pct") in range(1, 9), 30, what="the battery to be seen")
        running.join(120)
        assert not running.is_alive()
        assert reports[0].counters.presses == 2

        items = desk.get("/api/v1/incidents", params={"limit": 100}).json()["items"]
        found = sorted(
            (item["device"]["id"], item["type"], item["class"])
            for item in items
            if (item["device"] or {}).get("id") in ROBOTS
        )
        assert found == [
            (ROBOTS[0], "robot_stuck", "technical"),
            (ROBOTS[1], "device_fault", "technical"),
            (ROBOTS[2], "robot_stuck", "technical"),
        ], items
        assert device(ROBOTS[0])["family"] == "vda5050"
        wait_until(lambda: device(ROBOTS[0]).get("online") is False, 30, what="the goodbye to be heard")
