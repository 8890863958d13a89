"""What the properties and actions of Zigbee2MQTT devices mean, and profiles made of the gateway's own device list.

Everything here is a default: a device's profile (data) may replace each entry. Profile entries read by the codec:

- `exposes`: property to `{"value_on", "value_off"}`, as `bridge/devices` gives them: the polarity;
- `alarms`: property to alarm type (or null: never an alarm), `actions`: action to alarm type (or null);
- `falls`: property to (word to "fall", "suspected" or null);
- `window_s`: alarm type to the seconds within which repeats of one state are one alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devices.codecs.json_body import as_list, as_object
from devices.fields import clean_text

__all__ = [
    "ACTION_ALARMS",
    "ALARM_PROPERTIES",
    "FALL_WORDS",
    "PRESS_WINDOW_S",
    "REVERSED_MODELS",
    "STATE_PROPERTIES",
    "STATE_WINDOW_S",
    "WINDOWS_S",
    "profiles_of",
]

ALARM_PROPERTIES: Mapping[str, str] = {
    "sos": "sos",
    "emergency": "sos",
    "panic": "sos",
    "smoke": "smoke",
    "gas": "gas",
    "carbon_monoxide": "gas",  # one word for air that kills; attributes["code"] says which
    "water_leak": "water_leak",
    "tamper": "tamper",
    "battery_low": "low_battery",
    "fall_detected": "fall",
    "fault": "device_fault",
    "device_fault": "device_fault",
    "trouble": "device_fault",
    "battery_defect": "device_fault",
    "emergency_overheat": "device_fault",  # what a plug or boiler says of itself
    "emergency_overcurrent": "device_fault",
    "emergency_overvoltage": "device_fault",
    "emergency_undervoltage": "device_fault",
    "emergency_no_load": "device_fault",
}
"""A binary property that is on, to the alarm it is."""

ACTION_ALARMS: Mapping[str, str] = {
    "emergency": "sos",
    "sos": "sos",
    "panic": "sos",
    "medical": "sos",
    "fire": "smoke",
}
"""Whole words of an action (`panic`, `sos_press`) to the alarm. `fall` is not here: on the Aqara DWZTCGQ11LM and
MFKZQ01LM it says that the sensor itself was dropped."""

FALL_WORDS: Mapping[str, Mapping[str, str | None]] = {
    "fall_status": {"fall_alarm": "fall", "fall": "fall", "fall_warning": "suspected"},
    "fall_down_status": {"fall": "fall", "maybe_fall": "suspected"},
}
"""Radar properties with words of their own. `normal`, `none` and `unknown` say nothing; others are `assistance`."""

STATE_PROPERTIES = frozenset({"occupancy", "presence", "contact", "vibration", "sensor_status"})
"""What makes a message an activity."""

REVERSED_MODELS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "TERNCY-DC01": {"contact": {"value_on": True, "value_off": False}},
    "POK003": {"contact": {"value_on": "ON", "value_off": "OFF"}},
    "POK010": {"contact": {"value_on": "ON", "value_off": "OFF"}},
    "DCR-CO": {"carbon_monoxide": {"value_on": "ON", "value_off": "OFF"}},
}
"""Models whose polarity differs from the rest; `exposes` of the profile goes first."""

PRESS_WINDOW_S = 2.0
"""One press is published on the base topic and on `/action`, each state twice within the second."""

WINDOWS_S: Mapping[str, float] = {
    "sos": 10.0,  # a latched `sos: true` comes again with every report; a second press must get through
    "fall": 30.0,
    "smoke": 60.0,
    "gas": 60.0,
    "water_leak": 60.0,
}
"""States that stay on are sent again with every report: within so many seconds they are one alarm."""

STATE_WINDOW_S = 3600.0  # technical states (tamper, battery)


def profiles_of(devices: object) -> dict[str, dict[str, Any]]:
    """Friendly name to profile, from the decoded body of `bridge/devices`; what cannot be read is left out."""
    found: dict[str, dict[str, Any]] = {}
    for one in as_list(devices, 1000):
        device = as_object(one)
        name, definition = device.get("friendly_name"), as_object(device.get("definition"))
        if isinstance(name, str) and definition:
            exposes: dict[str, Any] = {}
            _collect(definition.get("exposes"), exposes, 3)
            model = definition.get("model")
            found[clean_text(name, 200)] = {"model": model if isinstance(model, str) else "", "exposes": exposes}
    return found


def _collect(features: object, into: dict[str, Any], depth: int) -> None:
    for one in as_list(features):
        feature = as_object(one)
        name = feature.get("property")
        if feature.get("type") == "binary" and isinstance(name, str) and "value_on" in feature:
            into[name] = {"value_on": feature["value_on"], "value_off": feature.get("value_off")}
        if depth and "features" in feature:
            _collect(feature["features"], into, depth - 1)
