"""Tracker families together: whatever bytes arrive, and what `hub decode` makes of a login."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.codecs.gt06_body import gt06_frame
from devices.model import Decoded
from hub.decode import decode_lines, to_json
from tests.devices.tracker_examples import (
    ID,
    NOW,
    TRACKER_EXAMPLES,
    decode,
    gt06_alarm,
    iw_place,
    mf2,
)


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
    pendant = bytearray(mf2((1, ID.encode()), (0x24, bytes.fromhex("004a03690000004d")), (2, b"\x00\x10\x00\x00")))
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
