"""Telemetry that is committed, a second, beside a plain subscriber that throws everything away.

Same broker, same load generator, same run. The subscriber is paho as its manual shows it: threaded loop, QoS 1, each
message acknowledged by itself. The hub's count is what the database says after all is committed; the time runs from
the first byte sent to the moment the last row is there, so a queue left in the broker helps nobody.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from typing import Any

import httpx
import psycopg

from benchmarks.load import METRICS, LoadReport, LoadRequest
from benchmarks.machine import cpu_seconds, load_average
from benchmarks.stage import DEVICES, Stage, settle
from tests.fixtures.hub import RunningHub

__all__ = ["TAKERS", "arrays", "floor", "shared", "single"]

PATIENCE_S = 90.0
TAKERS = ("hub", "second bridge")


def _request(stage: Stage, messages: int, items: int = 0) -> LoadRequest:
    return {
        "url": stage.broker.url_for("bench-load"),
        "client_id": "bench-load",
        "messages": messages,
        "devices": DEVICES,
        "items": items,
    }


def _parts(started: dict[str, float], ended: dict[str, float], messages: int) -> dict[str, float]:
    """Microseconds of CPU a message, by process."""
    return {name: round((ended[name] - started[name]) / messages * 1e6, 1) for name in started}


def floor(stage: Stage, messages: int) -> dict[str, Any]:
    """Messages a second into paho's callback."""
    request = _request(stage, messages)
    with (
        stage.child("sink", stage.broker.url_for("bench-sink"), str(messages)) as sink,
        stage.child("load") as load,
    ):
        load.say(json.dumps(request))
        sink.wait_ready()
        load.wait_ready()
        before = load_average()
        groups = {"subscriber": sink.pid, "broker": stage.broker.pid}
        cpu = cpu_seconds(groups)
        load.say("go")
        sent: LoadReport = load.result()
        ended = float(sink.result())
        used = cpu_seconds(groups)
    return {
        "broker": stage.broker_name,
        "messages": messages,
        "per_second": round(messages / (ended - sent["started"])),
        "seconds": round(ended - sent["started"], 2),
        "load_seconds": round(sent["ended"] - sent["started"], 2),
        "load_cpu_us": round(sent["cpu_s"] / messages * 1e6, 1),
        "cpu_us": _parts(cpu, used, messages),
        "load_average": before,
    }


def single(stage: Stage, messages: int) -> dict[str, Any]:
    """One record a message."""
    with stage.hub() as hub:
        return _through(stage, [hub], _request(stage, messages))


def shared(stage: Stage, messages: int) -> dict[str, Any]:
    """One record a message, to a hub and a second bridge process (`hub serve --only bridge`) that share them."""
    with stage.bridges() as hubs:
        return _through(stage, hubs, _request(stage, messages))


def arrays(stage: Stage, messages: int, items: int) -> dict[str, Any]:
    """`items` records a message, as a device sends that was offline."""
    with stage.hub() as hub:
        return _through(stage, [hub], _request(stage, messages, items))


def _through(stage: Stage, hubs: Sequence[RunningHub], request: LoadRequest) -> dict[str, Any]:
    messages = request["messages"]
    records = messages * (request["items"] or 1)
    with stage.child("load") as load, psycopg.connect(hubs[0].database_url, autocommit=True) as counter:
        load.say(json.dumps(request))
        load.wait_ready()
        settle(0.5)
        before = load_average()
        groups = {"broker": stage.broker.pid, "database": stage.server.pid}
        groups |= {name: hub.process.pid for name, hub in zip(TAKERS, hubs, strict=False) if hub.process}
        cpu = cpu_seconds(groups)
        load.say("go")
        sent: LoadReport = load.result()
        ended = _wait_committed(counter, records, sent["ended"] + PATIENCE_S)
        used = cpu_seconds(groups)
        stored = _stored(counter)
        batches = _batches("\n".join(httpx.get(f"{hub.base_url}/metrics", timeout=10).text for hub in hubs))
    lost = {"uplinks": messages - stored["uplinks"], "observations": records * METRICS - stored["observations"]}
    if any(lost.values()):
        raise RuntimeError(f"sent {messages} messages with {records * METRICS} values, stored {stored}: lost {lost}")
    seconds = ended - sent["started"]
    return {
        "broker": stage.broker_name,
        "messages": messages,
        "records_per_message": request["items"] or 1,
        "hub_processes": len(hubs),
        "per_second": round(messages / seconds),
        "observations_per_second": round(records * METRICS / seconds),
        "seconds": round(seconds, 2),
        "load_seconds": round(sent["ended"] - sent["started"], 2),
        "load_cpu_us": round(sent["cpu_s"] / messages * 1e6, 1),
        "cpu_us": _parts(cpu, used, messages),
        **batches,
        "lost": 0,
        "load_average": before,
    }


def _wait_committed(counter: psycopg.Connection[Any], records: int, deadline: float) -> float:
    """When the ledger has every record; looks often enough to be right to some hundredths of a second.

    Counting costs what is measured: it looks again when half of what is missing should have come.
    """
    began = time.monotonic()
    while True:
        now = time.monotonic()
        row = counter.execute("SELECT count(*) FROM uplink_seen").fetchone()
        assert row is not None
        missing = records - row[0]
        if missing <= 0:
            return now
        if now > deadline:
            raise RuntimeError(f"only {row[0]} of {records} records were committed in {PATIENCE_S:.0f} s")
        left_s = missing * (now - began) / row[0] if row[0] else 0.5
        settle(min(0.25, max(0.02, left_s / 2)))


def _batches(metrics: str) -> dict[str, float]:
    """Messages in a transaction, and milliseconds it took, as the hub itself counted."""
    sums = {
        name: sum(
            float(value) for value in re.findall(rf'^hub_bridge_{name}{{lane="telemetry-\d+"}} (\S+)$', metrics, re.M)
        )
        for name in ("batch_size_sum", "batch_size_count", "commit_seconds_sum")
    }
    count = sums["batch_size_count"] or 1.0
    return {
        "batch": round(sums["batch_size_sum"] / count, 1),
        "batch_ms": round(sums["commit_seconds_sum"] / count * 1000, 2),
    }


def _stored(counter: psycopg.Connection[Any]) -> dict[str, int]:
    row = counter.execute(
        "SELECT (SELECT count(*) FROM uplinks WHERE outcome = 'accepted' AND device_id LIKE 'B-%'),"
        " (SELECT count(*) FROM observations WHERE device_id LIKE 'B-%')"
    ).fetchone()
    assert row is not None
    return {"uplinks": row[0], "observations": row[1]}
