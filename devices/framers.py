"""Framers of the tracker families. Each says only how its next frame is found; cutting, counting and the bound on
memory are the same for all.
"""

from __future__ import annotations

import re
from binascii import crc_hqx

__all__ = ["Gt06Framer", "H02Framer", "IwFramer", "Minifinder2Framer", "StepFramer", "h02_time_at"]

_WAIT = 0


class StepFramer:
    """`_step` looks at the beginning of the buffer and gives n > 0: a frame of n bytes; n < 0: -n bytes belong to no
    frame; 0: more bytes are needed. With `final` nothing more will come (a pause, or the end), so it may not ask for
    more while the buffer holds something that could be saved. What it gives depends on how the stream begins,
    never on how much of it has arrived: that is what makes chopping irrelevant.
    """

    _BETWEEN = b"\r\n\t \x00"  # what firmwares put between frames and nobody needs to hear of
    _MAX = 4096
    """No frame is longer."""

    def __init__(self) -> None:
        self.discarded = 0
        self._buffer = bytearray()
        self._scanned = 0
        """How much of the buffer a step has searched in vain already; 0 again after each frame."""

    @property
    def pending(self) -> int:
        return len(self._buffer)

    def feed(self, chunk: bytes) -> list[bytes]:
        frames: list[bytes] = []
        # A slice at a time, so that a huge chunk never makes the buffer larger than a frame and a slice.
        for start in range(0, len(chunk), self._MAX):
            self._buffer += chunk[start : start + self._MAX]
            self._cut(frames, final=False)
        return frames

    def flush(self) -> list[bytes]:
        frames: list[bytes] = []
        self._cut(frames, final=True)
        self._drop(len(self._buffer))
        return frames

    def _cut(self, frames: list[bytes], final: bool) -> None:
        while self._buffer:
            step = self._step(final)
            if step == _WAIT and len(self._buffer) <= self._MAX:
                return
            if step > self._MAX:
                self._drop(1)  # it would have been given up on the way, had it come in pieces
            elif step > 0:
                frames.append(bytes(self._buffer[:step]))
                del self._buffer[:step]
                self._scanned = 0
            else:
                self._drop(-step or 1)

    def _drop(self, count: int) -> None:
        self.discarded += len(self._buffer[:count].translate(None, self._BETWEEN))
        del self._buffer[:count]
        self._scanned = max(
            0, self._scanned - count
        )  # what was searched in vain holds nothing from a later start either

    def _step(self, final: bool) -> int:
        raise NotImplementedError

    def _until(self, begin: re.Pattern[bytes], longest: int) -> int:
        """How to get to the next thing that begins a frame: minus the bytes before it, all but what may be the head of
        a beginning of `longest` bytes that has not arrived whole.
        """
        match = begin.search(self._buffer)
        if match is not None:
            return -match.start()
        size = len(self._buffer)
        for at in range(max(0, size - longest + 1), size):
            if self._may_begin(bytes(self._buffer[at:])):
                return -at
        return -size

    def _may_begin(self, tail: bytes) -> bool:
        """Whether `tail`, the last bytes of the buffer, could grow into the beginning of a frame."""
        raise NotImplementedError


class IwFramer(StepFramer):
    """`IWAPxx...#` and `TRVxPxx...#`, to the `#`. Voice and pictures (AP07, AP42, and `IWnull`, as one firmware calls
    them) hold any bytes, also `#`: their length field decides. An unfinished message before another's head is
    dropped: it was not answered, so the device sends it again.
    """

    _MAX = 70_000
    _BEGIN = re.compile(rb"(?:IW|TRV)(?:[A-Z]P[0-9A-Z]{2}|null)")
    _LONGEST = 7
    _MEDIA = re.compile(rb"(?:IW|TRV)(?:AP42|AP07|null),[0-9]{0,20},[0-9]{0,6},[0-9]{0,6},([0-9]{1,6}),")
    _MEDIA_HEAD = re.compile(rb"(?:IW|TRV)(?:AP42|AP07|null)(?:,[0-9]*){0,4}")
    _HEAD_MAX = 70

    def _step(self, final: bool) -> int:
        buffer = self._buffer
        if not self._BEGIN.match(buffer):
            skip = self._until(self._BEGIN, self._LONGEST)
            return skip if skip else _WAIT
        media = self._MEDIA.match(buffer, 0, self._HEAD_MAX)
        if media is not None:
            found = self._media(media.end(), int(media[1]), final)
            if found is not None:
                return found
        elif len(buffer) < self._HEAD_MAX and self._MEDIA_HEAD.fullmatch(buffer):
            return _WAIT  # the length field has not arrived yet
        end = buffer.find(b"#", self._scanned)
        if end < 0:
            self._scanned = len(buffer)
            return _WAIT
        heads = [match.start() for match in self._BEGIN.finditer(buffer, 1, end)] if media is None else []
        return -heads[-1] if heads else end + 1

    def _media(self, start: int, length: int, final: bool) -> int | None:
        """None: no `#` stands where the length says, and the frame ends at the first one."""
        for size in (length, 2 * length):  # some count bytes and send each as two hex digits
            end = start + size
            if end >= self._MAX:
                return None
            if end >= len(self._buffer):
                return None if final else _WAIT
            if self._buffer[end] == 0x23:
                return end + 1
        return None

    def _may_begin(self, tail: bytes) -> bool:
        return any(_grows(tail, head) for head in (b"IW", b"TRV"))


def _grows(tail: bytes, head: bytes) -> bool:
    return head.startswith(tail) or tail.startswith(head)


class Minifinder2Framer(StepFramer):
    """`AB flags length crc index body`, little endian. What only looks like a header is told by its checksum, or, for
    frames with a wrong one, by a body whose lengths add up.
    """

    _MAX = 8192
    _HEADER = 8
    _TYPES = frozenset((0x01, 0x02, 0x03, 0x04, 0x7F))

    def _step(self, final: bool) -> int:
        buffer = self._buffer
        if buffer[0] != 0xAB:
            at = buffer.find(b"\xab")
            return -at if at > 0 else -len(buffer)
        if len(buffer) >= 4:
            size = int.from_bytes(buffer[2:4], "little")
            if not 1 <= size <= self._MAX - self._HEADER:
                return -1
            if len(buffer) > self._HEADER and buffer[self._HEADER] not in self._TYPES:
                return -1
            end = self._HEADER + size
            if len(buffer) >= end:
                body = bytes(buffer[self._HEADER : end])
                return end if self._sound(body) else -1
        return -1 if final else _WAIT

    def _sound(self, body: bytes) -> bool:
        if crc_hqx(body, 0) == int.from_bytes(self._buffer[4:6], "little"):
            return True
        at = 1
        while at < len(body):
            if body[at] == 0:
                return False
            at += 1 + body[at]
        return at == len(body) > 1


class Gt06Framer(StepFramer):
    """`78 78 length ... 0D 0A` and `79 79 length length ... 0D 0A`. Wi-Fi messages have a count where the length should
    be, and a few firmwares are off by one: what does not end where its length says ends at the first `0D 0A`, unless a
    message that does end properly begins before.
    """

    _MAX = 4096
    _BEGIN = re.compile(rb"\x78\x78|\x79\x79")
    _WIFI_TYPES = (0x69, 0x17)

    def _step(self, final: bool) -> int:
        buffer = self._buffer
        if not self._BEGIN.match(buffer):
            skip = self._until(self._BEGIN, 2)
            return skip if skip else (-len(buffer) if final else _WAIT)
        first = self._whole(0, final)
        if first is not None:
            return first
        end = buffer.find(b"\r\n", max(4, self._scanned - 1))
        if end < 0:
            self._scanned = len(buffer)
            if not final:
                return _WAIT
            following = self._BEGIN.search(buffer, 1)
            return -following.start() if following else -len(buffer)
        for match in re.finditer(rb"(?=\x78\x78|\x79\x79)", bytes(buffer[1:end])):
            whole = self._whole(match.start() + 1, final)
            if whole is not None:
                return _WAIT if whole == _WAIT else -(match.start() + 1)
        return end + 2

    def _whole(self, at: int, final: bool) -> int | None:
        """The length of the message at `at` where it ends as it says; _WAIT: cannot be known yet; None: it does not."""
        buffer = self._buffer
        have = len(buffer) - at
        wide = buffer[at] == 0x79
        if have < 5:
            return None if final else _WAIT
        size = int.from_bytes(buffer[at + 2 : at + (4 if wide else 3)], "big")
        ends = [size + (6 if wide else 5)]
        if not wide and buffer[at + 3] in self._WIFI_TYPES:
            counted = 10 + 7 * size  # where the number of cells stands, behind time and stations
            if have > counted:
                ends.append(counted + 4 + 5 * buffer[at + counted] + 2)
            elif not final and counted < 300:
                ends.append(self._MAX)
        waits = False
        for end in ends:
            if end > self._MAX or (end < 10 and end == ends[0]):
                continue
            if have < end:
                waits = waits or not final
            elif buffer[at + end - 2 : at + end] == b"\r\n":
                return end
        return _WAIT if waits else None

    def _may_begin(self, tail: bytes) -> bool:
        return tail in (b"\x78", b"\x79")


_BCD_CLOCK = re.compile(
    rb"(?:[\x00-\x09\x10-\x19\x20-\x23])(?:[\x00-\x09\x10-\x19\x20-\x29\x30-\x39\x40-\x49\x50-\x59]){2}"
)
_H02_STATUS = slice(25, 29)
_H02_TOLD_APART = _H02_STATUS.stop


def h02_time_at(message: bytes | bytearray) -> int | None:
    """Where hhmmss ddmmyy stand in a binary H02 message: 6, or 9 behind a long id; None where neither is a time.

    A date and a latitude may look like a time and a date (or a long id and a time): then the status word, whose
    bits are nearly all set, tells. That takes 29 bytes.
    """
    found = [at for at in (6, 9) if _is_bcd_time(message, at)]
    if len(found) == 2:
        return 6 if message[_H02_STATUS].count(b"\xff") >= 2 else 9
    return found[0] if found else None


def _is_bcd_time(message: bytes | bytearray, at: int) -> bool:
    if not _BCD_CLOCK.match(message, at) or len(message) < at + 6:
        return False
    day, month, year = message[at + 3 : at + 6]
    return 0x01 <= day <= 0x31 and 0x01 <= month <= 0x12 and day & 15 < 10 and month & 15 < 10 and year < 0x9A


class H02Framer(StepFramer):
    """`*XX,id,...#`, and binary messages that say neither their length nor their end: `$` with 32, 42 or 45 bytes. The
    length is known once the next message begins, or the line pauses.
    """

    _MAX = 4096
    _BEGIN = re.compile(rb"[*$X]")
    _TEXT = re.compile(rb"\*[A-Za-z]{2},")
    _TEXT_LENGTH = 4
    _SHORT, _LONG_ID, _LONG = 32, 42, 45
    _LOOK = 15

    def _step(self, final: bool) -> int:
        buffer = self._buffer
        first = buffer[0]
        if first == 0x2A:
            return self._text(final)
        if first == 0x24:
            return self._binary(final)
        if first == 0x58 and (len(buffer) >= self._SHORT or not final):
            return self._special(final)
        match = self._BEGIN.search(buffer, 1)
        return -match.start() if match else -len(buffer)

    def _text(self, final: bool) -> int:
        buffer = self._buffer
        if len(buffer) < self._TEXT_LENGTH:
            return -1 if final else _WAIT
        if not self._TEXT.match(buffer):
            return -1
        end = buffer.find(b"#", self._scanned)
        if end < 0:
            self._scanned = len(buffer)
            return -1 if final else _WAIT
        heads = [match.start() for match in self._TEXT.finditer(buffer, 1, end)]
        return -heads[-1] if heads else end + 1

    def _special(self, final: bool) -> int:
        """`X` and 31 bytes that nobody has described; a letter of garbage is not that."""
        if len(self._buffer) < self._SHORT:
            return _WAIT
        follows = self._begins(self._SHORT, final)
        if follows is None:
            return _WAIT
        return self._SHORT if follows else -1

    def _binary(self, final: bool) -> int:
        size = len(self._buffer)
        if size < self._LOOK:
            return -1 if final else _WAIT
        head = bytes(self._buffer[:_H02_TOLD_APART])
        begin = h02_time_at(head)
        if begin is None:
            return -1
        if len(head) < _H02_TOLD_APART:
            return -1 if final else _WAIT
        lengths = [self._SHORT if begin == 6 else self._LONG_ID, self._LONG]
        for length in lengths:
            follows = self._begins(length, final)
            if follows is None:
                return _WAIT
            if follows:
                return length
        # Nothing that begins like a message follows at once: garbage, or a longer tail. All that is read stands in
        # the shortest; a longer one could take the head of the next message with it.
        return lengths[0] if lengths[0] <= size else -1

    def _begins(self, at: int, final: bool) -> bool | None:
        """Whether a message begins at `at`, or the stream ends there; None: cannot be known yet."""
        rest = bytes(self._buffer[at : at + self._LOOK])
        if len(self._buffer) < at:
            return False if final else None
        if not rest:
            return True if final else None
        if rest[0] in b"\r\n":
            return True
        if rest[0] == 0x2A:
            if len(rest) < self._TEXT_LENGTH:
                return final or None
            return self._TEXT.match(rest) is not None
        if rest[0] == 0x24:
            if len(rest) < self._LOOK:
                return final or None
            return _BCD_CLOCK.match(rest, 6) is not None or _BCD_CLOCK.match(rest, 9) is not None
        return False
