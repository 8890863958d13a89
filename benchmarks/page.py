"""An operator's open page: reads /api/v1/stream and notes when each incident appeared, in a process of its own.

    python -m benchmarks.page HOST PORT COOKIE      "ready" when the stream is open; ends when standard input does

The result (JSON) on standard output: device id to the moment (CLOCK_MONOTONIC) at which its `incident.raised` had
arrived whole. Nothing is parsed before the end, so that the page itself does not stand in the way.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time

__all__: list[str] = []

Taken = list[tuple[float, bytes]]


def _read(answer: http.client.HTTPResponse, taken: Taken) -> None:
    held = b""
    while piece := answer.read1(65_536):
        now = time.monotonic()
        *events, held = (held + piece).split(b"\n\n")
        taken.extend((now, event) for event in events)


def main() -> None:
    host, port, cookie = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    connection = http.client.HTTPConnection(host, port, timeout=30)
    connection.request("GET", "/api/v1/stream", headers={"Cookie": cookie, "Accept": "text/event-stream"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"/api/v1/stream: {answer.status} {answer.read()[:300]!r}")
    taken: Taken = []
    threading.Thread(target=_read, args=(answer, taken), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    seen: dict[str, float] = {}
    for at, event in taken.copy():  # the reader goes on
        fields = dict(line.split(b": ", 1) for line in event.splitlines() if b": " in line)
        if fields.get(b"event") == b"incident.raised":
            device = json.loads(fields[b"data"])["incident"]["device"]
            seen.setdefault(device["id"], at)
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
