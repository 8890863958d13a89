"""Zigbee sensors behind a gateway that speaks MQTT (`zigbee2mqtt/{name}`), written from docs/wire/zigbee2mqtt.md.

The wire has no answers: a press is sent as the gateway sends it, once as state, once as action, and then the empty
action that follows every press. So it is neither repeated nor in the ledger.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from simulators.device import Device, DeviceSpec, Press, Shared
from simulators.line import MqttLine
from simulators.wire import WireError

__all__ = ["ZIGBEE_SAYS", "ZigbeeSensor"]

ZIGBEE_SAYS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "pull_cord": {"sos": {"action": "emergency"}, "tamper": {"tamper": True}},
    "smoke": {"smoke": {"smoke": True}, "tamper": {"tamper": True}},
    "gas": {"gas": {"gas": True}},
    "water_leak": {"water_leak": {"water_leak": True}, "tamper": {"tamper": True}},
}
"""Kind of sensor to alarm type to what its state says then."""

_BASE = "zigbee2mqtt"


class ZigbeeSensor(Device):
    """One sensor of family zigbee2mqtt; its gateway's connection is its own here."""

    DRAIN_PER_H = 0.01
    INTERVAL_S = 3000.0
    ANSWERED = False

    def __init__(self, spec: DeviceSpec, shared: Shared) -> None:
        super().__init__(spec, shared)
        if shared.broker is None:
            raise WireError(f"{spec.id}: a Zigbee sensor wants a broker")
        self._says = ZIGBEE_SAYS[spec.kind]
        self.ALARMS = tuple(self._says)
        self._topic = f"{_BASE}/{spec.id}"
        self._waiting: list[Press] = []
        self.line = MqttLine(
            spec.id,
            shared.broker,
            subscribe=f"{self._topic}/get",
            will=(f"{self._topic}/availability", b'{"state":"offline"}'),
            on_message=lambda _topic, _payload: None,
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
        await self.line.close(goodbye=(f"{self._topic}/availability", b'{"state":"offline"}'))

    def cut(self, *, half_open: bool = False) -> None:
        if half_open:
            self.line.fall_silent()
        else:
            self.line.cut()

    def restore(self) -> None:
        self.line.restore()

    def measure(self) -> None:
        self._publish({})

    def _raise_alarm(self, press: Press) -> None:
        self._waiting.append(press)
        self._send_waiting()
        self.forget_old()

    def _came_up(self) -> None:
        self.line_up()
        self.line.publish(f"{self._topic}/availability", b'{"state":"online"}', retain=True)
        self._send_waiting()

    def _send_waiting(self) -> None:
        """A gateway that is away keeps nothing; the sensor itself tries again, so the press is not lost here."""
        while self._waiting and self._publish(self._says[self._waiting[0].alarm.type]):
            press = self._waiting.pop(0)
            press.sends += 1
            self.shared.counters.sends += 1
            press.told.set()
            action = self._says[press.alarm.type].get("action")
            if action is not None:
                self.line.publish(f"{self._topic}/action", str(action).encode())
                self._publish({"action": ""})

    def _publish(self, said: Mapping[str, Any]) -> bool:
        body = {"battery": self.battery_pct(), "linkquality": self.rng.randint(60, 180), **said}
        sent = self.line.publish(self._topic, json.dumps(body).encode())
        self.shared.counters.telemetry += sent and not said
        return sent

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(self.interval_s * self.jitter.uniform(0.9, 1.0))
            self.measure()
