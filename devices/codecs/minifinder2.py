"""MiniFinder2 and Eview pendants (EV-04, EV-05, EV-07B) over TCP. See docs/wire/minifinder2.md.

`AB flags length crc index body`, little endian; the body is a type and then `length key value` again and again.

Rules that decide here:
- every alarm bit is an event of its own;
- a key that comes a second time begins the next record: one message may hold a whole afternoon;
- a wrong checksum is told (`faults`), never a reason to drop an alarm: TCP has carried the bytes.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from devices.alarm_types import UNKNOWN_TYPE
from devices.codecs.minifinder2_record import ALARM_BITS, Record, read_record
from devices.codecs.tracker import Teller, word_of
from devices.fields import clean_text
from devices.model import Decoded, DeviceRef, Event, Reply, Uplink

__all__ = ["Minifinder2Codec", "minifinder2_frame"]

_HEADER = 8
_DATA, _CONFIG, _SERVICES, _SYSTEM, _RESPONSE = 0x01, 0x02, 0x03, 0x04, 0x7F
_WANTS_ACK = 0x10
_MAX_ITEMS = 2000
_MAX_EVENTS = 400
_REPEATABLE = frozenset((0x01, 0x23, 0x26, 0x27, 0x28, 0x2A, 0x2C))
"""Keys that may stand several times in one record: one for each beacon."""


@dataclass(frozen=True, slots=True)
class _Frame:
    type: int
    index: int
    wants_ack: bool
    items: tuple[tuple[int, bytes], ...]


def minifinder2_frame(body: bytes, index: int, flags: int = 0) -> bytes:
    """One frame around `body`, whose first byte is its type."""
    head = bytes((0xAB, flags)) + len(body).to_bytes(2, "little") + crc_hqx(body, 0).to_bytes(2, "little")
    return head + index.to_bytes(2, "little") + body


class Minifinder2Codec:
    """The codec of family `minifinder2`. One uplink is one frame."""

    family = "minifinder2"

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        """Events and answers of one frame. The id is the IMEI in it, else the connection's (`device`)."""
        payload = uplink.payload
        if len(payload) <= _HEADER or payload[0] != 0xAB:
            return Decoded(error=f"not a frame of AB, flags, length, checksum, index and body: {payload[:16].hex()}")
        faults: dict[str, str] = {}
        size = int.from_bytes(payload[2:4], "little")
        body = payload[_HEADER : _HEADER + size] if size else payload[_HEADER:]
        if len(payload) != _HEADER + size:
            faults["length"] = f"{size} announced, {len(payload) - _HEADER} sent"
        crc = int.from_bytes(payload[4:6], "little")
        if crc != crc_hqx(body, 0):
            faults["crc"] = f"{crc:04x} sent, {crc_hqx(body, 0):04x} computed"
        items = _items(body[1:], faults)
        frame = _Frame(body[0], int.from_bytes(payload[6:8], "little"), bool(payload[1] & _WANTS_ACK), items)
        teller = Teller("minifinder2", _whose(items, device), f"{frame.type:02x}", faults)
        events = _readings(frame, teller, device.profile) if frame.type == _DATA else (_other(frame, teller),)
        return Decoded(events, _replies(frame, uplink.received_at))


def _items(body: bytes, faults: dict[str, str]) -> tuple[tuple[int, bytes], ...]:
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(body) and len(found) < _MAX_ITEMS:
        length = body[at]
        if length == 0:
            at += 1
            continue
        if at + 1 >= len(body):
            break
        if at + 1 + length > len(body):
            faults["body"] = f"key {body[at + 1]:02x} announces {length} bytes, {len(body) - at - 1} are left"
        found.append((body[at + 1], body[at + 2 : at + 1 + length]))
        at += 1 + length
    return tuple(found)


def _whose(items: tuple[tuple[int, bytes], ...], device: DeviceRef) -> str:
    for key, value in items:
        if key == 0x01:
            text = value[:15].decode("ascii", "replace").strip()
            if text.isascii() and text.isdigit():
                return text
    return device.device_id


def _replies(frame: _Frame, received_at: datetime) -> tuple[Reply, ...]:
    if frame.type == _RESPONSE:
        return ()
    if frame.type == _SERVICES and any(key == 0x12 for key, _ in frame.items):
        now = int(received_at.astimezone(UTC).timestamp()) & 0xFFFFFFFF
        answer = bytes((_SERVICES, 5, 0x12)) + now.to_bytes(4, "little")
        return (Reply(minifinder2_frame(answer, frame.index), after_commit=False),)
    if not frame.wants_ack:
        return ()
    return (Reply(minifinder2_frame(bytes((_RESPONSE, 1, 0)), frame.index), after_commit=frame.type == _DATA),)


def _other(frame: _Frame, teller: Teller) -> Event:
    raw = {f"{key:02x}": value[:256].hex() for key, value in frame.items[:32]}
    if frame.type in (_RESPONSE, _SYSTEM, _CONFIG):
        texts = [_text(value) for _, value in frame.items]
        attributes = {
            "command": f"{frame.type:02x}",
            "index": frame.index,
            "content": " ".join(text for text in texts if text),
            "keys": raw,
        }
        if frame.type == _RESPONSE and frame.items:
            attributes["code"] = frame.items[0][0]  # the key of an answer is its code: 0 done, else why not
        return teller.event("reply", attributes)
    if frame.type == _SERVICES and set(raw) <= {"01", "10"}:
        return teller.event("heartbeat", {"keys": raw})
    if frame.type == _SERVICES:
        return teller.event("status", {"asks_for": sorted(raw)})
    return teller.event("unsupported", {"keys": raw})


def _text(value: bytes) -> str:
    return clean_text(value.strip(b"\x00").decode("ascii", "ignore"), 256) if value.strip(b"\x00").isascii() else ""


# --- data -------------------------------------------------------------------------------------------------------------


def _readings(frame: _Frame, teller: Teller, profile: Mapping[str, Any]) -> tuple[Event, ...]:
    groups: list[list[tuple[int, bytes]]] = [[]]
    seen: set[int] = set()
    for key, value in frame.items:
        if key in seen and key not in _REPEATABLE:
            groups.append([])
            seen.clear()
        seen.add(key)
        if key != 0x01:
            groups[-1].append((key, value))
    records = [read_record(group) for group in groups]
    many = sum(record.positional for record in records) > 1
    events: list[Event] = []
    marks: dict[str, int] = {}
    for record, group in zip(records, groups, strict=True):
        stamp = blake2b(b"".join(bytes((key,)) + value for key, value in group), digest_size=6).hexdigest()
        # The same bytes twice in one message are two records all the same.
        marks[stamp] = marks.get(stamp, 0) + 1
        mark = stamp if marks[stamp] == 1 else f"{stamp}-{marks[stamp]}"
        told = Teller(teller.family, teller.device_id, teller.message, {**teller.faults, **record.faults})
        events += _events(record, told, mark, profile, many)
        if len(events) >= _MAX_EVENTS:
            break
    return tuple(events)


def _events(record: Record, teller: Teller, mark: str, profile: Mapping[str, Any], many: bool) -> list[Event]:
    """What one record tells: an event for each alarm bit, else where or how the device is; and what was measured."""
    said: dict[str, Any] = {
        "observed_at": record.observed_at,
        "fix": record.fix,
        "battery_pct": record.battery_pct,
        "vitals": record.vitals,
    }
    found: list[Event] = []
    # Only the device itself can say of an alarm that it is old; a row of positions is history whatever it says.
    if record.alarm is not None:
        attributes = {**record.attributes, "alarm": f"{record.alarm:08x}"}
        bits = [bit for bit in range(32) if record.alarm >> bit & 1]
        for bit in bits:
            word = word_of(bit, ALARM_BITS, profile, "alarm_bits")
            if 4 <= bit <= 7 and word is None:
                word = "geofence_enter" if record.alarm >> (26 + bit - 4) & 1 else "wandering"
            elif 26 <= bit <= 29 and word is None:
                continue  # the direction of a fence
            found.append(
                teller.alarm(f"bit {bit}", word, attributes, **said, buffered=record.archived, mark=f"{mark}-{bit}")
            )
        if not bits:
            found.append(
                teller.event(
                    "alarm",
                    {**attributes, "code": "none"},
                    type=UNKNOWN_TYPE,
                    **said,
                    buffered=record.archived,
                    mark=f"{mark}-none",
                )
            )
    elif record.kind is not None:
        buffered = record.archived or (many and record.positional)
        found.append(teller.event(record.kind, record.attributes, **said, buffered=buffered, mark=mark))
    for index, (observed_at, vitals, attributes) in enumerate(record.measured):
        found.append(
            teller.event(
                "activity" if "state" in attributes else "vitals",
                attributes,
                observed_at=observed_at,
                vitals=vitals,
                buffered=record.archived or many,
                mark=f"{mark}-m{index}",
            )
        )
    return found
