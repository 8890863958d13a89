"""Taking uplinks in batches, each one transaction: commit, then settle.

A `Batcher` has one line of parcels, whoever brought them (an MQTT connection, the TCP gateway), and a worker thread, or
several that take turns (`hub.bridge.turns`). A parcel is settled - acknowledged to its broker, answered to its device -
only after `ingest` has returned for it, and in the order of the line.

- at once (`linger_s` 0): no timer; while one transaction runs, the next batch gathers by itself;
- the database is away (UnavailableError): the batch stays in hand, unsettled, and is tried again with growing pauses;
  a line that has a haven gives it there after a moment, and what is durable there is settled;
- anything else: each parcel is tried alone, and the one that fails is quarantined with the reason, so that it stands in
  nobody's way.
"""

from __future__ import annotations

import base64
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any, Protocol

from hub.bridge.ahead import Ahead, Early, LookAhead
from hub.bridge.backoff import Backoff
from hub.bridge.metrics import BridgeMetrics
from hub.bridge.options import BatchOptions
from hub.bridge.turns import InOrder, Spare, Turns
from hub.clock import Clock, monotonic
from hub.errors import UnavailableError
from hub.ports.records import Incoming, Outcome

__all__ = ["Batcher", "Haven", "Ingest", "Parcel", "Quarantine", "Source"]

Ingest = Callable[[Sequence[Incoming]], list[Outcome]]
"""Takes a batch in one transaction; returns after the commit with one outcome an item, in order.

UnavailableError: nothing was done, try again. Any other exception: something in the batch is poison.
"""

Quarantine = Callable[[Incoming, str], None]
"""Keeps an uplink that could not be taken, raw, with the reason. UnavailableError: try again."""

_QUARANTINE_TRIES = 3
_QUIET_PART = 25
_LOGGED_BYTES = 64 * 1024

_log = logging.getLogger(__name__)


class Parcel(Early, Protocol):
    """One uplink in line."""

    received_at: datetime

    @property
    def source(self) -> Source: ...


class Source(Protocol):
    """Who brought a parcel, and wants to know when it is settled."""

    def settled(self, parcels: Sequence[Parcel], outcomes: Sequence[Outcome]) -> None:
        """Called on the worker's thread, in the order of receipt; must return quickly and not raise."""
        ...


class Haven(Protocol):
    """Where uplinks are made durable while the database is away."""

    after_s: float
    """How long (s) it must be away before they are."""

    @property
    def dark(self) -> bool:
        """Whether they go there now, without asking the database."""
        ...

    def take(self, items: Sequence[Incoming], away_since: datetime | None) -> list[Outcome] | None:
        """Makes them durable. None: ask the database (`away_since` None: it is there; else nothing is durable)."""
        ...


@dataclass(slots=True, eq=False)
class _Hand:
    """A batch under way: its place among them, and what of it is not settled."""

    number: int
    parcels: Sequence[Parcel]


class Batcher:
    """One line, `options.hands` transactions at a time. It is bounded by what its sources may leave unsettled."""

    def __init__(
        self,
        name: str,
        options: BatchOptions,
        *,
        ingest: Ingest,
        quarantine: Quarantine,
        metrics: BridgeMetrics,
        clock: Clock,
        ahead: Ahead | None = None,
        haven: Haven | None = None,
    ) -> None:
        """`ahead`, where given, takes the batches in place of `ingest`, which then takes what has to be tried alone.

        A line with `ahead` has no haven. Without it there is one transaction at a time: alarms of a device go in order.
        """
        self.name = name
        self._options = options
        self._ingest = ingest
        self._ahead = ahead
        self._look_ahead = None if ahead is None else LookAhead(ahead, options.size)
        self._quarantine = quarantine
        self._haven = haven
        self._clock = clock
        self._line: deque[Parcel] = deque()
        self._in_hand: list[_Hand] = []
        self._changed = threading.Condition()
        self._gathering = threading.Lock()
        self._turns = Turns()
        self._order = InOrder()
        self._stopping = threading.Event()
        self._away_since: datetime | None = None
        hands = 1 if ahead is None else options.hands
        self._threads = [
            threading.Thread(target=self._run, name=f"batch-{name}-{hand}" if hand else f"batch-{name}", daemon=True)
            for hand in range(hands)
        ]
        self._settled_by = {
            outcome: metrics.settled.labels(name, outcome)
            for outcome in ("accepted", "repeat", "rejected", "unsupported", "quarantined")
        }
        self._batch_size = metrics.batch_size.labels(name)
        self._commit_seconds = metrics.commit_seconds.labels(name)
        self._unavailable = metrics.unavailable.labels(name)
        self._failed_batches = metrics.failed_batches.labels(name)
        self._only_logged = metrics.only_logged.labels(name)
        metrics.queue_depth.labels(name).set_function(lambda: float(len(self._line)))
        metrics.oldest_seconds.labels(name).set_function(self.lag_s)

    # --- the sources' side --------------------------------------------------------------------------------------------

    def put(self, parcels: Sequence[Parcel]) -> None:
        """Puts parcels in line. Never blocks: a source bounds itself by what it has unsettled."""
        with self._changed:
            self._line.extend(parcels)
            self._changed.notify()

    def forget(self, which: Callable[[Parcel], bool]) -> list[Parcel]:
        """Takes parcels out of the line again (those in hand stay); gives them."""
        with self._changed:
            gone = [parcel for parcel in self._line if which(parcel)]
            if gone:
                self._line = deque(parcel for parcel in self._line if not which(parcel))
        return gone

    # --- life ---------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def request_stop(self) -> None:
        """Lets what is under way end and takes nothing further; does not wait."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    def stop(self, timeout_s: float) -> bool:
        """`request_stop`, and waits. False where it did not end in time."""
        self.request_stop()
        until = monotonic() + timeout_s
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def depth(self) -> int:
        """Parcels in line and in hand."""
        with self._changed:
            # One that is being settled counts still: what is told of its end may have to wait.
            return len(self._line) + sum(max(1, len(hand.parcels)) for hand in self._in_hand)

    def lag_s(self) -> float:
        """Age of the oldest parcel that is not settled, in seconds; 0 where there is none."""
        with self._changed:
            held = next((hand.parcels[0] for hand in self._in_hand if hand.parcels), None)
            oldest = held or (self._line[0] if self._line else None)
        return max(0.0, (self._clock() - oldest.received_at).total_seconds()) if oldest else 0.0

    def away_since(self) -> datetime | None:
        """Since when the database has been away, as far as this worker met it; None: it is not."""
        return self._away_since

    # --- the worker ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._gathering:
                hand = self._take()
            if hand is None:
                return
            self._turns.take()
            try:
                self._commit(hand)
            except Exception:
                # A fault of ours, not of the batch: it stays unsettled, the broker still has it, the device repeats.
                _log.exception("%s: a batch of %d was given up unsettled", self.name, len(hand.parcels))
            finally:
                with self._changed:
                    self._in_hand.remove(hand)
                self._order.done(hand.number)
                self._turns.give()

    def _take(self) -> _Hand | None:
        """Waits for a batch; None when stopping."""
        size = self._options.size
        with self._changed:
            while not self._line and not self._stopping.is_set():
                self._changed.wait()
            self._gather(size)
            if self._stopping.is_set():
                return None
            batch = [self._line.popleft() for _ in range(min(size, len(self._line)))]
            hand = _Hand(self._order.draw(), batch)
            self._in_hand.append(hand)
            return hand

    def _gather(self, size: int) -> None:
        """Waits for company, at most `linger_s`, and no longer than it keeps coming.

        A broker sends only so much unacknowledged (the embedded one 100): a full batch may never come by waiting.
        """
        if not self._options.linger_s:
            return
        deadline = monotonic() + self._options.linger_s
        quiet = self._options.linger_s / _QUIET_PART
        while len(self._line) < size and not self._stopping.is_set():
            left = deadline - monotonic()
            if left <= 0 or not self._changed.wait(min(left, quiet)):
                return

    def _commit(self, hand: _Hand) -> None:
        batch = hand.parcels
        items = self._made_up(batch)
        if self._haven is not None and self._haven.dark and (kept := self._haven.take(items, None)) is not None:
            self._settle(hand, batch, kept)
            return
        nameless = {at for at, item in enumerate(items) if isinstance(item, Incoming) and not item.device_id}
        named = [item for at, item in enumerate(items) if at not in nameless] if nameless else items
        try:
            outcomes = self._patiently(partial(self._ingest_all, named), partial(self._shelter, named)) if named else []
        except Exception as error:
            self._failed_batches.inc()
            _log.warning("%s: a batch of %d failed, taking them one by one: %r", self.name, len(named), error)
            self._one_by_one(hand)
            return
        if outcomes is None:
            return
        if not nameless:
            self._settle(hand, batch, outcomes)
            return
        rest = iter(outcomes)
        merged: list[Outcome] = []
        for at, item in enumerate(items):
            outcome = self._keep_aside(item, "the topic names no device") if at in nameless else next(rest)
            if outcome is None:
                break
            merged.append(outcome)
        if merged:
            self._settle(hand, batch[: len(merged)], merged)

    def _made_up(self, batch: Sequence[Parcel]) -> list[Any]:
        """Uplinks, or what was prepared of them."""
        if self._look_ahead is None:
            return [parcel.incoming() for parcel in batch]
        return self._look_ahead.made_up(batch)

    def _one_by_one(self, hand: _Hand) -> None:
        for parcel in hand.parcels:
            outcome = self._take_alone(parcel.incoming())
            if outcome is None:  # stopping: the rest stays unsettled
                return
            self._settle(hand, [parcel], [outcome])

    def _take_alone(self, item: Incoming) -> Outcome | None:
        """None: we are told to stop."""
        if not item.device_id:
            return self._keep_aside(item, "the topic names no device")
        try:
            outcomes = self._patiently(partial(self._ingest_all, [item]), partial(self._shelter, [item]))
            return outcomes[0] if outcomes else None
        except Exception as error:
            _log.exception("%s: an uplink of %s could not be taken", self.name, item.device_id)
            return self._keep_aside(item, f"{type(error).__name__}: {error}"[:500])

    def _keep_aside(self, item: Incoming, reason: str) -> Outcome | None:
        """Quarantine; None: we are told to stop."""

        def keep() -> list[Outcome]:
            with self._turns.given():
                self._quarantine(item, reason)
            return [Outcome("quarantined", reason)]

        for _ in range(_QUARANTINE_TRIES):
            try:
                outcomes = self._patiently(keep, partial(self._shelter, [item]))
                return outcomes[0] if outcomes else None
            except Exception:
                _log.exception("%s: an uplink of %s could not be quarantined", self.name, item.device_id)
        # One bad message must not stand in front of everybody else's alarms: the log is where it is kept now.
        self._only_logged.inc()
        _log.critical(
            "%s: kept in this line only: device %r topic %r received %s reason %r payload (base64) %s",
            self.name,
            item.device_id,
            item.uplink.topic,
            item.uplink.received_at.isoformat(),
            reason,
            base64.b64encode(item.uplink.payload[:_LOGGED_BYTES]).decode(),
        )
        return Outcome("quarantined", reason)

    def _ingest_all(self, items: list[Any]) -> list[Outcome]:
        started = monotonic()
        if self._ahead is not None and self._look_ahead is not None and len(items) > 1:
            look_ahead = self._look_ahead
            outcomes = self._ahead.telemetry(items, Spare(self._turns, lambda: look_ahead.work(self._line)))
        else:
            # It may wait in the database for another hand's transaction, which must be able to end.
            with self._turns.given():
                outcomes = self._ingest(items)
        self._commit_seconds.observe(monotonic() - started)
        self._batch_size.observe(len(items))
        if len(outcomes) != len(items):
            raise RuntimeError(f"ingest gave {len(outcomes)} outcomes for {len(items)} uplinks")
        return outcomes

    def _patiently(
        self, action: Callable[[], list[Outcome]], instead: Callable[[], list[Outcome] | None]
    ) -> list[Outcome] | None:
        """Runs `action` until the database is there, or `instead` has done; None where we are told to stop first."""
        backoff = Backoff(self._options.backoff_min_s, self._options.backoff_max_s)
        began = monotonic()
        while True:
            try:
                result = action()
            except UnavailableError as error:
                self._unavailable.inc()
                if self._away_since is None:
                    self._away_since = self._clock()
                    _log.warning("%s: uplinks wait unacknowledged and are tried again: %s", self.name, error.detail)
                pause = backoff.pause_s()
                if self._haven is not None and error.code != "busy":
                    left = began + self._haven.after_s - monotonic()
                    if (left <= 0 or self._haven.dark) and (kept := instead()) is not None:
                        self._away_since = None  # it is the haven's now to say since when
                        return kept
                    pause = min(pause, max(left, self._options.backoff_min_s))
                with self._turns.given():
                    stopping = self._stopping.wait(pause)
                if stopping:
                    return None
            else:
                if self._away_since is not None:
                    _log.warning("%s: uplinks are taken again, it was away since %s", self.name, self._away_since)
                    self._away_since = None
                return result

    def _shelter(self, items: Sequence[Incoming]) -> list[Outcome] | None:
        return None if self._haven is None else self._haven.take(items, self._away_since)

    def _settle(self, hand: _Hand, parcels: Sequence[Parcel], outcomes: Sequence[Outcome]) -> None:
        if not self._order.is_next(hand.number):
            with self._turns.given():
                self._order.wait(hand.number)
        with self._changed:
            hand.parcels = hand.parcels[len(parcels) :]
        counts: dict[str, int] = {}
        for outcome in outcomes:
            counts[outcome.outcome] = counts.get(outcome.outcome, 0) + 1
        for name, count in counts.items():
            self._settled_by[name].inc(count)
        first = parcels[0].source
        if all(parcel.source is first for parcel in parcels):
            first.settled(parcels, outcomes)
            return
        for _, group in groupby(zip(parcels, outcomes, strict=True), key=lambda pair: id(pair[0].source)):
            pairs = list(group)
            pairs[0][0].source.settled([parcel for parcel, _ in pairs], [outcome for _, outcome in pairs])
