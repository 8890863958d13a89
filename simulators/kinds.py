"""Which kinds of device there are. To add one: a class, and one line in KINDS."""

from __future__ import annotations

from simulators.app import PhoneApp
from simulators.care import CareDevice
from simulators.device import Device, DeviceSpec, Shared
from simulators.home import BedSensor, Door, FallRadar, Gas, Motion, PullCord, Smoke, WaterLeak
from simulators.robot import Robot
from simulators.tracker import Tracker
from simulators.tracker_wires import WIRES
from simulators.vda import VdaRobot
from simulators.watch import BracketWatch, Watch
from simulators.zigbee import ZIGBEE_SAYS, ZigbeeSensor

__all__ = [
    "ALIASES",
    "FAMILIES",
    "KINDS",
    "MADE",
    "TCP_FAMILIES",
    "alarm_types",
    "kind_named",
    "make_device",
    "wire_fits",
]

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
TCP_FAMILIES = ("watch", *WIRES)
FAMILIES = ("care", *TCP_FAMILIES, "zigbee2mqtt", "vda5050")
"""The wires the simulators speak: care/v1, those of TCP devices, a Zigbee gateway's, and a mobile robot's."""

MADE: dict[str, tuple[str, str]] = {
    **{kind: (kind, "care") for kind in KINDS},
    "bracket_watch": ("watch", "watch"),
    "iw_watch": ("watch", "iw"),
    "pendant": ("pull_cord", "minifinder2"),
    "gt06_tracker": ("watch", "gt06"),
    "h02_tracker": ("watch", "h02"),
    "zigbee_cord": ("pull_cord", "zigbee2mqtt"),
    "zigbee_smoke": ("smoke", "zigbee2mqtt"),
    "zigbee_gas": ("gas", "zigbee2mqtt"),
    "zigbee_leak": ("water_leak", "zigbee2mqtt"),
    "vda_robot": ("robot", "vda5050"),
}
"""Words of `[fleet.make]` to kind and family."""

_WORN = frozenset({"watch", "pull_cord"})


def wire_fits(kind: str, family: str) -> bool:
    """Whether there is such a kind of device on that wire."""
    if family == "zigbee2mqtt":
        return kind in ZIGBEE_SAYS
    if family == "vda5050":
        return kind == "robot"
    return family == "care" or (kind == "watch" if family == "watch" else kind in _WORN)


def kind_named(word: str) -> str | None:
    """The kind a word of a fleet file or scenario means, or None."""
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    plain = ALIASES.get(plain, plain)
    return plain if plain in KINDS else None


def alarm_types(spec: DeviceSpec) -> tuple[str, ...]:
    """The alarm types this device can raise."""
    if spec.family == "zigbee2mqtt":
        return tuple(ZIGBEE_SAYS[spec.kind])
    if spec.family == "vda5050":
        return VdaRobot.ALARMS
    if spec.family in WIRES:
        return tuple(WIRES[spec.family].ALARMS)
    return BracketWatch.ALARMS if spec.family == "watch" else KINDS[spec.kind].ALARMS


def make_device(spec: DeviceSpec, shared: Shared) -> Device:
    """The device of a fleet entry, on its family's wire."""
    if spec.family == "zigbee2mqtt":
        return ZigbeeSensor(spec, shared)
    if spec.family == "vda5050":
        return VdaRobot(spec, shared)
    if spec.family in WIRES:
        return Tracker(spec, shared)
    return BracketWatch(spec, shared) if spec.family == "watch" else KINDS[spec.kind](spec, shared)
