"""What the readers of GT06 messages share: the message taken apart, and the events made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from devices.alarm_types import UNKNOWN_TYPE
from devices.codecs.gt06_body import ALARM_CODES, STATE_ALARMS, Body
from devices.codecs.tracker import Teller, word_of
from devices.model import Event

__all__ = ["Frame", "alarms_of", "alarms_or_place", "imei_of", "place_of", "said_of", "stored_of", "unsupported_of"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: its type, whether its length has two bytes (`wide`), its serial number, and what stands between."""

    kind: int
    wide: bool
    serial: int
    body: Body
    teller: Teller
    raw: bytes


def imei_of(content: bytes) -> str | None:
    """The IMEI in the first eight bytes, two digits a byte; None where they are none."""
    text = content[:8].hex()
    if len(text) < 16 or not text.isdigit():
        return None
    return text[1:] if text[0] == "0" else text


def said_of(frame: Frame) -> dict[str, Any]:
    """Time, fix and battery, as `Teller.event` takes them."""
    body = frame.body
    return {"observed_at": body.observed_at, "fix": body.fix, "battery_pct": body.battery_pct}


def place_of(frame: Frame, buffered: bool = False) -> Event:
    """The location event of a message."""
    mark = f"{frame.serial:04x}"
    return frame.teller.event("location", frame.body.attributes, mark=mark, buffered=buffered, **said_of(frame))


def stored_of(frame: Frame) -> bool:
    """Ignition, the reason of the report, and whether it was stored on the device; False where they are missing."""
    if frame.body.left < 3:
        return False
    frame.body.byte()
    frame.body.attributes["reason"] = frame.body.byte()
    return frame.body.byte() == 1


def alarms_of(frame: Frame, state: int | None, code: int | None, must_alarm: bool) -> tuple[Event, ...]:
    """An event for the alarm byte and one for the alarm of the state byte, where that says something else."""
    profile = frame.body.profile
    said: list[tuple[str, str | None]] = []
    if code:
        said.append((f"{code:02x}", word_of(f"{code:02x}", ALARM_CODES, profile, "alarm_codes")))
    if state:
        # 5-7 differ from maker to maker: beside a code they only repeat it; 7 alone is the device taken off.
        word = word_of(state, STATE_ALARMS if said else {**STATE_ALARMS, 7: "off_wrist"}, profile, "state_alarms")
        if (word is None and not said) or (word is not None and word not in [other for _, other in said]):
            said.append((f"state {state}", word))
    events = [
        frame.teller.alarm(
            shown, word, frame.body.attributes, mark=f"{frame.serial:04x}-{shown.replace(' ', '')}", **said_of(frame)
        )
        for shown, word in said
    ]
    if not events and must_alarm:
        attributes = {**frame.body.attributes, "code": "none" if code is None else f"{code:02x}"}
        mark = f"{frame.serial:04x}-none"
        events.append(frame.teller.event("alarm", attributes, type=UNKNOWN_TYPE, mark=mark, **said_of(frame)))
    return tuple(events)


def alarms_or_place(frame: Frame, state: int | None, code: int | None) -> tuple[Event, ...]:
    """What a position report says in its state and alarm bytes, or the position alone. Reports come every minute: a
    code no table knows stays in `attributes.code` and raises nothing, as it would in a message that is an alarm.
    """
    body = frame.body
    if code and word_of(f"{code:02x}", ALARM_CODES, body.profile, "alarm_codes") is None:
        body.attributes["code"], code = f"{code:02x}", None
    if state and word_of(state, STATE_ALARMS, body.profile, "state_alarms") is None:
        state = None
    return alarms_of(frame, state, code, must_alarm=False) or (place_of(frame),)


def unsupported_of(frame: Frame) -> tuple[Event, ...]:
    """The whole message, kept as it came."""
    return (frame.teller.event("unsupported", {"content": frame.raw[:512].hex()}),)
