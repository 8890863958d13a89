"""The bracket watch protocol from the watch's side."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.bracket import (
    ALARM_BITS,
    Frame,
    FrameReader,
    Position,
    decode_position,
    encode_frame,
    encode_position,
    status_word,
)
from simulators.wire import Fix, WireError

VECTORS = Path(__file__).resolve().parents[3] / "shared/data/captures/framing_vectors.jsonl"

EPOCH = datetime(2001, 1, 1, tzinfo=UTC)

digits = st.text("0123456789", min_size=10, max_size=15)
# Wi-Fi names hold brackets: balanced ones must pass.
contents = st.lists(st.sampled_from(["LK", "AL", "UD", "家", "[wifi]", "7", "-69", "a*b"]), min_size=1, max_size=8).map(
    ",".join
)
frames = st.one_of(
    st.builds(Frame, digits, contents, vendor=st.sampled_from(["3G", "SG", "CS"])),
    st.builds(Frame, digits, contents, vendor=st.just("ZJ"), index=st.text("0123456789ABCDEF", min_size=4, max_size=4)),
)
positions = st.builds(
    Position,
    # Years have two digits on this wire.
    observed_at=st.integers(0, 2_100_000_000).map(lambda seconds: EPOCH + timedelta(seconds=seconds)),
    fix=st.none()
    | st.builds(
        Fix,
        lat=st.integers(-90_000_000, 90_000_000).map(lambda micro: micro / 1e6),
        lon=st.integers(-180_000_000, 180_000_000).map(lambda micro: micro / 1e6),
        accuracy_m=st.none() | st.integers(1, 9_999).map(lambda tenth: tenth / 10),
    ),
    battery_pct=st.integers(0, 100),
    steps=st.integers(0, 99_999),
    status=st.integers(0, 2**32 - 1),
)


@given(st.lists(frames, max_size=6), st.lists(st.integers(1, 40), max_size=20))
def test_frames_come_back_however_the_stream_is_cut(sent: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(encode_frame(frame) for frame in sent)
    reader = FrameReader()
    got: list[Frame] = []
    for cut in cuts:
        got += reader.feed(stream[:cut])
        stream = stream[cut:]
    assert got + reader.feed(stream) == sent


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(noise: bytes) -> None:
    with contextlib.suppress(WireError):
        assert all(isinstance(frame, Frame) for frame in FrameReader().feed(noise))


@given(st.sampled_from(["UD", "UD2", "AL", "AL_LTE"]), positions)
def test_positions_come_back_as_they_went(kind: str, position: Position) -> None:
    assert decode_position(encode_position(kind, position)) == (kind, position)


def test_a_frame_without_end_is_dropped_at_the_limit() -> None:
    reader = FrameReader(limit=100)
    with pytest.raises(WireError, match="longer than 100"):
        reader.feed(b"[3G*1*0001*" + b"x" * 200)
    assert reader.feed(b"[3G*1*0002*LK]") == [Frame("1", "LK")]


@pytest.mark.parametrize("type_", ALARM_BITS)
def test_each_alarm_has_its_bit_in_the_high_half(type_: str) -> None:
    word = status_word(type_, low_battery=True)
    assert word >> 16 == 1 << (ALARM_BITS[type_] - 16)
    assert word & 1


def test_an_alarm_without_a_bit_is_refused() -> None:
    with pytest.raises(WireError, match="no bit for 'smoke'"):
        status_word("smoke")


def test_the_reader_agrees_with_captured_streams() -> None:
    if not VECTORS.is_file():
        pytest.skip(f"no captured framing vectors at {VECTORS}")
    rows = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines() if line]
    checked = 0
    for row in rows:
        if row["protocol"] != "watch" or not row["first_frame_hex"]:
            continue
        stream, first = bytes.fromhex(row["stream_hex"]), bytes.fromhex(row["first_frame_hex"])
        # Escaped voice frames are not part of what these watches send.
        if first not in stream or any(byte > 0x7F for byte in stream):
            continue
        head, _, content = first[1:-1].decode().partition("*")
        got = FrameReader().feed(stream)[0]
        assert got.vendor == head
        assert first[1:-1].decode().endswith(got.content)
        assert content.startswith(got.device_id)
        checked += 1
    assert checked
