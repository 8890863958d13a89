"""Watches: the native one on care/v1, the bracket protocol's on TCP, and what all TCP devices share."""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from collections import deque
from datetime import datetime, timedelta

from simulators.bracket import ALARM_BITS, Frame, FrameReader, Position, encode_frame, encode_position, status_word
from simulators.care import CareDevice
from simulators.device import Device, DeviceSpec, Press, Shared
from simulators.wire import Fix, WireError, activity

__all__ = ["LK_FAILURES_TO_RESTART", "LOCATION_EVERY_MIN", "BracketWatch", "TcpDevice", "Watch"]

VITALS_EVERY_MIN = 5
LOCATION_EVERY_MIN = 10
LK_FAILURES_TO_RESTART = 5


class Watch(CareDevice):
    """Vital signs, steps, positions, movement, battery; SOS and fall until told; speaks the answer to its wearer."""

    DRAIN_PER_H = 1.4
    INTERVAL_S = 60.0
    COMMANDS = ("locate", "measure", "speak", "call", "set_interval", "find", "reboot")
    ALARMS = (
        *("sos", "fall", "assistance", "inactivity", "heart_rate_high", "heart_rate_low", "heart_rate_abnormal"),
        *("spo2_low", "blood_pressure_high", "blood_pressure_low", "fever", "medication_missed", "wandering"),
        *("geofence_enter", "low_battery", "power_off", "device_fault", "off_wrist", "tamper", "test_call", "cancel"),
    )
    FIRMWARE = "watch-sim-1.0"

    async def live(self) -> None:
        minute = self.rng.randrange(LOCATION_EVERY_MIN * VITALS_EVERY_MIN)
        state = ""
        await self.shared.pace.sleep(self.rng.uniform(0.0, 60.0))
        while True:
            if minute % VITALS_EVERY_MIN == 0:
                self.send_vitals()
            if minute % LOCATION_EVERY_MIN == 0:
                self.send_location()
            now = self.person.at(self.shared.pace.hour()).state
            if now != state:
                state = now
                wire_word = {"in_bed": "in_bed", "still": "still"}.get(now, "moving")
                self.send("activity", activity(self.shared.pace.now(), wire_word))
            minute += 1
            await self.shared.pace.sleep(60.0)

    def measure(self) -> None:
        self.send_vitals()

    def press_fix(self) -> Fix:
        """The position an alarm carries."""
        return self.person.fix(self.shared.pace.hour(), self.rng)


class TcpDevice(Device):
    """A device with a TCP connection of its own to the hub, and alarms that go one by one until their answer.

    The answer to an alarm names none. So one alarm is on the line at a time, and the n-th answer of a connection
    belongs to its n-th alarm frame: a late answer to a repeat can never pass for the answer to the next press.
    """

    def __init__(self, spec: DeviceSpec, shared: Shared) -> None:
        super().__init__(spec, shared)
        address = shared.address_of(spec.family)
        if address is None:
            raise WireError(f"{spec.id}: the address of the hub's port for family {spec.family} is wanted")
        self._address = address
        self._queue: deque[Press] = deque()
        self._outstanding: deque[str] = deque()
        self._writer: asyncio.StreamWriter | None = None
        self._wake = asyncio.Event()
        self._allowed = asyncio.Event()
        self._allowed.set()
        self._mute = False
        self._last_observed: datetime | None = None

    # --- what each wire says

    @abstractmethod
    def _begin(self) -> None:
        """A connection stands: what goes first."""

    @abstractmethod
    def _take(self, chunk: bytes) -> None:
        """Bytes of the hub. WireError: they cannot be read."""

    @abstractmethod
    async def _heartbeat(self) -> None: ...

    @abstractmethod
    async def _report(self) -> None: ...

    @abstractmethod
    def _alarm_frame(self, press: Press) -> bytes | None:
        """The alarm's frame, None where it cannot go yet."""

    @abstractmethod
    def _check(self, type: str) -> None:
        """WireError where this wire cannot say that."""

    # --- life

    @property
    def connected(self) -> bool:
        """True while the TCP connection stands."""
        return self._writer is not None

    async def run(self) -> None:
        low, high = self.shared.retry_s
        wait = low
        while True:
            await self._allowed.wait()
            try:
                reader, writer = await asyncio.open_connection(*self._address)
            except OSError as error:
                self.line_trouble(f"cannot connect to {self._address[0]}:{self._address[1]}: {error}")
            else:
                wait = low
                self.line_up()
                await self._talk(reader, writer)
            await asyncio.sleep(wait * self.jitter.uniform(0.5, 1.0))
            wait = min(high, wait * 2)

    async def close(self) -> None:
        self._allowed.clear()
        await self._hang_up()

    def cut(self, *, half_open: bool = False) -> None:
        self._allowed.clear()
        self._mute = half_open
        if not half_open and self._writer is not None:
            self._writer.transport.abort()

    def restore(self) -> None:
        if self._mute and self._writer is not None:
            self._writer.transport.abort()
        self._mute = False
        self._allowed.set()

    def _raise_alarm(self, press: Press) -> None:
        self._check(press.alarm.type)
        self._queue.append(press)
        self._wake.set()
        self.forget_old()

    def press(  # these clocks have whole seconds, and there is neither a note nor a test mark nor a cancel
        self,
        type: str = "sos",
        *,
        ref: str | None = None,
        observed_at: datetime | None = None,
        fix: Fix | None = None,
        note: str | None = None,
        test: bool = False,
        cancels: str | None = None,
    ) -> Press:
        if test or cancels is not None:
            raise WireError(f"a device of family {self.spec.family} has neither tests nor cancels")
        del note
        moment = (observed_at or self.shared.pace.now()).replace(microsecond=0)
        if self._last_observed is not None and moment <= self._last_observed:
            moment = self._last_observed + timedelta(seconds=1)
        self._last_observed = moment
        return super().press(type, ref=ref, observed_at=moment, fix=fix)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._outstanding.clear()
        try:
            self._begin()
            async with asyncio.TaskGroup() as tasks:
                duties = [tasks.create_task(duty) for duty in (self._heartbeat(), self._report(), self._repeat())]
                await self._listen(reader)
                for duty in duties:
                    duty.cancel()
        finally:
            await self._hang_up()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                chunk = await reader.read(4096)
                if not chunk:
                    return
                if not self._mute:
                    self._take(chunk)
            except OSError:
                return
            except WireError as error:
                self.happened("trouble", f"the hub sent a frame that cannot be read: {error}")
                return

    def _first_is_answered(self) -> None:
        if self._outstanding:
            self.answered(self._outstanding.popleft(), "received")
            self._wake.set()

    async def _repeat(self) -> None:
        while True:
            while self._queue and self._queue[0].told.is_set():
                self._queue.popleft()
            self._wake.clear()
            if not self._queue:
                await self._wake.wait()
                continue
            press = self._queue[0]
            frame = self._alarm_frame(press)
            if frame is not None and self._write(frame, alarm=True):
                self._outstanding.append(press.alarm.ref)
                press.sends += 1
                self.shared.counters.sends += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.jitter.uniform(*self.shared.repeat_s)):
                    await press.told.wait()

    def _write(self, frame: bytes, *, alarm: bool = False) -> bool:
        if self._writer is None or self._mute or self._writer.is_closing():
            return False
        self._writer.write(frame)
        if not alarm:
            self.shared.counters.telemetry += 1
        return True

    async def _hang_up(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()


class BracketWatch(TcpDevice):
    """`[3G*ID*LEN*…]` on TCP: LK heartbeat, UD positions, AL until its reply, and a new connection when unanswered."""

    DRAIN_PER_H = 1.6
    INTERVAL_S = 60.0
    ALARMS = (*ALARM_BITS, "assistance")

    def __init__(self, spec: DeviceSpec, shared: Shared) -> None:
        super().__init__(spec, shared)
        self._frames = FrameReader()
        self._unanswered_lk = 0

    def measure(self) -> None:
        beat = self.person.vitals(self.shared.pace.hour(), self.rng)["heart_rate_bpm"]
        self._send(f"heart,{beat}")

    def _check(self, type: str) -> None:
        if type not in ALARM_BITS and type != "assistance":
            raise WireError(f"a bracket watch cannot say {type!r}")

    def _next_ref(self, moment: datetime, type: str) -> str:
        # The protocol knows no ref: date, time and status word are what tells one press from another (UTC).
        return f"{moment:%d%m%y%H%M%S}-{self._status(type):08X}"

    def _begin(self) -> None:
        self._frames = FrameReader()
        self._unanswered_lk = 0

    def _take(self, chunk: bytes) -> None:
        for frame in self._frames.feed(chunk):
            self._heard(frame)

    def _heard(self, frame: Frame) -> None:
        if frame.device_id != self.spec.id:
            self.happened("trouble", f"a frame for {frame.device_id} came on this line")
        elif frame.word == "LK":
            self._unanswered_lk = 0
        elif frame.word.startswith("AL"):
            self._first_is_answered()
        elif frame.word == "CR":
            self._send_position("UD")
            self._command(frame)
        elif frame.word in ("FIND", "CALL", "MESSAGE", "UPLOAD", "hrtstart"):
            self._command(frame)

    def _command(self, frame: Frame) -> None:
        self.shared.counters.commands += 1
        self.happened("command", frame.content)
        self._send(frame.word)

    async def _heartbeat(self) -> None:
        while True:
            if self._unanswered_lk >= LK_FAILURES_TO_RESTART:
                self.happened("trouble", f"{self._unanswered_lk} heartbeats unanswered: the watch starts again")
                await self._hang_up()
                return
            self._send(f"LK,{self._steps()},0,{self.battery_pct()}")
            self._unanswered_lk += 1
            await asyncio.sleep(self.interval_s * self.jitter.uniform(0.9, 1.0))

    async def _report(self) -> None:
        await self.shared.pace.sleep(self.rng.uniform(0.0, 60.0))
        while True:
            self._send_position("UD")
            self.measure()
            await self.shared.pace.sleep(LOCATION_EVERY_MIN * 60.0)

    def _alarm_frame(self, press: Press) -> bytes:
        alarm = press.alarm
        position = Position(
            alarm.observed_at, alarm.fix, alarm.battery_pct or 0, self._steps(), self._status(alarm.type)
        )
        return encode_frame(Frame(self.spec.id, encode_position("AL", position)))

    def _send_position(self, kind: str) -> None:
        now = self.shared.pace.now().replace(microsecond=0)
        fix = self.person.fix(self.shared.pace.hour(), self.rng)
        position = Position(now, fix, self.battery_pct(), self._steps(), status_word(None))
        self._send(encode_position(kind, position))

    def _send(self, content: str) -> bool:
        return self._write(encode_frame(Frame(self.spec.id, content)))

    def _steps(self) -> int:
        return self.person.at(self.shared.pace.hour()).steps

    @staticmethod
    def _status(type: str) -> int:
        return status_word(None if type == "assistance" else type)
