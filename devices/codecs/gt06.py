"""The GT06 family (Concox, Jimi and many copies) as far as people wear it, over TCP. See docs/wire/gt06.md.

Rules that decide here:
- only the login says whose connection it is; all else carries the id the gateway learned from it;
- the alarm byte and the alarm in the state byte each give an event, one where both say the same;
- a wrong checksum is told (`faults`) and drops nothing: some copies compute it wrongly, some leave it out;
- the serial number is part of an alarm's key: without a fix some devices repeat an old time.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from devices.alarm_types import UNKNOWN_TYPE
from devices.codecs.gt06_answers import replies, wifi_message
from devices.codecs.gt06_body import ALARM_CODES, STATE_ALARMS, Body, crc_x25
from devices.codecs.tracker import Teller, word_of
from devices.fields import Faults, clean_text
from devices.model import Decoded, DeviceRef, Event, Uplink

__all__ = ["Gt06Codec"]

_LOGIN = 0x01


@dataclass(frozen=True, slots=True)
class _Frame:
    kind: int
    wide: bool
    serial: int
    body: Body
    teller: Teller
    raw: bytes


class Gt06Codec:
    """The codec of family `gt06`. One uplink is one message."""

    family = "gt06"

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        """Events and answers of one message. `device` gives the id learned at the login, and the profile."""
        raw = uplink.payload
        wide = raw[:2] == b"\x79\x79"
        head = 4 if wide else 3
        if len(raw) < head + 3 or raw[:2] not in (b"\x78\x78", b"\x79\x79"):
            return Decoded(error=f"not a message of 7878 or 7979, length, type ... 0D0A: {raw[:16].hex()}")
        kind = raw[head]
        if not wide and kind in (0x69, 0x17):
            stations = wifi_message(raw, device)
            if stations is not None:
                return stations
        faults: Faults = {}
        core = raw[: -2 if raw.endswith(b"\r\n") else -1 if raw.endswith(b"\r") else None]
        size = int.from_bytes(raw[2:head], "big")
        if len(core) != head + size:
            faults["length"] = f"{size} announced, {len(core) - head} sent"
        crc, counted = int.from_bytes(core[-2:], "big"), core[2:-2]
        if crc != crc_x25(counted):
            faults["crc"] = f"{crc:04x} sent, {crc_x25(counted):04x} computed"
        if len(core) < head + 5:
            return Decoded(error=f"a message of type {kind:02x} without serial number and checksum: {raw[:16].hex()}")
        body = Body(core[head + 1 : -4], device.profile, faults)
        device_id = _imei(body.content) if kind == _LOGIN and not wide else None
        if kind in _READERS and not wide and _told_before_time(body.content):
            device_id, body.content = _imei(body.content), body.content[8:]
        teller = Teller("gt06", device_id or device.device_id, f"{kind:02x}", faults)
        serial = int.from_bytes(core[-4:-2], "big")
        frame = _Frame(kind, wide, serial, body, teller, raw)
        reader = (_WIDE if wide else _READERS).get(kind, _unsupported)
        try:
            events = reader(frame)
        except (IndexError, struct.error):
            events = _short(frame, core[head + 1 :], reader)
        alarm = any(event.kind == "alarm" for event in events)
        return Decoded(events, replies(kind, wide, serial, alarm, uplink.received_at))


def _imei(content: bytes) -> str | None:
    text = content[:8].hex()
    if len(text) < 16 or not text.isdigit():
        return None
    return text[1:] if text[0] == "0" else text


def _told_before_time(content: bytes) -> bool:
    """Whether an IMEI stands before the time, as newer firmwares put it."""
    if len(content) < 26 or content[0] >> 4 or _imei(content) is None:
        return False
    return _is_time(content[8:14]) and not _is_time(content[:6])


def _is_time(part: bytes) -> bool:
    _year, month, day, hour, minute, second = part
    return 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60


# --- readers ----------------------------------------------------------------------------------------------------------


def _login(frame: _Frame) -> tuple[Event, ...]:
    attributes: dict[str, Any] = {"state": "login"}
    content = frame.body.content
    if len(content) >= 12:
        zone = int.from_bytes(content[10:12], "big")
        minutes = (zone >> 4) // 100 * 60 + (zone >> 4) % 100
        attributes["utc_offset_minutes"] = -minutes if zone & 8 else minutes
    if _imei(content) is None:
        frame.teller.faults["imei"] = f"{content[:8].hex()} is not an IMEI"
    return (frame.teller.event("status", attributes),)


def _location(*, lac_size: int = 2, cell_size: int = 3, cell: bool = True) -> Callable[[_Frame], tuple[Event, ...]]:
    def read(frame: _Frame) -> tuple[Event, ...]:
        frame.body.position()
        if cell and frame.body.left >= 3 + lac_size + cell_size:
            frame.body.cell(lac_size=lac_size, cell_size=cell_size)
        return (_here(frame),)

    return read


def _here(frame: _Frame) -> Event:
    return frame.teller.event("location", frame.body.attributes, mark=f"{frame.serial:04x}", **_said(frame))


def _said(frame: _Frame) -> dict[str, Any]:
    body = frame.body
    return {"observed_at": body.observed_at, "fix": body.fix, "battery_pct": body.battery_pct}


def _reporting(frame: _Frame) -> tuple[Event, ...]:
    """22, 37, 2D: behind the cell, ignition, the reason of the report, and whether it was stored."""
    frame.body.position()
    if frame.body.left >= 8:
        frame.body.cell()
    stored = False
    if frame.body.left >= 3:
        frame.body.byte()
        frame.body.attributes["reason"] = frame.body.byte()
        stored = frame.body.byte() == 1
    return (
        frame.teller.event(
            "location", frame.body.attributes, mark=f"{frame.serial:04x}", buffered=stored, **_said(frame)
        ),
    )


def _alarms(frame: _Frame, state: int | None, code: int | None, must_alarm: bool) -> tuple[Event, ...]:
    """An event for the alarm byte and one for the alarm of the state byte, where that says something else."""
    profile = frame.body.profile
    said: list[tuple[str, str | None]] = []
    if code:
        said.append((f"{code:02x}", word_of(f"{code:02x}", ALARM_CODES, profile, "alarm_codes")))
    if state:
        word = word_of(state, STATE_ALARMS, profile, "state_alarms")
        # 5-7 differ from maker to maker: beside a code they only repeat it.
        if (word is None and not said) or (word is not None and word not in [other for _, other in said]):
            said.append((f"state {state}", word))
    events = [
        frame.teller.alarm(
            shown, word, frame.body.attributes, mark=f"{frame.serial:04x}-{shown.replace(' ', '')}", **_said(frame)
        )
        for shown, word in said
    ]
    if not events and must_alarm:
        attributes = {**frame.body.attributes, "code": "none" if code is None else f"{code:02x}"}
        mark = f"{frame.serial:04x}-none"
        events.append(frame.teller.event("alarm", attributes, type=UNKNOWN_TYPE, mark=mark, **_said(frame)))
    return tuple(events)


def _alarm(
    *, position: bool = True, counted: bool = True, lac_size: int = 2, cell_size: int = 3, must_alarm: bool = True
) -> Callable[[_Frame], tuple[Event, ...]]:
    """Position and cell, then state, battery, GSM, alarm byte, language."""

    def read(frame: _Frame) -> tuple[Event, ...]:
        body = frame.body
        state = code = None
        try:
            if position:
                body.position()
            body.cell(counted, lac_size, cell_size)
            state = body.state()
            code = body.byte()
        except (IndexError, struct.error):
            frame.teller.faults["content"] = f"{len(body.content)} bytes are too few for type {frame.kind:02x}"
        cut_short = code is None and frame.kind != 0x16  # what it was cannot be known, that it was one can
        found = _alarms(frame, state, code, cut_short or (must_alarm and code != 0))
        return found or (_here(frame),)

    return read


def _fence(frame: _Frame) -> tuple[Event, ...]:
    """A3: a position with its cell, or, in short ones, only state and alarm."""
    if len(frame.body.content) >= 24:
        return _alarm(must_alarm=False)(frame)
    state = frame.body.state()
    return _alarms(frame, state, frame.body.byte(), must_alarm=True)


def _heartbeat(frame: _Frame) -> tuple[Event, ...]:
    body = frame.body
    if len(body.content) in (14, 13):  # state, satellites, alarm, language, battery in percent, and more
        status, _satellites, code, _language, level = body.byte(), body.number(2), body.byte(), body.byte(), body.byte()
        body.attributes["status"] = f"{status:02x}"
        body.attributes["charging"] = bool(status >> 2 & 1)
        body.battery_pct = level if 0 < level <= 100 else None
        state: int | None = status >> 3 & 7
    else:
        state = body.state(volts=True)
        wide = "power_v" in body.attributes
        code = body.byte() if body.left and not wide else 0
    alarms = _alarms(frame, state if state in STATE_ALARMS else None, code, must_alarm=False)
    return (*alarms, frame.teller.event("heartbeat", body.attributes, battery_pct=body.battery_pct))


def _long_heartbeat(frame: _Frame) -> tuple[Event, ...]:
    """23: the battery in hundredths of a volt."""
    body = frame.body
    status = body.byte()
    body.attributes["status"] = f"{status:02x}"
    body.attributes["charging"] = bool(status >> 2 & 1)
    if body.left >= 2:
        body.attributes["battery_v"] = body.number(2) / 100
    if body.left:
        body.attributes["gsm_level"] = body.byte()
    return (frame.teller.event("heartbeat", body.attributes),)


def _surroundings(
    *, lac_size: int = 2, cell_size: int = 3, wifi: bool = False
) -> Callable[[_Frame], tuple[Event, ...]]:
    """Time, up to seven cells, and in some Wi-Fi stations: no position."""

    def read(frame: _Frame) -> tuple[Event, ...]:
        body = frame.body
        body.time()
        body.cells(min(7, (body.left - 3) // (lac_size + cell_size + 1)), lac_size, cell_size)
        if wifi and body.left >= 2:
            body.byte()
            body.stations(body.byte())
        return (_here(frame),)

    return read


def _wifi_or_position(frame: _Frame) -> tuple[Event, ...]:
    """A2: cells and stations, and from some devices a position instead (its byte of satellites begins with C)."""
    content = frame.body.content
    if len(content) >= 18 and content[6] >> 4 == 0xC:
        return _location(lac_size=4, cell_size=8)(frame)
    return _surroundings(lac_size=4, cell_size=8, wifi=True)(frame)


_WATCH_CODES: Mapping[str, str] = {
    "a0": "status", "a1": "status", "a2": "low_battery", "a3": "low_battery", "a5": "door",
}  # fmt: skip


def _wide_position(frame: _Frame) -> tuple[Event, ...]:
    """32 and 33 with two bytes of length: each part behind its own length; 33 is an alarm."""
    body = frame.body
    body.time()
    if body.byte():
        body.attributes["satellites"] = body.byte() & 15
        north, east, speed, flags = body.number(4), body.number(4), body.byte(), body.number(2)
        body.place(north, east, flags)
        if body.fix is not None:
            body.attributes |= {"speed_kmh": speed, "course_deg": flags & 0x3FF}
    before = body.at
    body.cell(counted=True)
    if body.at > before + 1:
        body.attributes["gsm_level"] = body.byte()
    for _ in range(2):  # more cells, Wi-Fi stations
        size = body.byte()
        body.at += size
    code = f"{body.byte():02x}"
    if frame.kind == 0x32:
        body.attributes["status"] = code
        return (_here(frame),)
    word = word_of(code, _WATCH_CODES, body.profile, "event_codes")
    return (frame.teller.alarm(code, word, body.attributes, mark=f"{frame.serial:04x}-{code}", **_said(frame)),)


def _access_points(frame: _Frame) -> tuple[Event, ...]:
    frame.body.time()
    frame.body.stations(frame.body.byte(), gap=2, level=False)
    return (_here(frame),)


_EVENT_CODES: Mapping[str, str] = {"01": "sos", "80": "vibration", "87": "overspeed", "93": "accident"}


def _event(frame: _Frame) -> tuple[Event, ...]:
    """95: a time, in long ones a position, and an event of its own numbering."""
    body = frame.body
    body.time()
    if body.left > 9:
        north, east, flags = body.number(4), body.number(4), body.number(2)
        body.place(north, east, flags)
    code = f"{body.byte():02x}"
    word = word_of(code, _EVENT_CODES, body.profile, "event_codes")
    mark = f"{frame.serial:04x}-{code}"
    return (frame.teller.alarm(code, word, body.attributes, mark=mark, **_said(frame)),)


def _answer(frame: _Frame) -> tuple[Event, ...]:
    """15, 21: what the device says to a command, as text."""
    content = frame.body.content
    # Its length counts the four bytes before the text; behind it some name a language.
    told = not frame.wide and content[:1] and 4 <= content[0] < len(content)
    text = content[5 : 1 + content[0]] if told else content[5:]
    two_bytes = frame.wide and len(content) > 4 and content[4] == 2
    said = text.decode("utf-16-be" if two_bytes else "utf-8", "replace").strip("\x00")
    return (frame.teller.event("reply", {"content": clean_text(said)}),)


def _asks(what: str) -> Callable[[_Frame], tuple[Event, ...]]:
    def read(frame: _Frame) -> tuple[Event, ...]:
        return (frame.teller.event("status", {"asks_for": what}),)

    return read


def _unsupported(frame: _Frame) -> tuple[Event, ...]:
    return (frame.teller.event("unsupported", {"content": frame.raw[:512].hex()}),)


def _short(frame: _Frame, whole: bytes, reader: Callable[[_Frame], tuple[Event, ...]]) -> tuple[Event, ...]:
    """Less content than the type has: without a right checksum there may be none, nor a serial number. Else an alarm is
    one all the same.
    """
    body = frame.body
    if "crc" in body.faults and len(whole) > len(body.content):
        body.content, body.at = whole, 0
        try:
            return reader(frame)
        except (IndexError, struct.error):
            pass
    body.faults["content"] = f"{len(body.content)} bytes are too few for type {frame.kind:02x}"
    if frame.kind == 0x33 if frame.wide else frame.kind in (0x26, 0x27, 0x95, 0xA3, 0xA4, 0xA5):
        return _alarms(frame, None, None, must_alarm=True)
    return _unsupported(frame)


_READERS: Mapping[int, Callable[[_Frame], tuple[Event, ...]]] = {
    _LOGIN: _login,
    0x10: _location(cell=False),
    0x11: _location(cell_size=4),
    0x12: _location(),
    0x13: _heartbeat,
    0x15: _answer,
    0x16: _alarm(must_alarm=False),
    0x17: _location(),
    0x18: _surroundings(),
    0x19: _alarm(position=False, counted=False, must_alarm=False),
    0x1E: _location(),
    0x22: _reporting,
    0x23: _long_heartbeat,
    0x24: _location(),
    0x26: _alarm(must_alarm=False),
    0x27: _alarm(),
    0x28: _surroundings(),
    0x2A: _asks("address"),
    0x2C: _surroundings(wifi=True),
    0x2D: _reporting,
    0x2E: _surroundings(),
    0x31: _location(),
    0x32: _location(),
    0x37: _reporting,
    0x8A: _asks("time"),
    0x95: _event,
    0xA0: _location(lac_size=4, cell_size=8),
    0xA1: _surroundings(lac_size=4, cell_size=8),
    0xA2: _wifi_or_position,
    0xA3: _fence,
    0xA4: _alarm(lac_size=4, cell_size=8),
    0xA5: _alarm(position=False, counted=False, lac_size=4, cell_size=8),
    0xF3: _access_points,
}

_WIDE: Mapping[int, Callable[[_Frame], tuple[Event, ...]]] = {0x21: _answer, 0x32: _wide_position, 0x33: _wide_position}
