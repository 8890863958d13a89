"""Tracker families: captured messages against their meaning, alarm by alarm, filler by filler, reply by reply."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.alarm_types import ALARM_TYPES
from devices.codecs.gt06_body import ALARM_CODES as GT06_CODES
from devices.codecs.gt06_body import crc_x25, gt06_frame
from devices.codecs.h02 import ALARM_BITS as H02_BITS
from devices.codecs.iw_position import ALARM_CODES as IW_CODES
from devices.codecs.minifinder2_record import ALARM_BITS as MF2_BITS
from devices.model import Decoded
from hub.decode import decode_lines, to_json
from tests.devices.captures import needs, rows
from tests.devices.tracker_examples import (
    ID,
    NOW,
    TRACKER_EXAMPLES,
    decode,
    gt06_alarm,
    gt06_position,
    h02_text,
    iw_place,
    kinds,
    mf2,
    one,
    replies,
    types,
)

_IW, _MF2, _GT06 = (f"captures/{name}_frames.jsonl" for name in ("iw_trv", "minifinder2", "gt06"))
_WORDS = {"sos": "sos", "lowBattery": "low_battery", "geofenceEnter": "geofence_enter", "tampering": "tamper"}
_DDMMYY = "extra-trv-027"  # the vendor's order of the date is not the one the oracle assumes
_OTHER_TIME = {"061", "159"}  # no BCD where binary stands; a time zone of another device, left over in the oracle


def _answers(row: dict[str, Any]) -> list[str]:
    return [reply.get("text") or reply["hex"] for reply in row["expect"]["traccar_reply"]]


@needs(_IW)
@pytest.mark.parametrize("row", rows(_IW), ids=lambda row: str(row["id"]))
def test_iw_captures(row: dict[str, Any]) -> None:
    decoded = decode("iw", row["frame"].encode())
    event = one(decoded)
    assert event.device_id in (ID, row.get("device_id"))
    said = [re.sub(r"00,\d{14},", "00,<server time yyyyMMddHHmmss>,", reply.decode()) for reply in replies(decoded)]
    assert said == _answers(row)
    for truth in row["expect"]["traccar_decoded"]:
        attributes = truth.get("attributes", {})
        if truth.get("valid"):
            assert event.fix is not None
            assert (event.fix.lat, event.fix.lon) == pytest.approx((truth["lat"], truth["lon"]), abs=1e-6)
        else:
            assert event.fix is None
        if "fixTime" in truth and row["id"] != _DDMMYY:
            assert event.observed_at == datetime.fromisoformat(truth["fixTime"])
        level = attributes.get("batteryLevel", attributes.get("battery"))
        assert event.battery_pct == level
        network = truth.get("network", {})
        assert len(event.attributes.get("cells", ())) == len(network.get("cells", ()))
        if row["id"] != _DDMMYY:
            assert len(event.attributes.get("wifi", ())) == len(network.get("wifi", ()))


@needs(_IW)
def test_iw_traps() -> None:
    found = {row["id"]: one(decode("iw", row["frame"].encode())) for row in rows(_IW)}
    assert found[_DDMMYY].observed_at == datetime.fromisoformat("2022-11-30T20:19:34Z")
    assert len(found[_DDMMYY].attributes["wifi"]) == 5
    assert dict(found["extra-trv-025"].vitals) == {}
    assert dict(found["extra-trv-031"].vitals) == {"heart_rate_bpm": 57}
    assert found["extra-trv-033"].kind == "activity"


@needs(_MF2)
@pytest.mark.parametrize("row", rows(_MF2), ids=lambda row: str(row["id"]))
def test_minifinder2_captures(row: dict[str, Any]) -> None:
    decoded = decode("minifinder2", bytes.fromhex(row["frame"]))
    assert decoded.error is None
    assert [reply.hex() for reply in replies(decoded)] == _answers(row)
    truths = row["expect"]["traccar_decoded"]
    # One event a record; an alarm with two bits set is two.
    events = [event for event in decoded.events if event.attributes.get("code") != "bit 17"]
    assert len(events) == len(truths)
    keys = [event.key for event in decoded.events if event.key]
    assert len(set(keys)) == len(keys)
    for event, truth in zip(events, truths, strict=True):
        attributes = truth.get("attributes", {})
        assert event.type == _WORDS.get(attributes.get("alarm"))
        if truth.get("valid"):
            assert event.fix is not None
            assert (event.fix.lat, event.fix.lon) == pytest.approx((truth["lat"], truth["lon"]), abs=1e-6)
        else:
            assert event.fix is None
        if "fixTime" in truth:
            at = datetime.fromisoformat(truth["fixTime"])
            assert event.observed_at == (at if at.year > 2010 else None)
        assert event.battery_pct == attributes.get("batteryLevel")
        assert event.vitals.get("steps") == attributes.get("steps")
        assert len(event.attributes.get("wifi", ())) == len(truth.get("network", {}).get("wifi", ())) or (
            "place" in event.attributes
        )
        if attributes.get("archive") or (len(truths) > 1 and event.kind == "location"):
            assert event.buffered


_GT06_KINDS = {0x10, 0x11, 0x12, 0x13, 0x16, 0x17, 0x18, 0x19, 0x1E, 0x22, 0x24, 0x26, 0x28, 0x2C, 0x2E, 0x37, 0xA0}
_GT06_KINDS |= {0xA1, 0xA2, 0xA4, 0x69, 0x95}


@needs(_GT06)
@pytest.mark.parametrize("row", rows(_GT06), ids=lambda row: str(row["id"]))
def test_gt06_captures(row: dict[str, Any]) -> None:
    frame = bytes.fromhex(row["frame"])
    decoded = decode("gt06", frame)
    assert decoded.error is None
    event = decoded.events[0]
    wide, number = frame[0] == 0x79, row["id"][-3:]
    kind = frame[4] if wide else frame[3]
    if "crc" in row and not row["crc"]["ok"] and kind not in (0x69, 0x17) and frame.endswith(b"\n"):
        assert "crc" in event.attributes["faults"]
    if kind != 0x15 and number != "001":  # an answer is never answered; a server's message is none of a device
        assert [reply.hex() for reply in replies(decoded)] == _answers(row)
    if wide or kind not in _GT06_KINDS or number == "175":
        return
    for truth in row["expect"]["traccar_decoded"]:
        attributes = truth.get("attributes", {})
        if truth.get("valid"):
            assert event.fix is not None
            assert (event.fix.lat, event.fix.lon) == pytest.approx((truth["lat"], truth["lon"]), abs=1e-6)
        else:
            assert event.fix is None
        at = truth.get("fixTime") or truth.get("deviceTime")
        if at and number not in _OTHER_TIME:
            assert event.observed_at == datetime.fromisoformat(at)
        words = {_WORDS.get(word, "assistance") for word in attributes.get("alarm", "").split(",") if word}
        if number not in ("171", "187", "035"):  # the code table decides, not the oracle's variants
            assert set(types(decoded)) == words
        if "batteryLevel" in attributes and kind not in (0xA2,):
            assert event.battery_pct == attributes["batteryLevel"]


# --- iw ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [*IW_CODES, "00", "77", "xyz", ""])
def test_iw_alarm_codes(code: str) -> None:
    decoded = decode("iw", iw_place(tail=f"{code},zh-cn,00"))
    event = one(decoded)
    word = IW_CODES.get(code, "assistance")
    assert (event.type or event.kind) == word
    if code not in IW_CODES:
        assert event.attributes["code"] == (code or "none").zfill(2)
    assert replies(decoded) == [b"IWBP10#"]
    assert decoded.replies[0].after_commit
    assert event.attributes["trust"] == "unauthenticated"


def test_iw_a_damaged_alarm_is_one_and_profiles_replace_codes_and_order() -> None:
    for frame in (b"IWAP10#", b"IWAP10,,,,,#", b"IWAP10garbage,460,0,1,2,99#"):
        decoded = decode("iw", frame)
        assert types(decoded) == ["assistance"]
        assert replies(decoded) == [b"IWBP10#"]
    assert types(decode("iw", iw_place(tail="05"), {"alarm_codes": {"05": "tamper"}})) == ["tamper"]
    assert one(decode("iw", iw_place(date="221126"))).observed_at == datetime.fromisoformat("2026-11-22T07:15:04Z")
    for order, day in (("ymd", "2022-11-26"), ("dmy", "2026-11-22")):
        event = one(decode("iw", iw_place(date="221126"), {"date_order": order}))
        assert event.observed_at == datetime.fromisoformat(f"{day}T07:15:04Z")


@pytest.mark.parametrize(
    ("frame", "vitals"),
    [
        (b"IWAPHT,71,128,80#", {"heart_rate_bpm": 71, "systolic_mmhg": 128, "diastolic_mmhg": 80}),
        (b"IWAP50,36.6,0#", {"temperature_c": 36.6}),
        (b"IWAP49,0#", {}),
        (b"IWAPHP,0,0,0,95,0,0#", {}),
        (b"IWAPHP,,,,95,,#", {"spo2_pct": 95}),
        (b"IWAPHP,60,0,0,95,0,0#", {"heart_rate_bpm": 60, "spo2_pct": 95}),
        (b"IWAPJK,2026-11-22 07:00:00,1,81|127#", {"systolic_mmhg": 127, "diastolic_mmhg": 81}),
        (b"IWAPJK,20261122070000,4,97#", {"spo2_pct": 97}),
        (b"IWAPWR,355550001234567,1,1795331000#", {"wearing": 1}),
    ],
)
def test_iw_vitals(frame: bytes, vitals: dict[str, float]) -> None:
    decoded = decode("iw", frame)
    assert dict(one(decoded).vitals) == vitals
    assert one(decoded).battery_pct is None
    assert replies(decoded) == [b"IWB" + frame[3:6] + b"#"]


def test_iw_fall_login_media_and_replies() -> None:
    fall = decode("iw", f"IWAPFD,{ID},1795331000#".encode())
    assert types(fall) == ["fall"]
    assert one(fall).key is not None
    assert replies(decode("iw", f"IWAP00{ID}#".encode(), {"utc_offset_minutes": 480})) == [b"IWBP00,20261122072000,8#"]
    voice = decode("iw", b"IWAP07,20261122071500,3,2,4,#a##" + b"#")
    assert replies(voice) == [b"IWBP07,20261122071500,3,2,1#"]
    for frame in (b"IWAPXL,080835#", b"IWAP16,080835,1#", b"IWBP16,353456789012345,080835#"):
        assert replies(decode("iw", frame)) == []
    assert kinds(decode("iw", b"IWAPZZ,whatever#")) == ["unsupported"]
    assert replies(decode("iw", b"IWAPZZ,whatever#")) == [b"IWBPZZ#"]
    assert replies(decode("iw", b"TRVAP14,460,0,9520,3671#")) == [b"TRVBP14,0.000,0.000#"]


# --- minifinder2 ------------------------------------------------------------------------------------------------------

_AT = bytes.fromhex("004a0369") + bytes.fromhex("0000004d")


@pytest.mark.parametrize("bit", range(32))
def test_minifinder2_each_alarm_bit(bit: int) -> None:
    decoded = decode("minifinder2", mf2((1, ID.encode()), (0x24, _AT), (2, (1 << bit).to_bytes(4, "little"))))
    if 26 <= bit <= 29:  # the direction of a fence alarm says nothing alone
        assert decoded.events == ()
        return
    event = one(decoded)
    word = MF2_BITS.get(bit, "wandering" if 4 <= bit <= 7 else "assistance")
    if word in ALARM_TYPES:
        assert event.type == word
    elif word in ("activity", "status"):
        assert event.kind == word
    else:
        assert (event.type, event.attributes["code"]) == ("assistance", f"bit {bit}")
    assert decoded.replies[0].after_commit


def test_minifinder2_fences_measurements_and_services() -> None:
    entered = mf2((0x24, _AT), (2, (1 << 5 | 1 << 27).to_bytes(4, "little")))
    assert types(decode("minifinder2", entered)) == ["geofence_enter"]
    heart = decode("minifinder2", mf2((0x40, _AT[:4] + b"\x48"), (0x41, _AT[:4] + b"\x00")))
    assert [dict(event.vitals) for event in heart.events] == [{"heart_rate_bpm": 72}, {}]
    asked = decode("minifinder2", mf2((0x12, b""), kind=3))
    assert replies(asked)[0][8:11] == b"\x03\x05\x12"
    assert int.from_bytes(replies(asked)[0][11:15], "little") == int(NOW.timestamp())
    assert replies(decode("minifinder2", mf2((0, b""), kind=0x7F))) == []
    assert replies(decode("minifinder2", mf2((0x24, _AT), flags=0))) == []
    assert kinds(decode("minifinder2", mf2((0x24, _AT), kind=0x55))) == ["unsupported"]


# --- gt06 -------------------------------------------------------------------------------------------------------------


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


# --- h02 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bit", range(32))
def test_h02_bits_are_active_low(bit: int) -> None:
    decoded = decode("h02", h02_text(f"{0xFFFFFFFF ^ 1 << bit:08X}"))
    event = one(decoded)
    word = H02_BITS.get(bit)
    if word is None:
        assert event.kind == "location"
    else:
        assert event.type == (word if word in ALARM_TYPES else "assistance")
        assert decoded.replies[0].after_commit
    assert event.device_id == "4205550123"
    assert event.observed_at == datetime.fromisoformat("2026-11-22T07:15:04Z")
    assert event.fix is not None
    assert replies(decoded) == [b"*HQ,4205550123,V4,V1,20261122072000#"]


def test_h02_other_messages() -> None:
    assert set(types(decode("h02", h02_text("00000000")))) == {"sos", "assistance", "power_fail"}
    quiet = one(decode("h02", h02_text("FFFFFFFD", valid="V")))
    assert (quiet.type, quiet.fix, quiet.key) == ("sos", None, None)
    beat = decode("h02", b"*HQ,4205550123,LINK,071504,20,8,67,120,0,221126,FFFFFFFD#")
    assert kinds(beat) == ["alarm", "heartbeat"]
    assert beat.events[1].battery_pct == 67
    cells = one(decode("h02", b"*HQ,4205550123,NBR,071504,460,0,1,2,9338,3692,150,9338,3691,145,221126,FFFFFBFF#"))
    assert [cell["cell"] for cell in cells.attributes["cells"]] == [3692, 3691]
    assert replies(decode("h02", b"*HQ,4205550123,HTBT,77#")) == [b"*HQ,4205550123,HTBT#"]
    assert kinds(decode("h02", b"*HQ,4205550123,XYZ,1#")) == ["unsupported"]
    binary = bytes.fromhex("2442055501230715042211263154067206118494742e001090fffffffd000001")
    event = one(decode("h02", binary))
    assert (event.type, event.device_id, event.battery_pct) == ("sos", "4205550123", 100)
    assert event.fix is not None
    assert (event.fix.lat, event.fix.lon) == pytest.approx((31 + 54.0672 / 60, 118 + 49.4742 / 60), abs=1e-6)
    assert event.attributes["course_deg"] == 90


# --- whatever arrives -------------------------------------------------------------------------------------------------


def _keepable(decoded: Decoded, size: int) -> None:
    assert len(decoded.events) <= 500
    for event in decoded.events:
        text = json.dumps(to_json(event), allow_nan=False, ensure_ascii=False)
        text.encode("utf-8")
        assert re.search(r"(?<!\\)(?:\\\\)*\\u0000", text) is None
        assert len(text) < 20 * size + 40_000
        assert event.key is None or (len(event.key) < 200 and event.key.isascii())
        assert event.ref is None or 1 <= len(event.ref) <= 64
    assert all(reply.payload for reply in decoded.replies)


_FAMILIES = st.sampled_from(sorted(TRACKER_EXAMPLES))
_HEADS = {"iw": b"IWAP", "h02": b"*HQ,1,", "gt06": b"\x78\x78", "minifinder2": b"\xab\x10"}


@settings(max_examples=400, deadline=None)
@given(_FAMILIES, st.binary(max_size=120), st.booleans())
def test_any_bytes(family: str, payload: bytes, headed: bool) -> None:
    payload = (_HEADS[family] if headed else b"") + payload
    _keepable(decode(family, payload), len(payload))


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=90), st.integers(0, 255))
def test_any_content_in_a_sound_frame(content: bytes, kind: int) -> None:
    _keepable(decode("gt06", gt06_frame(kind, 1, content)), 100)
    _keepable(decode("minifinder2", mf2((kind, content))), 100)
    _keepable(decode("h02", b"$" + content), 100)
    text = content.decode("latin-1").encode("utf-8")
    for word in (b"AP01", b"AP10", b"APJK,", b"APHP,", b"AP07,", b"AP02,", b"APFD,"):
        _keepable(decode("iw", b"IW" + word + text), 200)
    for word in (b"V1,", b"NBR,", b"V3,", b"LINK,", b"V4,"):
        _keepable(decode("h02", b"*HQ,1," + word + text + b"#"), 200)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 38), st.integers(1, 255))
def test_a_changed_byte_is_told_and_the_alarm_stands(at: int, flip: int) -> None:
    frame = bytearray(gt06_alarm(1))
    at = 4 + at % (len(frame) - 12)
    frame[at] ^= flip
    decoded = decode("gt06", bytes(frame))
    assert all("crc" in event.attributes["faults"] for event in decoded.events)
    pendant = bytearray(mf2((1, ID.encode()), (0x24, _AT), (2, b"\x00\x10\x00\x00")))
    pendant[-1 - at % 4] ^= flip
    assert all("crc" in event.attributes["faults"] for event in decode("minifinder2", bytes(pendant)).events)


# --- hub decode -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_what_follows_a_login_is_that_devices(stream: bool) -> None:
    lines = [gt06_frame(1, 1, bytes.fromhex("0" + ID)).hex(), gt06_alarm(1).hex()]
    found = [result.to_json() for result in decode_lines("gt06", lines, stream=stream, received_at=NOW)]
    assert [event["device_id"] for one_ in found for event in one_["events"]] == [ID, ID]
    assert found[1]["replies"] == [gt06_frame(0x26, 9).hex()]


def test_before_a_login_an_alarm_is_nobodys_but_told() -> None:
    found = next(decode_lines("iw", [iw_place()], received_at=NOW)).to_json()
    assert (found["events"][0]["device_id"], found["events"][0]["type"], found["error"]) == ("", "sos", None)


def test_an_answer_of_gt06_ends_before_its_language() -> None:
    content = b"\x0a\x00\x00\x00\x01Reset!\x00\x02"
    (found,) = decode_lines("gt06", [gt06_frame(0x15, 9, content).hex()], received_at=NOW)
    (event,) = found.decoded.events
    assert (event.kind, event.attributes["content"]) == ("reply", "Reset!")
