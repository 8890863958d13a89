"""A device that speaks care/v1: alarms until told, telemetry (kept while offline), commands answered."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Any

from simulators.device import Device, DeviceSpec, Press, Shared
from simulators.line import MqttLine
from simulators.wire import (
    BATCH_LIMIT,
    Command,
    WireError,
    activity,
    decode_ack,
    decode_command,
    dump,
    encode_alarm,
    location,
    parse_topic,
    reply,
    status,
    up_topic,
    vitals,
)

__all__ = ["CareDevice"]

COMMANDS_KEPT = 50


class CareDevice(Device):
    """Base of the native devices; the kinds differ in what they measure (`live`, `measure`) and can do (`COMMANDS`)."""

    COMMANDS: tuple[str, ...] = ("set_interval", "find", "reboot")
    FIRMWARE = "sim-1.0"

    def __init__(self, spec: DeviceSpec, shared: Shared) -> None:
        super().__init__(spec, shared)
        if shared.broker is None:
            raise WireError(f"{spec.id}: a care/v1 device wants a broker")
        self.line = MqttLine(
            spec.id,
            shared.broker,
            subscribe=f"care/v1/{spec.id}/down/#",
            will=(up_topic(spec.id, "status"), dump(status(online=False))),
            on_message=self._arrived,
            on_up=self._came_up,
            on_trouble=self.line_trouble,
            password=shared.passwords.get(spec.id),
            retry_s=shared.retry_s,
            rng=self.jitter,
        )
        self.unread: list[str] = []
        self.commands: OrderedDict[str, str] = OrderedDict()
        self._kept: dict[str, deque[dict[str, Any]]] = {}
        self._repeaters: set[asyncio.Task[None]] = set()
        self._status_due = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.line.run())
            tasks.create_task(self._heartbeat())
            tasks.create_task(self.live())

    async def live(self) -> None:
        """What the device does of its own accord; the base does nothing but its heartbeat."""

    async def close(self) -> None:
        for task in list(self._repeaters):
            task.cancel()
        await self.line.close(goodbye=(up_topic(self.spec.id, "status"), dump(status(online=False))))

    def cut(self, *, half_open: bool = False) -> None:
        if half_open:
            self.line.fall_silent()
        else:
            self.line.cut()

    def restore(self) -> None:
        self.line.restore()

    def measure(self) -> None:
        self.send_status()

    def send(self, channel: str, body: Mapping[str, Any]) -> bool:
        """Sends one telemetry object, or keeps it (last 500 a channel) until the line is back; True when it left."""
        if channel == "activity" and self.spec.still:
            return True  # it sees nothing of its own accord
        return self._say(channel, body)

    def _say(self, channel: str, body: Mapping[str, Any]) -> bool:
        self.shared.counters.telemetry += 1
        if self.line.publish(up_topic(self.spec.id, channel), dump(body)):
            return True
        self._kept.setdefault(channel, deque(maxlen=BATCH_LIMIT)).append(dict(body))
        return False

    def send_raw(self, channel: str, payload: bytes) -> bool:
        """Sends these bytes as they are (tests: bodies that are not what the wire allows)."""
        return self.line.publish(up_topic(self.spec.id, channel), payload)

    def send_vitals(self) -> None:
        """Measures and sends."""
        self.send("vitals", vitals(self.shared.pace.now(), self.person.vitals(self.shared.pace.hour(), self.rng)))

    def moved_at(self, clock: str) -> None:
        """A kept record: somebody moved when it was last `clock` (HH:MM) in the community."""
        now = self.shared.pace.now().astimezone(timezone(timedelta(hours=8)))
        hour, minute = clock.split(":")
        at = now.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
        self._say("activity", activity(at if at < now else at - timedelta(days=1), "moving"))

    def send_location(self) -> None:
        """Takes a position and sends it."""
        self.send("location", location(self.shared.pace.now(), self.person.fix(self.shared.pace.hour(), self.rng)))

    def send_status(self, *, retain: bool = False) -> None:
        """Online, battery, signal. Not kept while offline: the next connection sends a fresh one."""
        body = status(
            online=True,
            battery_pct=self.battery_pct(),
            rssi_dbm=-70 - self.rng.randrange(25),
            firmware=self.FIRMWARE,
            observed_at=self.shared.pace.now(),
        )
        if self.line.publish(up_topic(self.spec.id, "status"), dump(body), retain=retain):
            self.shared.counters.telemetry += 1

    def obey(self, command: Command) -> str:
        """Does what a command wants; the state for the reply. Kinds extend it."""
        word = command.command
        if word not in self.COMMANDS:
            return "unsupported"
        if word == "set_interval":
            seconds = command.values.get("seconds")
            if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 1 <= seconds <= 86_400:
                return "refused"
            self.interval_s = float(seconds)
            self._status_due.set()
        elif word == "locate":
            self.send_location()
        elif word == "measure":
            self.send_vitals()
        elif word == "reboot":
            loop = asyncio.get_running_loop()
            loop.call_later(0.2, self.line.cut)
            loop.call_later(3.0, self.line.restore)
        return "done"

    def _raise_alarm(self, press: Press) -> None:
        self._send_press(press)
        task = asyncio.get_running_loop().create_task(self._repeat(press))
        self._repeaters.add(task)
        task.add_done_callback(self._repeaters.discard)
        self.forget_old()

    async def _repeat(self, press: Press) -> None:
        while not press.told.is_set():
            try:
                async with asyncio.timeout(self.jitter.uniform(*self.shared.repeat_s)):
                    await press.told.wait()
            except TimeoutError:
                self._send_press(press)

    def _send_press(self, press: Press) -> None:
        if self.line.publish(up_topic(self.spec.id, "alarm"), encode_alarm(press.alarm)):
            press.sends += 1
            self.shared.counters.sends += 1

    async def _heartbeat(self) -> None:
        # Wall time, not scenario time: the hub counts silence in wall time too.
        while True:
            self._status_due.clear()
            try:
                async with asyncio.timeout(self.interval_s * self.jitter.uniform(0.9, 1.0)):
                    await self._status_due.wait()
            except TimeoutError:
                self.send_status()

    def _came_up(self) -> None:
        self.line_up()
        self.send_status(retain=True)
        for press in list(self.presses.values()):
            if not press.told.is_set():
                self._send_press(press)
        for channel, kept in self._kept.items():
            if kept and self.line.publish(up_topic(self.spec.id, channel), dump(list(kept))):
                kept.clear()

    def _arrived(self, topic: str, payload: bytes) -> None:
        parsed = parse_topic(topic)
        channel = None if parsed is None else parsed[2]
        try:
            if channel == "ack":
                ack = decode_ack(payload)
                if ack.ref is None:
                    self.unread.append(ack.reason or ack.status)
                    del self.unread[:-COMMANDS_KEPT]
                    self.happened("trouble", f"the hub answers {ack.status} without a ref: {ack.reason or 'no reason'}")
                else:
                    self.answered(ack.ref, ack.status, ack.message or ack.reason)
            elif channel == "command":
                self._command(decode_command(payload))
        except WireError as error:
            self.happened("trouble", f"{topic}: {error}")

    def _command(self, command: Command) -> None:
        # A command may come twice: a known one is answered again and not done again.
        known = self.commands.get(command.id)
        state = known or self.obey(command)
        if known is None:
            self.commands[command.id] = state
            while len(self.commands) > COMMANDS_KEPT:
                self.commands.popitem(last=False)
            self.shared.counters.commands += 1
            self.happened("command", f"{command.command}: {state}")
        self.send("reply", reply(command, self.shared.pace.now(), state))
