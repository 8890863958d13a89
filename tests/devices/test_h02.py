"""H02 messages, text and binary, bit by bit."""

from __future__ import annotations

from datetime import datetime

import pytest

from devices.alarm_types import ALARM_TYPES
from devices.codecs.h02 import ALARM_BITS as H02_BITS
from tests.devices.tracker_examples import (
    decode,
    h02_text,
    kinds,
    one,
    replies,
    types,
)


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


@pytest.mark.parametrize("word", ["V1", "V5", "V6", "I2", "SOS"])
def test_h02_a_position_is_one_whatever_it_is_called(word: str) -> None:
    frame = f"*HQ,4205550123,{word},000000,A,3352.1234,S,07040.5678,W,010.50,270,010127,FFFFFFFF,724,10,9520,3671#"
    event = one(decode("h02", frame.encode()))
    assert event.type == ("sos" if word == "SOS" else None)
    assert event.observed_at == datetime.fromisoformat("2027-01-01T00:00:00Z")
    assert event.fix is not None
    assert (event.fix.lat, event.fix.lon) == (-33.8687233, -70.67613)
    assert event.attributes["cells"] == [{"mcc": 724, "mnc": 10, "lac": 9520, "cell": 3671}]
    pressed = decode("h02", frame.replace("FFFFFFFF", "FFFFFFFD").encode())
    assert types(pressed) == ["sos"]


def test_h02_positions_without_a_time_and_cells_alone() -> None:
    event = one(decode("h02", b"*HQ,4205550123,VP1,A,3154.0672,S,11849.4742,W,0.00,90.0,221126#"))
    assert event.fix is not None
    assert (event.fix.lat, event.fix.lon, event.observed_at) == (-31.90112, -118.82457, None)
    cells = one(decode("h02", b"*HQ,4205550123,VP1,V,460,0,9520,3671,24Y9520,3672,20#"))
    assert [cell["cell"] for cell in cells.attributes["cells"]] == [3671, 3672]
    assert cells.fix is None


@pytest.mark.parametrize(
    ("sent", "cell"),
    [
        ("460,00,9520,3671", (460, 0, 9520, 3671)),
        ("1cc,a, 2530,e57", (460, 10, 0x2530, 0xE57)),
        ("0001cc,00000a,002530,000e57", (460, 10, 0x2530, 0xE57)),
        ("125,40, 64,d3", (293, 64, 100, 211)),
        ("460,11,7a1c5d2,8232", None),
        ("0,0,0,0", None),
        ("zz,1,2,3", None),
    ],
)
def test_h02_cells_in_decimal_and_in_hexadecimal(sent: str, cell: tuple[int, int, int, int] | None) -> None:
    event = one(decode("h02", h02_text().removesuffix(b"#") + f",{sent}#".encode()))
    found = [(one_["mcc"], one_["mnc"], one_["lac"], one_["cell"]) for one_ in event.attributes.get("cells", ())]
    assert found == ([cell] if cell else [])
    assert event.fix is not None


def test_h02_below_one_degree_and_answers_in_words() -> None:
    event = one(decode("h02", h02_text().replace(b"11849.4742,E", b"49.4742,W")))
    assert event.fix is not None
    assert event.fix.lon == -0.82457
    told = one(decode("h02", b"*HQ,4205550123,SMS,T9_V2.0 2026/11/22\\nVOLT:12.9V,GSM:26#"))
    assert (told.kind, "VOLT:12.9V,GSM:26" in told.attributes["content"]) == ("reply", True)
