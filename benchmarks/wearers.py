"""Watches of the bracket protocol, thousands on one event loop: a heartbeat a minute each, and presses on demand.

python -m benchmarks.wearers PORT COUNT FIRST_ID, then lines on standard input: `press COUNT A_SECOND` or `heard`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.figures import spread

__all__ = ["HEARTBEAT_S", "main"]

HEARTBEAT_S = 60.0
ADDRESSES = 10
"""127.0.0.1 to 127.0.0.10: one address has neither the ports nor the hub's leave for all of them."""
AT_ONCE = 200
FIX = "A,31.339600,N,118.3962000,E,0.1,0.0,20,7,60,90,1000,50"


class Wearer(asyncio.Protocol):
    def __init__(self, crowd: Crowd, device_id: str) -> None:
        self.crowd = crowd
        self.device_id = device_id
        self.transport: asyncio.Transport | None = None
        self.beaten_at = self.pressed_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own face
        self.transport = None
        self.crowd.lost += 1

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if b"*LK]" in data and self.beaten_at:
            self.crowd.beats.append(now - self.beaten_at)
            self.beaten_at = 0.0
        if b"*AL]" in data and self.pressed_at:
            self.crowd.answers.append(now - self.pressed_at)
            if len(self.crowd.answers) == self.crowd.wanted:
                self.crowd.all_answered.set()
            self.pressed_at = 0.0

    def beat(self) -> None:
        self.beaten_at = time.perf_counter()
        self._say("LK,1000,0,80")

    def press(self, at: datetime) -> None:
        self.pressed_at = time.perf_counter()
        self._say(f"AL,{at:%d%m%y,%H%M%S},{FIX},00010000,1,1,460,0,9360,4082,131")

    def _say(self, content: str) -> None:
        if self.transport is not None:
            self.transport.write(f"[3G*{self.device_id}*{len(content):04X}*{content}]".encode())


class Crowd:
    def __init__(self, port: int, count: int, first: int) -> None:
        self.port = port
        self.ids = [str(first + number) for number in range(count)]
        self.wearers: list[Wearer] = []
        self.beats: list[float] = []
        self.answers: list[float] = []
        self.lost = 0
        self.pressed = 0
        self.wanted = 0
        self.all_answered = asyncio.Event()

    async def connect(self) -> None:
        room = asyncio.Semaphore(AT_ONCE)

        async def one(number: int, device_id: str) -> None:
            async with room:
                wearer = Wearer(self, device_id)
                source = (f"127.0.0.{number % ADDRESSES + 1}", 0)
                loop = asyncio.get_running_loop()
                await loop.create_connection(lambda: wearer, "127.0.0.1", self.port, local_addr=source)
                wearer.beat()
                self.wearers.append(wearer)

        await asyncio.gather(*(one(number, device_id) for number, device_id in enumerate(self.ids)))

    async def beat(self) -> None:
        while True:
            for wearer in list(self.wearers):
                wearer.beat()
                await asyncio.sleep(HEARTBEAT_S / len(self.wearers))

    async def press(self, count: int, a_second: float) -> None:
        at = datetime.now(UTC)
        begun = time.perf_counter()
        self.wanted = count
        self.all_answered.clear()
        for number in range(count):
            wait = begun + number / a_second - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            wearer = self.wearers[(self.pressed * 7919) % len(self.wearers)]
            wearer.press(at + timedelta(seconds=number % 60))
            self.pressed += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.all_answered.wait(), 30)

    def heard(self) -> dict[str, Any]:
        found = {
            "connected": sum(wearer.transport is not None for wearer in self.wearers),
            "lost": self.lost,
            "beats": spread(self.beats) if self.beats else None,
            "pressed": self.pressed,
            "answered": len(self.answers),
            "answers": spread(self.answers) if self.answers else None,
        }
        self.beats, self.answers, self.pressed = [], [], 0
        return found


async def _run(port: int, count: int, first: int) -> None:
    crowd = Crowd(port, count, first)
    await crowd.connect()
    beating = asyncio.create_task(crowd.beat())
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        word, *numbers = line.split()
        if word == "press":
            await crowd.press(int(numbers[0]), float(numbers[1]))
        print(json.dumps(crowd.heard()), flush=True)
    beating.cancel()


def main(arguments: list[str]) -> None:
    port, count, first = (int(word) for word in arguments)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < count + 100:
        raise SystemExit(f"{count} connections need as many open files; `ulimit -Hn` allows {most}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_run(port, count, first))


if __name__ == "__main__":
    main(sys.argv[1:])
