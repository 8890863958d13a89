from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.frames import WatchFramer, watch_escape, watch_unescape
from tests.devices.captures import needs, rows
from tests.devices.examples import al_frame

_VECTORS = "captures/framing_vectors.jsonl"
_LK = b"[3G*5550001234*0002*LK]"
_TKQ = b"[3G*5550001234*0003*TKQ]"


def _frame(content: str, length: int | None = None) -> bytes:
    return f"[3G*5550001234*{len(content.encode()) if length is None else length:04x}*{content}]".encode()


_AL = _frame(al_frame("00010000"))


def _whole(stream: bytes) -> list[bytes]:
    return WatchFramer().feed(stream)


def _bytewise(stream: bytes) -> list[bytes]:
    framer = WatchFramer()
    return [frame for byte in stream for frame in framer.feed(bytes((byte,)))]


@needs(_VECTORS)
@pytest.mark.parametrize("row", [row for row in rows(_VECTORS) if row["protocol"] == "watch"])
def test_vectors(row: dict[str, str]) -> None:
    stream = bytes.fromhex(row["stream_hex"])
    for frames in (_whole(stream), _bytewise(stream)):
        assert frames[0].hex() == row["first_frame_hex"]
    for garbage in (b"\r\n", b"\x00]]", b"HTTP/1.1 \xff", b"[[", b"[3G", b"[3G*99"):
        assert _whole(garbage + stream)[0].hex() == row["first_frame_hex"], garbage


@pytest.mark.parametrize(
    "stream",
    [
        _LK + _AL + _TKQ,
        _LK + b"\r\n" + _AL + b"\r\n\x00" + _TKQ + b"\r\n",
        b"]]*\xff" + _LK + b"GET / HTTP/1.1\r\n\r\n" + _AL + b"}]" + _TKQ,
        b"[[[[" + _LK + b"[3G*55[" + _AL + b"[ZZ*" + _TKQ,
        b"[3G*5550001234*00ff*UD,2211" + _LK + _AL + _TKQ,
    ],
)
def test_glued_halved_and_surrounded_by_garbage(stream: bytes) -> None:
    assert _whole(stream) == [_LK, _AL, _TKQ]
    assert _bytewise(stream) == [_LK, _AL, _TKQ]


@pytest.mark.parametrize("over", [-8, -3, -1, 0, 1, 13, 5000])
def test_len_is_not_believed(over: int) -> None:
    content = al_frame("00010000", tail="0,2,My [5G] Net,aa:bb:cc:dd:ee:01,-50,[x],aa:bb:cc:dd:ee:02,-60")
    frame = _frame(content, len(content) + over)
    assert _whole(frame + _LK) == _bytewise(frame + _LK) == [frame, _LK]


def test_an_open_bracket_in_a_name_ends_where_len_says() -> None:
    frame = _frame(al_frame("00010000", tail="0,1,Caf[e,aa:bb:cc:dd:ee:01,-50"))
    assert _whole(frame) == _bytewise(frame) == [frame]


def test_an_open_bracket_and_a_wrong_len_end_at_the_next_header() -> None:
    frame = _frame(al_frame("00010000", tail="0,1,Caf[e,aa:bb:cc:dd:ee:01,-50"), 7)
    assert _whole(frame) == []
    assert _whole(frame + _LK) == _bytewise(frame + _LK) == [frame, _LK]
    assert _whole(frame + b"\r\n" + _LK) == [frame, _LK]


def test_a_pause_saves_a_frame_that_hangs_on_an_open_bracket() -> None:
    frame = _frame(al_frame("00010000", tail="0,1,Caf[e,aa:bb:cc:dd:ee:01,-50"), 7)
    framer = WatchFramer()
    assert framer.feed(frame) == []
    assert framer.pending == len(frame)
    assert framer.flush() == [frame]
    assert framer.pending == 0
    assert framer.feed(_LK) == [_LK]


def test_a_closing_bracket_in_a_name_costs_only_the_rest_of_the_names() -> None:
    content = al_frame("00010000", tail="0,1,Caf]e,aa:bb:cc:dd:ee:01,-50")
    framer = WatchFramer()
    assert framer.feed(_frame(content) + _LK) == [_frame(content)[: _frame(content).index(b"]") + 1], _LK]
    assert framer.discarded == len("e,aa:bb:cc:dd:ee:01,-50]")


def test_flush_does_not_invent_frames() -> None:
    framer = WatchFramer()
    assert framer.feed(_AL[:-1]) == []
    assert framer.flush() == []
    assert framer.discarded == len(_AL) - 1


def test_a_voice_frame_with_escaped_brackets() -> None:
    sound = bytes(range(256)) * 3
    frame = b"[3G*5550001234*0303*TK," + watch_escape(sound) + b"]"
    unescaped = b"[3G*5550001234*0303*TK," + sound + b"]"
    assert _whole(frame + _LK) == _bytewise(frame + _LK) == [unescaped, _LK]


def test_blanks_between_frames_are_not_counted_garbage_is() -> None:
    framer = WatchFramer()
    framer.feed(b"\r\n" + _LK + b"\r\nabc" + _LK)
    assert framer.discarded == 3


@given(st.binary(max_size=400))
def test_escaping_round_trips_and_leaves_no_bracket(content: bytes) -> None:
    escaped = watch_escape(content)
    assert watch_unescape(escaped) == content
    assert not set(escaped) & set(b"[],*")


_PIECES = st.sampled_from(
    [b"[", b"]", b"*", b"[3G*", b"[3G*5550001234*", b"0002*", b"LK", b"}\x02", b"\x00", b",", _LK, _AL, _TKQ]
)
_STREAMS = st.lists(_PIECES | st.binary(max_size=6), max_size=24).map(b"".join)


@settings(max_examples=300)
@given(_STREAMS, st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_how_the_stream_was_chopped_never_matters(stream: bytes, sizes: list[int]) -> None:
    framer, frames, start, turn = WatchFramer(), [], 0, 0
    while start < len(stream):
        size = sizes[turn % len(sizes)]
        frames += framer.feed(stream[start : start + size])
        start, turn = start + size, turn + 1
    assert frames == _whole(stream)
    assert all(frame.startswith(b"[") and frame.endswith(b"]") for frame in frames)


@given(_STREAMS)
def test_after_any_garbage_the_next_frames_come_through(garbage: bytes) -> None:
    framer = WatchFramer()
    framer.feed(garbage)
    framer.feed(_LK)
    assert framer.feed(_TKQ + _AL)[-2:] == [_TKQ, _AL]


def test_memory_is_bounded_and_the_framer_recovers() -> None:
    framer = WatchFramer(max_frame=1000)
    for _ in range(50):
        assert framer.feed(b"[3G*5550001234*ffff*TK," + b"a[" * 400) == []
        assert framer.pending <= 1000
    assert framer.feed(b"]" + _LK + _LK)[-1] == _LK
    framer = WatchFramer(max_frame=1000)
    assert framer.feed(b"x" * 100_000 + b"[" * 100_000 + _LK) == [_LK]
    assert framer.pending == 0


@pytest.mark.parametrize("piece", [b"[3G*", b"[", b"]", b"*", b"[3G*1*]", b"[3G*[", b"[3G*1[1*", b"[3G*12345*00"])
def test_hostile_streams_take_linear_time(piece: bytes) -> None:
    framer = WatchFramer()
    stream = piece * (400_000 // len(piece))
    started = time.perf_counter()
    for start in range(0, len(stream), 50):
        framer.feed(stream[start : start + 50])
    assert time.perf_counter() - started < 10
    assert framer.pending <= 66_000
