"""Where alarms go while the database is away: into the journal, and from there into the database once it is back.

Durable in the journal counts as committed: the broker is acknowledged and the device is told. From the first uplink
that was sheltered until the last one was taken over, everything of the lanes by which alarms come goes this way, so
that each device's uplinks stay in order; only then the lanes go straight again. What is taken over goes through the
ordinary ingest with the time it was received; what the ledger has already is a repeat. A segment of the journal is
removed after all of it was committed, never before; how far that has come is marked beside it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

import msgspec
from prometheus_client import CollectorRegistry

from devices.model import Reply, Uplink
from hub.bridge.batches import Batcher, Ingest, Parcel, Quarantine
from hub.bridge.journal import Journal, JournalError, Segment
from hub.bridge.metrics import BridgeMetrics
from hub.bridge.options import BatchOptions
from hub.clock import Clock
from hub.errors import UnavailableError
from hub.ports.dark import Announce, DarkState, Foresee, Foreseen
from hub.ports.records import Incoming, Lane, Outcome

__all__ = ["REPLAY_SIZE", "Shelter", "ShelterPlan", "lone_shelter"]

REPLAY_SIZE = 50
"""Uplinks taken over in one transaction: on a machine with too much to do a larger one might never be answered in time,
and would be tried again from the start."""
_LOOK_S = 1.0
_KEYS = 200_000
"""Presses remembered as kept already; beyond, a repeat is kept twice and the ledger sees to it."""

_log = logging.getLogger(__name__)


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """One uplink in the journal. Fields are only ever added, at the end, with a default."""

    received_at: datetime
    topic: str
    payload: bytes
    retained: bool
    device_id: str
    family: str
    lane: Lane
    dup: bool
    marks: tuple[str, ...]
    number: int
    alarms: int

    def incoming(self) -> Incoming:
        uplink = Uplink(self.payload, self.received_at, self.topic, self.retained)
        return Incoming(uplink, self.device_id, self.family, self.lane, self.dup, self.marks, self.number)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


def _kept(item: Incoming, alarms: int) -> bytes:
    uplink = item.uplink
    return _encode(
        _Kept(
            uplink.received_at,
            uplink.topic,
            uplink.payload,
            uplink.retained,
            item.device_id,
            item.family,
            item.lane,
            item.dup,
            item.marks,
            item.number,
            alarms,
        )
    )


@dataclass(slots=True)
class _Entry:
    """One record in line for the database: a `Parcel` of the shelter's own."""

    shelter: Shelter
    kept: _Kept
    received_at: datetime
    number: int

    @property
    def source(self) -> Shelter:
        return self.shelter

    @property
    def early(self) -> bool:
        return True

    def incoming(self) -> Incoming:
        return self.kept.incoming()


@dataclass(frozen=True, slots=True)
class ShelterPlan:
    """What a shelter is made of, beside the bridge's own. `folder`: of the journal; no other process may have it.

    `after_s`: how long the database must be away before anything is sheltered.
    """

    folder: Path
    after_s: float
    foresee: Foresee
    replay: Ingest
    announce: Announce


class Shelter:
    """One journal and the one who takes over what is in it. Safe from any thread."""

    def __init__(
        self,
        plan: ShelterPlan,
        options: BatchOptions,
        *,
        quarantine: Quarantine,
        publish: Callable[[str, bytes], None],
        metrics: BridgeMetrics,
        clock: Clock,
    ) -> None:
        """Takes the journal's folder. `publish` sends later words. SettingError: another process has the folder."""
        self.after_s = plan.after_s
        self._journal = journal = Journal(plan.folder)
        self._foresee = plan.foresee
        self._publish = publish
        self._announce = plan.announce
        self._clock = clock
        self._guard = threading.Lock()
        self._since: datetime | None = None
        self._alarms = 0
        self._uplinks = 0
        self._taken_over = False
        self._error: str | None = None
        self._keys: set[bytes] = set()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._pending: dict[int, _Entry] = {}
        """By number, in order, of the segment that is taken over now."""
        self._taking = (plan.folder, 0)
        """That segment, and its last number."""
        self._settled = threading.Condition()
        self._batcher = Batcher(
            "journal", options, ingest=plan.replay, quarantine=quarantine, metrics=metrics, clock=clock
        )
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._journalled = metrics.journalled
        metrics.journal_alarms.set_function(lambda: float(self._alarms))
        metrics.journal_bytes.set_function(lambda: float(journal.bytes_on_disk()))

    # --- life ---------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """What an earlier run left is taken over first; until then everything waits behind it."""
        left = [self._entries(self._journal.read(path)) for path in self._journal.seal()]
        kept = [entry.kept for entries in left for entry in entries]
        if kept:
            _log.warning("%d uplinks of an earlier run are in the journal and are taken over first", len(kept))
            self._since = min(one.received_at for one in kept)
            self._uplinks = len(kept)
            self._alarms = sum(one.alarms for one in kept)
        elif left:
            self._since = self._clock()
        self._batcher.start()
        self._thread.start()
        self._wake.set()

    def request_stop(self) -> None:
        """Does not wait. What is in the journal stays there for the next start."""
        self._stopping.set()
        self._wake.set()
        self._batcher.request_stop()
        with self._settled:
            self._settled.notify_all()

    def stop(self, timeout_s: float) -> bool:
        """`request_stop`, waits, and gives the journal back. False where something did not end in time."""
        self.request_stop()
        ended = self._batcher.stop(timeout_s)
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
            ended = ended and not self._thread.is_alive()
        if ended:
            self._journal.close()
        return ended

    # --- for the lanes ------------------------------------------------------------------------------------------------

    @property
    def dark(self) -> bool:
        """Whether uplinks go to the journal now."""
        return self._since is not None

    def state(self) -> DarkState | None:
        """None: the database is there and has everything. Never waits."""
        since = self._since
        if since is None:
            return None
        return DarkState(since, self._alarms, self._uplinks, self._taken_over, self._error)

    def take(self, items: Sequence[Incoming], away_since: datetime | None) -> list[Outcome] | None:
        """Makes the uplinks durable; after that they may be acknowledged and answered.

        `away_since`: the database has been away for long enough, begin with it; None: only where it has begun already.
        None is given where the lanes go straight (again), or where nothing could be made durable.
        """
        foreseen = [self._foresee(item) for item in items]
        with self._guard:
            if self._since is None and away_since is None:
                return None
            new = self._new(foreseen)
            if not self._append([(items[at], foreseen[at]) for at in new]):
                return None
            if self._since is None:
                self._since = away_since
                _log.warning("the database is away since %s: alarms go to the journal", away_since)
            self._wake.set()
            if new:
                self._announce(self.state(), [body for at in new for body in foreseen[at].alarms])
        return [Outcome("accepted", "journalled", one.replies, len(one.alarms)) for one in foreseen]

    def _append(self, fresh: Sequence[tuple[Incoming, Foreseen]]) -> bool:
        try:
            self._journal.append([_kept(item, len(one.alarms)) for item, one in fresh])
        except JournalError as error:
            if self._error is None:
                _log.critical("%s. Alarms are neither acknowledged nor answered; devices repeat them.", error.detail)
            self._error = error.detail
            return False
        self._error = None
        self._uplinks += len(fresh)
        self._alarms += sum(len(one.alarms) for _, one in fresh)
        self._journalled.inc(len(fresh))
        if len(self._keys) < _KEYS:
            self._keys.update(key for _, one in fresh for key in one.keys if key is not None)
        return True

    def _new(self, foreseen: Sequence[Foreseen]) -> list[int]:
        """The places of those with an event that was not kept yet, nor stands before it in the same batch: a device may
        repeat itself while a batch gathers.
        """
        new: list[int] = []
        before: set[bytes] = set()
        for at, one in enumerate(foreseen):
            if one.keys and all(key is not None and (key in self._keys or key in before) for key in one.keys):
                continue
            new.append(at)
            before.update(key for key in one.keys if key is not None)
        return new

    # --- taking over --------------------------------------------------------------------------------------------------

    def settled(self, parcels: Sequence[Parcel], outcomes: Sequence[Outcome]) -> None:
        """The batcher's word that these are in the database."""
        entries = cast("Sequence[_Entry]", parcels)
        for entry, outcome in zip(entries, outcomes, strict=True):
            self._later_words(entry.incoming(), outcome.replies)
        with self._guard:
            self._taken_over = True
            self._uplinks -= len(entries)
            self._alarms -= sum(entry.kept.alarms for entry in entries)
            self._announce(self.state(), ())
        with self._settled:
            for entry in entries:
                self._pending.pop(entry.number, None)
            # In order, but for what a fault held up: up to the first that is still in line.
            path, last = self._taking
            self._journal.mark(path, next(iter(self._pending), last + 1) - 1)
            self._settled.notify_all()

    def _later_words(self, item: Incoming, replies: Sequence[Reply]) -> None:
        """What the device was not told yet: somebody had the matter in hand when its press came."""
        told = self._foresee(item).replies if replies else ()
        for reply in replies:
            if reply.topic and reply not in told:
                self._publish(reply.topic, reply.payload)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            if self._since is None:
                # The database came back and nothing had been sheltered. Whoever shelters first says so and wakes then.
                self._wake.clear()
                if self._since is None:
                    continue
                self._wake.set()
            try:
                if self._since is not None and not self._take_over():
                    continue
            except UnavailableError as error:
                _log.error("what is in the journal waits: %s", error.detail)
                self._stopping.wait(_LOOK_S)
            except Exception:
                _log.exception("what is in the journal waits")
                self._stopping.wait(_LOOK_S)

    def _take_over(self) -> bool:
        """All there is now. True: it was nothing, and the lanes go straight again."""
        try:
            paths = self._journal.seal()
        except OSError as error:
            raise UnavailableError(f"the alarm journal cannot be read: {error.strerror}") from error
        for path in paths:
            if not self._take_over_one(path):
                return False
        with self._guard:
            if not self._journal.is_empty or self._stopping.is_set():
                return False
            _log.warning("the database is back and has everything; it was away since %s", self._since)
            self._since = None
            self._alarms = self._uplinks = 0
            self._taken_over = False
            self._keys.clear()
            self._wake.clear()
            self._announce(None, ())
        return True

    def _take_over_one(self, path: Path) -> bool:
        segment = self._journal.read(path)
        entries = self._entries(segment)
        whole = len(entries) == len(segment.records) and not segment.missing and not segment.torn
        if not self._commit(path, entries):
            return False
        if segment.missing or len(entries) != len(segment.records):
            _log.critical("%s: %d records cannot be read; the file is set aside", path, segment.missing)
        elif segment.torn:
            _log.warning("%s: ends in something that is no record (nobody was told); the file is set aside", path)
        self._journal.remove(path, keep=not whole)
        return True

    def _commit(self, path: Path, entries: list[_Entry]) -> bool:
        """Puts them in line and waits until the last is in the database. False: we are told to stop."""
        if not entries:
            return True
        with self._settled:
            self._pending = {entry.number: entry for entry in entries}
            self._taking = (path, entries[-1].number)
        self._batcher.put(entries)
        idle = False
        while not self._stopping.is_set():
            with self._settled:
                if not self._pending:
                    return True
                self._settled.wait(_LOOK_S)
                left = list(self._pending.values())
            # A batch that was given up by a fault is in nobody's hands any more.
            if left and idle and not self._batcher.depth():
                self._batcher.put(left)
            idle = not self._batcher.depth()
        return False

    def _entries(self, segment: Segment) -> list[_Entry]:
        entries: list[_Entry] = []
        for record in segment.records:
            try:
                entries.append(_Entry(self, kept := _decode(record.body), kept.received_at, record.number))
            except msgspec.MsgspecError as error:
                _log.critical("%s: record %d is no uplink: %s", segment.path, record.number, error)
        return entries


def lone_shelter(plan: ShelterPlan, *, quarantine: Quarantine, registry: CollectorRegistry, clock: Clock) -> Shelter:
    """The shelter of a process without a bridge, for what makers' clouds push to it. Later words are the outbox's."""
    options = BatchOptions(size=REPLAY_SIZE, backoff_max_s=1.0)
    return Shelter(
        plan,
        options,
        quarantine=quarantine,
        publish=lambda _topic, _payload: None,
        metrics=BridgeMetrics(registry),
        clock=clock,
    )
