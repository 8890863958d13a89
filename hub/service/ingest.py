"""From uplinks to committed rows: the one transaction of a batch.

    decode (pure) -> ledger (a repeat stops here) -> decide (pure) -> write everything -> commit

Only when `Ingest.take` has returned may the broker be acknowledged and the devices' replies leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b

from devices import Codec, Decoded, DeviceRef, Event, Reply, ack_reply
from hub.clock import Clock, IdSource
from hub.ports import (
    Database,
    DeviceRow,
    DeviceSeen,
    FixRow,
    Incoming,
    Meanwhile,
    ObservationRow,
    Outcome,
    Situation,
    Transaction,
    UplinkOutcome,
    UplinkRow,
)
from hub.service.raising import RACES, NewAlarm, RaceLostError, Raising, alarm_of
from hub.service.series import device_seen, fix_row, observation_rows
from hub.service.writing import TOLD_FAMILIES

__all__ = ["Ingest", "Prepared", "key_digest"]

_CACHE_FOR = timedelta(seconds=5)

_Fate = tuple[UplinkOutcome, str | None]
"""What becomes of an uplink, and why."""

_ACCEPTED: _Fate = ("accepted", None)
_PLAINLY = Outcome("accepted")
_KEPT_RAW = frozenset({"rejected", "unsupported", "quarantined"})


def key_digest(family: str, key: str) -> bytes:
    """The ledger's 16 bytes for a protocol's own key."""
    return blake2b(f"{family}|{key}".encode(), digest_size=16).digest()


@dataclass(slots=True)
class Prepared:
    """One uplink, decoded, on its way through a batch; made by `Ingest.prepare` or when its batch is taken."""

    incoming: Incoming
    device: DeviceRow
    decoded: Decoded
    keys: list[bytes | None]
    answers: Sequence[Reply]
    """What the device hears whatever else comes of it."""
    observations: list[list[ObservationRow]]
    """Rows of each event, for the case that it is fresh."""
    fresh: list[bool] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    alarms: int = 0

    def begin(self) -> Prepared:
        """Before each attempt to commit: what a failed one found out does not count."""
        self.fresh = []
        self.replies = list(self.answers)
        self.alarms = 0
        return self


Hear = Callable[[Transaction, Sequence[Prepared], datetime], None]
"""Listens to what devices said, inside the transaction that takes it."""


class _OutdatedError(Exception):
    """A device is not what it was: the batch is taken again with what is true now."""


class Ingest:
    """Takes batches of uplinks of any lane. Thread-safe: each call has its own transaction."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        new_id: IdSource,
        codecs: Mapping[str, Codec],
        raising: Raising,
        hear: Hear | None = None,
    ) -> None:
        """`hear` gets what was decoded, in the transaction: answers of devices to commands are among it."""
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._codecs = codecs
        self._hear = hear
        self._raising = raising
        self._devices: dict[str, tuple[datetime, DeviceRow]] = {}

    def alarms(self, batch: Sequence[Incoming]) -> list[Outcome]:
        """The alarm lane's batch: its own connection, devices read afresh."""
        return self._take(batch, lane="alarm", cached=False)

    def telemetry(self, batch: Sequence[Incoming | Prepared], meanwhile: Meanwhile | None = None) -> list[Outcome]:
        """The telemetry lane's batch; what a device belongs to may be seen up to five seconds late.

        `meanwhile` gets its turns while the database works: the next batch is prepared then.
        """
        return self._take(batch, lane="telemetry", cached=True, meanwhile=meanwhile)

    def prepare(self, incoming: Incoming) -> Prepared | None:
        """Decodes an uplink ahead of its batch, for `telemetry`. None: its device must be looked up first."""
        kept = self._devices.get(incoming.device_id)
        if kept is None or kept[0] <= incoming.uplink.received_at:
            return None
        return self._decode(incoming, _as_claimed(kept[1], incoming))

    def quarantine(self, item: Incoming, reason: str) -> None:
        """Keeps what could not be taken, raw, with the reason."""
        row = UplinkRow(
            received_at=item.uplink.received_at,
            lane=item.lane,
            device_id=item.device_id,
            topic=item.uplink.topic or None,
            key=None,
            outcome="quarantined",
            reason=reason[:1000],
            payload=item.uplink.payload,
        )
        with self._database.begin("alarm") as tx:
            tx.series.write([row], [], [])

    def retake(self, tx: Transaction, batch: Sequence[Incoming]) -> list[Outcome]:
        """What was kept aside, once more, in the caller's transaction. RaceLostError: take it again from the start."""
        return self._in_transaction(tx, batch, cached=False, remembering=False)

    def _take(
        self, batch: Sequence[Incoming | Prepared], *, lane: str, cached: bool, meanwhile: Meanwhile | None = None
    ) -> list[Outcome]:
        for attempt in range(RACES):
            try:
                with self._database.begin(lane, meanwhile) as tx:
                    # What is remembered of a device spares an exchange; where it is out of date the batch begins anew.
                    return self._in_transaction(tx, batch, cached=cached, remembering=not cached and not attempt)
            except _OutdatedError:
                continue
            except RaceLostError:
                # Somebody opened an incident of the same subject meanwhile: everything again, now it will fold.
                if attempt == RACES - 1:
                    raise
        raise AssertionError("unreachable")

    def _look(
        self,
        tx: Transaction,
        items: Sequence[Prepared],
        presses: Sequence[NewAlarm],
        remembered: Mapping[str, DeviceRow],
        now: datetime,
    ) -> Situation:
        """One exchange for all that the presses are judged by; _OutdatedError where a remembered device has changed."""
        # With a cancel in it, more has to be locked, all in one order: that is left to whoever raises.
        cancels = any(new.alarm.type == "cancel" for new in presses)
        situation = tx.look(
            devices=remembered.keys(),
            keys=_keys(items),
            presses=[new.key for new in presses if new.key is not None],
            residents={new.alarm.resident_id for new in presses if new.alarm.resident_id},
            slots=() if cancels else {(new.alarm.subject, new.alarm.alarm_class) for new in presses},
            now=now,
        )
        if any(situation.devices.get(device_id) != row for device_id, row in remembered.items()):
            expires = now + _CACHE_FOR
            self._devices.update({device_id: (expires, row) for device_id, row in situation.devices.items()})
            raise _OutdatedError
        return situation

    def _in_transaction(
        self, tx: Transaction, batch: Sequence[Incoming | Prepared], *, cached: bool, remembering: bool
    ) -> list[Outcome]:
        now = self._clock()
        loose = [one for one in batch if isinstance(one, Incoming)]
        devices = self._remembered(loose) if remembering else None
        checked = devices is not None
        if devices is None:
            devices = self._known(tx, loose, now, cached=cached)
        items = [
            (one if isinstance(one, Prepared) else self._decode(one, _as_claimed(devices[one.device_id], one))).begin()
            for one in batch
        ]
        presses = [
            NewAlarm(
                alarm_of(self._new_id(), event, item.incoming, item.device),
                key,
                item,
                family=item.incoming.family,
                area_id=item.device.area_id,
            )
            for item in items
            for event, key in zip(item.decoded.events, item.keys, strict=True)
            if event.kind == "alarm"
        ]
        situation = self._look(tx, items, presses, devices if checked else {}, now) if presses or checked else None
        if situation is None:
            keys = _keys(items)
            fresh = tx.ledger.take(keys) if keys else set()
        else:
            fresh = situation.fresh
        new_alarms: list[NewAlarm] = []
        repeats: dict[bytes, Prepared] = {}
        press = iter(presses)
        for item in items:
            for event, key in zip(item.decoded.events, item.keys, strict=True):
                is_fresh = not item.incoming.dup if key is None else key in fresh
                if key is not None:
                    fresh.discard(key)  # the same key twice in one batch is one event
                item.fresh.append(is_fresh)
                if event.kind != "alarm":
                    continue
                new = next(press)
                if not is_fresh:
                    if key is not None:
                        repeats[key] = item
                elif not item.device.revoked:
                    new_alarms.append(new)
        for new in self._raising.raise_alarms(tx, new_alarms, now, situation):
            raised = new.origin
            assert isinstance(raised, Prepared)
            raised.alarms += 1
            raised.replies += _later_word(raised, new.alarm.ref, new.told)
        for key, (ref, state) in (tx.alarms.count_repeat(repeats.keys()) if repeats else {}).items():
            told = _told_of(state)
            item = repeats[key]
            item.replies += _later_word(item, ref, told)
        if self._hear is not None:
            self._hear(tx, items, now)
        fates = [_fate(item) for item in items]
        self._write_series(tx, items, fates)
        return [
            _PLAINLY
            if fate is _ACCEPTED and not item.replies and not item.alarms
            else Outcome(*fate, tuple(item.replies), item.alarms)
            for item, fate in zip(items, fates, strict=True)
        ]

    # ---- devices ----------------------------------------------------------------------------------------------------

    def _remembered(self, batch: Sequence[Incoming]) -> Mapping[str, DeviceRow] | None:
        """What was last read of the devices, however long ago; None where one of them is not known here."""
        rows: dict[str, DeviceRow] = {}
        for incoming in batch:
            kept = self._devices.get(incoming.device_id)
            if kept is None:
                return None
            rows[incoming.device_id] = kept[1]
        return rows

    def _known(
        self, tx: Transaction, batch: Sequence[Incoming], now: datetime, *, cached: bool
    ) -> Mapping[str, DeviceRow]:
        wanted = {incoming.device_id: incoming.family for incoming in batch}
        rows: dict[str, DeviceRow] = {}
        if cached:
            for device_id in wanted:
                kept = self._devices.get(device_id)
                if kept is not None and kept[0] > now:
                    rows[device_id] = kept[1]
        missing = {device_id: family for device_id, family in wanted.items() if device_id not in rows}
        if missing:
            found = tx.devices.get_many(missing.keys())
            unknown = {device_id: family for device_id, family in missing.items() if device_id not in found}
            if unknown:
                # It may be somebody's new watch crying already: keep it in sight, mark it, let a person adopt it.
                tx.devices.adopt_unknown(unknown, now)
                for device_id, family in unknown.items():
                    found[device_id] = DeviceRow(
                        id=device_id, family=family, resident_id=None, area_id=None, adopted=False
                    )
            rows.update(found)
            expires = now + _CACHE_FOR
            # What this transaction made itself is not cached: it may roll back.
            self._devices.update({key: (expires, row) for key, row in found.items() if key not in unknown})
            if len(self._devices) > 400_000:
                self._devices.clear()
        return rows

    def _decode(self, incoming: Incoming, device: DeviceRow) -> Prepared:
        family = incoming.family
        codec = self._codecs.get(family)
        if codec is None:
            decoded = Decoded(error=f"there is no codec for family {family!r}")
        else:
            decoded = codec.decode(
                incoming.uplink, DeviceRef(device_id=device.id, family=family, profile=device.profile)
            )
        keys = [None if event.key is None else key_digest(family, event.key) for event in decoded.events]
        answers: Sequence[Reply] = decoded.replies
        if device.revoked and any(event.kind == "alarm" for event in decoded.events):
            answers = [
                ack_reply(device.id, event.ref, "rejected", "the device was revoked")
                for event in decoded.events
                if event.kind == "alarm" and family in TOLD_FAMILIES
            ]
        received_at = incoming.uplink.received_at
        observations = [
            observation_rows(_under(event, device), received_at, device.resident_id) for event in decoded.events
        ]
        return Prepared(incoming, device, decoded, keys, answers, observations)

    # ---- rows -------------------------------------------------------------------------------------------------------

    def _write_series(self, tx: Transaction, items: Sequence[Prepared], fates: Sequence[_Fate]) -> None:
        uplinks: list[UplinkRow] = []
        observations: list[ObservationRow] = []
        fixes: list[FixRow] = []
        seen: list[DeviceSeen] = []
        for item, (outcome, reason) in zip(items, fates, strict=True):
            incoming, device = item.incoming, item.device
            received_at = incoming.uplink.received_at
            keep = item.alarms > 0 or outcome in _KEPT_RAW
            uplinks.append(
                UplinkRow(
                    received_at,
                    incoming.lane,
                    incoming.device_id,
                    incoming.uplink.topic or None,
                    _first_key(item.keys),
                    outcome,
                    reason,
                    len(item.decoded.events),
                    incoming.uplink.payload if keep else None,
                )
            )
            if device.revoked:
                continue
            for event, is_fresh, rows in zip(item.decoded.events, item.fresh, item.observations, strict=True):
                seen.append(device_seen(event, received_at, retained=incoming.uplink.retained))
                if not is_fresh or not device.adopted:
                    continue
                observations += rows
                position = fix_row(event, received_at, device.resident_id)
                if position is not None:
                    fixes.append(position)
        if seen:
            tx.devices.seen(seen)
        tx.series.write(uplinks, observations, fixes)


def _as_claimed(device: DeviceRow, incoming: Incoming) -> DeviceRow:
    """The device, unless the message speaks another family's language: then somebody else uses its id.

    Such an alarm is still raised and shown, but as nobody's: it proves nothing about the resident.
    """
    if device.family == incoming.family:
        return device
    return replace(device, family=incoming.family, resident_id=None, area_id=None, adopted=False, profile={})


def _keys(items: Sequence[Prepared]) -> list[tuple[bytes, datetime]]:
    return [(key, item.incoming.uplink.received_at) for item in items for key in item.keys if key is not None]


def _first_key(keys: Sequence[bytes | None]) -> bytes | None:
    for key in keys:
        if key is not None:
            return key
    return None


def _under(event: Event, device: DeviceRow) -> Event:
    """Events are filed under the row the hub knows: what id a codec read from the frame does not decide that."""
    if event.device_id == device.id:
        return event
    raise ValueError(f"event of {event.device_id!r} in an uplink of {device.id!r}")


def _fate(item: Prepared) -> _Fate:
    events, error, device = item.decoded.events, item.decoded.error, item.device
    if device.revoked:
        return "quarantined", "the device was revoked"
    if not events:
        return ("rejected", error) if error else _ACCEPTED
    if all(event.kind == "unsupported" for event in events):
        return "unsupported", error or str(events[0].attributes.get("reason") or events[0].attributes.get("type") or "")
    if not any(item.fresh):
        return "repeat", None
    if not device.adopted and item.alarms == 0:
        return "quarantined", "the device was not added yet"
    return ("accepted", error) if error else _ACCEPTED


def _told_of(state: str | None) -> str:
    if state in ("acknowledged", "in_progress"):
        return "hold"
    return "handled" if state in ("resolved", "closed") else "received"


def _later_word(item: Prepared, ref: str | None, told: str) -> list[Reply]:
    """The codec's reply says `received`; where the matter is further already, the device hears that too."""
    if item.incoming.family not in TOLD_FAMILIES or told not in ("hold", "handled"):
        return []
    return [ack_reply(item.device.id, ref, "hold" if told == "hold" else "handled")]
