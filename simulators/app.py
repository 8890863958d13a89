"""The phone app: asks for help with a position, for assistance, cancels a slip of the thumb, tries a test call."""

from __future__ import annotations

from simulators.care import CareDevice
from simulators.wire import Fix

__all__ = ["PhoneApp"]

LOCATION_EVERY_MIN = 30


class PhoneApp(CareDevice):
    """Alarms with a position; a sparse heartbeat and a position now and then, as a phone's system allows."""

    DRAIN_PER_H = 3.0
    INTERVAL_S = 300.0
    COMMANDS = ("locate", "speak", "call", "set_interval", "find")
    ALARMS = ("sos", "assistance", "low_battery", "test_call", "cancel")
    FIRMWARE = "app-sim-1.0"

    async def live(self) -> None:
        await self.shared.pace.sleep(self.rng.uniform(0.0, LOCATION_EVERY_MIN * 60.0))
        while True:
            self.send_location()
            await self.shared.pace.sleep(LOCATION_EVERY_MIN * 60.0)

    def measure(self) -> None:
        self.send_location()

    def press_fix(self) -> Fix:
        """The position an alarm carries."""
        return self.person.fix(self.shared.pace.hour(), self.rng)
