"""Captured GT06 messages: each of them against all that the oracle says of it. Where that is wrong, the reason stands
here and in docs/wire/gt06.md.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from devices.model import Decoded, Event
from tests.devices.captures import answers, needs, rows
from tests.devices.tracker_examples import decode, types

_GT06 = "captures/gt06_frames.jsonl"
_WORDS = {"sos": "sos", "lowBattery": "low_battery", "geofenceEnter": "geofence_enter", "tampering": "tamper"}

_OTHER_ALARMS = {
    "021": ["assistance"],  # 0A counts ten bytes of cell: the alarm byte is 21, unknown
    "035": [],  # a driver's card, not the wearer
    "171": ["low_battery"],  # 19 by the table; another model's 19 is an acceleration
    "187": ["assistance"],  # EA, unknown
}
_OTHER_CELLS = {"021", "037", "095"}  # the oracle reads them with the sizes of another message
_OTHER_TIME = {
    "051": "2021-10-09T22:38:08+00:00",  # module 2C, which the oracle does not read
    "061": "2020-12-11T10:38:42+00:00",  # plain bytes where the oracle reads decimal digits
    "069": "2015-01-01T08:03:01+00:00",  # the position's clock was never set, the message's was
    "159": "2017-08-25T17:02:08+00:00",  # the zone of another device, left over in the oracle
}
_UNREAD = {"001", "059", "067", "079", "093", "131", "153", "157"}
"""A server's message, and vehicles': engine, fuel, cards, a phone book. Kept whole as `unsupported`."""


@needs(_GT06)
@pytest.mark.parametrize("row", rows(_GT06), ids=lambda row: str(row["id"]))
def test_captures(row: dict[str, Any]) -> None:
    frame, number = bytes.fromhex(row["frame"]), row["id"][-3:]
    decoded = decode("gt06", frame)
    assert decoded.error is None
    kind = frame[4] if frame[0] == 0x79 else frame[3]
    if "crc" in row and not row["crc"]["ok"] and kind not in (0x69, 0x17) and frame.endswith(b"\n"):
        assert "crc" in decoded.events[0].attributes["faults"]
    if kind != 0x15 and number != "001":  # an answer is never answered; a server's message is none of a device
        assert [reply.payload.hex() for reply in decoded.replies] == answers(row)
    truths = row["expect"]["traccar_decoded"]
    assert (decoded.events[0].kind == "unsupported") == (number in _UNREAD)
    if number in _UNREAD:
        assert all("valid" not in truth and "alarm" not in truth["attributes"] for truth in truths)
        return
    for truth in truths:
        _compare(decoded, truth, number)


def _compare(decoded: Decoded, truth: dict[str, Any], number: str) -> None:
    event, attributes = decoded.events[-1], truth.get("attributes", {})
    said = event.attributes
    _compare_place(event, truth)
    at = _OTHER_TIME.get(number) or truth.get("fixTime") or truth.get("deviceTime")
    assert event.observed_at == (datetime.fromisoformat(at) if at else None)
    words = {_WORDS.get(word, "assistance") for word in attributes.get("alarm", "").split(",") if word}
    assert types(decoded) == _OTHER_ALARMS.get(number, sorted(words))
    if "batteryLevel" in attributes:
        assert event.battery_pct == (attributes["batteryLevel"] or None)
    if "charge" in attributes and number != "021":
        assert said["charging"] is attributes["charge"]
    if "satVisible" not in attributes and "sat" in attributes and "satellites" in said:
        assert said["satellites"] == attributes["sat"]
    if "gsm_level" in said and number != "021":
        assert said["gsm_level"] == attributes.get("rssi", said["gsm_level"])
    assert event.buffered is (attributes.get("archive") is True and number != "009")  # 009: 01 is its language
    if number not in _OTHER_CELLS:
        _compare_radio(event, truth)
    content = attributes.get("result") or attributes.get("iccid")
    if content is not None:
        assert content in str(said)
    if "door" in attributes and "door_open" in said:
        assert said["door_open"] is attributes["door"]


def _compare_place(event: Event, truth: dict[str, Any]) -> None:
    if "valid" not in truth:
        assert event.fix is None
        return
    here = (truth["lat"], truth["lon"])
    if not truth["valid"]:
        assert event.fix is None
        last = event.attributes.get("unconfirmed_position")
        assert (last is None) == (here == (0, 0))
        if last is not None:
            assert (last["lat"], last["lon"]) == pytest.approx(here, abs=1e-6)
        return
    assert event.fix is not None
    assert (event.fix.lat, event.fix.lon) == pytest.approx(here, abs=1e-6)
    if "course_deg" in event.attributes:
        assert event.attributes["course_deg"] == truth["course"]
        assert event.attributes["speed_kmh"] == pytest.approx(truth["speed_kmh"])


def _compare_radio(event: Event, truth: dict[str, Any]) -> None:
    network = truth.get("network", {})
    cells = {(cell["mcc"], cell["mnc"], cell["lac"], cell["cid"]) for cell in network.get("cells", ()) if cell["mcc"]}
    found = {(cell["mcc"], cell["mnc"], cell["lac"], cell["cell"]) for cell in event.attributes.get("cells", ())}
    if cells:  # the oracle leaves out some; more is no fault
        assert found == cells
    stations = {one["mac"]: one["rssi"] for one in network.get("wifi", ()) if int(one["mac"].replace(":", ""), 16)}
    assert {one["mac"]: one.get("rssi_dbm") for one in event.attributes.get("wifi", ())} == stations
