"""Commands to MiniFinder2 and Eview pendants: the hub's words to bodies of frames, and what their answers mean.

Sources: the maker's own published software for EV-07B (keys of type 04, answers' codes, the layouts of configuration
keys 30, 44 and 45) and, for reboot and interval, an independent server's encoder. Not tried on devices. The newer
EV-W101 generation has the same frame with other keys and is not spoken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["MINIFINDER2_COMMANDS", "minifinder2_body", "refusal"]

_CONFIG, _SYSTEM = 0x02, 0x04
_REBOOT, _FIND = 0x12, 0x13
_NUMBER_KEY, _INTERVAL_KEY, _FOLLOW_KEY = 0x30, 0x44, 0x45
_FOLLOW_EVERY_S, _FOLLOW_FOR_S = 20, 180
_HEARTBEAT_S, _HEARTBEAT_ON = 600, 1 << 31
_LAZY_S = 300
_NUMBER = re.compile(r"\+?[0-9]{3,19}", re.ASCII)
_ENABLED, _CALLS, _MESSAGES = 0x80, 0x40, 0x20

_REFUSALS: Mapping[int, str] = {
    0x11: "invalid version",
    0x12: "invalid encryption",
    0x13: "length",
    0x14: "checksum",
    0x15: "unknown command",
    0x16: "unknown key",
    0x17: "length of the key",
    0x21: "data format",
    0x22: "data size",
    0x23: "not in this state",
    0x24: "invalid parameter",
    0x25: "no memory",
    0x26: "function not supported",
    0x27: "GPS not ready",
    0xF0: "battery too low",
}


def _item(key: int, value: bytes = b"") -> bytes:
    return bytes((1 + len(value), key)) + value


def _interval(fields: Mapping[str, Any]) -> bytes:
    seconds = _whole(fields, "seconds", 10, 86_400)
    # Three u32: heartbeat, upload while moving, upload while still. One key holds them all.
    each = (_HEARTBEAT_ON | _HEARTBEAT_S, seconds, max(seconds, _LAZY_S))
    return bytes((_CONFIG,)) + _item(_INTERVAL_KEY, b"".join(value.to_bytes(4, "little") for value in each))


def _sos_number(fields: Mapping[str, Any]) -> bytes:
    slot = _whole(fields, "slot", 1, 10, default=1)
    number = fields.get("number")
    if not isinstance(number, str) or not _NUMBER.fullmatch(number):
        raise ValueError(f"number: a telephone number of 3 to 19 digits is needed, not {number!r}")
    flags = _ENABLED | _CALLS | _MESSAGES | (slot - 1)
    return bytes((_CONFIG,)) + _item(_NUMBER_KEY, bytes((flags,)) + number.encode("ascii"))


def _locate(_fields: Mapping[str, Any]) -> bytes:
    # The wire has no "one fix now": positions in close order for a while, which end by themselves.
    value = _FOLLOW_EVERY_S.to_bytes(2, "little") + _FOLLOW_FOR_S.to_bytes(2, "little")
    return bytes((_CONFIG,)) + _item(_FOLLOW_KEY, value)


def _whole(fields: Mapping[str, Any], name: str, low: int, high: int, default: int | None = None) -> int:
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name}: a whole number from {low} to {high} is needed, not {value!r}")
    return value


MINIFINDER2_COMMANDS: Mapping[str, Callable[[Mapping[str, Any]], bytes]] = {
    "locate": _locate,
    "find": lambda _: bytes((_SYSTEM,)) + _item(_FIND),
    "reboot": lambda _: bytes((_SYSTEM,)) + _item(_REBOOT),
    "set_interval": _interval,
    "set_sos_number": _sos_number,
}
"""The hub's command word to the body of a frame (type and items)."""


def minifinder2_body(command: str, fields: Mapping[str, Any]) -> bytes:
    """The body for one of `MINIFINDER2_COMMANDS`. KeyError: no such command; ValueError: a bad field."""
    return MINIFINDER2_COMMANDS[command](fields)


def refusal(code: int) -> str | None:
    """Why the device refuses, by the code of its answer; None: it does not (0)."""
    if code == 0:
        return None
    return f"the device refuses: {_REFUSALS.get(code, 'unknown reason')} (code {code:02x})"
