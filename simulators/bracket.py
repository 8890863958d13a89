"""The bracket watch protocol (`[3G*ID*LEN*CONTENT]`, TCP) from the watch's side: frames, positions, status word.

Written from the protocol's description alone; the hub has its own codec.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from simulators.wire import Fix, WireError

__all__ = [
    "ALARM_BITS",
    "Frame",
    "FrameReader",
    "Position",
    "decode_position",
    "encode_frame",
    "encode_position",
    "status_word",
]

ALARM_BITS: dict[str, int] = {
    "sos": 16,
    "low_battery": 17,
    "wandering": 18,
    "geofence_enter": 19,
    "off_wrist": 20,
    "fall": 21,
    "heart_rate_abnormal": 22,
}
"""Alarm type to bit of the 32-bit status word (high half = alarms, low half = states)."""

STATE_LOW_BATTERY = 0
STATE_NOT_MOVING = 4
FRAME_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `index` is set for the ZJ dialect, whose replies carry it."""

    device_id: str
    content: str
    vendor: str = "3G"
    index: str | None = None

    @property
    def word(self) -> str:
        """The content's first word: `LK`, `AL`, `UD`, …"""
        return self.content.split(",", 1)[0]


@dataclass(frozen=True, slots=True)
class Position:
    """What UD and AL frames carry. Time is UTC to the second; `fix` None means no satellite fix (V)."""

    observed_at: datetime
    fix: Fix | None
    battery_pct: int
    steps: int = 0
    status: int = 0


def encode_frame(frame: Frame) -> bytes:
    """The frame as bytes; LEN is the content's length in bytes."""
    if len(frame.vendor) != 2 or "*" in frame.device_id or not frame.device_id:
        raise WireError(f"a frame wants a two-letter vendor and an id without '*', not {frame!r}")
    content = frame.content.encode()
    head = f"[{frame.vendor}*{frame.device_id}*" + ("" if frame.index is None else f"{frame.index}*")
    return head.encode() + f"{len(content):04X}*".encode() + content + b"]"


class FrameReader:
    """Cuts a TCP stream into frames by a balance of brackets; bytes outside brackets are skipped."""

    def __init__(self, limit: int = FRAME_LIMIT) -> None:
        self._buffer = bytearray()
        self._limit = limit

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames these bytes complete. Raises WireError for a frame over the limit or without its parts."""
        self._buffer += chunk
        frames = []
        while (raw := self._take()) is not None:
            frames.append(_frame(raw))
        if len(self._buffer) > self._limit:
            self._buffer.clear()
            raise WireError(f"a frame is longer than {self._limit} bytes")
        return frames

    def _take(self) -> bytes | None:
        start = self._buffer.find(b"[")
        if start < 0:
            self._buffer.clear()
            return None
        del self._buffer[:start]
        depth = 0
        for position, byte in enumerate(self._buffer):
            depth += (byte == 0x5B) - (byte == 0x5D)
            if depth == 0:
                raw = bytes(self._buffer[1:position])
                del self._buffer[: position + 1]
                return raw
        return None


def encode_position(kind: str, position: Position) -> str:
    """The content of a position frame; `kind` is `UD`, `UD2` (a stored fix), `AL`, `AL_LTE`, …"""
    moment = position.observed_at.astimezone(UTC)
    fix = position.fix
    if fix is None:
        place = "V,0.0,N,0.0,E,22.0,0,-1,0"
    else:
        north, east = ("N" if fix.lat >= 0 else "S"), ("E" if fix.lon >= 0 else "W")
        place = f"A,{abs(fix.lat):.6f},{north},{abs(fix.lon):.6f},{east},0.00,0.0,0.0,9"
    accuracy = 0.0 if fix is None or fix.accuracy_m is None else fix.accuracy_m
    tail = f"80,{position.battery_pct},{position.steps},0,{position.status:08X}"
    return f"{kind},{moment:%d%m%y,%H%M%S},{place},{tail},1,1,460,0,16399,23488,120,0,{accuracy:.1f}"


def decode_position(content: str) -> tuple[str, Position]:
    """`(kind, position)` of a position content. Raises WireError where it is cut short or holds no numbers."""
    parts = content.split(",")
    if len(parts) < 17:
        raise WireError(f"a position frame has 17 values or more, this one {len(parts)}")
    try:
        moment = datetime.strptime(f"{parts[1]} {parts[2]} +0000", "%d%m%y %H%M%S %z")
        fix = None
        if parts[3] == "A":
            lat = abs(float(parts[4])) * (-1 if parts[5] == "S" else 1)
            lon = abs(float(parts[6])) * (-1 if parts[7] == "W" else 1)
            fix = Fix(lat, lon, float(parts[-1]) or None)
        return parts[0], Position(moment, fix, int(parts[13]), int(parts[14]), int(parts[16], 16))
    except ValueError as error:
        raise WireError(f"a position frame cannot be read: {error}") from None


def status_word(alarm_type: str | None, *, low_battery: bool = False, moving: bool = True) -> int:
    """The status word of an alarm (None: no alarm bit). Raises WireError for a type this protocol has no bit for."""
    word = (1 << STATE_LOW_BATTERY if low_battery else 0) | (0 if moving else 1 << STATE_NOT_MOVING)
    if alarm_type is None:
        return word
    if alarm_type not in ALARM_BITS:
        raise WireError(f"a bracket watch has no bit for {alarm_type!r}; it knows {', '.join(ALARM_BITS)}")
    return word | 1 << ALARM_BITS[alarm_type]


def _frame(raw: bytes) -> Frame:
    text = raw.decode("utf-8", errors="replace")
    parts = text.split("*", 4)
    # ZJ puts an index before LEN. A dialect is told by its letters: an id or a length may look like an index.
    indexed = parts[0] == "ZJ"
    if len(parts) < (5 if indexed else 4):
        raise WireError(f"a frame of {len(raw)} bytes has no vendor, id, length and content: {text[:40]!r}")
    if indexed:
        return Frame(parts[1], parts[4], parts[0], parts[2])
    return Frame(parts[1], text.split("*", 3)[3], parts[0])
