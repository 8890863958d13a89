"""What the JSON families share: reading a body, times in whatever unit, truth in whatever words, names and keys.

The platforms and gateways these families come from agree on nothing but JSON, and not even on that: plain words,
numbers as text, a byte order mark and NaN all arrive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from devices.fields import Faults, battery, clean_text, latitude_longitude, number, show
from devices.geo import bd09_to_wgs84, gcj02_to_wgs84
from devices.model import Fix, FixSource
from devices.topics import is_device_id

__all__ = [
    "MAX_EVENTS",
    "as_list",
    "as_object",
    "charge",
    "device_name",
    "event_key",
    "moment",
    "place",
    "read_body",
    "truth",
    "window",
    "word",
]

MAX_EVENTS = 200
"""Events one message may give; what is beyond is counted in the error."""

_JSON = msgspec.json.Decoder()
_BLANK = b" \t\r\n\x00"
_FIRST_YEAR, _LAST_YEAR = 2001, 2100
_TRUE = frozenset(
    {"true", "on", "yes", "1", "alarm", "detected", "active", "open", "leak", "triggered", "pressed", "press"}
)
_FALSE = frozenset(
    {"false", "off", "no", "0", "normal", "none", "clear", "cleared", "inactive", "closed", "close", "ok", "idle"}
    | {"no_leak", "dry", "safe"}
)
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.:-]+")
_DATUMS = {"wgs84": "wgs84", "gcj02": "gcj02", "bd09": "bd09", "1": "wgs84", "2": "gcj02", "3": "bd09"}


def read_body(payload: bytes) -> tuple[Any, str | None]:
    """The JSON value of a body, and why there is none. Forgives what small firmwares get wrong and mean no harm by."""
    try:
        return _JSON.decode(payload), None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as strict:
        reason = str(strict)
    trimmed = payload.removeprefix(b"\xef\xbb\xbf").strip(_BLANK)
    for encoding in ("utf-8", "gb18030"):
        try:
            return json.loads(trimmed.decode(encoding)), None
        except (ValueError, RecursionError):
            continue
    return None, f"not JSON: {clean_text(reason, 200)}"


def as_object(value: object) -> Mapping[str, Any]:
    """`value` if it is an object, also one written as JSON text; else an empty one."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        value, _ = read_body(value.encode("utf-8", "replace"))
    return value if isinstance(value, dict) else {}


def as_list(value: object, limit: int = MAX_EVENTS) -> list[Any]:
    """`value` if it is a list, cut to `limit`; else an empty one."""
    return value[:limit] if isinstance(value, list) else []


def word(value: object, limit: int = 64) -> str:
    """A text as one folded word: lower case, blanks and hyphens as underscores; "" where it is no text."""
    if not isinstance(value, str):
        return ""
    return re.sub(r"[\s-]+", "_", clean_text(value, limit).strip().lower())


def truth(value: object) -> bool | None:
    """True or False in the forms seen on the wire (true, 1, "ON", "alarm", "closed", …); None: it says neither."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value == 1 if value in (0, 1) else None
    text = word(value)
    return True if text in _TRUE else False if text in _FALSE else None


def moment(
    value: object, faults: Faults, name: str = "observed_at", offset: timedelta | None = None
) -> datetime | None:
    """A time in UTC: epoch seconds, ms, us or ns (told apart by size, also as text), ISO 8601 extended or basic.

    `offset` is the zone of texts that carry none (None: such a text cannot be used). Nothing sent gives None without a
    fault; a clock that was never set gives None with one.
    """
    if value is None or value == "":
        return None
    found = number(value)
    # 14 digits are a calendar time, not a number of microseconds
    if found is not None and not (isinstance(value, str) and re.fullmatch(r"20\d{12}", value.strip())):
        size = abs(found)
        scale = 1e9 if size >= 1e17 else 1e6 if size >= 1e14 else 1e3 if size >= 1e11 else 1.0
        try:
            parsed = datetime.fromtimestamp(found / scale, UTC)
        except (ValueError, OverflowError, OSError):
            faults[name] = f"{show(value)} is outside the calendar"
            return None
    elif isinstance(value, str):
        text = value.strip().upper()
        try:
            if not 8 <= len(text) <= 64:
                raise ValueError
            text = f"{text[:8]}T{text[8:]}" if re.fullmatch(r"20\d{12}", text) else text
            parsed = datetime.fromisoformat(text)
            if parsed.tzinfo is None:
                if offset is None:
                    faults[name] = f"{show(value)} has no zone"
                    return None
                parsed = parsed.replace(tzinfo=UTC) - offset
            parsed = parsed.astimezone(UTC)
        except (ValueError, OverflowError):
            faults[name] = f"{show(value)} is not a time"
            return None
    else:
        faults[name] = f"{show(value)} is not a time"
        return None
    if not _FIRST_YEAR <= parsed.year <= _LAST_YEAR:
        faults[name] = f"{show(value)}: a clock that was never set"
        return None
    return parsed


def charge(value: object, faults: Faults) -> int | None:
    """Battery percent of things that stop speaking before they are empty: 0 is "unknown" here, like -1, "" and null."""
    return battery(value, faults) or None


def place(
    lat: object,
    lon: object,
    faults: Faults,
    *,
    accuracy_m: object = None,
    datum: object = None,
    source: FixSource = "gnss",
    observed_at: datetime | None = None,
) -> Fix | None:
    """A position as WGS-84, or None: nothing was sent, or the reason is in `faults["fix"]`.

    `datum` is wgs84, gcj02 or bd09 in any spelling, or the number of the Chinese thing models (1 WGS-84, 2 GCJ-02).
    """
    if lat in (None, "") and lon in (None, ""):
        return None
    found = latitude_longitude(lat, lon)
    if isinstance(found, str):
        faults["fix"] = found
        return None
    spelt = re.sub(r"[^a-z0-9]", "", str(datum).lower()[:20]) if isinstance(datum, str | int) else ""
    known = _DATUMS.get(spelt, "wgs84" if datum in (None, "") else "")
    if not known:
        faults["fix"] = f"datum {show(datum)} is not wgs84, gcj02 or bd09"
        return None
    if known != "wgs84":
        found = gcj02_to_wgs84(*found) if known == "gcj02" else bd09_to_wgs84(*found)
    accuracy = number(accuracy_m)
    return Fix(found[0], found[1], accuracy if accuracy is not None and accuracy > 0 else None, source, observed_at)


def device_name(*names: object) -> str:
    """The device id made of what a platform calls a thing: as it is where it may be an id, else made one.

    Several names (maker and serial number) are joined by a colon. What had to be changed (blanks, Chinese, too long)
    gets a digest at its end, so that two names never become one id.
    """
    texts = [show(name) if isinstance(name, int) else name for name in names if isinstance(name, str | int)]
    text = ":".join(texts)
    if is_device_id(text):
        return text
    digest = blake2b(text.encode("utf-8", "replace"), digest_size=4).hexdigest()
    kept = _NOT_A_NAME.sub("-", text[:200]).strip("-.:")[:50].removeprefix("hub-")
    return f"{kept}-{digest}" if kept else f"device-{digest}"


def event_key(family: str, device_id: str, *parts: object) -> str:
    """A de-duplication key: the family, the device, and a digest of what tells this event from every other one."""
    text = "\x1f".join(part if isinstance(part, str) else repr(part) for part in parts)
    return f"{family}/{device_id}/{blake2b(text.encode('utf-8', 'replace'), digest_size=12).hexdigest()}"


def window(received_at: datetime, seconds: float) -> int:
    """The number of the stretch of `seconds` in which something arrived: for wires that number nothing themselves."""
    return int(received_at.timestamp() // max(seconds, 1.0))
