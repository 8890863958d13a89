"""Devices that press for help, at a steady pace, from a process of its own; and what they are told.

    python -m benchmarks.presses URL CLIENT_ID PER_SECOND      "go FIRST COUNT" a line; a result (JSON) a line

A press is stamped (CLOCK_MONOTONIC) just before its packet is written, an answer when its bytes have arrived.
"""

from __future__ import annotations

import json
import select
import sys
import time
from datetime import UTC, datetime

from benchmarks.mqtt import PUBLISH, Packets, connect, publish, subscribe

__all__: list[str] = []

TOLD_WITHIN_S = 5.0


def _press(number: int) -> bytes:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    body = {"ref": f"press-{number}", "type": "sos", "observed_at": now, "battery_pct": 80}
    return publish(f"care/v1/B-{number:04d}/up/alarm", number % 65_535 + 1, json.dumps(body).encode())


def main() -> None:
    url, client_id, per_second = sys.argv[1], sys.argv[2], float(sys.argv[3])
    with connect(url, client_id) as broker:
        broker.sendall(subscribe("care/v1/+/down/ack"))
        packets = Packets()
        print("ready", flush=True)
        for line in sys.stdin:
            _, first, count = line.split()
            pressed: dict[int, float] = {}
            told: dict[int, float] = {}
            begin = time.monotonic() + 0.05
            numbers = list(range(int(first), int(first) + int(count)))
            while len(told) < len(numbers):
                if len(pressed) < len(numbers):
                    number = numbers[len(pressed)]
                    pause = begin + len(pressed) / per_second - time.monotonic()
                    if pause <= 0:
                        packet = _press(number)
                        pressed[number] = time.monotonic()
                        broker.sendall(packet)
                        continue
                else:
                    pause = pressed[numbers[-1]] + TOLD_WITHIN_S - time.monotonic()
                    if pause <= 0:
                        break
                if not select.select([broker], [], [], pause)[0]:
                    continue
                piece = broker.recv(65_536)
                now = time.monotonic()
                if not piece:
                    raise SystemExit("the broker hung up on the devices")
                for kind, body in packets.feed(piece):
                    if kind == PUBLISH:
                        size = int.from_bytes(body[:2])
                        answer = json.loads(body[2 + size :])
                        if answer["status"] == "received":
                            told.setdefault(int(answer["ref"].removeprefix("press-")), now)
            print(json.dumps({"pressed": pressed, "told": told}), flush=True)


if __name__ == "__main__":
    main()
