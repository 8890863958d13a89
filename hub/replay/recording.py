"""Reading a recorded night: JSON lines, one record a line. docs/howto/replay.md has the format with examples.

A line is an object. `kind` says what it is (absent: an uplink):

- `uplink`: `received_at`, `family`, `device_id`, and one of `hex`, `text` or `payload` (text, or JSON that is sent as
  text), with `topic` where the family speaks MQTT; or one canonical `event` where only that was kept.
- `device`: `id`, `family`, `resident_id`, `area_id`, `profile`; `resident`: `id`, `name`, `status`, `area_id`,
  `thresholds`, `geofences`, `usual`. With `at` they say what became so then, else what was so from the beginning.
- `window`: `starts_at`, `ends_at`, `reason`, `by`, and `device_id`, `area_id` or `type`; `window_kind` absent: silence.
- `missed_meal`, `missed_visit`: `at`, `resident_id`.
- `heard`: `at`, `device_id`: a sign of life of which nothing else was kept; `deaf`: `at`, `ends_at`, `way` (none: all)
  when the hub itself could not hear. A `device` that says `interval_s` (or `silence`) is listened for.
- `done`: `at`, `action` (`acknowledge`, `close`), `class`, and `resident_id` or `device_id`: what operators did.

Lines may be in any order: records are taken by their time, equal ones as they stand in the file, what people did last.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

from devices import FAMILIES
from devices.topics import parse_up

__all__ = ["BadLine", "Record", "RecordKind", "Recording", "read_recording"]

RecordKind = Literal["uplink", "device", "resident", "window", "missed_meal", "missed_visit", "done", "heard", "deaf"]
_KINDS: Final = get_args(RecordKind)
_BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
_NEEDED: Final[Mapping[RecordKind, tuple[str, ...]]] = {
    "uplink": ("received_at",),
    "device": ("id", "family"),
    "resident": ("id",),
    "window": ("starts_at", "ends_at", "reason"),
    "missed_meal": ("at", "resident_id"),
    "missed_visit": ("at", "resident_id"),
    "done": ("at", "action", "class"),
    "heard": ("at", "device_id"),
    "deaf": ("at", "ends_at"),
}
_TEXTS: Final = (
    *("id", "family", "device_id", "resident_id", "area_id", "type", "topic"),
    *("class", "action", "reason", "by", "status", "disposition", "summary", "window_kind"),
)
_BODIES: Final = ("hex", "text", "payload", "event")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that could not be read: its number from 1, and why."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `at`: when it is taken; `body`: the object as it was written; `payload`: of an uplink, its bytes."""

    line: int
    kind: RecordKind
    at: datetime
    body: Mapping[str, Any]
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Recording:
    """Records in the order in which they are taken, and the lines that could not be read."""

    records: tuple[Record, ...] = ()
    bad: tuple[BadLine, ...] = field(default=())


def read_recording(lines: Iterable[str]) -> Recording:
    """Reads all lines; a bad one is noted and the rest goes on."""
    records: list[Record] = []
    bad: list[BadLine] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            records.append(_record(number, line))
        except ValueError as error:
            bad.append(BadLine(number, str(error)))
    # At one and the same moment people act on what has come.
    in_order = sorted(records, key=lambda one: (one.at, one.kind == "done", one.line))
    return Recording(tuple(in_order), tuple(bad))


def _record(number: int, line: str) -> Record:
    try:
        body = json.loads(line.lstrip("\ufeff"))
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    except RecursionError:
        raise ValueError("not JSON: nested too deep") from None
    if not isinstance(body, dict):
        raise ValueError("not a JSON object")
    kind = body.get("kind", "uplink")
    if kind == "uplink" and "received_at" not in body and "at" in body:
        body["received_at"] = body.pop("at")
    if kind not in _KINDS:
        raise ValueError(f"kind: one of {', '.join(_KINDS)}, not {kind!r}")
    for name in _TEXTS:
        if not isinstance(body.get(name, ""), str | None):
            raise ValueError(f"{name}: must be text")
    missing = [name for name in _NEEDED[kind] if body.get(name) in (None, "")]
    if missing:
        raise ValueError(f"{missing[0]}: missing")
    match kind:
        case "uplink":
            return _uplink(number, body)
        case "window":
            starts_at, ends_at = _time(body, "starts_at"), _time(body, "ends_at")
            if ends_at <= starts_at:
                raise ValueError("ends_at: must be later than starts_at")
            if not (body.get("device_id") or body.get("area_id") or body.get("type")):
                raise ValueError("a window needs device_id, area_id or type")
            return Record(number, "window", starts_at, body)
        case "missed_meal" | "missed_visit" as kind:
            return Record(number, kind, _time(body, "at"), body)
        case "heard":
            return Record(number, "heard", _time(body, "at"), body)
        case "deaf":
            at, ends_at = _time(body, "at"), _time(body, "ends_at")
            if ends_at <= at:
                raise ValueError("ends_at: must be later than at")
            return Record(number, "deaf", at, body)
        case "done":
            if body["action"] not in ("acknowledge", "close"):
                raise ValueError(f"action: acknowledge or close, not {body['action']!r}")
            if not (body.get("resident_id") or body.get("device_id")):
                raise ValueError("done needs resident_id or device_id")
            return Record(number, "done", _time(body, "at"), body)
    if kind == "device" and body["family"] not in FAMILIES:
        raise ValueError(f"family: there is no {body['family']!r}")
    return Record(number, kind, _time(body, "at") if body.get("at") else _BEGINNING, body)


def _time(body: Mapping[str, Any], name: str) -> datetime:
    value = body[name]
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: an RFC 3339 time, not {value!r}") from None
    if at.tzinfo is None:
        raise ValueError(f"{name}: needs an offset, such as +08:00")
    return at


def _uplink(number: int, body: Mapping[str, Any]) -> Record:
    at = _time(body, "received_at")
    given = [name for name in _BODIES if name in body]
    if len(given) != 1:
        raise ValueError(f"an uplink has one of {', '.join(_BODIES)}; here {' and '.join(given) or 'none'}")
    topic = body.get("topic")
    named = dict(body)
    if not body.get("device_id") and topic:
        parsed = parse_up(topic)
        if parsed is not None:
            named["device_id"] = parsed[0]
            named.setdefault("family", "care")
    if not isinstance(named.get("device_id"), str) or not named["device_id"]:
        raise ValueError("device_id: missing")
    if named.get("family") not in FAMILIES:
        raise ValueError(f"family: there is no {named.get('family')!r}")
    return Record(number, "uplink", at, named, _payload(body, given[0]))


def _payload(body: Mapping[str, Any], name: str) -> bytes:
    value = body[name]
    if name == "event":
        if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
            raise ValueError("event: a canonical event with its kind")
        return b""
    if name == "hex":
        try:
            return bytes.fromhex(value)
        except (TypeError, ValueError):
            raise ValueError("hex: an even number of hex digits") from None
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if name == "text":
        raise ValueError("text: must be text")
    return json.dumps(value, ensure_ascii=False).encode()
