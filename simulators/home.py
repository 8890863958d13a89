"""Things fixed in a home: pull-cord, fall radar, door contact, smoke, gas and water alarms, motion and bed sensors."""

from __future__ import annotations

from simulators.care import CareDevice
from simulators.wire import activity

__all__ = ["BedSensor", "Door", "FallRadar", "Gas", "HomeSensor", "Motion", "PullCord", "Smoke", "WaterLeak"]


class HomeSensor(CareDevice):
    """Base: a heartbeat, and an activity word whenever what it senses changes (looked at each scenario minute)."""

    DRAIN_PER_H = 0.02
    INTERVAL_S = 120.0
    COMMANDS = ("set_interval", "find", "reboot")
    ALARMS: tuple[str, ...] = ("low_battery", "device_fault", "tamper", "test_call", "cancel")
    FIRMWARE = "home-sim-1.0"

    async def live(self) -> None:
        seen: str | None = None
        await self.shared.pace.sleep(self.rng.uniform(0.0, 60.0))
        while True:
            now = self.senses()
            if now is not None and now != seen:
                seen = now
                self.send("activity", activity(self.shared.pace.now(), now))
            await self.shared.pace.sleep(60.0)

    def senses(self) -> str | None:
        """The activity word now; None for things that sense no activity."""
        return None

    def measure(self) -> None:
        word = self.senses()
        if word is None:
            self.send_status()
        else:
            self.send("activity", activity(self.shared.pace.now(), word))


class PullCord(HomeSensor):
    """A cord by the bed or in the bathroom, for help by hand."""

    ALARMS = ("sos", "assistance", *HomeSensor.ALARMS)


class FallRadar(HomeSensor):
    """Sees falls and presence in one room; runs on mains, so a power cut is its own alarm."""

    DRAIN_PER_H = 0.0
    ALARMS = ("fall", "inactivity", "assistance", "power_fail", *HomeSensor.ALARMS)

    def senses(self) -> str:
        now = self.person.at(self.shared.pace.hour())
        return "presence" if now.place == "bathroom" else "no_presence"


class Door(HomeSensor):
    """The front door: opens when its resident goes out and comes home."""

    ALARMS = ("door", "wandering", *HomeSensor.ALARMS)

    def senses(self) -> str:
        away = [self.person.at(self.shared.pace.hour() + shift / 60.0).state == "out" for shift in (0, 1)]
        return "door_open" if away[0] != away[1] else "door_closed"


class Smoke(HomeSensor):
    """Smoke on the ceiling."""

    ALARMS = ("smoke", *HomeSensor.ALARMS)


class Gas(HomeSensor):
    """Gas in the kitchen; runs on mains."""

    DRAIN_PER_H = 0.0
    ALARMS = ("gas", "power_fail", *HomeSensor.ALARMS)


class WaterLeak(HomeSensor):
    """Water on the floor."""

    ALARMS = ("water_leak", *HomeSensor.ALARMS)


class Motion(HomeSensor):
    """Movement in the rooms; `inactivity` when there is none for too long."""

    ALARMS = ("inactivity", *HomeSensor.ALARMS)

    def senses(self) -> str:
        state = self.person.at(self.shared.pace.hour()).state
        return {"moving": "moving", "out": "no_presence"}.get(state, "still")


class BedSensor(HomeSensor):
    """In and out of bed; `bed_exit` when somebody gets up at night and does not come back."""

    DRAIN_PER_H = 0.0
    ALARMS = ("bed_exit", "inactivity", "heart_rate_abnormal", "power_fail", *HomeSensor.ALARMS)

    def senses(self) -> str:
        return "in_bed" if self.person.at(self.shared.pace.hour()).state == "in_bed" else "out_of_bed"
