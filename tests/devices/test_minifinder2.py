"""MiniFinder2 messages: captured ones against their meaning, ours bit by bit and key by key."""

from __future__ import annotations

import struct
from datetime import datetime
from typing import Any

import pytest

from devices.alarm_types import ALARM_TYPES
from devices.codecs.minifinder2_record import ALARM_BITS as MF2_BITS
from tests.devices.captures import answers, needs, rows
from tests.devices.tracker_examples import (
    ID,
    NOW,
    decode,
    kinds,
    mf2,
    one,
    replies,
    types,
)

_GARBLED = "extra-minifinder2-035"  # what follows its course is not what was decoded, nor is the checksum its
_MF2 = "captures/minifinder2_frames.jsonl"
_WORDS = {"sos": "sos", "lowBattery": "low_battery"}


@needs(_MF2)
@pytest.mark.parametrize("row", rows(_MF2), ids=lambda row: str(row["id"]))
def test_minifinder2_captures(row: dict[str, Any]) -> None:
    decoded = decode("minifinder2", bytes.fromhex(row["frame"]))
    assert decoded.error is None
    assert [reply.hex() for reply in replies(decoded)] == answers(row)
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
        said = event.attributes
        if "status" in said:
            assert said["charging"] is attributes.get("charge", False)
            assert said["moving"] is attributes["motion"]
            assert said["gsm_level"] == attributes["rssi"]
        if truth.get("valid") and "satellites" in said and row["id"] != _GARBLED:
            assert said["satellites"] == attributes["sat"]
            assert (said["speed_kmh"], said["course_deg"]) == (pytest.approx(truth["speed_kmh"]), truth["course"])
            assert said["altitude_m"] == truth["altitude_m"]
        tags = {
            attributes[f"tagId{at}"]: attributes.get(f"tagRssi{at}") for at in range(1, 9) if f"tagId{at}" in attributes
        }
        assert {tag["mac"].replace(":", ""): tag.get("rssi_dbm") for tag in said.get("beacons", ())} == tags
        network = truth.get("network", {})
        cells = {(cell["mcc"], cell["mnc"], cell["lac"], cell["cid"]) for cell in network.get("cells", ())}
        assert {(one["mcc"], one["mnc"], one["lac"], one["cell"]) for one in said.get("cells", ())} == cells
        if "barkCount" in attributes:
            barked = [said, *said.get("counted", ())]
            assert attributes["barkCount"] in [one.get("count") for one in barked]
            assert any(one.get("ended", False) for one in barked) is attributes.get("barkStop", False)
        assert len(event.attributes.get("wifi", ())) == len(truth.get("network", {}).get("wifi", ())) or (
            "place" in event.attributes
        )
        if attributes.get("archive") or (len(truths) > 1 and event.kind == "location"):
            assert event.buffered


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


_PLACE = struct.pack("<ii", 315_012_345, 1_188_054_321)
_TAG = bytes.fromhex("0a1b2c3d4e5f")
_SPOT = (31.5012345, 118.8054321)


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        (0x23, _TAG + _PLACE, None),
        (0x23, _TAG + _PLACE + "卧室".encode(), "卧室"),
        (0x26, _TAG + _PLACE + struct.pack("<Hh", 14, -3), None),
        (0x26, _TAG + _PLACE + bytes(4), None),
        (0x2C, b"\x80" + _TAG + b"\xc0\xc5\x5a" + _PLACE, None),
        (0x2C, b"\xc0" + _TAG + b"\xc0\xc5\x5a" + _PLACE + b"\x04Hall\x00\xe6", "Hall"),
    ],
)
def test_a_beacon_says_where_it_is_and_what_it_is_called(key: int, value: bytes, named: str | None) -> None:
    event = one(decode("minifinder2", mf2((0x24, _AT), (key, value))))
    assert event.fix is not None
    assert (event.fix.lat, event.fix.lon, event.fix.source) == (*_SPOT, "beacon")
    assert event.fix.observed_at == event.observed_at
    (tag,) = event.attributes["beacons"]
    assert (tag["mac"], tag.get("place")) == ("5f:4e:3d:2c:1b:0a", named)
    for cut in range(len(value)):  # what is left of it costs neither the alarm nor the beacon's time
        alarm = one(decode("minifinder2", mf2((0x24, _AT), (key, value[:cut]), (2, bytes.fromhex("00100000")))))
        assert (alarm.type, alarm.observed_at) == ("sos", event.observed_at)


def test_beacons_alone_reckoned_places_and_lte_cells() -> None:
    alone = one(decode("minifinder2", mf2((0x24, _AT), (0x23, _TAG), (0x2C, b"\x40" + _TAG + b"\xc0\xc5\x5a\x04Hall"))))
    assert alone.fix is None
    assert [tag.get("place") for tag in alone.attributes["beacons"]] == [None, "Hall"]
    reckoned = one(decode("minifinder2", mf2((0x24, _AT), (0x27, _PLACE + struct.pack("<Hh", 14, -3)))))
    assert reckoned.fix is not None
    assert (reckoned.fix.lat, reckoned.fix.lon) == _SPOT
    assert (reckoned.attributes["hdop"], reckoned.attributes["altitude_m"]) == (1.4, -3)
    towers = struct.pack("<HB", 460, 11) + struct.pack("<bHI", -70, 30602, 125_639_001) + struct.pack("<bHI", 9, 1, 0)
    lte = one(decode("minifinder2", mf2((0x24, _AT), (0x29, towers))))
    assert (lte.kind, lte.fix) == ("location", None)
    assert lte.attributes["cells"] == [{"mcc": 460, "mnc": 11, "lac": 30602, "cell": 125_639_001, "level": -70}]
