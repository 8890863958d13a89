"""The pieces GT06 messages are made of: time and position, radio cells, state, alarm codes. Big endian."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from devices.codecs.tracker import MAX_CELLS, MAX_WIFI, clock
from devices.fields import Faults, battery, latitude_longitude
from devices.model import Fix

__all__ = ["ALARM_CODES", "STATE_ALARMS", "Body", "crc_x25", "gt06_frame"]

ALARM_CODES: Mapping[str, str] = {
    "01": "sos",
    "02": "power_fail",
    "03": "vibration",
    "04": "geofence_enter",
    "05": "wandering",
    "06": "overspeed",
    "09": "vibration",
    "0c": "tamper",
    "0e": "low_battery",
    "0f": "low_battery",
    "11": "power_off",
    "13": "tamper",
    "14": "door",
    "18": "off_wrist",
    "19": "low_battery",
    "23": "fall",
    "25": "tamper",
    "2c": "accident",
    "32": "tamper",
}
"""The alarm byte of alarm messages, as two hex digits. `profile["alarm_codes"]` replaces entries; 00 is no alarm."""

STATE_ALARMS: Mapping[int, str] = {1: "vibration", 2: "power_fail", 3: "low_battery", 4: "sos"}
"""Bits 3-5 of the state byte. `profile["state_alarms"]` replaces entries."""


_CELL_SIZES: Mapping[int, tuple[int, int]] = {5: (2, 3), 6: (2, 4), 8: (4, 4), 12: (4, 8)}
"""What is left of a counted cell behind country and network: the sizes of area and cell."""


_MOST_GSM = 100
"""GSM strength is 0-4, or percent."""

_FIRST_YEAR = 2001


def _table() -> tuple[int, ...]:
    found = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
        found.append(value)
    return tuple(found)


_X25 = _table()


def crc_x25(data: bytes) -> int:
    """CRC-16/X-25 (CRC-ITU): reflected 1021, begins with FFFF, ends inverted."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _X25[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFF


def gt06_frame(kind: int, serial: int, content: bytes = b"", wide: bool = False) -> bytes:
    """One message around `content`; `wide` with two bytes of length."""
    size = len(content) + 5
    counted = size.to_bytes(2 if wide else 1, "big") + bytes((kind,)) + content + serial.to_bytes(2, "big")
    return (b"\x79\x79" if wide else b"\x78\x78") + counted + crc_x25(counted).to_bytes(2, "big") + b"\r\n"


@dataclass(slots=True)
class Body:
    """What stands between the type and the serial number, read from the front. What is missing raises IndexError or
    struct.error; the codec turns that into a fault.
    """

    content: bytes
    profile: Mapping[str, Any]
    faults: Faults
    at: int = 0
    observed_at: datetime | None = None
    fix: Fix | None = None
    battery_pct: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def left(self) -> int:
        return len(self.content) - self.at

    def byte(self) -> int:
        self.at += 1
        return self.content[self.at - 1]

    def number(self, size: int) -> int:
        if self.left < size:
            raise IndexError
        self.at += size
        return int.from_bytes(self.content[self.at - size : self.at], "big")

    def time(self) -> None:
        """yy mm dd hh mm ss, one byte each."""
        if self.left < 6:
            raise IndexError
        parts = self.content[self.at : self.at + 6]
        self.at += 6
        self.observed_at = clock(list(parts), self.faults, self.profile)

    def position(self) -> None:
        """Time, satellites, latitude and longitude in 1/1,800,000 degree, speed, and flags with the course."""
        self.time()
        self.attributes["satellites"] = self.byte() & 15
        self.spot()

    def spot(self) -> None:
        """A position without its time: latitude, longitude, speed, flags."""
        north, east, speed, flags = struct.unpack_from(">IIBH", self.content, self.at)
        self.at += 11
        self.place(north, east, flags)
        if self.fix is not None:
            self.attributes["speed_kmh"] = speed
            self.attributes["course_deg"] = flags & 0x3FF

    def since_1970(self) -> None:
        """Seconds since 1970, four bytes."""
        found = datetime.fromtimestamp(self.number(4), UTC)
        if found.year < _FIRST_YEAR:
            self.faults["observed_at"] = f"{found:%Y-%m-%d %H:%M:%S}: a clock that was never set"
        else:
            self.observed_at = found

    def place(self, north: int, east: int, flags: int) -> None:
        lat = round(north / 1_800_000, 7) * (1 if flags >> 10 & 1 else -1)
        lon = round(east / 1_800_000, 7) * (-1 if flags >> 11 & 1 else 1)
        found = latitude_longitude(lat, lon)
        if flags >> 12 & 1 == 0:  # no fix: zero, or the last known
            if not isinstance(found, str):
                self.attributes["unconfirmed_position"] = {"lat": found[0], "lon": found[1]}
        elif isinstance(found, str):
            self.faults["fix"] = found
        else:
            self.fix = Fix(found[0], found[1], None, "gnss", self.observed_at)

    def cell(
        self, counted: bool = False, lac_size: int = 2, cell_size: int = 3, mnc_size: int = 1, own: bool = True
    ) -> None:
        """The cell the device is in; `counted`: behind a byte that says how long this is (`own`: itself included),
        which also tells the sizes. Where that cannot be, the sizes of the message's type stand.
        """
        length = self.byte() if counted else 0
        if counted and length == 0:
            return
        begin = self.at
        # Some firmwares do not count the length's own byte: eight bytes hold a cell, seven do not.
        whole = length if not own or length == 8 else length - 1
        mcc = self.number(2)
        mnc_size = 2 if mcc >> 15 else mnc_size
        mnc = self.number(mnc_size)
        if counted:
            lac_size, cell_size = _CELL_SIZES.get(whole - 2 - mnc_size, (lac_size, cell_size))
        lac, cell = self.number(lac_size), self.number(cell_size)
        if cell and mcc & 0x7FFF:
            self.attributes["cells"] = [{"mcc": mcc & 0x7FFF, "mnc": mnc, "lac": lac, "cell": cell}]
        # State and alarm follow: a length that leaves no room for them is none.
        if self.at < begin + whole <= len(self.content) - 4:
            self.at = begin + whole

    def network(self) -> tuple[int, int]:
        mcc = self.number(2)
        return mcc & 0x7FFF, self.number(2 if mcc >> 15 else 1)

    def cells(self, count: int, lac_size: int, cell_size: int, network: tuple[int, int] | None = None) -> None:
        """`count` cells around, behind their network where that was not read before."""
        mcc, mnc = network or self.network()
        towers: list[dict[str, int]] = []
        for _ in range(count):
            lac, cell, level = self.number(lac_size), self.number(cell_size), self.byte()
            if lac and cell and mcc and len(towers) < MAX_CELLS:
                towers.append({"mcc": mcc, "mnc": mnc, "lac": lac, "cell": cell, "level": -level})
        if towers:
            self.attributes["cells"] = towers

    def stations(self, count: int, gap: int = 0, level: bool = True) -> None:
        found: list[dict[str, Any]] = []
        for _ in range(min(count, self.left // (6 + gap + level))):
            mac = self.content[self.at + gap : self.at + gap + 6]
            self.at += gap + 6
            station: dict[str, Any] = {"mac": mac.hex(":")}
            if level:
                station["rssi_dbm"] = -self.byte()
            if any(mac) and len(found) < MAX_WIFI:
                found.append(station)
        if found:
            self.attributes["wifi"] = found

    def state(self, volts: bool = False, wired: bool = False) -> int | None:
        """State byte, battery (0-6; above it percent, or with `volts` hundredths of a volt in two bytes), GSM (0-4).
        With `wired` also a battery below 7 is volts where no GSM strength could follow it. Gives the state's alarm,
        or None.
        """
        alarm = self.alarm_of_state(self.byte())
        supplied = wired and self.left >= 2 and self.content[self.at] <= 6 and self.content[self.at + 1] > _MOST_GSM
        if self.left and (supplied or (self.content[self.at] > 6 and volts)):
            if self.left >= 2:
                self.attributes["power_v"] = self.number(2) / 100
        elif self.left:
            self.level(self.byte())
        if self.left:
            self.attributes["gsm_level"] = self.byte()
        return alarm

    def alarm_of_state(self, status: int) -> int | None:
        """Keeps the state byte; gives its alarm (bits 3-5), or None."""
        self.attributes["status"] = f"{status:02x}"
        self.attributes["charging"] = bool(status >> 2 & 1)
        return (status >> 3 & 7) or None

    def level(self, sent: int) -> None:
        """A battery: 0 to 6 in sixths, above it percent."""
        # 0: not measured
        self.battery_pct = battery(sent, self.faults) if sent > 6 else sent * 100 // 6 or None
