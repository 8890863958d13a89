"""Devices' telemetry at one pace for as long as is wanted, from a process of its own; packets are made as they go.

    python -m benchmarks.steady      a request (JSON, one line) on standard input, then "go"; prints the result

Twenty times a second what is due is written to one raw socket, at most `WINDOW` without their PUBACK. Where the broker
does not take them in time the sender falls behind and says by how much.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from socket import socket
from typing import TypedDict

from benchmarks.mqtt import connect, publish

__all__ = ["METRICS", "WINDOW", "SteadyReport", "SteadyRequest"]

WINDOW = 5_000
METRICS = 3
"""Values in one record."""
_TURNS_A_SECOND = 20


class SteadyRequest(TypedDict):
    """Devices `B-0000` … take turns; one record a message."""

    url: str
    client_id: str
    devices: int
    per_second: float
    seconds: float


class SteadyReport(TypedDict):
    """`behind_s`: the most the sender was late; `cpu_share`: of a core, what sending took."""

    sent: int
    seconds: float
    behind_s: float
    cpu_share: float


def _packet(number: int, devices: int, at: datetime) -> bytes:
    body = b'{"observed_at":"%s","heart_rate_bpm":%d,"spo2_pct":%d,"steps":%d}' % (
        at.isoformat(timespec="microseconds").encode(),
        60 + number % 40,
        94 + number % 6,
        number % 20_000,
    )
    return publish(f"care/v1/B-{number % devices:04d}/up/vitals", number % 65_535 + 1, body)


class _Window:
    """How many messages the broker has not acknowledged."""

    def __init__(self, broker: socket) -> None:
        self._broker = broker
        self._odd = 0
        self.open = 0

    def wait(self, most: int) -> None:
        """Until no more than so many are open."""
        while self.open > most:
            got = self._broker.recv(65_536)
            if not got:
                raise SystemExit("the broker hung up on the sender")
            acknowledged, self._odd = divmod(self._odd + len(got), 4)
            self.open -= acknowledged


def main() -> None:
    request: SteadyRequest = json.loads(sys.stdin.readline())
    pace, devices = request["per_second"], request["devices"]
    with connect(request["url"], request["client_id"]) as broker:
        print("ready", flush=True)
        if sys.stdin.readline().strip() != "go":
            return
        window = _Window(broker)
        started, cpu = time.monotonic(), time.process_time()
        sent, behind, turn = 0, 0.0, 0
        total = round(pace * request["seconds"])
        while sent < total:
            turn += 1
            late = time.monotonic() - (started + turn / _TURNS_A_SECOND)
            behind = max(behind, late)
            time.sleep(max(0.0, -late))
            wanted = min(round(pace * turn / _TURNS_A_SECOND), total)
            now = datetime.now(UTC)
            # A microsecond apart: each record has a time of its own.
            packets = [_packet(n, devices, now + timedelta(microseconds=n - sent)) for n in range(sent, wanted)]
            window.wait(max(0, WINDOW - len(packets)))
            broker.sendall(b"".join(packets))
            window.open += len(packets)
            sent = wanted
        window.wait(0)
        seconds = time.monotonic() - started
        report: SteadyReport = {
            "sent": sent,
            "seconds": round(seconds, 1),
            "behind_s": round(behind, 2),
            "cpu_share": round((time.process_time() - cpu) / seconds, 3),
        }
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
