"""Framers of the tracker families: whole, byte by byte, glued, halved, with garbage, however chopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.codecs.gt06_body import gt06_frame
from devices.framers import Gt06Framer, H02Framer, IwFramer, Minifinder2Framer
from devices.frames import Framer
from tests.devices.captures import needs, rows
from tests.devices.tracker_examples import ID, decode, gt06_alarm, h02_text, iw_place, mf2

_FRAMERS: Mapping[str, Callable[[], Framer]] = {
    "iw": IwFramer, "minifinder2": Minifinder2Framer, "gt06": Gt06Framer, "h02": H02Framer,
}  # fmt: skip
_SHORT = bytes.fromhex("2442055501230715042211263154067206118494742e001090fffffffd000001")
_FRAMES: Mapping[str, list[bytes]] = {
    "iw": [
        f"IWAP00{ID}#".encode(),
        iw_place(),
        b"IWAP07,20261122071500,1,1,9,#IWAP49,##",
        b"IWAP42,20261122071500,1,1,4,ffd8ff23#",  # counts bytes, sends digits
        b"TRVCP01,06000908000102#",
    ],
    "minifinder2": [mf2((1, ID.encode()), (2, b"\x00\x10\x00\x00")), mf2((0x24, bytes(8))), mf2((0x10, b""), kind=3)],
    "gt06": [
        gt06_frame(1, 1, bytes.fromhex("0" + ID)),
        gt06_alarm(1),
        gt06_frame(0x15, 2, b"\x08\x00\x00\x00\x00a\r\nb"),
        gt06_frame(0x21, 3, bytes(5) + b"x" * 300, wide=True),
        bytes.fromhex("787801692611220715041122334455662a0101cc00287d1f712a0d0a"),  # Wi-Fi: a count, no length
    ],
    "h02": [h02_text(), _SHORT, h02_text("FFFFFFFD"), _SHORT + bytes(13), b"*HQ,4205550123,HTBT,77#"],
}
families = pytest.mark.parametrize("family", sorted(_FRAMERS))
_GARBAGE = (b"", b"\r\n", b"\x00\x01", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 50, b"IWA", b"*", b"$", b"\x78", b"\xab")


def _cut(family: str, stream: bytes, size: int = 1 << 20) -> list[bytes]:
    framer = _FRAMERS[family]()
    found = [frame for start in range(0, len(stream), size) for frame in framer.feed(stream[start : start + size])]
    found += framer.flush()
    assert framer.pending == 0
    return found


@families
@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1 << 20])
def test_whole_glued_and_in_pieces(family: str, size: int) -> None:
    frames = _FRAMES[family]
    assert _cut(family, b"".join(frames), size) == frames
    for frame in frames:
        assert _cut(family, frame, size) == [frame]


@families
@pytest.mark.parametrize("garbage", _GARBAGE)
def test_garbage_is_skipped_and_counted(family: str, garbage: bytes) -> None:
    for frame in _FRAMES[family]:
        assert frame in _cut(family, garbage + frame + b"\r\n" + frame)
    framer = _FRAMERS[family]()
    framer.feed(b"\x01\x02\x03" + _FRAMES[family][0])
    assert framer.discarded == 3


@needs("captures/framing_vectors.jsonl")
@pytest.mark.parametrize("row", [row for row in rows("captures/framing_vectors.jsonl") if row["protocol"] == "gt06"])
def test_vectors(row: dict[str, str]) -> None:
    for size in (1, 1 << 20):
        assert _cut("gt06", bytes.fromhex(row["stream_hex"]), size)[0].hex() == row["first_frame_hex"]


def _captured(family: str) -> list[bytes]:
    """Every captured message as a device sends it: the text rows were kept without their end."""
    if family == "iw":
        return [row["frame"].encode().rstrip(b"#") + b"#" for row in rows("captures/iw_trv_frames.jsonl")]
    frames = [bytes.fromhex(row["frame"]) for row in rows(f"captures/{family}_frames.jsonl")]
    return [frame for frame in frames if family == "minifinder2" or frame.endswith(b"\r\n")]


@needs("captures/gt06_frames.jsonl")
@pytest.mark.parametrize("family", ["gt06", "iw", "minifinder2"])
def test_captured_messages_whole_glued_in_pairs_and_with_garbage_between(family: str) -> None:
    frames = _captured(family)
    assert len(frames) > 10
    for frame, following in zip(frames, [*frames[1:], frames[0]], strict=True):
        assert _cut(family, frame, 1) == [frame]
        assert _cut(family, frame + following) == [frame, following]
        assert _cut(family, frame + following, 1) == [frame, following]
        for garbage in (b"\r\n", b"\x00\xff\x01", b"hello "):
            assert _cut(family, garbage + frame + garbage + following, 3) == [frame, following]


def test_what_only_looks_like_an_undescribed_message_of_h02_is_told_by_what_follows() -> None:
    stream = bytes.fromhex("0000000000000000582442055501230715042211263154067206118494742e001090fffffffd000001")
    ends = []
    for size in (1, 40, 1 << 20):
        framer = _FRAMERS["h02"]()
        found = [frame for at in range(0, len(stream), size) for frame in framer.feed(stream[at : at + size])]
        ends.append((found, framer.pending, framer.discarded))
    assert ends.count(ends[-1]) == len(ends)


_LIKE_A_LONG_ID = bytes.fromhex(
    "2442055501230715042211263112067206118494742e001090fffffffd000001"
)  # 31 degrees, 12 minutes
_LONG_ID = bytes.fromhex("2435555000123011210715042211263154067206118494742e001090fffffffd") + bytes(10)


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_place_of_h02_that_looks_like_a_date_moves_no_message(size: int) -> None:
    frames = [_LIKE_A_LONG_ID, _LONG_ID, _LIKE_A_LONG_ID + bytes(13), _SHORT]
    assert _cut("h02", b"".join(frames), size) == frames
    for frame in frames:
        assert _cut("h02", frame, size) == [frame]
        (found,) = decode("h02", frame).events
        assert (found.type, str(found.observed_at)) == ("sos", "2026-11-22 07:15:04+00:00")
        assert found.device_id == ("355550001230112" if frame is _LONG_ID else "4205550123")


@pytest.mark.parametrize("noise", [b"zz", b"\x00\x01zz\r\n", b"\xff" * 7, bytes(14)])
def test_garbage_behind_a_binary_message_of_h02_costs_not_the_next(noise: bytes) -> None:
    for frame in (_SHORT, _SHORT + bytes(13)):
        for found in (_cut("h02", noise.join([b"", frame, frame, b""]), size) for size in (1, 1 << 20)):
            assert [decode("h02", one).events[0].type for one in found] == ["sos", "sos"]


@families
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_how_the_stream_was_chopped_never_matters(family: str, data: st.DataObject) -> None:
    pieces = st.lists(st.sampled_from([*_FRAMES[family], *_GARBAGE]) | st.binary(max_size=12), max_size=6)
    stream = b"".join(data.draw(pieces))
    whole, chopped = _FRAMERS[family](), _FRAMERS[family]()
    expected = whole.feed(stream)
    found: list[bytes] = []
    while stream:
        size = data.draw(st.integers(1, 40))
        found += chopped.feed(stream[:size])
        stream = stream[size:]
    assert found == expected
    assert (chopped.pending, chopped.discarded) == (whole.pending, whole.discarded)
    assert chopped.flush() == whole.flush()


@families
@pytest.mark.parametrize(
    "piece", [b"\xab\x10\xff\x1f", b"\x78\x78\xff\x12", b"$", b"*HQ,", b"IWAP07,1,1,1,65000,", b"a"]
)
def test_hostile_streams_are_bounded(family: str, piece: bytes) -> None:
    framer = _FRAMERS[family]()
    stream = piece * (60_000 // len(piece))
    started = time.perf_counter()
    for start in range(0, len(stream), 500):
        framer.feed(stream[start : start + 500])
        assert framer.pending <= 140_100
    assert time.perf_counter() - started < 5
    framer.flush()
    assert framer.pending == 0
