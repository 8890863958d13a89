"""Whether memory stays flat: steady telemetry for an hour, and what hub, broker and database hold each minute.

    python -m benchmarks --only endurance --minutes 60

5,000 uplinks a second of 1,000 devices, one record a message, to one hub. Memory is the proportional set size of all
processes of each (shared pages are counted once), from /proc; the slope is a least-squares line over the samples after
the first fifth, in MB an hour. The hub's own counters say at the end whether every uplink was committed. An hour needs
some 20 GB of disk.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from typing import Any

import httpx

from benchmarks.machine import cpu_seconds, load_average, resident_mb
from benchmarks.stage import DEVICES, Stage, settle
from benchmarks.steady import SteadyReport, SteadyRequest
from tests.fixtures.hub import RunningHub

__all__ = ["measure", "slope"]

_WARM_SHARE = 0.2
_PATIENCE_S = 120.0
_COMMITTED = re.compile(r'^hub_uplinks_total\{[^}]*lane="telemetry"[^}]*\} (\S+)$', re.MULTILINE)
_QUEUED = re.compile(r'^hub_bridge_unsettled\{client="hub-telemetry[^}]*\} (\S+)$', re.MULTILINE)


def slope(minutes: Sequence[float], values: Sequence[float]) -> float:
    """Of a least-squares line, a minute; 0 where there are fewer than two points."""
    n = len(minutes)
    if n < 2:
        return 0.0
    middle, mean = sum(minutes) / n, sum(values) / n
    spread = sum((at - middle) ** 2 for at in minutes)
    return sum((at - middle) * (value - mean) for at, value in zip(minutes, values, strict=True)) / spread


def _numbers(hub: RunningHub) -> tuple[int, int]:
    """Uplinks committed so far, and those the broker waits to have acknowledged."""
    text = httpx.get(f"{hub.base_url}/metrics", timeout=30).text
    return round(sum(map(float, _COMMITTED.findall(text)))), round(sum(map(float, _QUEUED.findall(text))))


def measure(stage: Stage, minutes: float, per_second: float) -> dict[str, Any]:
    """Prints a line a minute; the samples, and the slopes in MB an hour. RuntimeError: an uplink is missing."""
    request: SteadyRequest = {
        "url": stage.broker.url_for("bench-load"),
        "client_id": "bench-load",
        "devices": DEVICES,
        "per_second": per_second,
        "seconds": minutes * 60,
    }
    samples: list[dict[str, Any]] = []
    with stage.hub() as hub, stage.child("steady") as load:
        load.say(json.dumps(request))
        load.wait_ready()
        groups = {
            "hub": hub.process.pid if hub.process else None,
            "broker": stage.broker.pid,
            "database": stage.server.pid,
        }
        before, cpu = load_average(), cpu_seconds(groups)
        load.say("go")
        started = time.monotonic()
        print("minute    hub MB  broker MB  database MB  committed  waiting  load", flush=True)
        for minute in range(1, max(1, round(minutes)) + 1):
            settle(max(0.0, started + min(minute, minutes) * 60 - time.monotonic()))
            committed, waiting = _numbers(hub)
            row = {"minute": minute, **resident_mb(groups), "committed": committed, "waiting": waiting}
            samples.append(row | {"load": load_average()})
            print(
                f"{minute:6d} {row['hub']:9.1f} {row['broker']:10.1f} {row['database']:12.1f}"
                f" {committed:10d} {waiting:8d} {load_average():5.2f}",
                flush=True,
            )
        report: SteadyReport = load.result()
        committed = _committed(hub, report["sent"])
        used = cpu_seconds(groups)
        disk_mb = round(hub.rows("SELECT pg_database_size(current_database()) / 1e6 AS mb")[0]["mb"])
    if committed != report["sent"]:
        raise RuntimeError(f"{report['sent']} uplinks were sent, {committed} committed")
    settled = samples[int(len(samples) * _WARM_SHARE) :]
    at = [float(row["minute"]) for row in settled]
    return {
        "broker": stage.broker_name,
        "uplinks_per_second": per_second,
        "minutes": minutes,
        "sent": report["sent"],
        "sender": report,
        "committed": committed,
        "lost": 0,
        "samples": samples,
        "mb_an_hour": {name: round(slope(at, [row[name] for row in settled]) * 60, 1) for name in groups},
        "cores_used": {name: round((used[name] - cpu[name]) / report["seconds"], 2) for name in groups},
        "database_disk_mb": disk_mb,
        "load_average": [before, load_average()],
    }


def _committed(hub: RunningHub, sent: int) -> int:
    """What the hub has counted, once it is all or a while has passed."""
    deadline = time.monotonic() + _PATIENCE_S
    while (found := _numbers(hub)[0]) < sent and time.monotonic() < deadline:
        settle(0.5)
    return found
