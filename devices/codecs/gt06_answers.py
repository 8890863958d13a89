"""What GT06 devices are answered, and the Wi-Fi messages whose frame is not like the others."""

from __future__ import annotations

from datetime import UTC, datetime

from devices.codecs.gt06_body import Body, gt06_frame
from devices.codecs.tracker import Teller, clock
from devices.fields import Faults
from devices.model import Decoded, DeviceRef, Reply

__all__ = ["replies", "wifi_message"]

_LOGIN, _TIME, _ADDRESS = 0x01, 0x8A, 0x2A
_SILENT = frozenset((0x15, 0x21, 0x24, 0x34, 0x80, 0x81, 0x82, 0x94, 0x9B, 0xF3))
"""What is an answer itself, or wants none."""

_UNREAD = frozenset((_LOGIN, 0x36, 0x40, 0x41, 0x65, 0x66, 0x8C))
"""Messages with two bytes of length that nobody reads: pictures, engines, batteries of vehicles."""


def replies(kind: int, wide: bool, serial: int, alarm: bool, received_at: datetime) -> tuple[Reply, ...]:
    """What a message is answered with: the type and serial number again, or what it asks for."""
    if wide and (kind in (0x32, 0x33) or ((kind in _SILENT or kind in _UNREAD) and not alarm)):
        return (Reply(gt06_frame(kind, serial, wide=True), after_commit=True),) if kind in (0x32, 0x33) else ()
    if kind == _TIME:
        now = received_at.astimezone(UTC)
        content = bytes((now.year % 100, now.month, now.day, now.hour, now.minute, now.second))
        return (Reply(gt06_frame(kind, serial, content), after_commit=False),)
    if kind == _ADDRESS:
        words = b"NA&&NA&&0##"  # nobody looks up addresses here; an answer keeps the device from asking on
        return (Reply(gt06_frame(0x97, 0, bytes((len(words),)) + bytes(4) + words, wide=True), after_commit=False),)
    if kind in _SILENT and not alarm:
        return ()
    at_once = kind in (_LOGIN, 0x13, 0x23, 0x36) and not alarm
    return (Reply(gt06_frame(kind, serial), after_commit=not at_once),)


def wifi_message(raw: bytes, device: DeviceRef) -> Decoded | None:
    """69, 17: `78 78 stations type`, time in BCD, stations, cells, `0D 0A`; neither length nor checksum. The answer
    repeats the time. None: the message is not of this form.
    """
    count = raw[2]
    at = 10 + 7 * count
    if len(raw) <= at or len(raw) not in (at + 4 + 5 * raw[at], at + 6 + 5 * raw[at]):
        return None
    faults: Faults = {}
    body = Body(raw, device.profile, faults, 10)
    stamp = raw[4:10]
    if stamp.hex().isdigit():
        body.observed_at = clock([int(f"{byte:02x}") for byte in stamp], faults, device.profile)
    body.stations(count)
    cells = body.byte()
    mcc, mnc = body.number(2), body.byte()
    towers = []
    for _ in range(cells):
        lac, cell, level = body.number(2), body.number(2), body.byte()
        towers.append({"mcc": mcc, "mnc": mnc, "lac": lac, "cell": cell, "level": -level})
    if towers:
        body.attributes["cells"] = towers[:16]
    teller = Teller("gt06", device.device_id, f"{raw[3]:02x}", faults)
    event = teller.event("location", body.attributes, observed_at=body.observed_at, mark="wifi")
    reply = Reply(b"\x78\x78\x00" + raw[3:4] + stamp + b"\r\n", after_commit=True)
    return Decoded((event,), (reply,))
