"""GT06 positions, radio surroundings and alarms: what stands in which type, and how its length tells the firmware."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

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
from devices.codecs.gt06_newer import card_position, position_4g, sourced_position
from devices.codecs.tracker import word_of
from devices.model import Event

__all__ = [
    "access_points", "alarm", "alarm_4g", "card_or_cells", "cell_alarm", "fence", "is_time", "location",
    "numbered_event", "place_or_cells", "plain_location", "reporting", "source_before_time", "sourced", "surroundings",
    "wide_area_location", "wide_position", "wifi_or_position",
]  # fmt: skip


def source_before_time(content: bytes) -> bool:
    """Whether the source of the position, an IMEI and the device's time stand before the position's own time."""
    if len(content) < 33 or content[1] >> 4 or imei_of(content[1:]) is None:
        return False
    return is_time(content[9:15]) and is_time(content[15:21]) and not is_time(content[:6])


def is_time(part: bytes) -> bool:
    _year, month, day, hour, minute, second = part
    return 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60


def location(
    *, cell: bool = True, lac_size: int = 2, cell_size: int = 3, mnc_size: int = 1
) -> Callable[[Frame], tuple[Event, ...]]:
    def read(frame: Frame) -> tuple[Event, ...]:
        frame.body.position()
        if cell and frame.body.left >= 2 + mnc_size + lac_size + cell_size:
            frame.body.cell(lac_size=lac_size, cell_size=cell_size, mnc_size=mnc_size)
        return (place_of(frame),)

    return read


def reporting(*, lac_size: int = 2, cell_size: int = 3, mnc_size: int = 1) -> Callable[[Frame], tuple[Event, ...]]:
    """22, 2D, 31, 37, A0: behind the cell, ignition, the reason of the report, and whether it was stored."""

    def read(frame: Frame) -> tuple[Event, ...]:
        frame.body.position()
        if frame.body.left >= 2 + mnc_size + lac_size + cell_size:
            frame.body.cell(lac_size=lac_size, cell_size=cell_size, mnc_size=mnc_size)
        return (place_of(frame, stored_of(frame)),)

    return read


_SHORT_TAILS, _STATE_TAILS = (3, 7), (5, 12)


def plain_location(frame: Frame) -> tuple[Event, ...]:
    """12: position and cell. What stands behind differs, and its length tells it: ignition, reason, stored; or state,
    volts, GSM and a byte for the alarm.
    """
    body = frame.body
    body.position()
    if body.left >= 8:
        body.cell()
    if body.left in _SHORT_TAILS:
        return (place_of(frame, stored_of(frame)),)
    if body.left not in _STATE_TAILS:
        return (place_of(frame),)
    with_code = body.left == _STATE_TAILS[1]  # in the short one the byte is an extension of the state's alarm
    state = body.alarm_of_state(body.byte())
    body.attributes["power_v"] = body.number(2) / 100
    body.attributes["gsm_level"] = body.byte()
    return alarms_or_place(frame, state, body.byte() if with_code else 0)


def wide_area_location(frame: Frame) -> tuple[Event, ...]:
    """31: two bytes of network and four of cell in messages of 37 bytes, as 4G trackers send them."""
    return (reporting(mnc_size=2, cell_size=4) if len(frame.body.content) == 37 else reporting())(frame)


_WITH_CLIMATE = 42


def sourced(frame: Frame) -> tuple[Event, ...]:
    """22, 25 of both kinds."""
    content = frame.body.content
    if source_before_time(content):
        frame.body.content = content[15:]
        return sourced_position(frame)
    if frame.kind == 0x25:
        return unsupported_of(frame)
    return reporting(cell_size=4 if len(content) == _WITH_CLIMATE else 3)(frame)


def place_or_cells(frame: Frame) -> tuple[Event, ...]:
    """24: a position (its byte of satellites begins with C), or the cells around."""
    body = frame.body
    if len(body.content) >= 26 and body.content[6] >> 4 == 0xC:
        return location()(frame)
    if len(body.content) == 44:  # time, timing advance, network, the number of cells
        body.time()
        body.byte()
        network = body.network()
        body.cells(min(body.byte(), body.left // 6), 2, 3, network)
        return (place_of(frame),)
    return surroundings()(frame)


_UNCOUNTED, _ITSELF_UNCOUNTED = 31, 33


def alarm(
    *,
    position: bool = True,
    counted: bool = True,
    lac_size: int = 2,
    cell_size: int = 3,
    mnc_size: int = 1,
    own: bool = True,
    must_alarm: bool = True,
) -> Callable[[Frame], tuple[Event, ...]]:
    """Position and cell, then state, battery, GSM, alarm byte, language."""

    def read(frame: Frame) -> tuple[Event, ...]:
        body = frame.body
        state = code = None
        try:
            if position:
                body.position()
            # One firmware sends its cell without its length: a byte less than all the others; in one it does not
            # count itself: a byte more.
            itself = own and not (frame.kind == 0x16 and len(body.content) == _ITSELF_UNCOUNTED)
            uncounted = len(body.content) == _UNCOUNTED
            body.cell(counted and not uncounted, lac_size, cell_size, mnc_size, itself)
            state = body.state(wired=frame.kind == 0x16 and uncounted)
            code = body.byte()
        except (IndexError, struct.error):
            frame.teller.faults["content"] = f"{len(body.content)} bytes are too few for type {frame.kind:02x}"
        cut_short = code is None and frame.kind != 0x16  # what it was cannot be known, that it was one can
        found = alarms_of(frame, state, code, cut_short or (must_alarm and code != 0))
        return found or (place_of(frame),)

    return read


_DATED_CELLS = 10
"""What stands in front of the cells of a dated 19: the time, the network, and how many cells follow."""


def cell_alarm(frame: Frame) -> tuple[Event, ...]:
    """19: a cell, then what `alarm` reads; one firmware sends a time and counted cells, and no alarm."""
    body = frame.body
    content = body.content
    dated = len(content) > _DATED_CELLS and is_time(content[:6]) and content[9] and not content[6] >> 7
    if dated and len(content) - _DATED_CELLS in (6 * content[9], 6 * content[9] + 2):
        body.time()
        network = body.network()
        body.cells(body.byte(), 2, 3, network)
        return (place_of(frame),)
    return alarm(position=False, counted=False, must_alarm=False)(frame)


_LENGTH_AT, _CELL_4G = 18, 10


def alarm_4g(frame: Frame) -> tuple[Event, ...]:
    """32: from 4G trackers with a cell of ten bytes, two of them for the network."""
    content = frame.body.content
    if len(content) > _LENGTH_AT and content[_LENGTH_AT] == _CELL_4G:
        return alarm(cell_size=4, mnc_size=2, own=False, must_alarm=False)(frame)
    return alarm(must_alarm=False)(frame)


def fence(frame: Frame) -> tuple[Event, ...]:
    """A3: a position with its cell, or, in short ones, only state and alarm."""
    if len(frame.body.content) >= 24:
        return alarm(lac_size=4, cell_size=8, must_alarm=False)(frame)
    state = frame.body.state()
    return alarms_of(frame, state, frame.body.byte(), must_alarm=True)


def surroundings(
    *, lac_size: int = 2, cell_size: int = 3, most: int = 7, wifi: bool = False
) -> Callable[[Frame], tuple[Event, ...]]:
    """Time, up to seven cells, and in some Wi-Fi stations: no position."""

    def read(frame: Frame) -> tuple[Event, ...]:
        body = frame.body
        body.time()
        body.cells(min(most, (body.left - 3) // (lac_size + cell_size + 1)), lac_size, cell_size)
        if wifi and body.left >= 2:
            body.byte()
            body.stations(body.byte())
        return (place_of(frame),)

    return read


def card_or_cells(frame: Frame) -> tuple[Event, ...]:
    """34: a position behind four bytes; from 4G trackers the cells around, beginning with their time."""
    body = frame.body
    if len(body.content) != 50 or is_time(body.content[4:10]):
        return card_position(frame)
    body.time()
    body.byte()
    network = (body.number(2) & 0x7FFF, body.number(2))
    body.cells(min(7, body.left // 7), 2, 4, network)
    return (place_of(frame),)


def wifi_or_position(frame: Frame) -> tuple[Event, ...]:
    """A2: cells and stations, and from some devices a position instead (its byte of satellites begins with C)."""
    content = frame.body.content
    if len(content) >= 18 and content[6] >> 4 == 0xC:
        return position_4g(frame)
    return surroundings(lac_size=4, cell_size=8, wifi=True)(frame)


_WATCH_CODES: Mapping[str, str] = {
    "a0": "status", "a1": "status", "a2": "low_battery", "a3": "low_battery", "a5": "door",
}  # fmt: skip


def wide_position(frame: Frame) -> tuple[Event, ...]:
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
        return (place_of(frame),)
    word = word_of(code, _WATCH_CODES, body.profile, "event_codes")
    return (frame.teller.alarm(code, word, body.attributes, mark=f"{frame.serial:04x}-{code}", **said_of(frame)),)


def access_points(frame: Frame) -> tuple[Event, ...]:
    frame.body.time()
    frame.body.stations(frame.body.byte(), gap=2, level=False)
    return (place_of(frame),)


_EVENT_CODES: Mapping[str, str] = {
    "01": "sos", "80": "vibration", "87": "overspeed",
    "88": "power_fail", "0e": "low_battery", "76": "temperature", "93": "accident",
}  # fmt: skip


def numbered_event(frame: Frame) -> tuple[Event, ...]:
    """95: a time, in long ones a position, and an event of its own numbering."""
    body = frame.body
    if body.content[:2] == b"\xff\xff":  # a marker and a version: all of it is laid out otherwise
        return _marked_event(frame)
    body.time()
    if body.left > 9:
        north, east, flags = body.number(4), body.number(4), body.number(2)
        body.place(north, east, flags)
    return _coded(frame)


def _marked_event(frame: Frame) -> tuple[Event, ...]:
    body = frame.body
    body.at = 3
    body.time()
    body.attributes["satellites"] = body.byte() & 15
    north, east, flags = body.number(4), body.number(4), body.number(2)
    body.place(north, east, flags)
    body.number(2)  # speed
    body.attributes["power_v"] = body.number(2) / 10
    return _coded(frame)


def _coded(frame: Frame) -> tuple[Event, ...]:
    code = f"{frame.body.byte():02x}"
    word = word_of(code, _EVENT_CODES, frame.body.profile, "event_codes")
    mark = f"{frame.serial:04x}-{code}"
    return (frame.teller.alarm(code, word, frame.body.attributes, mark=mark, **said_of(frame)),)
