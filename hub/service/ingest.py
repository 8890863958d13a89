"""From uplinks to committed rows: the one transaction of a batch.

    decode (pure) -> ledger (a repeat stops here) -> decide (pure) -> write everything -> commit

Only when `Ingest.take` has returned may the broker be acknowledged and the devices' replies leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from devices import Codec
from hub.clock import Clock, IdSource
from hub.errors import RaceLostError
from hub.ports import (
    Database,
    DeviceRow,
    DeviceSeen,
    EncodedRows,
    FixRow,
    Incoming,
    Meanwhile,
    ObservationRow,
    Outcome,
    Situation,
    Transaction,
    UplinkRow,
)
from hub.service.prepared import (
    ACCEPTED,
    Fate,
    Prepared,
    as_claimed,
    decoded_by,
    fate_of,
    first_key,
    key_digest,
    keys_of,
    later_word,
    plainly,
    stretches_of,
    told_of,
)
from hub.service.raising import RACES, NewAlarm, Raising, alarm_of
from hub.service.series import device_seen, fix_row

__all__ = ["Ingest", "Prepared", "key_digest"]

_CACHE_FOR = timedelta(seconds=5)

_PLAINLY = Outcome("accepted")
_KEPT_RAW = frozenset({"rejected", "unsupported", "quarantined"})


Hear = Callable[[Transaction, Sequence[Prepared], datetime], None]
"""Listens to what devices said, inside the transaction that takes it."""


RememberedDevice = Callable[[str], "tuple[datetime, DeviceRow] | None"]
"""By id: when it was read, and what."""


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
        self._from_before: RememberedDevice = lambda _device_id: None

    def remember_by(self, device: RememberedDevice) -> None:
        """`device` answers from memory what was known of a device some time ago, heard since the start or not."""
        self._from_before = device

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
        return plainly(self._decode(incoming, as_claimed(kept[1], incoming)), self._database.encoded)

    def replayed(self, batch: Sequence[Incoming]) -> list[Outcome]:
        """What the journal kept while the database was away: as `alarms`, on a connection that is not in a hurry."""
        return self._take(batch, lane="replay", cached=False)

    def foreseen(self, incoming: Incoming) -> Prepared:
        """An uplink as far as it can be known without the database: by what is remembered of its device."""
        row = self._last_read(incoming.device_id)
        if row is None:
            row = DeviceRow(incoming.device_id, incoming.family, resident_id=None, area_id=None, adopted=False)
        return self._decode(incoming, as_claimed(row, incoming)).begin()

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
            keys=keys_of(items),
            stretches=stretches_of(items),
            presses=[new.key for new in presses if new.key is not None],
            residents={new.alarm.resident_id for new in presses if new.alarm.resident_id},
            slots=() if cancels else {(new.alarm.subject, new.alarm.alarm_class) for new in presses},
            now=now,
            pairs={(new.alarm.device_id, new.alarm.type) for new in presses if new.alarm.device_id},
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
            (one if isinstance(one, Prepared) else self._decode(one, as_claimed(devices[one.device_id], one))).begin()
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
            if item.ready is None
            for event, key in zip(item.decoded.events, item.keys, strict=True)
            if event.kind == "alarm"
        ]
        situation = self._look(tx, items, presses, devices if checked else {}, now) if presses or checked else None
        if situation is None:
            keys = keys_of(items)
            fresh = tx.ledger.take(keys, stretches_of(items)) if keys else set()
            if len(fresh) == len(items) and all(item.ready is not None for item in items):
                return self._plain_batch(tx, items, now)
        else:
            fresh = situation.fresh
        new_alarms: list[NewAlarm] = []
        repeats: dict[bytes, Prepared] = {}
        press = iter(presses)
        for item in items:
            if item.ready is not None and (key := item.keys[0]) is not None:
                item.fresh = [key in fresh]
                fresh.discard(key)
                continue
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
            raised.replies += later_word(raised, new.alarm.ref, new.told)
        for key, (ref, state) in (tx.alarms.count_repeat(repeats.keys()) if repeats else {}).items():
            told = told_of(state)
            item = repeats[key]
            item.replies += later_word(item, ref, told)
        if self._hear is not None:
            self._hear(tx, items, now)
        fates = [ACCEPTED if item.ready is not None and item.fresh[0] else fate_of(item) for item in items]
        self._write_series(tx, items, fates)
        return [
            _PLAINLY
            if fate is ACCEPTED and not item.replies and not item.alarms
            else Outcome(*fate, tuple(item.replies), item.alarms)
            for item, fate in zip(items, fates, strict=True)
        ]

    def _plain_batch(self, tx: Transaction, items: Sequence[Prepared], now: datetime) -> list[Outcome]:
        """A batch like nearly all: each uplink made ready ahead, each new. What comes of it is known already."""
        if self._hear is not None:
            self._hear(tx, items, now)
        tx.devices.seen([item.seen for item in items if item.seen is not None])
        tx.series.write(
            [],
            [],
            [item.fix for item in items if item.fix is not None],
            [item.ready for item in items if item.ready is not None],
        )
        return [Outcome("accepted", None, tuple(item.answers)) if item.answers else _PLAINLY for item in items]

    # ---- devices ----------------------------------------------------------------------------------------------------

    def _remembered(self, batch: Sequence[Incoming]) -> Mapping[str, DeviceRow] | None:
        """What was last read of the devices, however long ago; None where one of them is not known here."""
        rows: dict[str, DeviceRow] = {}
        for incoming in batch:
            row = self._last_read(incoming.device_id)
            if row is None:
                return None
            rows[incoming.device_id] = row
        return rows

    def _last_read(self, device_id: str) -> DeviceRow | None:
        """Whichever was read later: here when it was heard, or with the register."""
        kept, before = self._devices.get(device_id), self._from_before(device_id)
        if kept is None or (before is not None and before[0] > kept[0] - _CACHE_FOR):
            return None if before is None else before[1]
        return kept[1]

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
        return decoded_by(self._codecs, incoming, device)

    # ---- rows -------------------------------------------------------------------------------------------------------

    def _write_series(self, tx: Transaction, items: Sequence[Prepared], fates: Sequence[Fate]) -> None:
        uplinks: list[UplinkRow] = []
        observations: list[ObservationRow] = []
        fixes: list[FixRow] = []
        seen: list[DeviceSeen] = []
        ready: list[EncodedRows] = []
        for item, (outcome, reason) in zip(items, fates, strict=True):
            if item.ready is not None and item.seen is not None and outcome == "accepted":
                ready.append(item.ready)
                seen.append(item.seen)
                if item.fix is not None:
                    fixes.append(item.fix)
                continue
            incoming, device = item.incoming, item.device
            received_at = incoming.uplink.received_at
            keep = item.alarms > 0 or outcome in _KEPT_RAW
            uplinks.append(
                UplinkRow(
                    received_at,
                    incoming.lane,
                    incoming.device_id,
                    incoming.uplink.topic or None,
                    first_key(item.keys),
                    outcome,
                    reason,
                    len(item.decoded.events),
                    incoming.uplink.payload if keep else None,
                )
            )
            if device.revoked:
                continue
            for event, is_fresh in zip(item.decoded.events, item.fresh, strict=True):
                seen.append(device_seen(event, received_at, retained=incoming.uplink.retained))
                if not is_fresh or not device.adopted:
                    continue
                observations += item.observations(event)
                position = fix_row(event, received_at, device.resident_id)
                if position is not None:
                    fixes.append(position)
        if seen:
            tx.devices.seen(seen)
        tx.series.write(uplinks, observations, fixes, ready)
