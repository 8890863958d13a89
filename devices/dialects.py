"""What each family can be told, and how: the hub's command words to frames and messages, and answers back to commands.

A family that is not in `DIALECTS` only reports. Encoders of trackers follow public protocol descriptions; listening in
is deliberately not among the commands. Pure; ValueError names what is wrong with a command or its fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from devices.codecs.gt06_body import gt06_frame
from devices.codecs.minifinder2 import minifinder2_frame
from devices.codecs.minifinder2_commands import MINIFINDER2_COMMANDS, minifinder2_body, refusal
from devices.codecs.watch_commands import WATCH_COMMANDS, watch_command, watch_content
from devices.commands import CARE_COMMANDS, care_command, command_payload
from devices.fields import clean_text
from devices.model import Event, Reply

__all__ = ["DIALECTS", "Answer", "Dialect", "Order", "answer_of", "commands_of", "token_of"]

_ENCODER = msgspec.json.Encoder()
_SERIAL = re.compile(r"(?:^|,)(\d{6})(?:,|#|$)", re.ASCII)
_TEXT_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Order:
    """One command for one device. `last_frame`: what it sent last on its open connection, whose dialect to speak."""

    device_id: str
    command_id: str
    command: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    last_frame: bytes = b""
    at: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    @property
    def serial(self) -> str:
        """Six digits by which a device that numbers commands names this one in its answer."""
        return f"{int.from_bytes(blake2b(self.command_id.encode(), digest_size=4).digest()) % 1_000_000:06d}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device said to a command. `token`: which one (see `token_of`).

    `done`: it did it; `taken`: it has it, what comes of it follows; `failed`: it did not, `reason` says why.
    """

    token: str
    state: Literal["done", "taken", "failed"]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a family is told. `again`: commands that may be sent once more when nothing was heard of the first."""

    via: Literal["mqtt", "tcp"]
    names: tuple[str, ...]
    encode: Callable[[Order], Reply]
    token: Callable[[Order], str]
    answer: Callable[[Event], Answer | None]
    again: frozenset[str] = frozenset({"locate", "measure", "set_interval", "find"})
    open: bool = False
    """Other words than `names` may be sent too: the device answers those it does not know."""


def commands_of(family: str) -> tuple[str, ...]:
    """The command words a family has; empty where it only reports."""
    found = DIALECTS.get(family)
    return found.names if found is not None else ()


def token_of(family: str, order: Order) -> str:
    """By what the device's answer names this command. ValueError: the family has no such command, or a field is wrong.

    Encodes the whole command to find that out, so that a wrong one is refused when it is given and not when it leaves.
    """
    dialect = DIALECTS.get(family)
    if dialect is None:
        raise ValueError(f"devices of family {family} only report, they cannot be told anything")
    if order.command not in dialect.names and not dialect.open:
        raise ValueError(f"devices of family {family} have no command {order.command!r}; {', '.join(dialect.names)}")
    dialect.encode(order)
    return dialect.token(order)


def answer_of(family: str, event: Event) -> Answer | None:
    """What a reply event answers; None where it answers no command."""
    dialect = DIALECTS.get(family)
    return dialect.answer(event) if dialect is not None and event.kind == "reply" else None


# --- fields -----------------------------------------------------------------------------------------------------------


def _seconds(fields: Mapping[str, Any], low: int, high: int) -> int:
    value = fields.get("seconds")
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"seconds: a whole number from {low} to {high} is needed, not {value!r}")
    return value


def _text(fields: Mapping[str, Any]) -> str:
    text = fields.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("text: something to say is needed")
    if len(text) > _TEXT_LIMIT:
        raise ValueError(f"text: {len(text)} characters, {_TEXT_LIMIT} are allowed")
    return text


# --- care/v1 ----------------------------------------------------------------------------------------------------------


def _care(order: Order) -> Reply:
    _care_fields(order)
    return care_command(order.device_id, order.command_id, order.command, order.fields)


def _care_fields(order: Order) -> None:
    command_payload(order.command_id, order.command, order.fields)
    if order.command == "speak":
        _text(order.fields)
    elif order.command == "set_interval":
        _seconds(order.fields, 1, 86_400)
    elif order.command == "call":
        number = order.fields.get("number")
        if not isinstance(number, str) or not re.fullmatch(r"\+?[0-9]{3,20}", number):
            raise ValueError(f"number: a telephone number of 3 to 20 digits is needed, not {number!r}")


def _care_answer(event: Event) -> Answer | None:
    if event.ref is None:
        return None
    status = event.attributes.get("status")
    reason = event.attributes.get("reason")
    said = clean_text(reason, 500) if isinstance(reason, str) and reason else None
    if status in ("done", "ok", None):
        return Answer(event.ref, "done", said)
    if status in ("received", "accepted", "running"):
        return Answer(event.ref, "taken", said)
    word = clean_text(str(status), 64)
    return Answer(event.ref, "failed", f"{word}: {said}" if said else word)


# --- watch ------------------------------------------------------------------------------------------------------------


def _watch(order: Order) -> Reply:
    last = order.last_frame
    vendor = last[1:3].decode("ascii", "replace") if last else "3G"
    parts = last.split(b"*", 3)
    index = parts[2].decode("ascii", "replace") if vendor == "ZJ" and len(parts) > 3 else None
    frame = watch_command(vendor, order.device_id, watch_content(order.command, order.fields), index)
    return Reply(frame, after_commit=False)


def _watch_token(order: Order) -> str:
    return watch_content(order.command, order.fields).partition(",")[0].upper()


def _said(event: Event) -> str:
    return str(event.attributes.get("content") or "")


def _watch_answer(event: Event) -> Answer | None:
    word = event.attributes.get("command")
    return Answer(str(word).upper(), "taken") if word else None


# --- iw ---------------------------------------------------------------------------------------------------------------

_IW_MEASURES: Mapping[Any, str] = {
    None: "BPXL",
    "heart_rate_bpm": "BPXL",
    "systolic_mmhg": "BPXY",
    "diastolic_mmhg": "BPXY",
    "temperature_c": "BPXT",
    "spo2_pct": "BPXZ",
}


def _iw_measure(fields: Mapping[str, Any]) -> tuple[str, str]:
    metric = fields.get("metric")
    if (metric is not None and not isinstance(metric, str)) or metric not in _IW_MEASURES:
        raise ValueError(f"metric: these watches measure {', '.join(m for m in _IW_MEASURES if m)}, not {metric!r}")
    return _IW_MEASURES[metric], ""


_IW: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "locate": lambda _: ("BP16", ""),
    "measure": _iw_measure,
    "speak": lambda fields: ("BP40", f",{_text(fields).encode('utf-16-be', 'replace').hex().upper()}"),
    "set_interval": lambda fields: ("BP15", f",{_seconds(fields, 10, 65_535)}"),
    "reboot": lambda _: ("BP18", ""),
}


def _iw(order: Order) -> Reply:
    word, more = _IW[order.command](order.fields)
    vendor = "TRV" if order.last_frame.startswith(b"TRV") else "IW"
    return Reply(f"{vendor}{word},{order.device_id},{order.serial}{more}#".encode("ascii"), after_commit=False)


def _iw_answer(event: Event) -> Answer | None:
    found = _SERIAL.search(_said(event))
    return Answer(found[1], "taken") if found else None


# --- minifinder2 ------------------------------------------------------------------------------------------------------

_ASKS_FOR_AN_ANSWER = 0x10


def _index(order: Order) -> int:
    """The number of the frame, which its answer repeats."""
    return int(order.serial) & 0xFFFF


def _minifinder2(order: Order) -> Reply:
    body = minifinder2_body(order.command, order.fields)
    return Reply(minifinder2_frame(body, _index(order), _ASKS_FOR_AN_ANSWER), after_commit=False)


def _minifinder2_answer(event: Event) -> Answer | None:
    index, code = event.attributes.get("index"), event.attributes.get("code", 0)
    if not isinstance(index, int) or not isinstance(code, int):
        return None
    reason = refusal(code)
    return Answer(f"{index:04x}", "taken" if reason is None else "failed", reason)


# --- gt06, h02 --------------------------------------------------------------------------------------------------------

_GT06: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "locate": lambda _: "WHERE#",
    "set_interval": lambda fields: "TIMER,{0},{0}#".format(_seconds(fields, 10, 18_000)),
    "reboot": lambda _: "RESET#",
}


def _gt06(order: Order) -> Reply:
    text = _GT06[order.command](order.fields).encode("ascii")
    number = int(order.serial)
    content = bytes((4 + len(text),)) + number.to_bytes(4, "big") + text + b"\x00\x02"
    return Reply(gt06_frame(0x80, number & 0xFFFF, content), after_commit=False)


_H02: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    # One position now. Some makers read the first number as a new reporting interval: one that a battery can bear.
    "locate": lambda _: ("D1", ",60,1"),
    "set_interval": lambda fields: ("S71", f",22,{_seconds(fields, 10, 65_535)}"),
    "reboot": lambda _: ("R1", ""),
}


def _h02(order: Order) -> Reply:
    word, more = _H02[order.command](order.fields)
    last = order.last_frame
    vendor = last[1:3].decode("ascii") if re.match(rb"\*[A-Za-z]{2},", last) else "HQ"
    frame = f"*{vendor},{order.device_id},{word},{order.at.astimezone(UTC):%H%M%S}{more}#"
    return Reply(frame.encode("ascii"), after_commit=False)


def _h02_answer(event: Event) -> Answer | None:
    word = event.attributes.get("command")
    return Answer(str(word).upper(), "taken") if word else None


# --- owntracks --------------------------------------------------------------------------------------------------------


def _owntracks(order: Order) -> Reply:
    user, _, phone = order.device_id.partition(":")
    if not phone or ":" in phone:
        raise ValueError(f"the topic of {order.device_id} cannot be told from its id")
    body = _ENCODER.encode({"_type": "cmd", "action": "reportLocation"})
    return Reply(body, f"owntracks/{user}/{phone}/cmd")


DIALECTS: Mapping[str, Dialect] = {
    "care": Dialect(
        "mqtt",
        CARE_COMMANDS,
        _care,
        lambda order: order.command_id,
        _care_answer,
        again=frozenset(CARE_COMMANDS),
        open=True,
    ),
    "watch": Dialect("tcp", tuple(WATCH_COMMANDS), _watch, _watch_token, _watch_answer),
    "iw": Dialect("tcp", tuple(_IW), _iw, lambda order: order.serial, _iw_answer),
    "minifinder2": Dialect(
        "tcp",
        tuple(MINIFINDER2_COMMANDS),
        _minifinder2,
        lambda order: f"{_index(order):04x}",
        _minifinder2_answer,
        again=frozenset({"locate", "find", "set_interval", "set_sos_number"}),
    ),
    # Its answer is a text that names no command: it belongs to the oldest that waits.
    "gt06": Dialect("tcp", tuple(_GT06), _gt06, lambda _: "*", lambda _: Answer("*", "taken")),
    "h02": Dialect("tcp", tuple(_H02), _h02, lambda order: _H02[order.command](order.fields)[0], _h02_answer),
    "owntracks": Dialect("mqtt", ("locate",), _owntracks, lambda _: "location", lambda _: None),
}
"""Family to what it can be told. A family that is missing here only reports."""
