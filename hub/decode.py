"""What `hub decode` does: lines of captured messages in, canonical events out. Pure; the command reads and prints.

Forms of a line (blank lines are skipped):
- text frames as they are; `hex`: the bytes of one frame as hex digits (replies come back as hex too);
- `mqtt`: `{"topic": ..., "payload": ...}`, the payload an object, an array, or the text of the body (with `hex`: hex
  digits); `"retained": true` marks a retained message; `"topic": null` one that came over HTTP;
- a family that speaks MQTT takes, without `mqtt`, the same objects and also `TOPIC PAYLOAD` with a blank between;
- `stream`: each line is a chunk (hex digits) of one TCP stream, and each frame that completes gives a result.
A family that is no text is hex digits always. In one whose connections begin with a login, what follows a login (in a
stream, and in a file of messages) is that device's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from devices.fields import show
from devices.model import Decoded, DeviceRef, Event, Fix, Reply, Uplink
from devices.registry import Family, family_of

__all__ = ["DecodedLine", "Decoding", "decode_lines", "to_json"]

_BODY = re.compile(rb" (?=[\[{])")


def _fix_json(fix: Fix | None, event_time: datetime | None) -> dict[str, Any] | None:
    if fix is None:
        return None
    found: dict[str, Any] = {"lat": fix.lat, "lon": fix.lon, "accuracy_m": fix.accuracy_m, "source": fix.source}
    if fix.observed_at is not None and fix.observed_at != event_time:
        found["observed_at"] = fix.observed_at.isoformat()
    return found


def to_json(event: Event) -> dict[str, Any]:
    """The canonical event of the contract, ready for JSON. `test`, `note`, `cancels` go into `attributes` where set."""
    attributes = dict(event.attributes)
    if event.test:
        attributes["test"] = True
    if event.note is not None:
        attributes["note"] = event.note
    if event.cancels is not None:
        attributes["cancels"] = event.cancels
    vitals: dict[str, Any] = dict(event.vitals)
    if "wearing" in vitals:
        vitals["wearing"] = bool(vitals["wearing"])
    return {
        "device_id": event.device_id,
        "kind": event.kind,
        "type": event.type,
        "observed_at": None if event.observed_at is None else event.observed_at.isoformat(),
        "fix": _fix_json(event.fix, event.observed_at),
        "vitals": vitals,
        "battery_pct": event.battery_pct,
        "ref": event.ref,
        "buffered": event.buffered,
        "attributes": attributes,
    }


@dataclass(frozen=True, slots=True)
class DecodedLine:
    """The result of one message (`payload`). `number` is the line it came from (or that completed it), from 1."""

    number: int
    decoded: Decoded
    hex: bool = False
    payload: bytes = b""

    @property
    def error(self) -> str | None:
        return None if self.decoded.error is None else f"line {self.number}: {self.decoded.error}"

    def to_json(self) -> dict[str, Any]:
        """`{"events": [...], "replies": [...], "error": null or text}`."""
        return {
            "events": [to_json(event) for event in self.decoded.events],
            "replies": [self._reply(reply) for reply in self.decoded.replies],
            "error": self.error,
        }

    def _reply(self, reply: Reply) -> Any:
        """Over MQTT an object like the input's; over TCP the frame."""
        if reply.topic:
            return {"topic": reply.topic, "payload": msgspec.json.decode(reply.payload)}
        return reply.payload.hex() if self.hex else reply.payload.decode("utf-8", "backslashreplace")

    def to_text(self) -> str:
        """One line of JSON."""
        return json.dumps(self.to_json(), ensure_ascii=False, allow_nan=False)


class Decoding(Iterator[DecodedLine]):
    """The results, one after another. After the last one `any_error` decides the exit status (1 where it is True) and
    `warnings` holds what belongs to no message, such as a stream that ends inside a frame.
    """

    def __init__(self, results: Iterator[DecodedLine], warnings: list[str]) -> None:
        self._results = results
        self.any_error = False
        self.warnings = warnings

    def __next__(self) -> DecodedLine:
        result = next(self._results)
        self.any_error = self.any_error or result.error is not None
        return result


def decode_lines(
    family: str,
    lines: Iterable[str | bytes],
    *,
    hex: bool = False,
    mqtt: bool = False,
    stream: bool = False,
    received_at: datetime,
) -> Decoding:
    """Decode each line (see the module's text for its forms). Nothing is read ahead.

    `received_at` (with a zone) stands for the time of arrival of every message. A bad line gives its `error` and the
    rest goes on. Raises UnknownFamilyError (it lists the known ones), ValueError where the options do not go together.
    """
    known = family_of(family)
    warnings: list[str] = []
    if stream:
        if mqtt:
            raise ValueError("--stream reads a TCP stream, --mqtt reads MQTT messages: not both")
        if known.framer is None:
            raise ValueError(f"family {family} is not spoken over a TCP stream: --stream does not apply")
        return Decoding(_stream(known, lines, hex, received_at, warnings), warnings)
    return Decoding(_messages(known, lines, hex, mqtt, received_at), warnings)


def _as_bytes(line: str | bytes) -> bytes:
    return line if isinstance(line, bytes) else line.encode("utf-8", "surrogateescape")


def _from_hex(text: bytes) -> bytes:
    """ValueError where it is not hex digits; blanks between bytes are fine."""
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError:
        raise ValueError(f"not hex digits: {show(text[:60].decode('utf-8', 'replace'))}") from None


def _messages(
    family: Family, lines: Iterable[str | bytes], hex_: bool, mqtt: bool, received_at: datetime
) -> Iterator[DecodedLine]:
    device = DeviceRef("", family.name)
    hex_ = hex_ or not family.text
    for number, line in enumerate(lines, 1):
        raw = _as_bytes(line).strip(b"\r\n")
        if not raw.strip():
            continue
        try:
            if mqtt or family.transport == "mqtt":
                uplink = _mqtt_message(raw, hex_, mqtt, received_at)
            else:
                uplink = Uplink(_from_hex(raw.strip()) if hex_ else raw, received_at)
        except ValueError as problem:
            yield DecodedLine(number, Decoded(error=str(problem)), hex_)
            continue
        decoded = family.codec.decode(uplink, device)
        device = _known(family, device, decoded)
        yield DecodedLine(number, decoded, hex_, uplink.payload)


def _known(family: Family, device: DeviceRef, decoded: Decoded) -> DeviceRef:
    """Whose the next message is, as far as this one says."""
    said = decoded.events[0].device_id if family.login and decoded.events else ""
    return DeviceRef(said, family.name) if said else device


def _mqtt_message(raw: bytes, hex_: bool, strict: bool, received_at: datetime) -> Uplink:
    if not strict and not raw.lstrip().startswith(b"{"):
        line = raw.strip()
        # Names of sensors, and with them topics, may hold blanks: a body of JSON begins with its bracket.
        begin = _BODY.search(line)
        topic, _, payload = (line[: begin.start()], b"", line[begin.end() :]) if begin else line.partition(b" ")
        body = _from_hex(payload.strip()) if hex_ else payload
        return Uplink(body, received_at, topic.decode("utf-8", "replace"))
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError) as problem:
        raise ValueError(f'not a {{"topic", "payload"}} object: {problem}') from None
    # A null topic: the message came over HTTP, where some of these families have none.
    named = message.get("topic", 0) if isinstance(message, dict) else 0
    if not isinstance(message, dict) or not isinstance(named, str | None) or "payload" not in message:
        raise ValueError(f'a {{"topic", "payload"}} object was expected, not {show(message)}')
    payload = message["payload"]
    if isinstance(payload, str):
        body = payload.encode("utf-8", "replace")
        body = _from_hex(body) if hex_ else body
    elif hex_:
        raise ValueError("with --hex the payload is a text of hex digits")
    else:
        body = json.dumps(payload).encode("ascii")
    return Uplink(body, received_at, named or "", retained=message.get("retained") is True)


def _stream(
    family: Family, lines: Iterable[str | bytes], hex_: bool, received_at: datetime, warnings: list[str]
) -> Iterator[DecodedLine]:
    assert family.framer is not None
    framer, device = family.framer(), DeviceRef("", family.name)
    hex_out = hex_ or not family.text
    number = 0

    def decoded(frames: list[bytes]) -> Iterator[DecodedLine]:
        nonlocal device
        for frame in frames:
            found = family.codec.decode(Uplink(frame, received_at), device)
            device = _known(family, device, found)
            yield DecodedLine(number, found, hex_out, frame)

    for number, line in enumerate(lines, 1):
        try:
            chunk = _from_hex(_as_bytes(line).strip())
        except ValueError as problem:
            yield DecodedLine(number, Decoded(error=str(problem)), hex_out)
            continue
        yield from decoded(framer.feed(chunk))
    held = framer.pending
    saved = framer.flush()
    yield from decoded(saved)
    if held and not saved:
        warnings.append(f"the stream ended inside a frame: {held} bytes were left")
    outside = framer.discarded - (0 if saved else held)
    if outside > 0:
        warnings.append(f"{outside} bytes of the stream belonged to no frame")
