"""The `[3G*..]` watch family (SeTracker, Beesure, 4P-Touch and many brands) over TCP. See docs/wire/watch.md.

Rules that decide here:
- every alarm bit of the status word is an alarm of its own; an AL frame without any is `assistance`;
- nothing authenticates these frames, so each event says `attributes["trust"] = "unauthenticated"`;
- the answer to AL leaves only after the commit: without it the watch repeats, with it it stops for ever;
- the protocol's key is (id, date, time, status word): two presses within one second look like one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.codecs.watch_cloud import decode_push
from devices.codecs.watch_position import TRUST, position_events, read_cells, read_position
from devices.codecs.watch_table import COMMAND_WORDS
from devices.fields import Faults, battery, clean_text, metric, show
from devices.model import Decoded, DeviceRef, Event, EventKind, Reply, Uplink

__all__ = ["WatchCodec", "watch_frame"]

_FRAME = re.compile(
    rb"\[([0-9A-Za-z]{2})\*([0-9A-Za-z]{1,32})"
    rb"(?:\*([0-9A-Fa-f]{4})(?=\*[0-9A-Fa-f]{4}\*))?"  # an index only where a length follows it
    rb"\*(?:([^*,\[\]]{0,8})\*)?"  # LEN, whatever it says: brackets have framed it already
    rb"(.*)\]",
    re.DOTALL,
)
_GLUED = re.compile(rb"\](?=\s*\[[0-9A-Za-z]{2}\*[0-9A-Za-z]{4,20}\*(?:[0-9A-Fa-f]{4}\*)?[0-9A-Fa-f]{4}\*)")
_MAX_GLUED = 64


@dataclass(frozen=True, slots=True)
class _Frame:
    vendor: str
    device_id: str
    index: str | None
    word: str
    fields: Sequence[str]
    content: bytes
    profile: Mapping[str, Any]

    def event(
        self,
        kind: EventKind,
        attributes: Mapping[str, Any] | None = None,
        faults: Faults | None = None,
        vitals: Mapping[str, float] | None = None,
        battery_pct: int | None = None,
    ) -> Event:
        kept: dict[str, Any] = {"trust": TRUST, "message": self.word, **(attributes or {})}
        if faults:
            kept["faults"] = faults
        return Event(self.device_id, kind, vitals=vitals or {}, battery_pct=battery_pct, attributes=kept)

    def reply(self, content: str, after_commit: bool) -> tuple[Reply, ...]:
        frame = watch_frame(self.vendor, self.device_id, content.encode(), self.index)
        return (Reply(frame, after_commit=after_commit),)


_Answer = tuple[tuple[Event, ...], tuple[Reply, ...]]


def watch_frame(vendor: str, device_id: str, content: bytes, index: str | None = None) -> bytes:
    """One frame around `content` (already escaped where it is binary); `index` as the ZJ dialect numbers its frames."""
    middle = f"*{index}" if index is not None else ""
    return f"[{vendor}*{device_id}{middle}*{len(content):04x}*".encode() + content + b"]"


class WatchCodec:
    """The codec of family `watch`. One uplink is one frame; frames glued together are taken one by one."""

    family = "watch"

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        """Events and answers of one frame, or of one push of a watch cloud (a JSON object).

        The device id is the message's own; `device` gives the profile.
        """
        payload = uplink.payload.strip(b"\r\n\t \x00")
        if payload.startswith(b"{"):
            return decode_push(payload, device)
        parts = [payload] if _is_binary(payload) else _split(payload)
        if len(parts) == 1:
            return _decode(payload, device)
        all_of = [_decode(part, device) for part in parts]
        return Decoded(
            tuple(event for one in all_of for event in one.events),
            tuple(reply for one in all_of for reply in one.replies),
            "; ".join(one.error for one in all_of if one.error) or None,
        )


def _split(payload: bytes) -> list[bytes]:
    parts: list[bytes] = []
    start = 0
    for match in _GLUED.finditer(payload):
        if len(parts) == _MAX_GLUED:
            break
        parts.append(payload[start : match.end()].strip())
        start = match.end()
    return [*parts, payload[start:].strip()]


def _is_binary(payload: bytes) -> bool:
    """Voice and pictures may hold anything, also what looks like a frame."""
    match = _FRAME.fullmatch(payload)
    return match is not None and match[5].partition(b",")[0].strip().upper() in (b"TK", b"JXTK", b"IMG")


def _decode(payload: bytes, device: DeviceRef) -> Decoded:
    match = _FRAME.fullmatch(payload)
    if match is None:
        return Decoded(error=f"not a [VV*ID*LEN*content] frame: {show(payload[:60].decode('utf-8', 'replace'))}")
    content = match[5]
    fields = content.decode("utf-8", "replace").split(",")
    word = clean_text(fields[0].strip(), 32)
    frame = _Frame(
        match[1].decode(),
        match[2].decode(),
        match[3].decode() if match[3] else None,
        word,
        fields,
        content,
        device.profile,
    )
    events, replies = _reader(word)(frame)
    return Decoded(events, replies)


def _reader(word: str) -> Callable[[_Frame], _Answer]:
    upper = word.upper()
    found = _READERS.get(upper)
    if found is not None:
        return found
    if upper.startswith("AL"):
        return _alarm
    if upper.startswith(("UD", "WT_")) or upper == "WT":
        return _position
    return _reply if upper in COMMAND_WORDS else _unsupported


# --- positions and alarms ---------------------------------------------------------------------------------------------


def _position(frame: _Frame) -> _Answer:
    if len(frame.fields) < 4:
        return _unsupported(frame)
    return _events(frame, must_alarm=False), ()


def _alarm(frame: _Frame) -> _Answer:
    return _events(frame, must_alarm=True), frame.reply("AL", after_commit=True)


def _events(frame: _Frame, must_alarm: bool) -> tuple[Event, ...]:
    faults: Faults = {}
    here = read_position(frame.fields, faults)
    return position_events(frame.device_id, frame.word, frame.profile, here, faults, must_alarm)


# --- the rest ---------------------------------------------------------------------------------------------------------


def _values(frame: _Frame) -> list[str]:
    return [text.strip() for text in frame.fields[1:]]


def _link(frame: _Frame) -> _Answer:
    """LK, the heartbeat: bare, or steps and battery, or steps, tumbles and battery."""
    faults: Faults = {}
    values = _values(frame)
    vitals: dict[str, float] = {}
    attributes: dict[str, Any] = {}
    level = None
    if len(values) >= 2:
        steps = metric("steps", values[0], faults)
        if steps is not None:
            vitals["steps"] = int(steps)
        level = battery(values[1] if len(values) == 2 else values[2], faults) or None
        if len(values) > 2 and values[1].isascii() and values[1].isdigit() and len(values[1]) < 10:
            attributes["tumbles"] = int(values[1])
    event = frame.event("heartbeat", attributes, faults, vitals, level)
    return (event,), frame.reply("LK", after_commit=False)


def _measured(*names: str, last: bool = False, reply: str | None = None) -> Callable[[_Frame], _Answer]:
    """A measurement: values in the order of `names`, or (`last`) one value behind an optional kind of measurement."""

    def read(frame: _Frame) -> _Answer:
        faults: Faults = {}
        vitals: dict[str, float] = {}
        attributes: dict[str, Any] = {}
        values = _values(frame)
        if last and len(values) > 1:
            attributes["measurement"] = clean_text(values[0], 16)
            values = values[1:]
        for name, text in zip(names, values, strict=False):
            found = metric(name, text, faults)
            if found is not None:
                vitals[name] = int(found) if found == int(found) and name != "temperature_c" else found
        if not vitals and not faults:
            attributes["measurement_failed"] = True
        event = frame.event("vitals", attributes, faults, vitals)
        return (event,), frame.reply(reply, after_commit=True) if reply else ()

    return read


def _answered(kind: EventKind, content: str) -> Callable[[_Frame], _Answer]:
    """A message that only wants its answer; what it says is kept as text."""

    def read(frame: _Frame) -> _Answer:
        said = ",".join(_values(frame))
        event = frame.event(kind, {"content": clean_text(said)} if said else None)
        return (event,), frame.reply(content, after_commit=False)

    return read


def _named(attribute: str) -> Callable[[_Frame], _Answer]:
    def read(frame: _Frame) -> _Answer:
        return (frame.event("status", {attribute: clean_text(",".join(_values(frame)), 256)}),), ()

    return read


def _cells(frame: _Frame) -> _Answer:
    """GS1: the radio cells around, nothing else."""
    towers, _ = read_cells(_values(frame))
    return (frame.event("location", {"cells": towers}),), ()


def _voice(frame: _Frame) -> _Answer:
    """TK with sound in it; `TK,1` and `TK,0` are the watch's own answer to sound it was sent."""
    _, _, sound = frame.content.partition(b",")
    if sound.strip() in (b"0", b"1"):
        return (frame.event("reply", {"content": sound.strip().decode()}),), ()
    event = frame.event("activity", {"state": "voice_message", "bytes": len(sound)})
    return (event,), frame.reply("TK,1", after_commit=True)


def _voice_piece(frame: _Frame) -> _Answer:
    _, _, sound = frame.content.partition(b",")
    event = frame.event("activity", {"state": "voice_message", "bytes": len(sound)})
    return (event,), frame.reply("JXTKR,1", after_commit=True)


def _picture(frame: _Frame) -> _Answer:
    """img: what made it take one, when, and the picture itself, which is not kept."""
    _, _, picture = frame.content.partition(b",")
    return (frame.event("activity", {"state": "picture", "bytes": len(picture)}),), ()


def _reply(frame: _Frame) -> _Answer:
    said = ",".join(_values(frame))
    return (frame.event("reply", {"command": frame.word, "content": clean_text(said)}),), ()


def _unsupported(frame: _Frame) -> _Answer:
    return (frame.event("unsupported", {"content": clean_text(frame.content.decode("utf-8", "replace"))}),), ()


_READERS: Mapping[str, Callable[[_Frame], _Answer]] = {
    "LK": _link,
    "HEART": _measured("heart_rate_bpm"),
    "PULSE": _measured("heart_rate_bpm"),
    "BLOOD": _measured("systolic_mmhg", "diastolic_mmhg"),
    "BPHRT": _measured("systolic_mmhg", "diastolic_mmhg", "heart_rate_bpm", reply="bphrt"),
    "TEMP": _measured("temperature_c", last=True),
    "BTEMP2": _measured("temperature_c", last=True, reply="btemp2"),
    "OXYGEN": _measured("spo2_pct", last=True, reply="oxygen,1"),
    "TKQ": _answered("heartbeat", "TKQ"),
    "TKQ2": _answered("heartbeat", "TKQ2"),
    "INIT": _answered("status", "INIT,1"),
    "CONFIG": _answered("status", "CONFIG,1"),
    "ICCID": _named("iccid"),
    "CCID": _named("iccid"),
    "VERNO": _named("firmware"),
    "GS1": _cells,
    "TK": _voice,
    "JXTK": _voice_piece,
    "IMG": _picture,
}
