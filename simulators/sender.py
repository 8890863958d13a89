"""One simulated device for tests and benchmarks that are not asynchronous themselves."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from simulators.care import CareDevice
from simulators.device import DeviceSpec, Happening, Shared
from simulators.ledger import Ledger
from simulators.line import BrokerAddress, keep_alive
from simulators.pace import Pace
from simulators.wire import TOLD, Fix, Told

__all__ = ["AlarmSender"]

T = TypeVar("T")


class AlarmSender:
    """A care/v1 device that presses when told to, repeats until answered and remembers every answer.

    A context manager: entering connects (and fails after `connect_s` without a broker), leaving says goodbye. It lives
    on an event loop in a thread of its own; its methods may be called from any thread.
    """

    def __init__(
        self,
        broker: str,
        device_id: str,
        *,
        ledger: Path | None = None,
        password: str | None = None,
        ca_file: Path | None = None,
        repeat_s: tuple[float, float] = (5.0, 20.0),
        retry_s: tuple[float, float] = (0.2, 2.0),
        run: str = "p",
        connect_s: float = 10.0,
    ) -> None:
        self.device_id = device_id
        self.happenings: list[Happening] = []
        self._connect_s = connect_s
        self._ledger = Ledger(ledger)
        self._shared = Shared(
            pace=Pace(),
            ledger=self._ledger,
            broker=BrokerAddress.parse(broker, ca_file),
            run=run,
            repeat_s=repeat_s,
            retry_s=retry_s,
            passwords={} if password is None else {device_id: password},
            tell=self.happenings.append,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"sender-{device_id}", daemon=True)
        self._device: CareDevice | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def __enter__(self) -> AlarmSender:
        self._thread.start()
        self._call(self._start)
        try:
            self._until(lambda: self.connected, self._connect_s, "a connection to the broker")
        except TimeoutError as error:
            troubles = [happening.text for happening in self.happenings if happening.what == "trouble"]
            self.__exit__(None, None, None)
            raise TimeoutError(f"{error}{': ' + troubles[-1] if troubles else ''}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._ledger.close()

    @property
    def connected(self) -> bool:
        """True while the broker has this device's subscription."""
        return self._device is not None and self._device.line.connected

    @property
    def open(self) -> list[str]:
        """The refs that were not answered yet."""
        device = self._live()
        return self._call(lambda: [ref for ref, press in device.presses.items() if not press.told.is_set()])

    def press(
        self,
        type: str = "sos",
        *,
        ref: str | None = None,
        observed_at: datetime | None = None,
        fix: Fix | None = None,
        note: str | None = None,
        test: bool = False,
        cancels: str | None = None,
    ) -> str:
        """One press; its ref. It is in the ledger and on the wire (or waiting for it) when this returns."""
        device = self._live()
        press = self._call(
            lambda: device.press(type, ref=ref, observed_at=observed_at, fix=fix, note=note, test=test, cancels=cancels)
        )
        return press.alarm.ref

    def answers(self, ref: str) -> list[str]:
        """Every answer to that press so far, in order."""
        device = self._live()
        return self._call(lambda: list(device.presses[ref].answers))

    def sends(self, ref: str) -> int:
        """How often that press went out."""
        device = self._live()
        return self._call(lambda: device.presses[ref].sends)

    def wait(self, ref: str, status: Told = "received", seconds: float = 10.0) -> list[str]:
        """Waits until the press was told at least that; its answers. Raises TimeoutError."""
        enough = {"rejected"} if status == "rejected" else set(TOLD[TOLD.index(status) : -1])
        self._until(lambda: bool(enough & set(self.answers(ref))), seconds, f"{status} for {self.device_id} {ref}")
        return self.answers(ref)

    def send(self, channel: str, body: Mapping[str, Any]) -> bool:
        """Sends one telemetry object; False when it is kept for the next connection."""
        device = self._live()
        return self._call(lambda: device.send(channel, body))

    def send_raw(self, channel: str, payload: bytes) -> bool:
        """Sends these bytes as they are; False without a connection."""
        device = self._live()
        return self._call(lambda: device.send_raw(channel, payload))

    def cut(self, *, half_open: bool = False) -> None:
        """The network goes (half open: without either side noticing); presses and measurements wait."""
        device = self._live()
        self._call(lambda: device.cut(half_open=half_open))

    def restore(self) -> None:
        """The network is back."""
        self._call(self._live().restore)

    def _live(self) -> CareDevice:
        if self._device is None:
            raise RuntimeError("the sender is not open: use it as a context manager")
        return self._device

    def _start(self) -> None:
        self._device = CareDevice(DeviceSpec(self.device_id, "watch"), self._shared)
        self._tasks = [
            self._loop.create_task(self._device.run()),
            self._loop.create_task(keep_alive([self._device.line])),
        ]

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._device is not None:
            await self._device.close()
        await self._loop.shutdown_default_executor()

    def _call(self, function: Callable[[], T]) -> T:
        async def run() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def _until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
            time.sleep(0.005)
