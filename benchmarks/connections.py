"""Connected watches: what ten thousand idle connections cost, and how fast a press among them is answered.

The target is 10,000 watches sending LK every minute and 50 AL a second, in less than 600 MB of the hub's memory.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.stage import Stage, settle
from hub.store.postgres import PostgresDatabase
from tests.fixtures.hub import RunningHub

__all__ = ["FIRST_ID", "measure"]

FIRST_ID = 7_700_000_000
PRESSES_A_SECOND = 50


def measure(stage: Stage, count: int, idle_s: float, press_s: float) -> dict[str, Any]:
    """`count` watches connect, beat for `idle_s`, then `PRESSES_A_SECOND` presses a second for `press_s`."""
    with stage.hub(HUB_TCP__MAX_CONNECTIONS=str(count + 100)) as hub:
        _add(hub, count)
        assert hub.watch_port is not None
        before = _memory_mb(hub)
        begun = time.monotonic()
        with stage.child("wearers", str(hub.watch_port), str(count), str(FIRST_ID)) as wearers:
            wearers.wait_ready()
            connecting = time.monotonic() - begun
            wearers.say("heard")
            wearers.result()
            cpu, begun = _cpu_s(hub), time.monotonic()
            settle(idle_s)
            idle_cpu = (_cpu_s(hub) - cpu) / (time.monotonic() - begun)
            idle = _memory_mb(hub)
            wearers.say("heard")
            beating = wearers.result()
            wearers.say(f"press {round(PRESSES_A_SECOND * press_s)} {PRESSES_A_SECOND}")
            pressing = wearers.result()
            busy = _memory_mb(hub)
        kept = hub.rows("SELECT count(*) AS n FROM alarms WHERE device_id >= %s", str(FIRST_ID))[0]["n"]
    return {
        "broker": stage.broker_name,
        "connections": count,
        "connected": pressing["connected"],
        "lost": pressing["lost"],
        "connecting_s": round(connecting, 1),
        "memory_before_mb": before,
        "memory_idle_mb": idle,
        "memory_pressed_mb": busy,
        "kb_a_connection": round((idle - before) * 1024 / count, 1),
        "idle_cpu_share": round(idle_cpu, 3),
        "beats": beating["beats"],
        "pressed": pressing["pressed"],
        "answered": pressing["answered"],
        "alarms_kept": kept,
        "answers": pressing["answers"],
    }


def _add(hub: RunningHub, count: int) -> None:
    with PostgresDatabase(hub.database_url) as database, database.begin() as tx:
        tx.reference.upsert(
            "devices",
            [{"id": str(FIRST_ID + number), "family": "watch", "name": "手表"} for number in range(count)],
        )


def _memory_mb(hub: RunningHub) -> int:
    assert hub.process is not None
    for line in Path(f"/proc/{hub.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024)
    raise RuntimeError("the hub's memory cannot be read")


def _cpu_s(hub: RunningHub) -> float:
    assert hub.process is not None
    fields = Path(f"/proc/{hub.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
