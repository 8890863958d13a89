"""Devices that press without end while things are killed, and keep every press until it is told.

They are the simulators' own devices, on an event loop in a thread of this process, with the simulators' ledger on disk.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self

from simulators.care import CareDevice
from simulators.device import Device, Happening, Shared
from simulators.kinds import make_device
from simulators.ledger import Ledger
from simulators.line import BrokerAddress, keep_alive
from simulators.pace import Pace
from simulators.roster import Roster

__all__ = ["Fleet"]

TYPES = ("sos", "fall", "assistance", "low_battery", "smoke", "gas", "voice_help")


class Fleet:
    """A roster of devices under load. `told` and `open` count presses; entering starts the load."""

    def __init__(
        self,
        roster: Roster,
        *,
        broker: str,
        watch_port: int | None,
        credentials: Mapping[str, str],
        ledger: Path,
        seed: int,
        presses_per_s: float = 12.0,
        telemetry_per_s: float = 60.0,
        repeat_s: tuple[float, float] = (0.4, 1.2),
    ) -> None:
        self.ledger = ledger
        self.troubles: list[str] = []
        self._rng = random.Random(seed)
        self._presses_per_s = presses_per_s
        self._telemetry_per_s = telemetry_per_s
        self._news = threading.Condition()
        self._shared = Shared(
            pace=Pace(),
            ledger=Ledger(ledger),
            broker=BrokerAddress.parse(broker),
            run=f"c{seed}",
            seed=seed,
            watch=None if watch_port is None else ("127.0.0.1", watch_port),
            repeat_s=repeat_s,
            retry_s=(0.05, 0.3),
            passwords=credentials,
            tell=self._heard,
        )
        self._roster = roster
        self._devices: list[Device] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._pressing: list[asyncio.Task[None]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fleet", daemon=True)

    @property
    def told(self) -> int:
        """Presses that were answered so far."""
        return self._shared.counters.told

    @property
    def pressed(self) -> int:
        return self._shared.counters.presses

    @property
    def sends(self) -> int:
        """Alarm messages that left, repeats included."""
        return self._shared.counters.sends

    @property
    def telemetry(self) -> int:
        """Measurements that left."""
        return self._shared.counters.telemetry

    @property
    def open(self) -> int:
        """Presses that were not answered yet."""
        return self._shared.ledger.open

    def wait_told(self, count: int, seconds: float) -> None:
        """Until `count` presses were answered in all. AssertionError after `seconds`."""
        with self._news:
            reached = self._news.wait_for(lambda: self.told >= count, seconds)
        assert reached, f"{self.told} of {count} told after {seconds} s; {self.open} open; {self.troubles[-5:]}"

    def linger(self, seconds: float) -> None:
        """Lets the load go on for a random while that was drawn beforehand."""
        with self._news:
            self._news.wait_for(lambda: False, seconds)

    def quieten(self, seconds: float) -> None:
        """No further presses; those that are open are repeated until all are answered. AssertionError after that."""

        async def stop() -> None:
            for task in self._pressing:
                task.cancel()
            await asyncio.gather(*self._pressing, return_exceptions=True)

        self._run(stop()).result(10)
        with self._news:
            settled = self._news.wait_for(lambda: self.open == 0, seconds)
        assert settled, f"{self.open} presses are unanswered {seconds} s after the last one; {self.troubles[-5:]}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start()).result(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._close()).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._shared.ledger.close()

    def _run(self, coroutine: object) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)  # type: ignore[arg-type]

    def _heard(self, happening: Happening) -> None:
        if happening.what == "trouble":
            self.troubles.append(f"{happening.device_id}: {happening.text}")
        elif happening.what == "told":
            with self._news:
                self._news.notify_all()

    async def _start(self) -> None:
        self._shared.pace.start()
        self._devices = [make_device(spec, self._shared) for spec in self._roster.devices]
        lines = [device.line for device in self._devices if isinstance(device, CareDevice)]
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(device.run()) for device in self._devices]
        self._tasks.append(loop.create_task(keep_alive(lines)))
        self._pressing = [loop.create_task(self._press()), loop.create_task(self._measure())]

    async def _press(self) -> None:
        able = {device: [word for word in TYPES if word in device.ALARMS] for device in self._devices}
        pressers = [device for device, words in able.items() if words]
        while True:
            device = self._rng.choice(pressers)
            device.press(self._rng.choice(able[device]), fix=device.press_fix())
            await asyncio.sleep(self._rng.expovariate(self._presses_per_s))

    async def _measure(self) -> None:
        while True:
            self._rng.choice(self._devices).measure()
            await asyncio.sleep(self._rng.expovariate(self._telemetry_per_s))

    async def _close(self) -> None:
        for task in [*self._pressing, *self._tasks]:
            task.cancel()
        await asyncio.gather(*self._pressing, *self._tasks, return_exceptions=True)
        await asyncio.gather(*(device.close() for device in self._devices), return_exceptions=True)
        await self._loop.shutdown_default_executor()
