"""The companion robot that speaks VDA 5050: says it is there, what it does, what is wrong and that it was stopped.

The wire has no answers to alarms: an error stands in every state until it is over. So a press is neither repeated nor
in the ledger. The last will says that the connection broke.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from simulators.device import Device, DeviceSpec, Press, Shared
from simulators.line import MqttLine
from simulators.vda_wire import ERRORS, Action, RobotName, RobotState, encode_connection, encode_state, read_actions
from simulators.wire import WireError

__all__ = ["VdaRobot"]

ERROR_LASTS_S = 90.0
_PACE_M = 4.0


class VdaRobot(Device):
    """One robot of family vda5050."""

    DRAIN_PER_H = 9.0
    INTERVAL_S = 20.0
    ALARMS = tuple(ERRORS)
    ANSWERED = False

    def __init__(self, spec: DeviceSpec, shared: Shared) -> None:
        super().__init__(spec, shared)
        if shared.broker is None:
            raise WireError(f"{spec.id}: a VDA 5050 robot wants a broker")
        self.name = RobotName.of(spec.id)
        self._sent: Counter[str] = Counter()
        self._wrong: dict[str, float] = {}
        self._stopped = False
        self._paused = False
        self._done: list[Action] = []
        self._waiting: list[Press] = []
        self.line = MqttLine(
            spec.id,
            shared.broker,
            subscribe=self.name.topic("instantActions"),
            will=(
                self.name.topic("connection"),
                encode_connection(self.name, 0, shared.pace.now(), "CONNECTIONBROKEN"),
            ),
            on_message=lambda _topic, payload: self._asked(payload),
            on_up=self._came_up,
            on_trouble=self.line_trouble,
            password=shared.passwords.get(spec.id),
            retry_s=shared.retry_s,
            rng=self.jitter,
        )

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.line.run())
            tasks.create_task(self._report())

    async def close(self) -> None:
        goodbye = encode_connection(self.name, self._count_of("connection"), self.shared.pace.now(), "OFFLINE")
        await self.line.close(goodbye=(self.name.topic("connection"), goodbye))

    def cut(self, *, half_open: bool = False) -> None:
        if half_open:
            self.line.fall_silent()
        else:
            self.line.cut()

    def restore(self) -> None:
        self.line.restore()

    def measure(self) -> None:
        self.shared.counters.telemetry += self._send_state()

    def emergency_stop(self, pressed: bool) -> None:
        """Somebody pushes the red button, or pulls it out again."""
        self._stopped = pressed
        self._send_state()

    def _raise_alarm(self, press: Press) -> None:
        self._wrong[press.alarm.type] = self.shared.pace.elapsed() + ERROR_LASTS_S
        self._waiting.append(press)
        self._send_state()
        self.forget_old()

    def _came_up(self) -> None:
        self.line_up()
        online = encode_connection(self.name, self._count_of("connection"), self.shared.pace.now(), "ONLINE")
        self.line.publish(self.name.topic("connection"), online, retain=True)
        self._send_state()

    def _asked(self, payload: bytes) -> None:
        """Pausing it can do, and saying how it is; what it cannot, it says."""
        try:
            asked = read_actions(payload)
        except WireError as error:
            self.happened("trouble", str(error))
            return
        for action in asked:
            self.shared.counters.commands += 1
            self.happened("command", action.type)
            if action.type in ("startPause", "stopPause"):
                self._paused = action.type == "startPause"
            can = action.type in ("startPause", "stopPause", "stateRequest")
            self._done.append(Action(action.id, action.type, "FINISHED" if can else "FAILED"))
        del self._done[:-20]
        self._send_state()

    def _send_state(self) -> bool:
        now_s = self.shared.pace.elapsed()
        self._wrong = {type_: until for type_, until in self._wrong.items() if until > now_s or self._unsaid(type_)}
        at_home = self.person.at(self.shared.pace.hour()).state
        state = RobotState(
            battery_pct=self.battery_pct(),
            driving=not (self._wrong or self._stopped or self._paused) and at_home == "moving",
            paused=self._paused,
            x_m=self.rng.uniform(0, _PACE_M),
            y_m=self.rng.uniform(0, _PACE_M),
            stop="MANUAL" if self._stopped else "NONE",
            errors=[ERRORS[type_] for type_ in self._wrong],
            actions=tuple(self._done),
        )
        body = encode_state(self.name, self._count_of("state"), self.shared.pace.now(), state)
        if not self.line.publish(self.name.topic("state"), body, qos=0):
            return False
        for press in self._waiting:
            press.sends += 1
            self.shared.counters.sends += 1
            press.told.set()
        self._waiting.clear()
        return True

    def _unsaid(self, type_: str) -> bool:
        """Whether an error has not been said once: it is, also when the line was down for as long as it lasted."""
        return any(press.alarm.type == type_ for press in self._waiting)

    def _count_of(self, channel: str) -> int:
        self._sent[channel] += 1
        return self._sent[channel]

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(min(30.0, self.interval_s) * self.jitter.uniform(0.9, 1.0))
            self.measure()
