"""One uplink, decoded, on its way through a batch, and what is said of it: pure, for the ingest and the shelter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from msgspec import Struct, field

from devices import Codec, Decoded, DeviceRef, Event, Reply, ack_reply
from hub.ports import (
    DeviceRow,
    DeviceSeen,
    EncodedRows,
    FixRow,
    Incoming,
    MeasuredRow,
    ObservationRow,
    UplinkOutcome,
    UplinkRow,
)
from hub.service.series import device_seen, fix_row, measured, observation_rows
from hub.service.writing import TOLD_FAMILIES

__all__ = [
    "ACCEPTED",
    "Fate",
    "Prepared",
    "as_claimed",
    "decoded_by",
    "fate_of",
    "first_key",
    "key_digest",
    "keys_of",
    "later_word",
    "plainly",
    "stretches_of",
    "told_of",
]

Fate = tuple[UplinkOutcome, str | None]
"""What becomes of an uplink, and why."""

ACCEPTED: Fate = ("accepted", None)

_NEVER_PACKED = frozenset({"alarm", "unsupported", "reply"})
_EPOCH, _STRETCH = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=10)
_CENTURIES = 2**31
"""Stretches that the ledger's column can hold; a clock beyond is wrong."""

Encode = Callable[[UplinkRow, MeasuredRow], EncodedRows]


def key_digest(family: str, key: str) -> bytes:
    """The ledger's 16 bytes for a protocol's own key."""
    return blake2b(f"{family}|{key}".encode(), digest_size=16).digest()


class Prepared(Struct):
    """One uplink, decoded, on its way through a batch; made by `Ingest.prepare` or when its batch is taken."""

    incoming: Incoming
    device: DeviceRow
    decoded: Decoded
    keys: list[bytes | None]
    answers: Sequence[Reply]
    """What the device hears whatever else comes of it."""
    seen: DeviceSeen | None = None
    """Set by `plainly`, with `ready`."""
    fix: FixRow | None = None
    ready: EncodedRows | None = None
    """The rows, ready made, for the case that the uplink is new and accepted: what nearly every one is."""
    fresh: list[bool] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    alarms: int = 0

    def observations(self, event: Event) -> list[ObservationRow]:
        """Rows of one of its events, for the case that it is fresh."""
        return observation_rows(event, self.incoming.uplink.received_at, self.device.resident_id)

    def begin(self) -> Prepared:
        """Before each attempt to commit: what a failed one found out does not count."""
        self.fresh = []
        self.replies = list(self.answers)
        self.alarms = 0
        return self


def decoded_by(codecs: Mapping[str, Codec], incoming: Incoming, device: DeviceRow) -> Prepared:
    """Decodes an uplink of `device`, the row the hub knows. Whatever a codec raises goes through."""
    family = incoming.family
    codec = codecs.get(family)
    if codec is None:
        decoded = Decoded(error=f"there is no codec for family {family!r}")
    else:
        decoded = codec.decode(incoming.uplink, DeviceRef(device_id=device.id, family=family, profile=device.profile))
    keys = [_key_of(event, incoming, place) for place, event in enumerate(decoded.events)]
    answers: Sequence[Reply] = decoded.replies
    if device.revoked and any(event.kind == "alarm" for event in decoded.events):
        answers = [
            ack_reply(device.id, event.ref, "rejected", "the device was revoked")
            for event in decoded.events
            if event.kind == "alarm" and family in TOLD_FAMILIES
        ]
    for event in decoded.events:
        if event.device_id != device.id:
            # Events are filed under the row the hub knows: what id a codec read from the frame does not decide that.
            raise ValueError(f"event of {event.device_id!r} in an uplink of {device.id!r}")
    return Prepared(incoming, device, decoded, keys, answers)


def plainly(item: Prepared, encode: Encode) -> Prepared:
    """Makes the rows of an uplink ahead, where it is one like nearly all: one event, no alarm, an adopted device."""
    device, incoming = item.device, item.incoming
    events = item.decoded.events
    if len(events) != 1 or item.decoded.error is not None or device.revoked or not device.adopted:
        return item
    event = events[0]
    if event.kind in ("alarm", "unsupported", "reply"):
        return item
    received_at = incoming.uplink.received_at
    row = UplinkRow(
        received_at,
        incoming.lane,
        incoming.device_id,
        incoming.uplink.topic or None,
        item.keys[0],
        "accepted",
        events=1,
    )
    item.ready = encode(row, measured(event, received_at, device.resident_id))
    item.seen = device_seen(event, received_at, retained=incoming.uplink.retained)
    item.fix = fix_row(event, received_at, device.resident_id)
    return item


def _key_of(event: Event, incoming: Incoming, place: int) -> bytes | None:
    if event.key is not None:
        return key_digest(incoming.family, event.key)
    return _own_key(incoming, place) if event.kind == "alarm" and not incoming.dup else None


def _own_key(incoming: Incoming, place: int) -> bytes:
    """A key for a press that has none: of this very delivery, so that a transaction whose end nobody saw, and the
    journal, may take it again. Another delivery is another press.
    """
    uplink = incoming.uplink
    said = f"{incoming.device_id}|{uplink.received_at.isoformat()}|{incoming.number}|{place}|{uplink.topic}|"
    digest = blake2b(said.encode(), digest_size=16, person=b"delivery")
    digest.update(uplink.payload)
    return digest.digest()


def as_claimed(device: DeviceRow, incoming: Incoming) -> DeviceRow:
    """The device, unless the message speaks another family's language: then somebody else uses its id.

    Such an alarm is still raised and shown, but as nobody's: it proves nothing about the resident.
    """
    if device.family == incoming.family:
        return device
    return replace(device, family=incoming.family, resident_id=None, area_id=None, adopted=False, profile={})


def keys_of(items: Sequence[Prepared]) -> list[tuple[bytes, datetime]]:
    return [(key, item.incoming.uplink.received_at) for item in items for key in item.keys if key is not None]


def stretches_of(items: Sequence[Prepared]) -> list[int | None]:
    """For each of `keys_of` the ten seconds in which it was observed, where the ledger may pack it: `Ledger.take`.

    Not an alarm, which its ledger row guards best; not of an uplink that may be taken out of the quarantine, whose keys
    are released then.
    """
    found: list[int | None] = []
    stretch: int | None = None
    begin = end = _EPOCH
    for item in items:
        device = item.device
        well = not device.revoked and device.adopted and item.decoded.error is None
        for event, key in zip(item.decoded.events, item.keys, strict=True):
            if key is None:
                continue
            at = event.observed_at
            if at is None or not well or event.kind in _NEVER_PACKED:
                found.append(None)
                continue
            if not begin <= at < end:  # those of a batch nearly all lie in one
                number = (at - _EPOCH) // _STRETCH
                stretch, begin, end = None, _EPOCH, _EPOCH
                if 0 <= number < _CENTURIES:
                    stretch, begin = number, _EPOCH + number * _STRETCH
                    end = begin + _STRETCH
            found.append(stretch)
    return found


def first_key(keys: Sequence[bytes | None]) -> bytes | None:
    for key in keys:
        if key is not None:
            return key
    return None


def fate_of(item: Prepared) -> Fate:
    events, error, device = item.decoded.events, item.decoded.error, item.device
    if device.revoked and (events or error):  # an empty message says nothing: a retained status being wiped
        return "quarantined", "the device was revoked"
    if not events:
        return ("rejected", error) if error else ACCEPTED
    if all(event.kind == "unsupported" for event in events):
        return "unsupported", error or str(events[0].attributes.get("reason") or events[0].attributes.get("type") or "")
    if not any(item.fresh):
        return "repeat", None
    if not device.adopted and item.alarms == 0:
        return "quarantined", "the device was not added yet"
    return ("accepted", error) if error else ACCEPTED


def told_of(state: str | None) -> str:
    if state in ("acknowledged", "in_progress"):
        return "hold"
    return "handled" if state in ("resolved", "closed") else "received"


def later_word(item: Prepared, ref: str | None, told: str) -> list[Reply]:
    """The codec's reply says `received`; where the matter is further already, the device hears that too."""
    if item.incoming.family not in TOLD_FAMILIES or told not in ("hold", "handled"):
        return []
    return [ack_reply(item.device.id, ref, "hold" if told == "hold" else "handled")]
