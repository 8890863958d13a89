"""IW and TRV messages: captured ones against their meaning, ours alarm by alarm, filler by filler, reply by reply."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from devices.codecs.iw_position import ALARM_CODES as IW_CODES
from tests.devices.captures import answers, needs, rows
from tests.devices.tracker_examples import (
    ID,
    decode,
    iw_place,
    kinds,
    one,
    replies,
    types,
)

_IW = "captures/iw_trv_frames.jsonl"
_DDMMYY = "extra-trv-027"  # the vendor's order of the date is not the one the oracle assumes


@needs(_IW)
@pytest.mark.parametrize("row", rows(_IW), ids=lambda row: str(row["id"]))
def test_iw_captures(row: dict[str, Any]) -> None:
    decoded = decode("iw", row["frame"].encode())
    event = one(decoded)
    assert event.device_id in (ID, row.get("device_id"))
    said = [re.sub(r"00,\d{14},", "00,<server time yyyyMMddHHmmss>,", reply.decode()) for reply in replies(decoded)]
    assert said == answers(row)
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
