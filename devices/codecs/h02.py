"""The H02 family (`*HQ,...#` and binary `$` messages) as far as people wear it, over TCP. See docs/wire/h02.md.

Rules that decide here:
- the bits of the status word are active LOW: FFFFFFFF is "all well", and each bit that is 0 and means an alarm is one;
- an alarm without a fix has no key: such devices repeat an old time, and two presses must not become one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from devices.codecs.tracker import MAX_CELLS, Teller, clock, own_table, word_of
from devices.fields import battery, clean_text, latitude_longitude, metric, number, show
from devices.framers import h02_time_at
from devices.model import Decoded, DeviceRef, Event, EventKind, Fix, Reply, Uplink

__all__ = ["ALARM_BITS", "H02Codec"]

ALARM_BITS: Mapping[int, str] = {0: "vibration", 1: "sos", 2: "overspeed", 18: "sos", 19: "power_fail"}
"""Bit number to type, where the bit is 0. `profile["alarm_bits"]` replaces and adds entries."""

_TEXT = re.compile(rb"\*([A-Za-z]{2}),([0-9]*),([A-Za-z0-9]*)(.*?)#?", re.DOTALL)
_STATUS = re.compile(r"[0-9A-Fa-f]{8}")
_HEX = re.compile(r"[0-9A-Fa-f]{1,8}")
_SIX = re.compile(r"\d{6}", re.ASCII)
_DEGREES = re.compile(r"(\d{0,3})(\d\d\.\d+)", re.ASCII)
_DASHED = re.compile(r"-(\d{1,3})-(\d{1,2}\.\d+)", re.ASCII)
_PLAIN = re.compile(r"(\d{1,3})(\d\d)(\d{4})", re.ASCII)


@dataclass(slots=True)
class _Said:
    """What one message says; everything may be missing."""

    observed_at: datetime | None = None
    fix: Fix | None = None
    valid: bool = False
    battery_pct: int | None = None
    vitals: dict[str, float] = field(default_factory=dict)
    status: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


class H02Codec:
    """The codec of family `h02`. One uplink is one message."""

    family = "h02"

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        """Events and answers of one message. The id is the message's own, else the connection's (`device`)."""
        payload = uplink.payload
        if payload.startswith(b"$"):
            return _binary(payload, device)
        match = _TEXT.fullmatch(payload.strip(b"\r\n\t \x00"))
        if match is None:
            if payload.startswith(b"X"):
                teller = Teller("h02", device.device_id, "X")
                return Decoded((teller.event("unsupported", {"content": payload[:256].hex()}),))
            return Decoded(
                error=f"neither *XX,id,...# nor a binary message: {show(payload[:60].decode('utf-8', 'replace'))}"
            )
        vendor, word = match[1].decode(), match[3].decode()
        device_id = match[2].decode()[:32] or device.device_id
        teller = Teller("h02", device_id, word)
        fields = [text.strip() for text in match[4].decode("utf-8", "replace").split(",")[1:]]
        said = _Said()
        kind = _read(word.upper(), fields, teller, device.profile, said)
        events = _events(kind, teller, device.profile, said, match[4])
        return Decoded(events, _replies(vendor, device_id, word, uplink.received_at, events))


def _replies(
    vendor: str, device_id: str, word: str, received_at: datetime, events: Sequence[Event]
) -> tuple[Reply, ...]:
    if not device_id:
        return ()
    now = f"{received_at.astimezone(UTC):%Y%m%d%H%M%S}"
    alarm = any(event.kind == "alarm" for event in events)
    if word in ("V0", "HTBT"):
        return (Reply(f"*{vendor},{device_id},{word}#".encode(), after_commit=False),)
    if word in ("V1", "NBR"):
        return (Reply(f"*{vendor},{device_id},V4,{word},{now}#".encode(), after_commit=alarm or word == "NBR"),)
    return ()


# --- text -------------------------------------------------------------------------------------------------------------


def _read(word: str, fields: list[str], teller: Teller, profile: Mapping[str, Any], said: _Said) -> EventKind:
    if word in ("V0", "HTBT"):
        said.battery_pct = battery(_at(fields, 0), teller.faults) or None
        return "heartbeat"
    if word == "LINK":
        _time(_at(fields, 0), _at(fields, 6), teller, profile, said)
        said.attributes["gsm_level"] = number(_at(fields, 1))
        said.attributes["satellites"] = number(_at(fields, 2))
        said.battery_pct = battery(_at(fields, 3), teller.faults) or None
        steps = metric("steps", _at(fields, 4), teller.faults)
        if steps is not None or _at(fields, 4) == "0":
            said.vitals["steps"] = int(steps or 0)
        said.attributes["tumbles"] = number(_at(fields, 5))
        _status(_at(fields, 7), teller, said)
        return "heartbeat"
    if word == "NBR":
        count = number(_at(fields, 4)) or 0
        end = 5 + 3 * int(min(max(count, 0), 64))
        _time(_at(fields, 0), _at(fields, end), teller, profile, said)
        _cells(_at(fields, 1), _at(fields, 2), [fields[at : at + 2] for at in range(5, end, 3)], said)
        _status(_at(fields, end + 1), teller, said)
        return "location"
    if word == "V3":
        count = int(min(max(number(_at(fields, 2)) or 0, 0), 64))
        end = 3 + 4 * count
        _time(_at(fields, 0), _at(fields, end + 3), teller, profile, said)
        network = _at(fields, 1)
        _cells(network[:3], network[3:], [fields[at : at + 2] for at in range(3, end, 4)], said)
        _status(_at(fields, end + 4), teller, said)
        return "location"
    if word == "V4":
        said.attributes["command"] = clean_text(_at(fields, 0), 32)
        start = next((at for at, text in enumerate(fields) if text in ("A", "V", "B") and at), None)
        if start is not None:
            _position(fields[start - 1 :], teller, profile, said)
        return "reply"
    if word == "SMS":
        return "reply"
    if word == "VP1":
        return _undated(fields, teller, said)
    placed = _at(fields, 1) in ("A", "V") and _at(fields, 3) in ("N", "S") and _at(fields, 5) in ("E", "W")
    if len(fields) >= 8 and (word.startswith("V") or placed):  # whatever it is called
        _position(fields, teller, profile, said)
        return "location"
    for text in fields:  # whatever it is: a status word at its end speaks for itself
        if _STATUS.fullmatch(text) and text.upper().startswith(("F", "E", "B")):
            _status(text, teller, said)
    return "unsupported"


def _undated(fields: list[str], teller: Teller, said: _Said) -> EventKind:
    """VP1: `A,lat,N|S,lon,E|W,knots,course,ddmmyy`, or `V,mcc,mnc,lac,cell,level Y lac,...`: no time of day."""
    said.valid = _at(fields, 0) in ("A", "B")
    if said.valid:
        lat, lon = _degrees(_at(fields, 1), _at(fields, 2)), _degrees(_at(fields, 3), _at(fields, 4))
        _place(lat, lon, number(_at(fields, 5)), number(_at(fields, 6)), teller, said)
    else:
        towers = [text.strip(",").split(",")[:2] for text in ",".join(fields[3:]).split("Y")]
        _cells(_at(fields, 1), _at(fields, 2), towers, said)
    return "location"


def _at(fields: Sequence[str], index: int) -> str:
    return fields[index] if index < len(fields) else ""


def _position(fields: list[str], teller: Teller, profile: Mapping[str, Any], said: _Said) -> None:
    """`hhmmss,A|V,lat,N|S,lon,E|W,knots,course,[battery,]ddmmyy,...,status,...`"""
    if _at(fields, 1) == "" and _DEGREES.fullmatch(_at(fields, 2)) is None and _at(fields, 3) in ("N", "S"):
        fields = [*fields[:1], "V", *fields[2:]]
    said.valid = _at(fields, 1) == "A" or _at(fields, 1).isdigit()
    date = 8 if _SIX.fullmatch(_at(fields, 8)) or not _SIX.fullmatch(_at(fields, 9)) else 9
    _time(_at(fields, 0), _at(fields, date), teller, profile, said)
    if date == 9:
        _battery(int(number(_at(fields, 8)) or 0), said)
    status = next((text for text in fields[date + 1 :] if _STATUS.fullmatch(text)), "")
    _status(status, teller, said)
    lat, lon = _degrees(_at(fields, 2), _at(fields, 3)), _degrees(_at(fields, 4), _at(fields, 5))
    speed, course = number(_at(fields, 6)), number(_at(fields, 7))
    _place(lat, lon, speed, course, teller, said)
    at = fields.index(status) if status else len(fields)
    _cell_behind(fields[at + 1 : at + 5], said)


def _place(
    lat: float | None, lon: float | None, speed: float | None, course: float | None, teller: Teller, said: _Said
) -> None:
    place = latitude_longitude(lat, lon)
    if not said.valid:
        if not isinstance(place, str):
            said.attributes["unconfirmed_position"] = {"lat": place[0], "lon": place[1]}
        return
    if isinstance(place, str):
        teller.faults["fix"] = place
        return
    said.fix = Fix(place[0], place[1], None, "gnss", said.observed_at)
    if speed is not None:
        said.attributes["speed_kmh"] = round(speed * 1.852, 3)
    if course is not None:
        said.attributes["course_deg"] = course


def _degrees(text: str, letter: str) -> float | None:
    """ddmm.mmmm, mm.mmmm, ddmmmmmm without its point, or -dd-mm.mmmm; the letter alone gives the sign."""
    match = _DASHED.fullmatch(text) or _DEGREES.fullmatch(text)
    minutes = float(match[2]) if match else 0.0
    if match is None:
        match = _PLAIN.fullmatch(text)
        if match is None:
            return None
        minutes = int(match[2]) + int(match[3]) / 10_000
    found = round(int(match[1] or 0) + minutes / 60, 7)  # below one degree some leave the degrees away
    return -found if letter.upper() in ("S", "W") else found


def _time(time: str, date: str, teller: Teller, profile: Mapping[str, Any], said: _Said) -> None:
    """hhmmss and ddmmyy."""
    if not (_SIX.fullmatch(time) and _SIX.fullmatch(date)):
        teller.faults["observed_at"] = f"{show(f'{time},{date}')} is not hhmmss,ddmmyy"
        return
    hour, minute, second = (int(time[at : at + 2]) for at in (0, 2, 4))
    day, month, year = (int(date[at : at + 2]) for at in (0, 2, 4))
    said.observed_at = clock([year, month, day, hour, minute, second], teller.faults, profile)


def _status(text: str, teller: Teller, said: _Said) -> None:
    if _STATUS.fullmatch(text):
        said.status = int(text, 16)
        said.attributes["status"] = text.lower()
    elif text:
        teller.faults["status"] = f"{show(text)} is not a status word"


def _battery(value: int, said: _Said) -> None:
    """Percent; F1 to F6, and 1 to 6, are steps: 0, 10, 20, 60, 80 and 100 %."""
    if 0xF1 <= value <= 0xF6:
        value -= 0xF0
    if 1 <= value <= 6:
        said.battery_pct = (0, 10, 20, 60, 80, 100)[value - 1]
    elif 6 < value <= 100:
        said.battery_pct = value


def _cell_behind(fields: Sequence[str], said: _Said) -> None:
    """`mcc,mnc,lac,cell` behind the status word. Some firmwares write all four in hexadecimal: only one of the two
    readings gives a country (200 to 799).
    """
    if len(fields) < 4:
        return
    if all(text.isascii() and text.isdigit() for text in fields) and _is_country(int(fields[0][:10])):
        _cells(fields[0], fields[1], [fields[2:]], said)
    elif all(_HEX.fullmatch(text) for text in fields) and _is_country(int(fields[0], 16)):
        mcc, mnc, lac, cell = (str(int(text, 16)) for text in fields)
        _cells(mcc, mnc, [[lac, cell]], said)


def _is_country(mcc: int) -> bool:
    return 200 <= mcc <= 799


def _cells(mcc: str, mnc: str, towers: Sequence[Sequence[str]], said: _Said) -> None:
    found = []
    for tower in towers[:MAX_CELLS]:
        words = [mcc, mnc, *tower]
        plain = all(text.isascii() and text.isdigit() and len(text) <= 10 for text in words)
        if len(words) == 4 and plain and int(words[3]) and int(mcc):
            found.append({"mcc": int(mcc), "mnc": int(mnc), "lac": int(words[2]), "cell": int(words[3])})
    if found:
        said.attributes["cells"] = found


# --- binary -----------------------------------------------------------------------------------------------------------


def _binary(payload: bytes, device: DeviceRef) -> Decoded:
    """`$`, id in BCD (5 bytes, or 8), hhmmss ddmmyy, latitude, battery, longitude, flags, speed, course, status."""
    start = h02_time_at(payload) or 6
    long_id = start == 9
    if len(payload) < start + 23:
        return Decoded(error=f"a binary message of {len(payload)} bytes: too short")
    digits = payload[1:start].hex()
    if long_id:
        digits = digits[:15]
    teller = Teller("h02", digits if digits.isdigit() else device.device_id, "$")
    if not digits.isdigit():
        teller.faults["id"] = f"{digits} is not decimal"
    text = payload[start : start + 20].hex()  # hhmmss ddmmyy ddmmmmmm bb dddmmmmm mf sss ccc
    said = _Said()
    _time(text[:6], text[6:12], teller, device.profile, said)
    flags = int(text[31], 16)
    said.valid = bool(flags & 2)
    lat = _degrees(f"{text[12:16]}.{text[16:20]}", "N" if flags & 4 else "S")
    lon = _degrees(f"{text[22:27]}.{text[27:31]}", "E" if flags & 8 else "W")
    _battery(payload[start + 10], said)
    speed, course = number(text[32:35]), number(text[35:38])
    _place(lat, lon, speed, course, teller, said)
    said.status = int.from_bytes(payload[start + 19 : start + 23], "big")
    said.attributes["status"] = f"{said.status:08x}"
    return Decoded(_events("location", teller, device.profile, said, b""))


# --- events -----------------------------------------------------------------------------------------------------------


def _events(kind: EventKind, teller: Teller, profile: Mapping[str, Any], said: _Said, raw: bytes) -> tuple[Event, ...]:
    attributes = {name: value for name, value in said.attributes.items() if value is not None}
    common: dict[str, Any] = {
        "observed_at": said.observed_at,
        "fix": said.fix,
        "battery_pct": said.battery_pct,
        "vitals": said.vitals,
    }
    own = own_table(profile, "alarm_bits")
    known = {*ALARM_BITS, *(int(bit) for bit in own if str(bit).isascii() and str(bit).isdigit() and int(bit) < 32)}
    alarms: dict[str | None, Event] = {}
    if said.status is not None:
        for bit in sorted(known):
            if said.status >> bit & 1:
                continue
            word = word_of(bit, ALARM_BITS, profile, "alarm_bits")
            mark = f"{said.status:08x}-{bit}" if said.fix is not None else None
            alarms.setdefault(word, teller.alarm(f"bit {bit}", word, attributes, mark=mark, **common))
    if teller.message.upper() == "SOS" and "sos" not in alarms:
        mark = f"{teller.message}-word" if said.fix is not None else None
        alarms["sos"] = teller.alarm("SOS", "sos", attributes, mark=mark, **common)
    found = list(alarms.values())
    if found and kind == "location":
        return tuple(found)
    if kind in ("unsupported", "reply"):
        attributes["content"] = clean_text(raw.decode("utf-8", "replace").removeprefix(","))
    mark = f"{teller.message}-{said.attributes.get('status', '')}" if kind == "location" and said.fix else None
    return (*found, teller.event(kind, attributes, mark=mark, **common))
