"""The peer: Node-RED from npm, as it is mostly used for this: MQTT in (QoS 1), a function node, one INSERT a message.

Same broker, same load generator, same database server, same run. It promises less than the hub: a message is
acknowledged to the broker before it is stored, nothing is known of repeats, a message is one row with three values.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from benchmarks.load import LoadReport
from benchmarks.machine import cpu_seconds, load_average
from benchmarks.stage import DEVICES, Stage, settle

__all__ = ["available", "measure"]

HOME = Path(__file__).parent / "node_red"
PATIENCE_S = 120.0
STORE = """
const record = JSON.parse(msg.payload);
const device = msg.topic.split("/")[2];
const pool = global.get("pool");
await pool.query({
    name: "add",
    text: "INSERT INTO peer (device_id, observed_at, heart_rate_bpm, spo2_pct, steps) VALUES ($1, $2, $3, $4, $5)",
    values: [device, record.observed_at, record.heart_rate_bpm, record.spo2_pct, record.steps],
});
return null;
"""
TABLE = """
CREATE TABLE peer (
    received_at timestamptz NOT NULL DEFAULT now(), device_id text NOT NULL, observed_at timestamptz NOT NULL,
    heart_rate_bpm double precision, spo2_pct double precision, steps double precision
);
CREATE INDEX ON peer (device_id, received_at);
"""


def available() -> str | None:
    """None where it can run, else what is missing."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (HOME / "node_modules" / "node-red").exists():
        return "run `npm ci` in benchmarks/node_red first"
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _flows(url: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    parts = urlsplit(url)
    broker = {
        "id": "broker",
        "type": "mqtt-broker",
        "name": "",
        "broker": parts.hostname,
        "port": str(parts.port),
        "clientid": "bench-sink",
        "autoConnect": True,
        "usetls": False,
        "protocolVersion": "4",
        "keepalive": "60",
        "cleansession": True,
    }
    flow = [
        {"id": "flow", "type": "tab", "label": "peer", "disabled": False},
        broker,
        {
            "id": "in",
            "type": "mqtt in",
            "z": "flow",
            "topic": "care/v1/+/up/vitals",
            "qos": "1",
            "datatype": "utf8",
            "broker": "broker",
            "nl": False,
            "rap": True,
            "rh": 0,
            "inputs": 0,
            "wires": [["store"]],
        },
        {
            "id": "store",
            "type": "function",
            "z": "flow",
            "func": STORE,
            "outputs": 1,
            "timeout": 0,
            "noerr": 0,
            "initialize": "",
            "finalize": "",
            "libs": [],
            "wires": [[]],
        },
    ]
    return flow, {"broker": {"user": parts.username or "", "password": parts.password or ""}}


@contextmanager
def _running(stage: Stage, database: str) -> Iterator[subprocess.Popen[bytes]]:
    folder = stage.folder / "peer"
    folder.mkdir()
    flow, secrets = _flows(stage.broker.url_for("bench-sink"))
    (folder / "flows.json").write_text(json.dumps(flow), encoding="utf-8")
    (folder / "flows_cred.json").write_text(json.dumps(secrets), encoding="utf-8")
    node = shutil.which("node")
    assert node is not None
    process = subprocess.Popen(
        [
            *(node, str(HOME / "node_modules" / "node-red" / "red.js")),
            *("--userDir", str(folder), "--settings", str(HOME / "settings.js"), "flows.json"),
        ],
        cwd=folder,
        env={**os.environ, "PEER_PORT": str(_free_port()), "PEER_DATABASE": database},
        stdout=(folder / "log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def measure(stage: Stage, messages: int) -> dict[str, Any]:
    """Rows a second in the database. RuntimeError where it loses one or does not come up."""
    with stage.database() as url, psycopg.connect(url, autocommit=True) as counter:
        counter.execute(TABLE)
        with _running(stage, url) as peer, stage.child("load") as load:
            _wait_subscribed(stage, counter)
            load.say(
                json.dumps(
                    {
                        "url": stage.broker.url_for("bench-load"),
                        "client_id": "bench-load",
                        "messages": messages,
                        "devices": DEVICES,
                        "items": 0,
                    }
                )
            )
            load.wait_ready()
            settle(0.5)
            groups = {"peer": peer.pid, "broker": stage.broker.pid, "database": stage.server.pid}
            before, cpu = load_average(), cpu_seconds(groups)
            load.say("go")
            sent: LoadReport = load.result()
            ended = _wait_stored(counter, messages, sent["ended"] + PATIENCE_S)
            used = cpu_seconds(groups)
    seconds = ended - sent["started"]
    return {
        "broker": stage.broker_name,
        "version": json.loads((HOME / "node_modules" / "node-red" / "package.json").read_text())["version"],
        "messages": messages,
        "per_second": round(messages / seconds),
        "seconds": round(seconds, 2),
        "load_cpu_us": round(sent["cpu_s"] / messages * 1e6, 1),
        "cpu_us": {name: round((used[name] - cpu[name]) / messages * 1e6, 1) for name in cpu},
        "load_average": before,
    }


def _wait_subscribed(stage: Stage, counter: psycopg.Connection[Any]) -> None:
    """Until one message of ours has gone all the way; then the table is emptied."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with stage.child("load") as probe:
            probe.say(
                json.dumps(
                    {
                        "url": stage.broker.url_for("bench-load"),
                        "client_id": "bench-load",
                        "messages": 1,
                        "devices": 1,
                        "items": 0,
                    }
                )
            )
            probe.wait_ready()
            probe.say("go")
            probe.result()
        settle(0.3)
        if _stored(counter):
            counter.execute("TRUNCATE peer")
            return
    log = (stage.folder / "peer" / "log").read_text(encoding="utf-8", errors="replace")
    raise RuntimeError(f"Node-RED stored nothing within a minute: {log[-2000:]}")


def _stored(counter: psycopg.Connection[Any]) -> int:
    row = counter.execute("SELECT count(*) FROM peer").fetchone()
    assert row is not None
    return int(row[0])


def _wait_stored(counter: psycopg.Connection[Any], messages: int, deadline: float) -> float:
    while True:
        now = time.monotonic()
        stored = _stored(counter)
        if stored >= messages:
            return now
        if now > deadline:
            raise RuntimeError(f"Node-RED stored {stored} of {messages} messages in {PATIENCE_S:.0f} s")
        settle(0.05 if messages - stored < 5_000 else 0.25)
