"""Commands to watches of the `[3G*..]` family: the hub's words to the protocol's contents, and contents to frames."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from devices.codecs.watch import watch_frame

__all__ = ["WATCH_COMMANDS", "watch_command", "watch_content"]

_VENDOR = re.compile(r"[0-9A-Za-z]{2}")
_ID = re.compile(r"[0-9A-Za-z]{1,32}")
_INDEX = re.compile(r"[0-9A-Fa-f]{4}")
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_CONTENT = re.compile(r"[^\[\]*\x00-\x1f]+")
_TEXT_LIMIT = 200
_FIRST_INDEX = "0001"


def watch_command(vendor: str, device_id: str, content: str, index: str | None = None) -> bytes:
    """One frame to a watch. `vendor`: the letters its own frames begin with.

    The ZJ dialect numbers its frames: give the index of the watch's last frame; without one, a first number is used.
    ValueError: anything that would not be one frame.
    """
    for pattern, value, name in (
        (_VENDOR, vendor, "vendor"),
        (_ID, device_id, "device id"),
        (_CONTENT, content, "content"),
    ):
        if not pattern.fullmatch(value):
            raise ValueError(f"watch {name} {value!r} cannot stand in a frame")
    if index is None:
        index = _FIRST_INDEX if vendor == "ZJ" else None
    elif not _INDEX.fullmatch(index):
        raise ValueError(f"watch index {index!r}: 4 hex digits")
    return watch_frame(vendor, device_id, content.encode("utf-8"), index)


def watch_content(command: str, params: Mapping[str, Any] | None = None) -> str:
    """The content for one of `WATCH_COMMANDS`. ValueError: a command these watches do not have, or a bad parameter."""
    build = WATCH_COMMANDS.get(command)
    if build is None:
        raise ValueError(f"a watch knows no command {command!r}; it knows {', '.join(WATCH_COMMANDS)}")
    return build(params or {})


def _whole(params: Mapping[str, Any], name: str, low: int, high: int, default: int | None = None) -> int:
    value = params.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name}: a whole number from {low} to {high} is needed, not {value!r}")
    return value


def _number(params: Mapping[str, Any], name: str = "number") -> str:
    value = params.get(name)
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise ValueError(f"{name}: a telephone number of 3 to 20 digits is needed, not {value!r}")
    return value


def _switch(params: Mapping[str, Any], name: str, default: bool) -> int:
    value = params.get(name, default)
    if not isinstance(value, bool):
        raise ValueError(f"{name}: true or false is needed, not {value!r}")
    return int(value)


def _speak(params: Mapping[str, Any]) -> str:
    text = params.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("text: something to say is needed")
    if len(text) > _TEXT_LIMIT:
        raise ValueError(f"text: {len(text)} characters, a watch takes {_TEXT_LIMIT}")
    return f"MESSAGE,{text.encode('utf-16-be', 'replace').hex()}"


_MEASURES = {
    None: "hrtstart,1",
    "heart_rate_bpm": "hrtstart,1",
    "systolic_mmhg": "hrtstart,1",
    "diastolic_mmhg": "hrtstart,1",
    "temperature_c": "bodytemp2",
}


def _measure(params: Mapping[str, Any]) -> str:
    metric = params.get("metric")
    if (metric is not None and not isinstance(metric, str)) or metric not in _MEASURES:
        raise ValueError(f"metric: a watch measures {', '.join(name for name in _MEASURES if name)}, not {metric!r}")
    return _MEASURES[metric]


WATCH_COMMANDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "locate": lambda _: "CR",  # a fix every 20 s for 3 minutes
    "find": lambda _: "FIND",
    "reboot": lambda _: "RESET",
    "measure": _measure,
    "measure_interval": lambda params: f"HEALTHAUTOSET,1,1,{_whole(params, 'seconds', 60, 65_535)}",
    "speak": _speak,
    "call": lambda params: f"CALL,{_number(params)}",
    "set_interval": lambda params: f"UPLOAD,{_whole(params, 'seconds', 10, 65_535)}",
    "set_sos_number": lambda params: f"SOS{_whole(params, 'slot', 1, 3, default=1)},{_number(params)}",
    "fall_alarm": lambda params: f"FALLDOWN,{_switch(params, 'on', True)},{_switch(params, 'call', False)}",
    "fall_sensitivity": lambda params: f"LSSET,{_whole(params, 'level', 1, 8)}+8",
    "take_off_alarm": lambda params: f"REMOVE,{_switch(params, 'on', True)}",
    "low_battery_sms": lambda params: f"LOWBAT,{_switch(params, 'on', True)}",
}
"""The hub's command word to the content. Listening in is deliberately not among them."""
