"""Cutting the byte stream of a TCP connection into frames. Pure and incremental: the result never depends on how the
bytes were chopped into reads.
"""

from __future__ import annotations

import re
from typing import Protocol

__all__ = ["Framer", "WatchFramer", "watch_escape", "watch_unescape"]


class Framer(Protocol):
    """One connection's framer. Bounded memory; never raises."""

    discarded: int
    """Bytes thrown away so far because they belonged to no frame."""

    @property
    def pending(self) -> int:
        """Bytes held back for a frame that is not complete yet."""
        ...

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that `chunk` completes, in order."""
        ...

    def flush(self) -> list[bytes]:
        """The frames that can be saved although the stream ended or paused; the framer is empty afterwards."""
        ...


_ESCAPED = {0x01: b"}", 0x02: b"[", 0x03: b"]", 0x04: b",", 0x05: b"*"}
_UNESCAPE = re.compile(rb"\x7d([\x01-\x05])")
_ESCAPE = re.compile(rb"[\x7d\x5b\x5d\x2c\x2a]")
_CODES = {plain: bytes((0x7D, code)) for code, plain in _ESCAPED.items()}


def watch_unescape(frame: bytes) -> bytes:
    """Undo the watch protocol's escape of binary content (voice, photos): 7D 01..05 are `} [ ] , *`."""
    if b"\x7d" not in frame:
        return frame
    return _UNESCAPE.sub(lambda match: _ESCAPED[match[1][0]], frame)


def watch_escape(content: bytes) -> bytes:
    """Binary content as it may stand inside a watch frame."""
    return _ESCAPE.sub(lambda match: _CODES[match[0]], content)


class WatchFramer:
    """Frames `[VV*ID*LEN*content]` (and `[ZJ*ID*INDEX*LEN*content]`).

    LEN is wrong in a third of real frames, so brackets decide: a frame ends where its brackets balance. Three things
    keep a Wi-Fi name with a lone bracket from spoiling that:
    - a `]` exactly where LEN says the frame ends is its end, even if a `[` is still open;
    - the complete header of another frame inside an unfinished one ends it at the last `]` before that header;
    - `flush` (for the end of the stream, or a pause) ends a held frame at its last `]`.
    A lone `]` in a name ends the frame early, at once: what stands before the Wi-Fi list (time, position, status) is
    whole, and an alarm must not wait for the next one.

    Bytes outside frames are counted in `discarded`. A frame longer than `max_frame` is garbage. Frames come out
    unescaped.
    """

    _HEADER = re.compile(rb"\[[0-9A-Za-z]{2}\*[0-9A-Za-z]{4,20}\*(?:[0-9A-Fa-f]{4}\*)?([0-9A-Fa-f]{4})\*")
    _HEADER_MAX = 4 + 21 + 5 + 5
    _BEGIN = re.compile(rb"\[[0-9A-Za-z]{2}\*")
    _BEGIN_MAX = 4
    _MARK = re.compile(rb"[\[\]*]")
    _BETWEEN = b"\r\n\t \x00"  # what firmwares put between frames and nobody needs to hear of

    def __init__(self, max_frame: int = 66_000) -> None:
        self.discarded = 0
        self._max_frame = max_frame  # LEN has four hex digits: 65,535 and a header
        self._buffer = bytearray()
        self._scanned = 0  # everything before this offset has been looked at
        self._depth = 0  # open brackets; 0: between frames, else the frame begins at offset 0
        self._opened = 0  # where the innermost open bracket candidate stands
        self._closed = -1  # where the last `]` inside the frame stands

    @property
    def pending(self) -> int:
        return len(self._buffer)

    def feed(self, chunk: bytes) -> list[bytes]:
        frames: list[bytes] = []
        # A slice at a time, so that a huge chunk never makes the buffer larger than a frame and a slice.
        for start in range(0, len(chunk), self._max_frame):
            self._buffer += chunk[start : start + self._max_frame]
            self._scan(frames)
        return frames

    def flush(self) -> list[bytes]:
        frames: list[bytes] = []
        if self._depth and self._closed > 0:
            frames.append(self._cut(self._closed))
        self._drop(len(self._buffer))
        return frames

    def _scan(self, frames: list[bytes]) -> None:
        while True:
            if not self._depth and not self._find_begin():
                return
            step = self._MARK.search(self._buffer, self._scanned, self._max_frame)
            if step is None:
                self._scanned = min(len(self._buffer), self._max_frame)
                if len(self._buffer) < self._max_frame:
                    return
                self._overflow()
                continue
            at = step.start()
            self._scanned = at + 1
            mark = self._buffer[at]
            if mark == 0x5B:
                self._depth += 1
                self._opened = at
            elif mark == 0x5D:
                self._closed = at
                self._depth -= 1
                if self._depth == 0 or at == self._announced_end():
                    frames.append(self._cut(at))
            elif self._opened and self._HEADER.fullmatch(self._buffer, self._opened, at + 1):
                self._restart(frames)

    def _find_begin(self) -> bool:
        """Move to the next thing that begins like a frame; False: more bytes are needed."""
        while True:
            start = self._buffer.find(b"[")
            self._drop(len(self._buffer) if start < 0 else start)
            if len(self._buffer) < self._BEGIN_MAX:
                return False
            if self._BEGIN.match(self._buffer):
                self._depth, self._opened, self._closed, self._scanned = 1, 0, -1, self._BEGIN_MAX
                return True
            self._drop(1)

    def _announced_end(self) -> int:
        header = self._HEADER.match(self._buffer, 0, self._HEADER_MAX)
        return header.end() + int(header[1], 16) if header else -1

    def _restart(self, frames: list[bytes]) -> None:
        """Another frame's header inside this one: save this one if it had an end, go on with the other."""
        if self._closed > 0:
            end = self._closed
            gap = self._opened - end - 1
            frames.append(self._cut(end))
            self._drop(gap)
        else:
            self._drop(self._opened)
        self._find_begin()

    def _overflow(self) -> None:
        """Too long for a frame: nothing in it is a header, except perhaps the beginning of one at its very end."""
        tail = self._buffer.rfind(b"[", max(1, self._max_frame - self._HEADER_MAX), self._max_frame)
        self._drop(tail if tail > 0 else self._max_frame)

    def _cut(self, end: int) -> bytes:
        frame = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        self._depth = self._scanned = 0
        return watch_unescape(frame)

    def _drop(self, count: int) -> None:
        self.discarded += len(self._buffer[:count].translate(None, self._BETWEEN))
        del self._buffer[:count]
        self._depth = self._scanned = 0
