"""Watches, pendants and trackers on the other TCP wires: a login, heartbeats, positions, alarms until answered."""

from __future__ import annotations

import asyncio
from datetime import datetime

from simulators.device import DeviceSpec, Press, Shared
from simulators.tracker_wires import WIRES, Heard, Here
from simulators.watch import LK_FAILURES_TO_RESTART, LOCATION_EVERY_MIN, TcpDevice
from simulators.wire import Fix, WireError

__all__ = ["Tracker"]


class Tracker(TcpDevice):
    """One device of family iw, minifinder2, gt06 or h02. An answer to an alarm names none: they go one by one."""

    DRAIN_PER_H = 1.6
    INTERVAL_S = 60.0

    def __init__(self, spec: DeviceSpec, shared: Shared) -> None:
        super().__init__(spec, shared)
        self.wire = WIRES[spec.family](spec.id)
        self.ALARMS = tuple(self.wire.ALARMS)
        self._carried: dict[str, Here] = {}
        self._welcome = asyncio.Event()
        self._unanswered = 0

    def measure(self) -> None:
        self._write(self.wire.position(self._here()))

    def _begin(self) -> None:
        self.wire.forget()
        self._unanswered = 0
        self._welcome.clear()
        hello = self.wire.login()
        if hello:
            self._write(hello)
        else:
            self._welcome.set()

    def _take(self, chunk: bytes) -> None:
        for heard in self.wire.feed(chunk):
            self._heard(heard)

    def _heard(self, heard: Heard) -> None:
        if heard.kind == "login":
            self._welcome.set()
        elif heard.kind == "beat":
            self._unanswered = 0
        elif heard.kind == "alarm":
            self._first_is_answered()
        elif heard.kind == "command":
            self.shared.counters.commands += 1
            self.happened("command", heard.text)
            self._write(heard.reply)
            self.measure()

    async def _heartbeat(self) -> None:
        await self._welcome.wait()
        while True:
            if self._unanswered >= LK_FAILURES_TO_RESTART:
                self.happened("trouble", f"{self._unanswered} heartbeats unanswered: the device starts again")
                await self._hang_up()
                return
            self._write(self.wire.beat(self._here()))
            self._unanswered += 1
            await asyncio.sleep(self.interval_s * self.jitter.uniform(0.9, 1.0))

    async def _report(self) -> None:
        await self._welcome.wait()
        await self.shared.pace.sleep(self.rng.uniform(0.0, 60.0))
        while True:
            self.measure()
            await self.shared.pace.sleep(LOCATION_EVERY_MIN * 60.0)

    def _check(self, type: str) -> None:
        if type not in self.wire.ALARMS:
            raise WireError(f"a {self.spec.family} device cannot say {type!r}")

    def _next_ref(self, moment: datetime, type: str) -> str:
        return self.wire.ref(type, self._frozen(type, moment))

    def _frozen(self, type: str, moment: datetime) -> Here:
        """What an alarm carries does not change while it is repeated; its name is made of it."""
        key = f"{type}@{moment.isoformat()}"
        if key not in self._carried:
            self._carried[key] = Here(moment, self.press_fix(), self.battery_pct())
            while len(self._carried) > 500:
                del self._carried[next(iter(self._carried))]
        return self._carried[key]

    def press_fix(self) -> Fix:
        """The position an alarm carries."""
        return self.person.fix(self.shared.pace.hour(), self.rng)

    def _alarm_frame(self, press: Press) -> bytes | None:
        if not self._welcome.is_set():
            return None
        return self.wire.alarm(press.alarm.type, self._frozen(press.alarm.type, press.alarm.observed_at))

    def _here(self) -> Here:
        hour = self.shared.pace.hour()
        now = self.shared.pace.now().replace(microsecond=0)
        return Here(now, self.person.fix(hour, self.rng), self.battery_pct(), self.person.at(hour).steps)
