"""The companion robot: hears a call for help, sees a fall, gets stuck under the sofa, goes home to charge."""

from __future__ import annotations

from simulators.care import CareDevice
from simulators.wire import activity

__all__ = ["Robot"]

LOOK_EVERY_MIN = 2


class Robot(CareDevice):
    """Raises `voice_help`, `fall` (seen), `assistance`, `robot_stuck`; reports presence; speaks, calls on command."""

    DRAIN_PER_H = 9.0
    INTERVAL_S = 30.0
    COMMANDS = ("speak", "call", "set_interval", "find", "reboot", "measure")
    ALARMS = (
        *("voice_help", "fall", "assistance", "inactivity", "medication_missed", "smoke", "gas", "robot_stuck"),
        *("low_battery", "device_fault", "test_call", "cancel"),
    )
    FIRMWARE = "robot-sim-1.0"

    async def live(self) -> None:
        seen = ""
        await self.shared.pace.sleep(self.rng.uniform(0.0, 60.0))
        while True:
            now = self._sees()
            if now != seen:
                seen = now
                self.send("activity", activity(self.shared.pace.now(), now))
            await self.shared.pace.sleep(LOOK_EVERY_MIN * 60.0)

    def measure(self) -> None:
        self.send("activity", activity(self.shared.pace.now(), self._sees()))

    def _sees(self) -> str:
        state = self.person.at(self.shared.pace.hour()).state
        return {"in_bed": "in_bed", "out": "no_presence", "still": "still"}.get(state, "moving")
