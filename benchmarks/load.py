"""Devices' telemetry as fast as the broker takes it, from a process of its own.

    python -m benchmarks.load      a request (JSON, one line) on standard input, then "go"; prints the result

All packets are made before "go". They are written to one raw socket in pieces of `PIECE` messages, at most `WINDOW`
without their PUBACK.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import NotRequired, TypedDict

from benchmarks.mqtt import connect, publish

__all__ = ["METRICS", "PIECE", "WINDOW", "LoadReport", "LoadRequest", "bodies"]

WINDOW = 500
PIECE = 50
METRICS = 3
"""Values in one record."""


class LoadRequest(TypedDict):
    """`items` 0: one object a message; else arrays of so many. Devices `B-0000` … take turns.

    `per_second`: messages a second, evenly; absent: as many as the broker takes.
    """

    url: str
    client_id: str
    messages: int
    devices: int
    items: int
    per_second: NotRequired[float]


class LoadReport(TypedDict):
    """Times of CLOCK_MONOTONIC in seconds; `cpu_s` is what the sending alone took."""

    started: float
    ended: float
    cpu_s: float


def _record(at: datetime, number: int) -> bytes:
    return b'{"observed_at":"%s","heart_rate_bpm":%d,"spo2_pct":%d,"steps":%d}' % (
        at.isoformat(timespec="milliseconds").encode(),
        60 + number % 40,
        94 + number % 6,
        number % 20_000,
    )


def bodies(request: LoadRequest) -> list[tuple[str, bytes]]:
    """(topic, payload) of each message; each record has a time of its own, within the last quarter of an hour."""
    now = datetime.now(UTC)
    made: list[tuple[str, bytes]] = []
    records = 0
    for index in range(request["messages"]):
        topic = f"care/v1/B-{index % request['devices']:04d}/up/vitals"
        count = request["items"] or 1
        items = [
            _record(now - timedelta(milliseconds=(records + step) % 900_000), records + step) for step in range(count)
        ]
        records += count
        made.append((topic, b"[%s]" % b",".join(items) if request["items"] else items[0]))
    return made


def main() -> None:
    request: LoadRequest = json.loads(sys.stdin.readline())
    packets = [publish(topic, index % 65_535 + 1, payload) for index, (topic, payload) in enumerate(bodies(request))]
    pace = request.get("per_second")
    piece = PIECE if not request["items"] else 1
    if pace:
        piece = max(1, min(piece, round(pace / 100)))  # a hundred times a second: no bursts of our own making
    window = WINDOW if not request["items"] else 20
    pieces = [(len(part), b"".join(part)) for at in range(0, len(packets), piece) if (part := packets[at : at + piece])]
    del packets
    with connect(request["url"], request["client_id"]) as broker:
        print("ready", flush=True)
        if sys.stdin.readline().strip() != "go":
            return
        started, cpu = time.monotonic(), time.process_time()
        in_flight = odd = 0
        for number, (count, packet) in enumerate(pieces):
            if pace:
                time.sleep(max(0.0, started + number * piece / pace - time.monotonic()))
            while in_flight + count > window:
                got = broker.recv(65_536)
                if not got:
                    raise SystemExit("the broker hung up on the sender")
                acknowledged, odd = divmod(odd + len(got), 4)
                in_flight -= acknowledged
            broker.sendall(packet)
            in_flight += count
        while in_flight:
            got = broker.recv(65_536)
            if not got:
                raise SystemExit("the broker hung up on the sender")
            acknowledged, odd = divmod(odd + len(got), 4)
            in_flight -= acknowledged
        ended = time.monotonic()
        report: LoadReport = {"started": started, "ended": ended, "cpu_s": time.process_time() - cpu}
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
