"""Which kinds of device there are. To add one: a class, and one line in KINDS."""

from __future__ import annotations

from simulators.app import PhoneApp
from simulators.care import CareDevice
from simulators.device import Device, DeviceSpec, Shared
from simulators.home import BedSensor, Door, FallRadar, Gas, Motion, PullCord, Smoke, WaterLeak
from simulators.robot import Robot
from simulators.watch import BracketWatch, Watch

__all__ = ["ALIASES", "FAMILIES", "KINDS", "alarm_types", "kind_named", "make_device"]

KINDS: dict[str, type[CareDevice]] = {
    "watch": Watch,
    "robot": Robot,
    "app": PhoneApp,
    "pull_cord": PullCord,
    "radar": FallRadar,
    "door": Door,
    "smoke": Smoke,
    "gas": Gas,
    "water_leak": WaterLeak,
    "motion": Motion,
    "bed": BedSensor,
}
ALIASES: dict[str, str] = {
    "pullcord": "pull_cord",
    "cord": "pull_cord",
    "button": "pull_cord",
    "fall_radar": "radar",
    "companion_robot": "robot",
    "phone": "app",
    "phone_app": "app",
    "smoke_detector": "smoke",
    "gas_detector": "gas",
    "leak": "water_leak",
    "door_contact": "door",
    "pir": "motion",
    "bed_sensor": "bed",
}
FAMILIES = ("care", "watch")
"""The wires the simulators speak: care/v1, and the bracket watch protocol on TCP."""


def kind_named(word: str) -> str | None:
    """The kind a word of a fleet file or scenario means, or None."""
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    plain = ALIASES.get(plain, plain)
    return plain if plain in KINDS else None


def alarm_types(spec: DeviceSpec) -> tuple[str, ...]:
    """The alarm types this device can raise."""
    return BracketWatch.ALARMS if spec.family == "watch" else KINDS[spec.kind].ALARMS


def make_device(spec: DeviceSpec, shared: Shared) -> Device:
    """The device of a fleet entry, on its family's wire."""
    return BracketWatch(spec, shared) if spec.family == "watch" else KINDS[spec.kind](spec, shared)
