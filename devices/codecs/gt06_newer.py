"""GT06 messages of newer firmwares (4G, and those that put an IMEI or modules into them), and of trackers with a card
reader: what a wearer's position, state or alarm is in them. The rest of a vehicle's matters is left unread.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from devices.codecs.gt06_body import Body
from devices.codecs.gt06_events import (
    Frame,
    alarms_of,
    alarms_or_place,
    imei_of,
    place_of,
    said_of,
    stored_of,
    unsupported_of,
)
from devices.codecs.tracker import word_of
from devices.fields import battery, clean_text
from devices.model import Event

__all__ = [
    "MODULE_EVENTS", "card_position", "driver_position", "module_alarm", "modules", "peripherals", "position_4g",
    "printed", "sourced_position", "status_or_position", "upload_position", "voltage_or_more", "whose_module",
    "wifi_alarm",
]  # fmt: skip


# --- positions --------------------------------------------------------------------------------------------------------


def sourced_position(frame: Frame) -> tuple[Event, ...]:
    """22, 25 behind a byte for the source of the position, the IMEI and the device's own time (the caller has taken
    these off): position, a cell whose length does not count itself, state, volts, alarm, language, odometer.
    """
    body = frame.body
    body.position()
    body.cell(counted=True, cell_size=4, own=False)
    state = body.alarm_of_state(body.byte())
    body.attributes["power_v"] = body.number(2) / 100
    body.attributes["battery_v"] = body.byte() / 10
    body.attributes["gsm_level"] = body.byte()
    return alarms_or_place(frame, state, body.byte())


def card_position(frame: Frame) -> tuple[Event, ...]:
    """34: four bytes nobody has described in public, position, state, odometer, cell, card, volts."""
    body = frame.body
    body.attributes["state"] = f"{body.number(4):08x}"
    body.position()
    body.number(2 + 4)
    body.cell(cell_size=4)
    body.number(4)
    if body.left >= 4:
        body.attributes["power_v"] = body.number(2) / 100
        body.attributes["battery_v"] = body.number(2) / 100
    return (place_of(frame),)


def driver_position(frame: Frame) -> tuple[Event, ...]:
    """61: position and cell, then a card (the IMEI in front is the caller's)."""
    frame.body.position()
    frame.body.cell(cell_size=4)
    return (place_of(frame),)


def upload_position(frame: Frame) -> tuple[Event, ...]:
    """38: position, why and whether it was stored, cell."""
    body = frame.body
    body.position()
    body.attributes["reason"] = body.byte()
    stored = body.byte() == 1
    _typed_cell(body)
    return (place_of(frame, stored),)


def _typed_cell(body: Body) -> None:
    """A cell behind the generation of its network: 3 and above have wide areas and ids, and two bytes of level."""
    wide = body.byte() >= 3
    body.cell(lac_size=4 if wide else 2, cell_size=8 if wide else 3)
    body.number(2 if wide else 1)


def position_4g(frame: Frame) -> tuple[Event, ...]:
    """A2 with a position: wide cell, network, state, volts, battery, GSM, alarm byte, language."""
    body = frame.body
    body.position()
    body.cell(lac_size=4, cell_size=8)
    if body.left < 8:
        return (place_of(frame),)
    body.byte()
    state = body.alarm_of_state(body.byte())
    body.attributes["power_v"] = body.number(2) / 100
    body.level(body.byte())
    body.attributes["gsm_level"] = body.byte()
    return alarms_or_place(frame, state, body.byte())


def wifi_alarm(frame: Frame) -> tuple[Event, ...]:
    """A9: time, cells and stations, then the alarm byte: an alarm that has no position."""
    body = frame.body
    body.time()
    code = None
    try:
        network = body.network()
        wide = body.byte() > 0
        body.cells(min(body.byte(), 16), 4 if wide else 2, 8 if wide else 3, network)
        body.byte()
        body.stations(body.byte())
        code = body.byte()
    except IndexError:
        body.faults["content"] = f"{len(body.content)} bytes are too few for type a9"
    return alarms_of(frame, None, code, must_alarm=True)


# --- modules ----------------------------------------------------------------------------------------------------------


def _parts(body: Body, wide: bool) -> Iterator[tuple[int, bytes]]:
    """Type (two bytes), length (one, or two), value; what is cut short ends them."""
    while body.left >= (4 if wide else 3):
        kind, size = body.number(2), body.number(2 if wide else 1)
        if size > body.left:
            body.faults["content"] = f"module {kind:04x} announces {size} bytes, {body.left} follow"
            return
        at = body.at
        body.at += size
        yield kind, body.content[at : body.at]


def _number(value: bytes, size: int) -> int | None:
    return int.from_bytes(value[:size], "big") if len(value) >= size else None


def _small_module(body: Body, kind: int, value: bytes) -> None:
    """The modules of 36 and 39."""
    level = _number(value, 1)
    volts = _number(value, 2)
    if kind == 0x6A and level is not None:
        body.battery_pct = battery(level, body.faults) or None
    elif kind == 0x18 and volts is not None:
        body.attributes["battery_v"] = volts / 100


def _is_modules(content: bytes) -> bool:
    """Whether state, battery, GSM, alarm and language are followed by modules that end where the content does."""
    at = 5
    while at + 3 <= len(content):
        at += 3 + content[at + 2]
    return at == len(content)


def status_or_position(frame: Frame) -> tuple[Event, ...]:
    """36: state with modules; from trackers with a card reader a position instead."""
    body = frame.body
    if _is_modules(body.content):
        state = body.state()
        code = body.byte() if body.left else 0
        if body.left:
            body.byte()
        for kind, value in _parts(body, wide=False):
            _small_module(body, kind, value)
        alarms = alarms_of(frame, state, code, must_alarm=False)
        return (*alarms, frame.teller.event("heartbeat", body.attributes, battery_pct=body.battery_pct))
    body.position()
    body.cell(cell_size=4)
    stored = stored_of(frame)
    if body.left >= 7:
        body.number(4)
        body.attributes["power_v"] = body.number(2) / 100
        body.attributes["battery_v"] = body.byte() / 10
    return (place_of(frame, stored),)


def module_alarm(frame: Frame) -> tuple[Event, ...]:
    """39: an alarm with position, cell and modules."""
    body = frame.body
    state = code = None
    try:
        body.position()
        _typed_cell(body)
        state = body.state()
        code = body.byte()
        body.byte()
        for kind, value in _parts(body, wide=False):
            _small_module(body, kind, value)
    except (IndexError, struct.error):
        body.faults["content"] = f"{len(body.content)} bytes are too few for type 39"
    return alarms_of(frame, state, code, must_alarm=code is None) or (place_of(frame),)


MODULE_EVENTS: Mapping[str, str] = {
    "10": "door",
    "11": "status",  # closed again
    "12": "off_wrist",
    "13": "status",  # put back
    "14": "geofence_enter",
    "15": "wandering",
    "16": "temperature",
    "1a": "low_battery",
    "1b": "overspeed",
    "1c": "status",  # switched on
    "1d": "power_off",
    "20": "vibration",
    "21": "power_fail",
    "23": "tamper",
}
"""Events of module 34 in messages of type 70. `profile["event_codes"]` replaces entries."""


def modules(frame: Frame) -> tuple[Event, ...]:
    """70: everything in modules; each event among them is one of ours, all with the position of the message."""
    body = frame.body
    told: list[tuple[str, Body]] = []
    placed = False
    sent_at: Body | None = None
    for kind, value in _parts(body, wide=True):
        part = Body(value, body.profile, body.faults)
        try:
            if kind == 0x33:
                placed = True
                part.since_1970()
                part.attributes["satellites"] = part.byte()
                part.attributes["altitude_m"] = int.from_bytes(part.number(2).to_bytes(2, "big"), "big", signed=True)
                part.spot()
                body.observed_at, body.fix = part.observed_at, part.fix
                body.attributes.update(part.attributes)
            elif kind == 0x34:
                code = f"{part.byte():02x}"
                part.since_1970()
                told.append((code, part))
            elif kind == 0x2C:
                part.since_1970()
                sent_at = part
            elif kind == 0x11:
                part.cell(cell_size=3, mnc_size=2)
                body.attributes.update(part.attributes)
            elif kind == 0x18:
                body.attributes["battery_v"] = part.number(2) / 100
            elif kind == 0x03:
                body.attributes["iccid"] = value[:10].hex().rstrip("f")
            elif kind == 0x2B:
                body.attributes["boot_reason"] = part.byte()
        except (IndexError, struct.error):
            body.faults[f"module_{kind:02x}"] = f"{len(value)} bytes are too few"
    if body.observed_at is None and sent_at is not None:
        body.observed_at = sent_at.observed_at
    events = [_module_event(frame, code, part) for code, part in told[:32]]
    if placed:
        return (*events, place_of(frame))
    return (*events, frame.teller.event("heartbeat", body.attributes, observed_at=body.observed_at))


def _module_event(frame: Frame, code: str, part: Body) -> Event:
    word = word_of(code, MODULE_EVENTS, frame.body.profile, "event_codes")
    said = said_of(frame) | {"observed_at": part.observed_at or frame.body.observed_at}
    return frame.teller.alarm(code, word, frame.body.attributes, mark=f"{frame.serial:04x}-{code}", **said)


def peripherals(frame: Frame) -> tuple[Event, ...]:
    """F1, F2: a time and what is connected, in modules."""
    body = frame.body
    body.since_1970()
    for kind, value in _parts_of_status(body, frame.kind == 0xF2):
        one, two = _number(value, 1), _number(value, 2)
        if frame.kind == 0xF1 and kind == 0x0005 and two is not None:
            body.attributes["power_v"] = two / 100
        elif frame.kind == 0xF1 and kind == 0x0007 and one is not None:
            body.attributes["charging"] = one > 0
        elif frame.kind == 0xF1 and kind == 0x0001 and one is not None:
            body.attributes["moving"] = one in (2, 4)
        elif frame.kind == 0xF2 and kind == 0x000C and one is not None:
            body.attributes["external_battery_pct"] = one
    return (frame.teller.event("status", body.attributes, observed_at=body.observed_at),)


def _parts_of_status(body: Body, wide_tags: bool) -> Iterator[tuple[int, bytes]]:
    """As `_parts`, but a tag's module (000A in F2) has two bytes of length."""
    while body.left >= 3:
        kind = body.number(2)
        size = body.number(2) if wide_tags and kind == 0x000A else body.number(1)
        if size > body.left:
            body.faults["content"] = f"module {kind:04x} announces {size} bytes, {body.left} follow"
            return
        at = body.at
        body.at += size
        yield kind, body.content[at : body.at]


# --- told in words ----------------------------------------------------------------------------------------------------


def _volts(body: Body) -> dict[str, Any]:
    return {"power_v": body.number(2) / 100}


def _doors(body: Body) -> dict[str, Any]:
    if body.left >= 7:
        body.time()
    return {"door_open": bool(body.byte() & 1)}


def _climate(body: Body) -> dict[str, Any]:
    both = [int.from_bytes(body.number(4).to_bytes(4, "big"), "big", signed=True) / 10 for _ in range(2)]
    return {"ambient_c": both[0], "humidity_pct": both[1]}


def _sim(body: Body) -> dict[str, Any]:
    body.number(16)
    return {"iccid": f"{body.number(10):020x}".rstrip("f")}


def _words(body: Body) -> dict[str, Any]:
    return {"content": clean_text(body.content[body.at :].decode("utf-8", "replace").strip("\x00"))}


def _power(body: Body) -> dict[str, Any]:
    return _volts(body) if body.left >= 2 else {"network": "4G" if body.byte() else "2G"}


_TOLD: Mapping[int, Callable[[Body], dict[str, Any]]] = {
    0x00: _volts, 0x04: _words, 0x05: _doors, 0x0A: _sim, 0x0B: _power, 0x1E: _climate,
}  # fmt: skip


def voltage_or_more(frame: Frame) -> tuple[Event, ...]:
    """94: volts alone, or, in messages with two bytes of length, what its first byte says."""
    body = frame.body
    if not frame.wide:
        attributes = _volts(body)
    else:
        topic = body.byte()
        reader = _TOLD.get(topic)
        if reader is None:
            return unsupported_of(frame)
        attributes = reader(body) | {"topic": f"{topic:02x}"}
    return (frame.teller.event("status", attributes, observed_at=body.observed_at),)


def printed(frame: Frame) -> tuple[Event, ...]:
    """9B: what something connected to the serial port wrote."""
    text = frame.body.content[1:]
    words = text.decode("ascii").strip() if text.isascii() else text.hex()
    return (frame.teller.event("status", {"serial_port": clean_text(words)}),)


def whose_module(content: bytes) -> str | None:
    """The IMEI in module 01 of a message of type 70; None where there is none."""
    at = 0
    while at + 4 <= len(content):
        kind, size = int.from_bytes(content[at : at + 2], "big"), int.from_bytes(content[at + 2 : at + 4], "big")
        if kind == 1:
            return imei_of(content[at + 4 : at + 4 + size])
        at += 4 + size
    return None
