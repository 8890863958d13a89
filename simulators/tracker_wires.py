"""The wires of iw watches, MiniFinder2 pendants, gt06 and h02 trackers, from the device's side.

Written from the pages in docs/wire alone; the hub has its own codecs. Each wire makes frames and tells what the hub's
answers mean; `ref` is the name the hub's ledger knows a press by, made of what is in the frame.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from binascii import crc_hqx
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Literal, NamedTuple

from simulators.wire import Fix, WireError

__all__ = ["WIRES", "Heard", "Here", "TrackerWire", "crc_x25"]


class Heard(NamedTuple):
    """One frame of the hub: the answer to a login, a heartbeat or an alarm; or a command, with its own answer."""

    kind: Literal["login", "beat", "alarm", "command", "other"]
    text: str = ""
    reply: bytes = b""


@dataclass(frozen=True, slots=True)
class Here:
    """When, where (None: no fix) and with what battery (percent)."""

    at: datetime
    fix: Fix | None
    battery_pct: int
    steps: int = 0


class TrackerWire(ABC):
    """One device's side of a wire. `ALARMS`: alarm type to the code it sends."""

    ALARMS: Mapping[str, int]

    def __init__(self, device_id: str) -> None:
        if not (device_id.isascii() and device_id.isdigit() and 10 <= len(device_id) <= 15):
            raise WireError(f"{device_id}: a tracker's id is an IMEI, 10 to 15 digits")
        self.device_id = device_id
        self._buffer = b""

    def login(self) -> bytes:
        """The first frame of a connection; empty where the wire has none."""
        return b""

    @abstractmethod
    def beat(self, here: Here) -> bytes: ...

    @abstractmethod
    def position(self, here: Here) -> bytes: ...

    @abstractmethod
    def alarm(self, type: str, here: Here) -> bytes:
        """One alarm; the same for the same arguments, so that a repeat is a repeat."""

    @abstractmethod
    def ref(self, type: str, here: Here) -> str: ...

    def feed(self, chunk: bytes) -> list[Heard]:
        """What the hub said, frame by frame; WireError where it cannot be read."""
        self._buffer += chunk
        found = []
        while self._buffer:
            taken = self._next(self._buffer)
            if taken is None:
                break
            size, heard = taken
            self._buffer = self._buffer[size:]
            found.append(heard)
        return found

    @abstractmethod
    def _next(self, buffer: bytes) -> tuple[int, Heard] | None: ...

    def forget(self) -> None:
        """A new connection begins."""
        self._buffer = b""


def _degrees(value: float, width: int) -> str:
    whole, minutes = divmod(round(abs(value) * 600_000), 600_000)
    return f"{whole:0{width}d}{minutes / 10_000:07.4f}"


class IwWire(TrackerWire):
    """`IWAPxx…#`."""

    ALARMS: Mapping[str, int] = {"sos": 1, "low_battery": 2, "off_wrist": 3, "fall": 5}

    def login(self) -> bytes:
        return f"IWAP00{self.device_id}#".encode()

    def beat(self, here: Here) -> bytes:
        return f"IWAP03,060009{here.battery_pct:03d}00102,{here.steps},0#".encode()

    def _place(self, here: Here) -> str:
        at, fix = here.at.astimezone(UTC), here.fix
        if fix is None:
            where = "V0000.0000N00000.0000E"
        else:
            where = f"A{_degrees(fix.lat, 2)}{'N' if fix.lat >= 0 else 'S'}{_degrees(fix.lon, 3)}"
            where += "E" if fix.lon >= 0 else "W"
        return f"{at:%y%m%d}{where}000.0{at:%H%M%S}000.00060009{here.battery_pct:03d}00102,460,0,9520,3671"

    def position(self, here: Here) -> bytes:
        return f"IWAP01{self._place(here)}#".encode()

    def alarm(self, type: str, here: Here) -> bytes:
        return f"IWAP10{self._place(here)},{self.ALARMS[type]:02d},zh-cn,00#".encode()

    def ref(self, type: str, here: Here) -> str:
        return f"{here.at.astimezone(UTC):%y%m%d%H%M%S}-A10-{self.ALARMS[type]:02d}"

    def _next(self, buffer: bytes) -> tuple[int, Heard] | None:
        end = buffer.find(b"#")
        if end < 0:
            return None
        text = buffer[:end].decode("utf-8", "replace").strip()
        if not text.startswith("IWBP"):
            raise WireError(f"{text[:40]!r} is no answer of this wire")
        word, parts = text[4:6], text.split(",")
        kinds: Mapping[str, Literal["login", "beat", "alarm"]] = {"00": "login", "03": "beat", "10": "alarm"}
        if word in kinds:
            return end + 1, Heard(kinds[word], text)
        if len(parts) >= 3 and parts[1] == self.device_id:
            return end + 1, Heard("command", text, f"IWAP{word},{parts[2]}#".encode())
        return end + 1, Heard("other", text)


class PendantWire(TrackerWire):
    """`AB flags length crc index body`, little endian."""

    ALARMS: Mapping[str, int] = {"low_battery": 0, "fall": 2, "sos": 12}

    def _frame(self, body: bytes, index: int, *, wants_answer: bool) -> bytes:
        crc = crc_hqx(body, 0)
        numbers = (len(body), crc, index)
        head = b"".join(number.to_bytes(2, "little") for number in numbers)
        return bytes((0xAB, 0x10 if wants_answer else 0)) + head + body

    @staticmethod
    def _item(key: int, value: bytes) -> bytes:
        return bytes((len(value) + 1, key)) + value

    def _items(self, here: Here) -> list[tuple[int, bytes]]:
        at = int(here.at.timestamp()).to_bytes(4, "little")
        items = [(0x24, at + (here.battery_pct << 24).to_bytes(4, "little"))]
        if here.fix is not None:
            place = b"".join(
                round(value * 1e7).to_bytes(4, "little", signed=True) for value in (here.fix.lat, here.fix.lon)
            )
            rest = (0).to_bytes(2, "little") * 2 + (10).to_bytes(2, "little") + (9).to_bytes(2, "little")
            items.append((0x20, place + rest + (0).to_bytes(4, "little") + b"\x08"))
        return items

    def _report(self, items: list[tuple[int, bytes]], index: int, *, wants_answer: bool) -> bytes:
        every = [(0x01, self.device_id.encode()), *items]
        return self._frame(
            b"\x01" + b"".join(self._item(key, value) for key, value in every), index, wants_answer=wants_answer
        )

    def beat(self, here: Here) -> bytes:  # noqa: ARG002 - this wire's heartbeat says nothing of the device
        body = b"\x03" + self._item(0x01, self.device_id.encode()) + self._item(0x10, b"")
        return self._frame(body, 1, wants_answer=True)

    def position(self, here: Here) -> bytes:
        return self._report(self._items(here), 2, wants_answer=False)

    def _alarm_items(self, type: str, here: Here) -> list[tuple[int, bytes]]:
        return [*self._items(here), (0x02, (1 << self.ALARMS[type]).to_bytes(4, "little"))]

    def alarm(self, type: str, here: Here) -> bytes:
        return self._report(self._alarm_items(type, here), 3, wants_answer=True)

    def ref(self, type: str, here: Here) -> str:
        packed = b"".join(bytes((key,)) + value for key, value in self._alarm_items(type, here))
        stamp = blake2b(packed, digest_size=6).hexdigest()
        return f"{here.at.astimezone(UTC):%y%m%d%H%M%S}-{stamp}-{self.ALARMS[type]}"

    def _next(self, buffer: bytes) -> tuple[int, Heard] | None:
        if buffer[0] != 0xAB:
            raise WireError(f"{buffer[:8].hex()} is no frame of this wire")
        if len(buffer) < 8:
            return None
        size = 8 + int.from_bytes(buffer[2:4], "little")
        if len(buffer) < size:
            return None
        if int.from_bytes(buffer[4:6], "little") != crc_hqx(buffer[8:size], 0):
            raise WireError("the checksum of an answer is wrong")
        index = int.from_bytes(buffer[6:8], "little")
        kind: Literal["alarm", "beat", "other"] = "other"
        if buffer[8] == 0x7F:
            kind = "alarm" if index == 3 else "beat"
        return size, Heard(kind, buffer[8:size].hex())


def crc_x25(payload: bytes) -> int:
    """CRC-16/X-25."""
    crc = 0xFFFF
    for byte in payload:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return crc ^ 0xFFFF


class Gt06Wire(TrackerWire):
    """`78 78 length type content serial crc 0D 0A`."""

    ALARMS: Mapping[str, int] = {"sos": 1, "power_fail": 2, "low_battery": 0x0E, "fall": 0x23}
    _ALARM, _POSITION, _BEAT, _LOGIN, _COMMAND = 0x26, 0x22, 0x13, 0x01, 0x80

    def __init__(self, device_id: str) -> None:
        super().__init__(device_id)
        self._serials: dict[tuple[str, datetime], int] = {}
        self._serial = 0

    def _frame(self, kind: int, content: bytes, serial: int) -> bytes:
        counted = bytes((len(content) + 5, kind)) + content + serial.to_bytes(2, "big")
        return b"\x78\x78" + counted + crc_x25(counted).to_bytes(2, "big") + b"\r\n"

    def _next_serial(self) -> int:
        self._serial = self._serial % 0xFFFF + 1
        return self._serial

    def login(self) -> bytes:
        return self._frame(self._LOGIN, bytes.fromhex(self.device_id.zfill(16)), self._next_serial())

    def beat(self, here: Here) -> bytes:
        return self._frame(self._BEAT, bytes((0x40, _sixths(here.battery_pct), 3, 0, 2)), self._next_serial())

    @staticmethod
    def _place(here: Here) -> bytes:
        at = here.at.astimezone(UTC)
        lat, lon = (here.fix.lat, here.fix.lon) if here.fix else (0.0, 0.0)
        flags = (0x1000 if here.fix else 0) | (0x0400 if lat >= 0 else 0) | (0x0800 if lon < 0 else 0)
        units = b"".join(round(abs(value) * 1_800_000).to_bytes(4, "big") for value in (lat, lon))
        time = bytes((at.year % 100, at.month, at.day, at.hour, at.minute, at.second))
        return time + b"\xc9" + units + b"\x00" + flags.to_bytes(2, "big")

    def position(self, here: Here) -> bytes:
        cell = bytes.fromhex("01cc00287d001f71")
        return self._frame(self._POSITION, self._place(here) + cell + b"\x00\x00\x00", self._next_serial())

    def _serial_of(self, type: str, here: Here) -> int:
        if (type, here.at) not in self._serials:
            self._serials[type, here.at] = self._next_serial()
            while len(self._serials) > 500:
                del self._serials[next(iter(self._serials))]
        return self._serials[type, here.at]

    def alarm(self, type: str, here: Here) -> bytes:
        state = bytes((0x40, _sixths(here.battery_pct), 3, self.ALARMS[type], 2))
        cell = bytes.fromhex("0901cc00287d001f71")
        return self._frame(self._ALARM, self._place(here) + cell + state, self._serial_of(type, here))

    def ref(self, type: str, here: Here) -> str:
        at = here.at.astimezone(UTC)
        return f"{at:%y%m%d%H%M%S}-{self._serial_of(type, here):04x}-{self.ALARMS[type]:02x}"

    def _next(self, buffer: bytes) -> tuple[int, Heard] | None:
        if not b"\x78\x78".startswith(buffer[:2]):
            raise WireError(f"{buffer[:8].hex()} is no frame of this wire")
        if len(buffer) < 3 or len(buffer) < buffer[2] + 5:
            return None
        size = buffer[2] + 5
        counted, crc = buffer[2 : size - 4], buffer[size - 4 : size - 2]
        if crc_x25(counted).to_bytes(2, "big") != crc:
            raise WireError("the checksum of an answer is wrong")
        kind, content = buffer[3], buffer[4 : size - 6]
        kinds: Mapping[int, Literal["login", "beat", "alarm"]] = {1: "login", 0x13: "beat", 0x26: "alarm"}
        if kind == self._COMMAND and len(content) > 5:
            text = content[5 : 1 + content[0]]
            said = bytes((4 + len(text),)) + content[1:5] + text + b"\x00\x02"
            return size, Heard("command", text.decode("ascii", "replace"), self._frame(0x15, said, self._next_serial()))
        return size, Heard(kinds.get(kind, "other"), f"{kind:02x}")


def _sixths(battery_pct: int) -> int:
    return max(0, min(6, round(battery_pct * 6 / 100)))


class H02Wire(TrackerWire):
    """`*HQ,id,WORD,…#`. Positions go as V6, which nobody answers: an answer to V1 is always one to an alarm."""

    ALARMS: Mapping[str, int] = {"sos": 1, "power_fail": 19}

    def beat(self, here: Here) -> bytes:
        return f"*HQ,{self.device_id},HTBT,{here.battery_pct}#".encode()

    def _text(self, word: str, here: Here, status: int) -> bytes:
        at, fix = here.at.astimezone(UTC), here.fix
        where = "V,0000.0000,N,00000.0000,E"
        if fix is not None:
            where = f"A,{_degrees(fix.lat, 2)},{'N' if fix.lat >= 0 else 'S'},{_degrees(fix.lon, 3)}"
            where += ",E" if fix.lon >= 0 else ",W"
        return f"*HQ,{self.device_id},{word},{at:%H%M%S},{where},0.00,000,{at:%d%m%y},{status:08X}#".encode()

    def position(self, here: Here) -> bytes:
        return self._text("V6", here, 0xFFFFFFFF)

    def alarm(self, type: str, here: Here) -> bytes:
        return self._text("V1", here, self._status(type))

    def _status(self, type: str) -> int:
        return 0xFFFFFFFF & ~(1 << self.ALARMS[type])  # active low

    def ref(self, type: str, here: Here) -> str:
        return f"{here.at.astimezone(UTC):%y%m%d%H%M%S}-{self._status(type):08x}-{self.ALARMS[type]}"

    def _next(self, buffer: bytes) -> tuple[int, Heard] | None:
        end = buffer.find(b"#")
        if end < 0:
            return None
        parts = buffer[:end].decode("ascii", "replace").strip().split(",")
        if len(parts) < 3 or not parts[0].startswith("*") or parts[1] != self.device_id:
            raise WireError(f"{buffer[:40]!r} is no answer of this wire")
        if parts[2] == "HTBT":
            return end + 1, Heard("beat", parts[2])
        if parts[2] == "V4":
            return end + 1, Heard("alarm" if parts[3:4] == ["V1"] else "other", ",".join(parts[2:]))
        answer = f"*{parts[0][1:]},{self.device_id},V4,{parts[2]},{parts[3] if len(parts) > 3 else ''}#"
        return end + 1, Heard("command", ",".join(parts[2:]), answer.encode())


WIRES: Mapping[str, type[TrackerWire]] = {
    "iw": IwWire,
    "minifinder2": PendantWire,
    "gt06": Gt06Wire,
    "h02": H02Wire,
}
"""Family to its wire."""
