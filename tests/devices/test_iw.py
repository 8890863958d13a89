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
_OFF = "extra-trv-025"  # nobody wore it: its 95 % is a placeholder
_VITALS = {
    "heartRate": "heart_rate_bpm", "pressureSystolic": "systolic_mmhg", "pressureDiastolic": "diastolic_mmhg",
    "spo2": "spo2_pct", "temperature": "temperature_c", "steps": "steps",
}  # fmt: skip
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
        assert dict(event.vitals) == {
            ours: attributes[theirs] for theirs, ours in _VITALS.items() if attributes.get(theirs) and row["id"] != _OFF
        }
        for theirs, ours in (("rssi", "gsm_pct"), ("sat", "satellites")):
            assert event.attributes.get(ours) == attributes.get(theirs)
        if truth.get("valid"):
            assert event.attributes["speed_kmh"] == truth["speed_kmh"]
            assert event.attributes["course_deg"] == truth["course"]
        network = truth.get("network", {})
        cells = {(cell["mcc"], cell["mnc"], cell["lac"], cell["cid"]) for cell in network.get("cells", ())}
        found = event.attributes.get("cells", ())
        assert {(cell["mcc"], cell["mnc"], cell["lac"], cell["cell"]) for cell in found} == cells
        if row["id"] != _DDMMYY:  # nor does it know MACs with colons
            stations = {one["mac"].lower(): one["rssi"] for one in network.get("wifi", ())}
            assert {one["mac"]: one["rssi_dbm"] for one in event.attributes.get("wifi", ())} == stations


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
        (b"IWAPTP,36.4,31.8#", {"temperature_c": 36.4}),
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
    placed = decode("iw", iw_place("APFD"))
    assert types(placed) == ["fall"]
    assert (one(placed).fix is not None, one(placed).battery_pct, one(placed).key is not None) == (True, 77, True)
    assert types(decode("iw", iw_place("APFD", valid="V"))) == ["fall"]
    for cut in range(6, len(iw_place("APFD"))):
        assert types(decode("iw", iw_place("APFD")[:cut])) == ["fall"]
    assert replies(placed) == [b"IWBPFD#"]
    version = decode("iw", f"IWAPVR,{ID},T9-EU-V2.10#".encode())
    assert one(version).attributes["firmware"] == "T9-EU-V2.10"
    voice = decode("iw", b"IWAP07,20261122071500,3,2,4,#a##" + b"#")
    assert replies(voice) == [b"IWBP07,20261122071500,3,2,1#"]
    for frame in (
        b"IWAPXL,080835#",
        b"IWAP14,080835,00410042|13900000000,,,#",
        b"IWAP16,080835,1#",
        b"IWBP16,353456789012345,080835#",
    ):
        assert replies(decode("iw", frame)) == []
    assert kinds(decode("iw", b"IWAPZZ,whatever#")) == ["unsupported"]
    assert replies(decode("iw", b"IWAPZZ,whatever#")) == [b"IWBPZZ#"]
    assert replies(decode("iw", b"TRVAP14,460,0,9520,3671#")) == [b"TRVBP14,0.000,0.000#"]


@pytest.mark.parametrize("date", ["260228", "20260228", "280226", "28022026"])
def test_iw_years_of_two_and_four_digits_in_both_orders(date: str) -> None:
    profile = {"date_order": "dmy"} if date.startswith("28") else {}
    event = one(decode("iw", iw_place(date=date).replace(b"071504", b"235959"), profile))
    assert event.observed_at == datetime.fromisoformat("2026-02-28T23:59:59Z")
    assert event.fix is not None


@pytest.mark.parametrize(
    ("spot", "lat", "lon"),
    [
        (b"3352.1234S15112.5678E", -33.8687233, 151.2094633),
        (b"3352.1234S07040.5678W", -33.8687233, -70.67613),
        (b"6410.0000N02156.0000W", 64.1666667, -21.9333333),
    ],
)
def test_iw_hemispheres_and_languages(spot: bytes, lat: float, lon: float) -> None:
    for language in (b"es", b"en", b"zh_cn", b""):
        frame = iw_place().replace(b"3154.0672N11849.4742E", spot).replace(b"zh-cn", language)
        event = one(decode("iw", frame))
        assert event.type == "sos"
        assert event.fix is not None
        assert (event.fix.lat, event.fix.lon) == (lat, lon)


def test_iw_cells_alone_and_stations_alone() -> None:
    towers = one(decode("iw", b"IWAP02,zh_cn,0,2,460,01,9520|3671|13,9520|3672|12,0#"))
    assert [cell["cell"] for cell in towers.attributes["cells"]] == [3671, 3672]
    heard = one(decode("iw", b"IWAP02,en,1,0,460,0,,2,1|D8-24-BD-79-FA-1F|59&2|3C-46-D8-6D-CE-01|81#"))
    assert [found["rssi_dbm"] for found in heard.attributes["wifi"]] == [-59, -81]
    assert (towers.fix, heard.fix) == (None, None)
    assert dict(one(decode("iw", b"IWAP50,-5.2,0#")).vitals) == {}  # a watch in the cold, on nobody's arm


def test_iw_a_position_parted_by_commas_is_one() -> None:
    parted = b"IWAP10,261122,A3154.0672N11849.4742E,001.5,071504,090.00,06000907700102,460,0,9520,3671,01,zh-cn,00#"
    here, usual = one(decode("iw", parted)), one(decode("iw", iw_place()))
    assert (here.type, here.fix, here.observed_at, here.battery_pct) == ("sos", usual.fix, usual.observed_at, 77)
    assert (here.key, here.attributes) == (usual.key, usual.attributes)
    assert replies(decode("iw", parted)) == [b"IWBP10#"]
    nowhere = one(decode("iw", parted.replace(b"A3154.0672N11849.4742E", b"V-0.0000N-0.0000E")))
    assert (nowhere.type, nowhere.fix, nowhere.observed_at, nowhere.battery_pct) == ("sos", None, here.observed_at, 77)
    for cut in range(6, len(parted)):
        found = decode("iw", parted[:cut])
        assert len(types(found)) == 1, cut
        assert replies(found) == [b"IWBP10#"]
    for noise in (b"IWAP10,261122,A,B,C,D,E,F#", b"IWAP10,\xff\xff,A,,,,,#", b"IWAP10,261122,A1.1.1N1E,0,0,0,0,0#"):
        assert types(decode("iw", noise)) == ["assistance"]
    login = one(decode("iw", f"IWAP00,{ID},89860000000000000001#".encode(), device_id=""))
    assert (login.device_id, login.attributes["iccid"]) == (ID, "89860000000000000001")


def test_iw_a_battery_that_falls_is_an_alarm_only_when_it_is_low() -> None:
    for sent, level, word in (
        (b"075", 75, None),
        (b"050", 50, None),
        (b"025", 25, "low_battery"),
        (b"", None, "low_battery"),
    ):
        event = one(decode("iw", b"IWAP04," + sent + b"#"))
        assert (event.battery_pct, event.type) == (level, word)
    assert replies(decode("iw", b"IWAP04,010#")) == [b"IWBP04#"]


@pytest.mark.parametrize(
    "beacons", [b"", b"|1,b|0a-1b-2c-3d-4e-5f|64", b"|2@b|0a-1b-2c-3d-4e-5f|64&c|0a-1b-2c-3d-4e-60|70"]
)
def test_iw_beacons_do_not_move_the_cells(beacons: bytes) -> None:
    event = one(
        decode("iw", b"IWAP02,zh_cn" + beacons + b",0,2,460,1,9520|3671|13,9520|3672|12,1,a|d8-24-bd-79-fa-1f|59#")
    )
    assert [(cell["mcc"], cell["mnc"], cell["cell"]) for cell in event.attributes["cells"]] == [
        (460, 1, 3671),
        (460, 1, 3672),
    ]
    assert [found["mac"] for found in event.attributes["wifi"]] == ["d8:24:bd:79:fa:1f"]
