"""Messages of our own making for the tracker families, and what decodes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from devices.codecs.gt06 import Gt06Codec
from devices.codecs.gt06_body import gt06_frame
from devices.codecs.h02 import H02Codec
from devices.codecs.iw import IwCodec
from devices.codecs.minifinder2 import Minifinder2Codec, minifinder2_frame
from devices.model import Codec, Decoded, DeviceRef, Event, Uplink

__all__ = [
    "ID", "NOW", "TRACKER_EXAMPLES", "decode", "gt06_alarm", "gt06_position", "h02_text", "iw_place", "kinds", "mf2",
    "one", "replies", "types",
]  # fmt: skip

NOW = datetime(2026, 11, 22, 7, 20, tzinfo=UTC)
"""When everything arrives in these tests."""

ID = "355550001234567"
_CODECS: Mapping[str, Codec] = {
    codec.family: codec for codec in (IwCodec(), Minifinder2Codec(), Gt06Codec(), H02Codec())
}


def decode(family: str, payload: bytes, profile: Mapping[str, Any] | None = None, device_id: str = ID) -> Decoded:
    return _CODECS[family].decode(Uplink(payload, NOW), DeviceRef(device_id, family, profile or {}))


def types(decoded: Decoded) -> list[str | None]:
    return [event.type for event in decoded.events if event.kind == "alarm"]


def kinds(decoded: Decoded) -> list[str]:
    return [event.kind for event in decoded.events]


def replies(decoded: Decoded) -> list[bytes]:
    return [reply.payload for reply in decoded.replies]


def one(decoded: Decoded) -> Event:
    assert decoded.error is None
    assert len(decoded.events) == 1
    return decoded.events[0]


def iw_place(word: str = "AP10", valid: str = "A", date: str = "261122", tail: str = "01,zh-cn,00") -> bytes:
    place = "3154.0672N11849.4742E" if valid == "A" else "0000.0000N00000.0000E"
    return f"IW{word}{date}{valid}{place}001.5071504090.0006000907700102,460,0,9520,3671,{tail}#".encode()


def mf2(*items: tuple[int, bytes], index: int = 7, flags: int = 0x10, kind: int = 1) -> bytes:
    body = bytes((kind,)) + b"".join(bytes((len(value) + 1, key)) + value for key, value in items)
    return minifinder2_frame(body, index, flags)


def gt06_position(valid: bool = True, north: bool = True) -> bytes:
    """The 18 bytes of time and position."""
    flags = (0x1000 if valid else 0) | (0x0400 if north else 0) | 90
    time = bytes((26, 11, 22, 7, 15, 4))
    lat, lon = (31 * 1_800_000 + 900_000), (118 * 1_800_000 + 1_440_000)
    return time + b"\xc9" + lat.to_bytes(4, "big") + lon.to_bytes(4, "big") + b"\x05" + flags.to_bytes(2, "big")


def gt06_alarm(code: int, state: int = 0x40, kind: int = 0x26, serial: int = 9, valid: bool = True) -> bytes:
    cell = bytes.fromhex("0901cc00287d001f71")
    return gt06_frame(kind, serial, gt06_position(valid) + cell + bytes((state, 4, 3, code, 2)))


def h02_text(status: str = "FFFFFBFF", valid: str = "A", word: str = "V1") -> bytes:
    return f"*HQ,4205550123,{word},071504,{valid},3154.0672,N,11849.4742,E,1.00,090,221126,{status}#".encode()


_ALARM = mf2((1, ID.encode()), (0x24, bytes.fromhex("004a03690200004d")), (2, bytes.fromhex("00100000")))

TRACKER_EXAMPLES: Mapping[str, Sequence[Uplink]] = {
    "iw": [Uplink(f"IWAP00{ID}#".encode(), NOW), Uplink(iw_place(), NOW), Uplink(b"IWAP49,68#", NOW)],
    "minifinder2": [Uplink(_ALARM, NOW)],
    "gt06": [
        Uplink(gt06_frame(1, 1, bytes.fromhex("0" + ID)), NOW),
        Uplink(gt06_alarm(1), NOW),
        Uplink(gt06_frame(0x13, 2, bytes((0x40, 4, 3, 0, 2))), NOW),
    ],
    "h02": [Uplink(h02_text("FFFFFBFD"), NOW), Uplink(b"*HQ,4205550123,HTBT,77#", NOW)],
}
