"""The IW and TRV family (ThinkRace, Wonlex 4G watches for elders, beehome) over TCP. See docs/wire/iw.md.

Rules that decide here:
- only the login (AP00) says whose connection it is; all else carries the id the gateway learned from it;
- an alarm message is an alarm whatever its code, and is answered after the commit;
- what a watch answers to a command is never answered itself: the two would go on for ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from devices.codecs.iw_position import ALARM_CODES, Place, joined, read_cells, read_place, read_state, read_wifi
from devices.codecs.tracker import Teller, clock, utc_offset, word_of
from devices.fields import battery, clean_text, metric, number, show
from devices.model import Decoded, DeviceRef, Event, Reply, Uplink

__all__ = ["IwCodec"]

_FRAME = re.compile(rb"(IW|TRV)(?:([A-Z])P([0-9A-Z]{2})|(null))(.*?)#?", re.DOTALL)
_ID = re.compile(r"\d{10,15}", re.ASCII)
_UPLINKS = frozenset("ACY")
_SERIAL = re.compile(r"\d{6}", re.ASCII)
_TOWER = re.compile(r"\s*\d+\|\d+(\|\d+)?\s*", re.ASCII)
_EPOCH = re.compile(r"(\d{10})(?:\d{3})?", re.ASCII)
_STAMP = re.compile(r"(\d{4})\D?(\d\d)\D?(\d\d)\D?(\d\d)\D?(\d\d)\D?(\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Frame:
    vendor: str
    letter: str
    code: str
    body: bytes
    fields: Sequence[str]
    """What stands between the commas. `fields[0]` stands directly behind the word, as the login's id does."""
    teller: Teller
    profile: Mapping[str, Any]
    received_at: datetime

    def said(self, index: int) -> str:
        return self.fields[index].strip() if index < len(self.fields) else ""

    def reply(self, content: str = "", after_commit: bool = True) -> tuple[Reply, ...]:
        word = f"{self.vendor}{chr(ord(self.letter) + 1)}P{self.code}"
        return (Reply(f"{word}{content}#".encode(), after_commit=after_commit),)


_Answer = tuple[tuple[Event, ...], tuple[Reply, ...]]


class IwCodec:
    """The codec of family `iw`. One uplink is one frame, with or without its `#`."""

    family = "iw"

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        """Events and answers of one frame. `device` gives the id learned at the login, and the profile."""
        payload = uplink.payload.strip(b"\r\n\t \x00")
        match = _FRAME.fullmatch(payload)
        if match is None:
            return Decoded(error=f"not an IWAPxx...# frame: {show(payload[:60].decode('utf-8', 'replace'))}")
        vendor = match[1].decode()
        letter, code = ("A", "07") if match[4] else (match[2].decode(), match[3].decode())
        fields = joined(match[5].decode("utf-8", "replace").split(","))
        message = f"{vendor}null" if match[4] else f"{vendor}{letter}P{code}"
        teller = Teller("iw", _whose(letter + code, fields, device), message)
        frame = _Frame(vendor, letter, code, match[5], fields, teller, device.profile, uplink.received_at)
        events, replies = _reader(frame)(frame)
        return Decoded(events, replies)


def _whose(word: str, fields: Sequence[str], device: DeviceRef) -> str:
    if word == "A00":
        found = _ID.match((fields[0].strip() or next(iter(fields[1:]), "")).strip())
        return found[0] if found else device.device_id
    if word in ("AFD", "AWR") and len(fields) > 1 and re.fullmatch(r"\d{15}", fields[1].strip(), re.ASCII):
        return fields[1].strip()
    return device.device_id


def _reader(frame: _Frame) -> Callable[[_Frame], _Answer]:
    found = _READERS.get(frame.letter + frame.code)
    if found is not None:
        return found
    # What answers a command repeats the six digits the command was numbered with.
    if _SERIAL.fullmatch(frame.said(1)):
        return _reply
    # Every other word of a device wants its answer; those of a server (B, D, Z) were never meant for us.
    return _told if frame.letter in _UPLINKS else _unsupported


# --- positions and alarms ---------------------------------------------------------------------------------------------


def _login(frame: _Frame) -> _Answer:
    attributes: dict[str, Any] = {"state": "login"}
    behind = 1 if frame.said(0) else 2  # some put a comma before the IMEI
    for index, name in enumerate(("iccid", "imsi"), behind):
        if frame.said(index):
            attributes[name] = clean_text(frame.said(index), 32)
    event = frame.teller.event("status", attributes)
    if frame.vendor != "IW":
        return (event,), frame.reply(after_commit=False)
    hours = utc_offset(frame.profile) / timedelta(hours=1)
    content = f",{frame.received_at.astimezone(UTC):%Y%m%d%H%M%S},{hours:g}"
    return (event,), frame.reply(content, after_commit=False)


def _place(frame: _Frame) -> Place:
    return read_place(frame.fields, frame.profile, frame.received_at, frame.teller.faults)


def _position(frame: _Frame) -> _Answer:
    here = _place(frame)
    code = frame.said(5)
    if frame.code == "14" and re.fullmatch(r"\d\d", code, re.ASCII) and code != "00":
        return (_alarm_event(frame, here, code),), frame.reply()
    event = frame.teller.event(
        "location",
        here.attributes,
        observed_at=here.observed_at,
        fix=here.fix,
        battery_pct=here.battery_pct,
        mark=f"{frame.letter}{frame.code}",
    )
    return (event,), frame.reply()


def _alarm(frame: _Frame) -> _Answer:
    return (_alarm_event(frame, _place(frame), frame.said(5)),), frame.reply()


def _alarm_event(frame: _Frame, here: Place, sent: str) -> Event:
    code = clean_text(sent, 16).zfill(2) if sent else "none"
    plain = re.fullmatch(r"[0-9A-Za-z]{2,8}", code, re.ASCII) is not None
    return frame.teller.alarm(
        code,
        word_of(code, ALARM_CODES, frame.profile, "alarm_codes"),
        here.attributes,
        observed_at=here.observed_at,
        fix=here.fix,
        battery_pct=here.battery_pct,
        mark=f"{frame.letter}{frame.code}-{code}" if plain else None,
    )


def _fall(frame: _Frame) -> _Answer:
    """APFD: `,IMEI,time`, or a position as AP10 has it, without its code."""
    if "A" in frame.fields[0] or "V" in frame.fields[0]:
        here = _place(frame)
        event = frame.teller.event(
            "alarm",
            here.attributes,
            type="fall",
            observed_at=here.observed_at,
            fix=here.fix,
            battery_pct=here.battery_pct,
            mark="AFD",
        )
        return (event,), frame.reply()
    at = _when(frame)
    event = frame.teller.event("alarm", type="fall", observed_at=at, mark="AFD")
    return (event,), frame.reply()


def _when(frame: _Frame) -> datetime | None:
    """The first thing among the fields that is a time: seconds or milliseconds of the epoch, or yyyymmddhhmmss."""
    for text in frame.fields[1:6]:
        text = text.strip()
        stamp, epoch = _STAMP.fullmatch(text), _EPOCH.fullmatch(text)
        if stamp is not None:
            found = clock([int(part) for part in stamp.groups()], frame.teller.faults, frame.profile)
        elif epoch is not None:
            at = datetime.fromtimestamp(int(epoch[1]), UTC)
            found = clock([at.year, at.month, at.day, at.hour, at.minute, at.second], frame.teller.faults, {})
        else:
            continue
        if found is not None:
            return found
    return None


def _cells(frame: _Frame) -> _Answer:
    """AP02: `language,wants a reply,n,mcc,mnc,lac|cell|level * n,m,wifi`."""
    attributes: dict[str, Any] = {}
    at = [index for index, text in enumerate(frame.fields) if index > 4 and _TOWER.fullmatch(text)]
    first = at[0] if at else 6  # Bluetooth beacons before the count move all that follows
    cells = read_cells(frame.said(first - 2), frame.said(first - 1), [frame.fields[index] for index in at])
    stations = read_wifi(",".join(frame.fields[first:]))
    if cells:
        attributes["cells"] = cells
    if stations:
        attributes["wifi"] = stations
    return (frame.teller.event("location", attributes),), frame.reply()


# --- state and vitals -------------------------------------------------------------------------------------------------


def _heartbeat(frame: _Frame) -> _Answer:
    here = Place()
    read_state(frame.said(1), here, frame.teller.faults)
    vitals: dict[str, float] = {}
    steps = metric("steps", frame.said(2), frame.teller.faults) if frame.said(2) else None
    if steps is None and re.fullmatch("0+", frame.said(2)):
        steps = 0
    if steps is not None:
        vitals["steps"] = int(steps)
    rolls = number(frame.said(3))
    if rolls is not None and rolls >= 0:
        here.attributes["tumbles"] = int(rolls)
    event = frame.teller.event("heartbeat", here.attributes, vitals=vitals, battery_pct=here.battery_pct)
    return (event,), frame.reply(after_commit=False)


def _vitals(frame: _Frame, sent: Mapping[str, str], observed_at: datetime | None = None, **said: Any) -> Event:
    """Names and texts; 0 is a failed measurement."""
    vitals: dict[str, float] = {}
    for name, text in sent.items():
        found = metric(name, text, frame.teller.faults)
        if found is not None:
            vitals[name] = found
    attributes: dict[str, Any] = {}
    if not vitals and any(sent.values()):
        attributes["measurement_failed"] = True
    return frame.teller.event("vitals", attributes, vitals=vitals, observed_at=observed_at, **said)


def _measured(*names: str) -> Callable[[_Frame], _Answer]:
    def read(frame: _Frame) -> _Answer:
        return (_vitals(frame, {name: frame.said(index) for index, name in enumerate(names, 1)}),), frame.reply()

    return read


def _temperature(frame: _Frame) -> _Answer:
    """AP50. Its battery is 0 whatever the battery."""
    level = battery(frame.said(2), frame.teller.faults) or None
    return (_vitals(frame, {"temperature_c": frame.said(1)}, battery_pct=level),), frame.reply()


def _firmware(frame: _Frame) -> _Answer:
    """APVR: `,IMEI,version`."""
    return (frame.teller.event("status", {"firmware": clean_text(frame.said(2) or frame.said(1), 256)}),), frame.reply()


_LOW_BATTERY = 25


def _battery_falls(frame: _Frame) -> _Answer:
    """AP04: the battery, told below 75, 50, 25 and 10 %. Only the last two are an alarm."""
    level = battery(frame.said(1), frame.teller.faults)
    if level is not None and level > _LOW_BATTERY:
        return (frame.teller.event("status", battery_pct=level),), frame.reply()
    return (frame.teller.event("alarm", type="low_battery", battery_pct=level),), frame.reply()


_ALL = ("heart_rate_bpm", "systolic_mmhg", "diastolic_mmhg", "spo2_pct", "glucose_mmol_l", "temperature_c")
_MOST_MMOL = 33.3  # above it no meter measures: such a number is milligrams


def _all_vitals(frame: _Frame) -> _Answer:
    """APHP. Zeros with SpO2 95 are what a watch on the table sends."""
    sent = {name: frame.said(index) for index, name in enumerate(_ALL, 1)}
    others = [text for name, text in sent.items() if name != "spo2_pct" and text]
    if others and number(sent["spo2_pct"]) == 95 and all(number(text) == 0 for text in others):
        event = frame.teller.event("vitals", {"measurement_failed": True, "not_worn": True})
        return (event,), frame.reply()
    sugar = number(sent["glucose_mmol_l"])
    unit = frame.profile.get("glucose_unit")
    if sugar is not None and unit == "mg_dl":
        sent["glucose_mmol_l"] = f"{sugar / 18.0182:.2f}"
    elif sugar is not None and unit != "mmol_l" and sugar > _MOST_MMOL:
        frame.teller.faults["glucose_mmol_l"] = f"{sugar:g} is not in mmol/l, and the profile names no glucose_unit"
        sent["glucose_mmol_l"] = ""
    return (_vitals(frame, sent),), frame.reply()


_KINDS = {"2": "heart_rate_bpm", "3": "temperature_c", "4": "spo2_pct"}


def _dated(frame: _Frame) -> _Answer:
    """APJK: `time,kind,value`. Blood pressure comes as diastolic|systolic, and from some the other way round."""
    at = _when(frame)
    kind, value = frame.said(2), frame.said(3)
    if kind == "1":
        parts = [part.strip() for part in value.split("|")]
        pair = sorted(parts[:2], key=lambda text: number(text) or 0)
        sent = {"diastolic_mmhg": pair[0], "systolic_mmhg": pair[1]} if len(pair) == 2 else {}
        if not sent:
            frame.teller.faults["blood_pressure"] = f"{show(value)} is not two numbers"
    elif kind in _KINDS:
        sent = {_KINDS[kind]: value}
    elif kind in ("5", "6", "7"):
        attributes: dict[str, Any] = {"state": "sleep", "sleep_kind": int(kind)}
        minutes = number(value)
        if minutes is not None and minutes >= 0:
            attributes["minutes"] = minutes
        return (frame.teller.event("activity", attributes, observed_at=at, mark=f"JK{kind}"),), frame.reply()
    else:
        return _unsupported(frame)[0], frame.reply()
    return (_vitals(frame, sent, at, mark=f"JK{kind}"),), frame.reply()


def _worn(frame: _Frame) -> _Answer:
    flags = [text.strip() for text in frame.fields[1:] if text.strip() in ("0", "1")]
    vitals = {"wearing": float(flags[0])} if flags else {}
    return (frame.teller.event("vitals", vitals=vitals, observed_at=_when(frame), mark="AWR"),), frame.reply()


# --- the rest ---------------------------------------------------------------------------------------------------------


def _media(frame: _Frame) -> _Answer:
    """Voice and pictures in pieces: `,time,pieces,piece,length,bytes`. The sound or picture itself is not kept."""
    parts = frame.body.split(b",", 5)
    if len(parts) < 6:
        return _reply(frame)
    head = [clean_text(part.decode("ascii", "replace"), 20) for part in parts[1:4]]
    if not all(part.isascii() and part.isdigit() for part in head):
        return _unsupported(frame)
    # One firmware names neither, so the content has to tell them apart.
    picture = parts[5][:6].lower().startswith((b"\xff\xd8\xff", b"ffd8ff")) or frame.code == "42"
    state = "picture" if picture else "voice_message"
    event = frame.teller.event(
        "activity", {"state": state, "piece": int(head[2] or 0), "pieces": int(head[1] or 0), "bytes": len(parts[5])}
    )
    return (event,), frame.reply(f",{head[0]},{head[1]},{head[2]},1")


def _content(frame: _Frame) -> str:
    return clean_text(frame.body.decode("utf-8", "replace").removeprefix(","))


def _reply(frame: _Frame) -> _Answer:
    return (frame.teller.event("reply", {"command": frame.code, "content": _content(frame)}),), ()


def _unsupported(frame: _Frame) -> _Answer:
    return (frame.teller.event("unsupported", {"content": _content(frame)}),), ()


def _told(frame: _Frame) -> _Answer:
    """Uplinks that want an answer and whose content has no place here."""
    return _unsupported(frame)[0], frame.reply()


def _asks_where(frame: _Frame) -> _Answer:
    """AP14: cells for which the watch wants coordinates. Nobody looks them up here: zeros keep it from asking on.
    Behind a command's number it is the answer to one (the telephone book).
    """
    if _SERIAL.fullmatch(frame.said(1)):
        return _reply(frame)
    return _unsupported(frame)[0], frame.reply("" if frame.vendor == "IW" else ",0.000,0.000", after_commit=False)


_READERS: Mapping[str, Callable[[_Frame], _Answer]] = {
    "A00": _login,
    "A01": _position,
    "A02": _cells,
    "A03": _heartbeat,
    "A04": _battery_falls,
    "A07": _media,
    "A10": _alarm,
    "A14": _asks_where,
    "A42": _media,
    "A49": _measured("heart_rate_bpm"),
    "A50": _temperature,
    "A55": _told,
    "ABL": _told,
    "AFD": _fall,
    "AHP": _all_vitals,
    "AHT": _measured("heart_rate_bpm", "systolic_mmhg", "diastolic_mmhg"),
    "AJK": _dated,
    "ATP": _measured("temperature_c"),
    "AVR": _firmware,
    "AWR": _worn,
    "C01": _heartbeat,
    "Y03": _position,
    "Y14": _position,
}
