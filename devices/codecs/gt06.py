"""The GT06 family (Concox, Jimi and many copies) as far as people wear it, over TCP. See docs/wire/gt06.md.

Rules that decide here:
- only the login says whose connection it is; all else carries the id the gateway learned from it;
- the alarm byte and the alarm in the state byte each give an event, one where both say the same;
- a wrong checksum is told (`faults`) and drops nothing: some copies compute it wrongly, some leave it out;
- the serial number is part of an alarm's key: without a fix some devices repeat an old time.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

from devices.codecs.gt06_answers import replies, wifi_message
from devices.codecs.gt06_body import STATE_ALARMS, Body, crc_x25
from devices.codecs.gt06_events import (
    Frame,
    alarms_of,
    imei_of,
    place_of,
    unsupported_of,
)
from devices.codecs.gt06_newer import (
    driver_position,
    module_alarm,
    modules,
    peripherals,
    printed,
    status_or_position,
    upload_position,
    voltage_or_more,
    whose_module,
    wifi_alarm,
)
from devices.codecs.gt06_positions import (
    access_points,
    alarm,
    alarm_4g,
    card_or_cells,
    cell_alarm,
    fence,
    is_time,
    location,
    numbered_event,
    place_or_cells,
    plain_location,
    reporting,
    source_before_time,
    sourced,
    surroundings,
    wide_area_location,
    wide_position,
    wifi_or_position,
)
from devices.codecs.tracker import Teller, clock
from devices.fields import Faults, clean_text, latitude_longitude
from devices.model import Decoded, DeviceRef, Event, Fix, Uplink

__all__ = ["Gt06Codec"]

_LOGIN = 0x01


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
        device_id = imei_of(body.content) if kind == _LOGIN and not wide else None
        if kind in _TIME_FIRST and _told_before_time(body.content):
            device_id, body.content = imei_of(body.content), body.content[8:]
        elif kind in (0x22, 0x25) and source_before_time(body.content):
            device_id = imei_of(body.content[1:])
        elif kind == 0x70:
            device_id = whose_module(body.content)
        teller = Teller("gt06", device_id or device.device_id, f"{kind:02x}", faults)
        serial = int.from_bytes(core[-4:-2], "big")
        frame = Frame(kind, wide, serial, body, teller, raw)
        reader = (_WIDE if wide else _READERS).get(kind, unsupported_of)
        try:
            events = reader(frame)
        except (IndexError, struct.error):
            events = _short(frame, core[head + 1 :], reader)
        alarming = any(event.kind == "alarm" for event in events)
        return Decoded(events, replies(kind, wide, serial, alarming, uplink.received_at))


def _told_before_time(content: bytes) -> bool:
    """Whether an IMEI stands before the time, as newer firmwares put it."""
    if len(content) < 26 or content[0] >> 4 or imei_of(content) is None:
        return False
    return is_time(content[8:14]) and not is_time(content[:6])


# --- readers ----------------------------------------------------------------------------------------------------------


def _login(frame: Frame) -> tuple[Event, ...]:
    attributes: dict[str, Any] = {"state": "login"}
    content = frame.body.content
    if len(content) >= 12:
        zone = int.from_bytes(content[10:12], "big")
        minutes = (zone >> 4) // 100 * 60 + (zone >> 4) % 100
        attributes["utc_offset_minutes"] = -minutes if zone & 8 else minutes
    if imei_of(content) is None:
        frame.teller.faults["imei"] = f"{content[:8].hex()} is not an IMEI"
    return (frame.teller.event("status", attributes),)


def _heartbeat(frame: Frame) -> tuple[Event, ...]:
    body = frame.body
    if len(body.content) in (13, 14, 16):  # state, satellites, alarm, language, battery in percent, and more
        status, _satellites, code, _language, level = body.byte(), body.number(2), body.byte(), body.byte(), body.byte()
        body.attributes["status"] = f"{status:02x}"
        body.attributes["charging"] = bool(status >> 2 & 1)
        body.battery_pct = level if 0 < level <= 100 else None
        state: int | None = status >> 3 & 7
    else:
        state = body.state(volts=True)
        wide = "power_v" in body.attributes
        code = body.byte() if body.left and not wide else 0
    alarms = alarms_of(frame, state if state in STATE_ALARMS else None, code, must_alarm=False)
    return (*alarms, frame.teller.event("heartbeat", body.attributes, battery_pct=body.battery_pct))


def _long_heartbeat(frame: Frame) -> tuple[Event, ...]:
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


_FOUND = re.compile(
    r"Lat:([NS])(\d{1,2}\.\d+),Lon:([EW])(\d{1,3}\.\d+),.*?DateTime:(\d{4})-(\d\d)-(\d\d) +(\d\d):(\d\d):(\d\d)",
    re.ASCII,
)


def _answer(frame: Frame) -> tuple[Event, ...]:
    """15, 21: what the device says to a command, as text; where that is a position, also the position."""
    content = frame.body.content
    # Its length counts the four bytes before the text; behind it some name a language.
    told = not frame.wide and content[:1] and 4 <= content[0] < len(content)
    text = content[5 : 1 + content[0]] if told else content[5:]
    two_bytes = frame.wide and len(content) > 4 and content[4] == 2
    said = text.decode("utf-16-be" if two_bytes else "utf-8", "replace").strip("\x00").partition("\x00")[0]
    reply = frame.teller.event("reply", {"content": clean_text(said)})
    found = _FOUND.search(said[:2000])
    if found is None:
        return (reply,)
    place = latitude_longitude(
        float(found[2]) * (-1 if found[1] == "S" else 1), float(found[4]) * (-1 if found[3] == "W" else 1)
    )
    at = clock([int(part) for part in found.groups()[4:]], frame.teller.faults, frame.body.profile)
    if isinstance(place, str):
        return (reply,)
    mark = f"{frame.serial:04x}"
    return (reply, frame.teller.event("location", observed_at=at, fix=Fix(*place, None, "gnss", at), mark=mark))


def _asks_address(frame: Frame) -> tuple[Event, ...]:
    """1A, 2A: a position whose address somebody asked for by telephone."""
    if len(frame.body.content) < 18:
        return (frame.teller.event("status", {"asks_for": "address"}),)
    frame.body.position()
    frame.body.attributes["asks_for"] = "address"
    return (place_of(frame),)


def _asks(what: str) -> Callable[[Frame], tuple[Event, ...]]:
    def read(frame: Frame) -> tuple[Event, ...]:
        return (frame.teller.event("status", {"asks_for": what}),)

    return read


def _short(frame: Frame, whole: bytes, reader: Callable[[Frame], tuple[Event, ...]]) -> tuple[Event, ...]:
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
    if frame.kind in _ALARMING - {0x32} | {0x33} if frame.wide else frame.kind in _ALARMING - {0x32}:
        return alarms_of(frame, None, None, must_alarm=True)
    return unsupported_of(frame)


_READERS: Mapping[int, Callable[[Frame], tuple[Event, ...]]] = {
    _LOGIN: _login,
    0x10: location(cell=False),
    0x11: location(mnc_size=2, cell_size=4),
    0x12: plain_location,
    0x13: _heartbeat,
    0x15: _answer,
    0x16: alarm(must_alarm=False),
    0x17: location(),
    0x18: surroundings(),
    0x19: cell_alarm,
    0x1A: _asks_address,
    0x1E: location(),
    0x22: sourced,
    0x23: _long_heartbeat,
    0x24: place_or_cells,
    0x25: sourced,
    0x26: alarm(must_alarm=False),
    0x27: alarm(),
    0x28: surroundings(),
    0x2A: _asks_address,
    0x2C: surroundings(wifi=True),
    0x2D: reporting(),
    0x2E: surroundings(),
    0x31: wide_area_location,
    0x32: alarm_4g,
    0x33: surroundings(cell_size=4, most=6, wifi=True),
    0x34: card_or_cells,
    0x36: status_or_position,
    0x37: reporting(),
    0x38: upload_position,
    0x39: module_alarm,
    0x61: driver_position,
    0x70: modules,
    0x8A: _asks("time"),
    0x94: voltage_or_more,
    0x95: numbered_event,
    0x9B: printed,
    0xA0: reporting(lac_size=4, cell_size=8),
    0xA1: surroundings(lac_size=4, cell_size=8),
    0xA2: wifi_or_position,
    0xA3: fence,
    0xA4: alarm(lac_size=4, cell_size=8),
    0xA5: alarm(position=False, counted=False, lac_size=4, cell_size=8),
    0xA9: wifi_alarm,
    0xF1: peripherals,
    0xF2: peripherals,
    0xF3: access_points,
}
_TIME_FIRST = frozenset((0x10, 0x11, 0x12, 0x16, 0x17, 0x1E, 0x22, 0x24, 0x26, 0x27, 0x2D, 0x31, 0x32, 0x37, 0x61))
"""Types that begin with the time of a position, or with an IMEI in front of it."""

_ALARMING = frozenset((0x26, 0x27, 0x32, 0x39, 0x95, 0xA3, 0xA4, 0xA5, 0xA9))
"""Types that are alarms even where too little is left of them to say which."""

# Two bytes of length mean other things in these two, and a picture in 36.
_WIDE = {kind: reader for kind, reader in _READERS.items() if kind not in (_LOGIN, 0x36)} | {
    0x21: _answer, 0x32: wide_position, 0x33: wide_position
}  # fmt: skip
