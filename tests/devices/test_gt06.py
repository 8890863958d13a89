"""GT06 messages of our own making, code by code and layout by layout."""

from __future__ import annotations

from datetime import datetime

import pytest

from devices.alarm_types import ALARM_TYPES
from devices.codecs.gt06_body import ALARM_CODES as GT06_CODES
from devices.codecs.gt06_body import crc_x25, gt06_frame
from hub.decode import decode_lines
from tests.devices.tracker_examples import (
    ID,
    NOW,
    decode,
    gt06_alarm,
    gt06_position,
    kinds,
    one,
    replies,
    types,
)


def test_crc_check_value() -> None:
    assert crc_x25(b"123456789") == 0x906E


@pytest.mark.parametrize("code", range(256))
@pytest.mark.parametrize("kind", [0x16, 0x26, 0x27])
def test_gt06_each_alarm_code(code: int, kind: int) -> None:
    decoded = decode("gt06", gt06_alarm(code, kind=kind))
    event = one(decoded)
    word = GT06_CODES.get(f"{code:02x}")
    if code == 0:
        assert event.kind == "location"
    else:
        assert event.type == (word if word in ALARM_TYPES else "assistance")
        assert event.attributes.get("code") == (None if word in ALARM_TYPES else f"{code:02x}")
        assert decoded.replies[0].after_commit
    assert replies(decoded) == [gt06_frame(kind, 9)]


def test_gt06_the_state_byte_speaks_too_and_presses_have_keys_of_their_own() -> None:
    assert types(decode("gt06", gt06_alarm(1, state=0x40 | 3 << 3))) == ["sos", "low_battery"]
    assert types(decode("gt06", gt06_alarm(1, state=0x40 | 4 << 3))) == ["sos"]
    beat = decode("gt06", gt06_frame(0x13, 5, bytes((4 << 3, 4, 3, 0, 2))))
    assert kinds(beat) == ["alarm", "heartbeat"]
    first, second = (decode("gt06", gt06_alarm(1, serial=serial, valid=False)) for serial in (1, 2))
    assert one(first).fix is None
    assert one(first).key != one(second).key


def test_gt06_login_time_and_short_alarms() -> None:
    login = decode("gt06", gt06_frame(1, 3, bytes.fromhex("0" + ID)), device_id="")
    assert one(login).device_id == ID
    assert replies(login) == [gt06_frame(1, 3)]
    asked = decode("gt06", gt06_frame(0x8A, 4))
    assert replies(asked) == [gt06_frame(0x8A, 4, bytes((26, 11, 22, 7, 20, 0)))]
    assert types(decode("gt06", gt06_frame(0x26, 4, gt06_position()[:9]))) == ["assistance"]
    south = decode("gt06", gt06_frame(0x12, 4, gt06_position(north=False)))
    fix = one(south).fix
    assert fix is not None
    assert fix.lat == -31.5
    assert kinds(decode("gt06", gt06_frame(0x99, 4))) == ["unsupported"]


def test_an_answer_of_gt06_ends_before_its_language() -> None:
    content = b"\x0a\x00\x00\x00\x01Reset!\x00\x02"
    (found,) = decode_lines("gt06", [gt06_frame(0x15, 9, content).hex()], received_at=NOW)
    (event,) = found.decoded.events
    assert (event.kind, event.attributes["content"]) == ("reply", "Reset!")


# --- layouts of which there are few or no captures, or none with an alarm ---------------------------------------------

_CELL = bytes.fromhex("01cc00287d001f71")  # 460, 0, 10365, 8049
_CELL_4G = bytes.fromhex("01cc000000287d000000000a6f2401")  # the same area, cell 175055873
_IMEI = bytes.fromhex("0" + ID)


def _status(code: int, state: int = 0x46) -> bytes:
    return bytes((state, 4, 3, code, 1))


def _layouts(code: int, state: int = 0x40) -> dict[str, bytes]:
    """An alarm byte (or, where there is none, the state's alarm) in every layout that has one."""
    place, status = gt06_position(), _status(code, state)
    volts = bytes((state,)) + b"\x05\x11\x2a\x04" + bytes((code, 2))
    return {
        "13": gt06_frame(0x13, 7, status),
        "16, counted": gt06_frame(0x16, 7, place + b"\x09" + _CELL + status),
        "16, not counted": gt06_frame(0x16, 7, place + _CELL + status),
        "16, eight bytes": gt06_frame(0x16, 7, place + b"\x08" + _CELL + status + bytes(8)),
        "26": gt06_frame(0x26, 7, place + b"\x09" + _CELL + status),
        "26, a network of two bytes": gt06_frame(0x26, 7, place + b"\x0a\x81\xcc\x00\x00" + _CELL[3:] + status),
        "26, an IMEI before the time": gt06_frame(0x26, 7, _IMEI + place + b"\x09" + _CELL + status),
        "26, two bytes of length": gt06_frame(0x26, 7, place + b"\x09" + _CELL + status, wide=True),
        "27": gt06_frame(0x27, 7, place + b"\x09" + _CELL + status + b"\xff"),
        "A4": gt06_frame(0xA4, 7, place + b"\x10" + _CELL_4G + status + b"\xff"),
        "A3": gt06_frame(0xA3, 7, place + b"\x10" + _CELL_4G + status),
        "A5": gt06_frame(0xA5, 7, _CELL_4G + status),
        "19": gt06_frame(0x19, 7, _CELL + status),
        "32": gt06_frame(0x32, 7, place + b"\x0a\x01\xcc\x00\x00\x28\x7d\x00\x00\x1f\x71" + status + b"\x02\xaf"),
        "32, as 26": gt06_frame(0x32, 7, place + b"\x09" + _CELL + status),
        "12, with state": gt06_frame(0x12, 7, place + _CELL + bytes((state, 4, 0x22, 4, code)) + bytes(7)),
        "22, with source": gt06_frame(
            0x22, 7, b"\x01" + _IMEI + place[:6] + place + b"\x08" + _CELL + volts + bytes(6)
        ),
        "25": gt06_frame(
            0x25, 7, b"\x01" + _IMEI + place[:6] + place + b"\x09" + _CELL[:5] + bytes(1) + _CELL[5:] + volts + bytes(7)
        ),
        "A2": gt06_frame(0xA2, 7, place + _CELL_4G + b"\x01" + bytes((state,)) + b"\x04\xdf" + status[1:] + bytes(18)),
        "36": gt06_frame(0x36, 7, status + b"\x00\x18\x02\x01\x84\x00\x6a\x01\x37"),
        "39": gt06_frame(0x39, 7, place + b"\x03" + _CELL_4G + b"\x00\x51" + status + b"\x00\x6a\x01\x42"),
        "39, 2G": gt06_frame(0x39, 7, place + b"\x01" + _CELL + b"\x51" + status),
        "A9": gt06_frame(
            0xA9,
            7,
            place[:6] + b"\x01\xcc\x00\x00\x01\x28\x7d\x00\x1f\x71\x4d\x00\x01" + bytes(range(1, 8)) + status[3:],
        ),
        "95": gt06_frame(0x95, 7, place[:6] + bytes((code, 0, 1))),
        "95, marked": gt06_frame(
            0x95, 7, b"\xff\xff\x01" + place[:15] + place[16:] + bytes(2) + b"\x00\x7b" + bytes((code, 0, 1))
        ),
    }


@pytest.mark.parametrize("layout", _layouts(1))
def test_a_press_is_one_in_every_layout(layout: str) -> None:
    decoded = decode("gt06", _layouts(1)[layout])
    assert decoded.error is None
    assert types(decoded) == ["sos"]
    event = decoded.events[0]
    assert "faults" not in event.attributes
    assert event.device_id == ID
    assert replies(decoded) == [gt06_frame(int(layout[:2], 16), 7)]
    assert decoded.replies[0].after_commit
    if layout[:2] not in ("13", "19", "36", "A5", "A9", "95") or layout == "95, marked":
        assert event.fix is not None
        assert (event.fix.lat, event.fix.lon) == (31.5, 118.8)
    if "cells" in event.attributes:
        (cell,) = event.attributes["cells"]
        assert (cell["mcc"], cell["mnc"], cell["lac"]) == (460, 0, 10365)
        assert cell["cell"] in (8049, 175055873)


@pytest.mark.parametrize("layout", [name for name in _layouts(0) if name[:2] not in ("95", "A9")])
def test_a_press_in_the_state_byte_is_one_too(layout: str) -> None:
    assert types(decode("gt06", _layouts(0, 0x40 | 4 << 3)[layout])) == ["sos"]
    well = decode("gt06", _layouts(0)[layout])
    assert types(well) == []


@pytest.mark.parametrize("layout", ["12, with state", "22, with source", "25", "A2"])
def test_a_report_of_every_minute_keeps_an_unknown_code_and_raises_nothing(layout: str) -> None:
    event = one(decode("gt06", _layouts(0xEA)[layout]))
    assert (event.kind, event.attributes["code"]) == ("location", "ea")
    assert types(decode("gt06", _layouts(0xEA)[layout], {"alarm_codes": {"ea": "fall"}})) == ["fall"]


def test_a_wired_tracker_tells_its_supply_where_others_tell_a_battery() -> None:
    state = 0x42 | 4 << 3
    (event,) = decode("gt06", gt06_frame(0x16, 7, gt06_position() + _CELL + bytes((state, 4, 0xE2, 4, 0)))).events
    assert (event.type, event.battery_pct) == ("sos", None)
    assert (event.attributes["power_v"], event.attributes["gsm_level"]) == (12.5, 4)


def test_the_seventh_state_alone_is_a_device_taken_off() -> None:
    layouts = _layouts(0, 0x40 | 7 << 3)
    for layout in ("16, counted", "26", "19"):
        assert types(decode("gt06", layouts[layout])) == ["off_wrist"], layout
    assert types(decode("gt06", layouts["26"], {"state_alarms": {"7": "tamper"}})) == ["tamper"]
    assert types(decode("gt06", _layouts(1, 0x40 | 7 << 3)["26"])) == ["sos"]
    assert types(decode("gt06", layouts["13"])) == []  # a state, told every few minutes


def test_a_dated_19_is_the_cells_around_and_no_alarm() -> None:
    content = gt06_position()[:6] + _CELL[:3] + b"\x02" + (_CELL[3:] + b"\x4d") * 2
    for tail in (b"", bytes(2)):
        event = one(decode("gt06", gt06_frame(0x19, 7, content + tail)))
        assert (event.kind, len(event.attributes["cells"])) == ("location", 2)
        assert event.observed_at == datetime.fromisoformat("2026-11-22T07:15:04Z")
    for cut in range(len(content)):  # what is left of one may be anything, but never more than one alarm
        assert len(types(decode("gt06", gt06_frame(0x19, 7, content[:cut])))) <= 1


def test_a_long_heartbeat_has_its_battery_in_percent() -> None:
    for size in (13, 14, 16):
        content = bytes((0x42, 0x91, 0x0C, 0, 2, 37)) + bytes(size - 6)
        event = one(decode("gt06", gt06_frame(0x13, 7, content)))
        assert (event.kind, event.battery_pct) == ("heartbeat", 37)


def test_modules_say_position_events_and_whose_they_are() -> None:
    seconds = int(datetime.fromisoformat("2026-11-22T07:15:04+00:00").timestamp()).to_bytes(4, "big")
    place = seconds + b"\x08\xff\xfb" + gt06_position(north=False)[7:]
    content = b"\x00\x01\x00\x08" + _IMEI + b"\x00\x33\x00\x12" + place
    for code in (0x1A, 0x12, 0x77):
        content += b"\x00\x34\x00\x06" + bytes((code,)) + seconds + b"\x00"
    decoded = decode("gt06", gt06_frame(0x70, 7, content, wide=True), device_id="")
    assert types(decoded) == ["low_battery", "off_wrist", "assistance"]
    assert kinds(decoded)[-1] == "location"
    assert {event.device_id for event in decoded.events} == {ID}
    assert len({event.key for event in decoded.events}) == 4
    fix = decoded.events[-1].fix
    assert fix is not None
    assert (fix.lat, fix.lon) == (-31.5, 118.8)
    assert decoded.events[-1].attributes["altitude_m"] == -5
    assert replies(decoded) == [gt06_frame(0x70, 7)]
    cut = decode("gt06", gt06_frame(0x70, 7, content[:-3], wide=True))
    assert types(cut) == ["low_battery", "off_wrist"]
    assert "announces" in cut.events[0].attributes["faults"]["content"]


@pytest.mark.parametrize(
    ("message", "cells", "stations"),
    [
        ((0x24, bytes(1) + _CELL[:3] + b"\x02" + (_CELL[3:] + b"\x4d") * 2 + bytes(21)), 2, 0),
        ((0x24, _CELL[:3] + (_CELL[3:] + b"\x4d") * 7 + b"\xff\x00\x02"), 7, 0),
        ((0x33, _CELL[:3] + b"\x28\x7d\x00\x00\x1f\x71\x4d" * 6 + b"\xff\x01" + bytes(range(1, 8))), 6, 1),
        ((0x2C, _CELL[:3] + bytes(42) + b"\xff\x01" + bytes(range(1, 8))), 0, 1),
    ],
)
def test_cells_and_stations_without_a_position(message: tuple[int, bytes], cells: int, stations: int) -> None:
    event = one(decode("gt06", gt06_frame(message[0], 7, gt06_position()[:6] + message[1])))
    assert (event.kind, event.fix) == ("location", None)
    assert event.observed_at == datetime.fromisoformat("2026-11-22T07:15:04Z")
    assert len(event.attributes.get("cells", ())) == cells
    assert len(event.attributes.get("wifi", ())) == stations


def test_a_stored_report_is_buffered_wherever_it_says_so() -> None:
    place, tail = gt06_position(), b"\x00\x04\x01"
    for frame in (
        gt06_frame(0x12, 7, place + _CELL + tail),
        gt06_frame(0x22, 7, place + _CELL + tail),
        gt06_frame(0xA0, 7, place + _CELL_4G + tail),
        gt06_frame(0x38, 7, place + tail[1:] + b"\x01" + _CELL + b"\x51"),
        gt06_frame(0x36, 7, place + _CELL[:5] + b"\x00" + _CELL[5:] + tail + bytes(10)),
    ):
        event = one(decode("gt06", frame))
        assert (event.kind, event.buffered, event.attributes["reason"]) == ("location", True, 4)


def test_a_position_told_in_words_is_one() -> None:
    words = b"Current position!Lat:S12.500000,Lon:W58.250000,Course:0.00,Speed:0.0,DateTime:2026-11-22 07:15:04"
    decoded = decode("gt06", gt06_frame(0x21, 7, bytes(4) + b"\x01" + words, wide=True))
    assert kinds(decoded) == ["reply", "location"]
    fix = decoded.events[1].fix
    assert fix is not None
    assert (fix.lat, fix.lon) == (-12.5, -58.25)
    assert replies(decoded) == []
    cold = decode("gt06", gt06_frame(0x94, 7, b"\x1e\xff\xff\xff\xce\x00\x00\x01\xf4", wide=True))
    assert (one(cold).attributes["ambient_c"], one(cold).attributes["humidity_pct"]) == (-5.0, 50.0)
