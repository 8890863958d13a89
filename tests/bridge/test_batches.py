"""The line and its worker, with parcels of the test's own."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from devices.model import Uplink
from hub.bridge import BatchOptions
from hub.bridge.backoff import Backoff
from hub.bridge.batches import Batcher, Parcel
from hub.bridge.buffered import Publish
from hub.bridge.delivery import Delivery, Origin, Repeats
from hub.bridge.metrics import BridgeMetrics
from hub.clock import utc_now
from hub.ports.records import Incoming, Outcome
from tests.bridge.parts import MemoryIngest
from tests.waiting import wait_until


@dataclass
class Sender:
    """A source that remembers what was settled, in order."""

    name: str = "one"
    done: list[tuple[bytes, str]] = field(default_factory=list)

    def settled(self, parcels: Sequence[Parcel], outcomes: Sequence[Outcome]) -> None:
        for parcel, outcome in zip(parcels, outcomes, strict=True):
            assert parcel.source is self
            self.done.append((parcel.incoming().uplink.payload, outcome.outcome))


@dataclass
class Letter:
    source: Sender
    payload: bytes
    device_id: str = "d"
    received_at: datetime = field(default_factory=utc_now)

    @property
    def early(self) -> bool:
        return True

    def incoming(self) -> Incoming:
        return Incoming(Uplink(self.payload, self.received_at), self.device_id, "care", "alarm")


@contextmanager
def line(ingest: MemoryIngest, **options: float) -> Iterator[tuple[Batcher, CollectorRegistry]]:
    registry = CollectorRegistry()
    batcher = Batcher(
        "alarm",
        BatchOptions(**{"size": 10, "backoff_min_s": 0.01, "backoff_max_s": 0.02, **options}),  # type: ignore[arg-type]
        ingest=ingest,
        quarantine=ingest.keep,
        metrics=BridgeMetrics(registry),
        clock=utc_now,
    )
    batcher.start()
    try:
        yield batcher, registry
    finally:
        ingest.gate.set()
        assert batcher.stop(5)


def test_what_gathers_during_one_transaction_is_the_next_batch() -> None:
    ingest, sender = MemoryIngest(), Sender()
    with line(ingest) as (batcher, _):
        ingest.gate.clear()
        batcher.put([Letter(sender, b"0")])
        assert ingest.entered.acquire(timeout=5)
        batcher.put([Letter(sender, b"%d" % number) for number in range(1, 15)])
        assert batcher.depth() == 15
        ingest.gate.set()
        wait_until(lambda: len(sender.done) == 15)
    assert ingest.calls == [1, 10, 4]
    assert sender.done == [(b"%d" % number, "accepted") for number in range(15)]


def test_lingering_gathers_but_not_longer_than_company_comes() -> None:
    ingest, sender = MemoryIngest(), Sender()
    with line(ingest, linger_s=5.0) as (batcher, _):
        for number in range(10):
            batcher.put([Letter(sender, b"%d" % number)])
        wait_until(lambda: len(sender.done) == 10)
        assert ingest.calls == [10]
        batcher.put([Letter(sender, b"alone")])
        wait_until(lambda: len(sender.done) == 11, 4, what="a lone parcel that gets no company")


def test_each_source_hears_of_its_own_in_order() -> None:
    ingest, one, two = MemoryIngest(), Sender("one"), Sender("two")
    with line(ingest) as (batcher, _):
        ingest.gate.clear()
        batcher.put([Letter(one, b"first")])
        assert ingest.entered.acquire(timeout=5)
        batcher.put([Letter(one, b"a"), Letter(two, b"b"), Letter(two, b"c"), Letter(one, b"d")])
        ingest.gate.set()
        wait_until(lambda: len(one.done) == 3 and len(two.done) == 2)
    assert [payload for payload, _ in one.done] == [b"first", b"a", b"d"]
    assert [payload for payload, _ in two.done] == [b"b", b"c"]


def test_parcels_without_a_device_do_not_hold_up_the_batch() -> None:
    ingest, sender = MemoryIngest(), Sender()
    with line(ingest) as (batcher, _):
        ingest.gate.clear()
        batcher.put([Letter(sender, b"first")])
        assert ingest.entered.acquire(timeout=5)
        batcher.put([Letter(sender, b"a"), Letter(sender, b"x", device_id=""), Letter(sender, b"b")])
        ingest.gate.set()
        wait_until(lambda: len(sender.done) == 4)
    assert ingest.calls == [1, 2]
    assert sender.done[1:] == [(b"a", "accepted"), (b"x", "quarantined"), (b"b", "accepted")]


def test_an_ingest_that_forgets_an_outcome_is_a_fault_and_nothing_is_settled_unseen() -> None:
    sender, kept = Sender(), []

    def short(batch: Sequence[Incoming]) -> list[Outcome]:
        return [Outcome("accepted")] * (len(batch) - 1)

    registry = CollectorRegistry()
    batcher = Batcher(
        "alarm",
        BatchOptions(size=10),
        ingest=short,
        quarantine=lambda item, reason: kept.append((item.uplink.payload, reason)),
        metrics=BridgeMetrics(registry),
        clock=utc_now,
    )
    batcher.start()
    batcher.put([Letter(sender, b"a")])
    wait_until(lambda: sender.done)
    assert batcher.stop(5)
    assert sender.done == [(b"a", "quarantined")]
    assert kept == [(b"a", "RuntimeError: ingest gave 0 outcomes for 1 uplinks")]


def test_what_cannot_even_be_quarantined_is_kept_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    sender = Sender()

    def refuse(*_: object) -> list[Outcome]:
        raise ValueError("a fault")

    registry = CollectorRegistry()
    batcher = Batcher(
        "alarm",
        BatchOptions(size=10),
        ingest=refuse,
        quarantine=refuse,  # type: ignore[arg-type]
        metrics=BridgeMetrics(registry),
        clock=utc_now,
    )
    batcher.start()
    batcher.put([Letter(sender, b"cry")])
    wait_until(lambda: sender.done)
    assert batcher.stop(5)
    (line_,) = [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]
    assert "Y3J5" in line_
    assert registry.get_sample_value("hub_bridge_only_logged_total", {"lane": "alarm"}) == 1


def test_forgetting_takes_only_what_is_in_line() -> None:
    ingest, one, two = MemoryIngest(), Sender("one"), Sender("two")
    with line(ingest) as (batcher, _):
        ingest.gate.clear()
        batcher.put([Letter(one, b"in hand")])
        assert ingest.entered.acquire(timeout=5)
        batcher.put([Letter(one, b"gone"), Letter(two, b"stays")])
        gone = batcher.forget(lambda parcel: parcel.source is one)
        assert [parcel.incoming().uplink.payload for parcel in gone] == [b"gone"]
        assert batcher.lag_s() > 0
        ingest.gate.set()
        wait_until(lambda: one.done and two.done)
    assert one.done == [(b"in hand", "accepted")]
    assert two.done == [(b"stays", "accepted")]


def test_stopping_while_the_database_is_away_settles_nothing() -> None:
    ingest, sender = MemoryIngest(away=True), Sender()
    with line(ingest) as (batcher, registry):
        batcher.put([Letter(sender, b"a")])
        wait_until(lambda: len(ingest.calls) > 2)
        assert registry.get_sample_value("hub_bridge_unavailable_total", {"lane": "alarm"}) >= 2
    assert not sender.done


@given(st.floats(0.001, 1), st.floats(1, 60))
def test_pauses_grow_to_their_limit_and_begin_anew(low: float, high: float) -> None:
    backoff = Backoff(low, high)
    pauses = [backoff.pause_s() for _ in range(30)]
    assert all(low / 2 <= pause <= high for pause in pauses)
    assert pauses[-1] >= high / 2
    backoff.reset()
    assert backoff.pause_s() <= low


def delivery(origin: Origin, mid: int, payload: bytes = b"on", *, dup: bool = False) -> Delivery:
    return Delivery(Publish("t", payload, 1, mid, dup, False), origin, utc_now())


def test_a_repeat_is_only_what_was_committed_in_this_session() -> None:
    first, same, lost = (Origin(None, 1, 1), Origin(None, 2, 1), Origin(None, 3, 2))  # type: ignore[arg-type]
    repeats = Repeats()
    assert not repeats.is_repeat(delivery(first, 5, dup=True)), "never seen: a press"
    repeats.arrived(delivery(first, 5).message)
    assert not repeats.is_repeat(delivery(same, 5, dup=True)), "came, but was not committed: a press"
    repeats.committed(delivery(first, 5))
    assert repeats.is_repeat(delivery(same, 5, dup=True))
    assert not repeats.is_repeat(delivery(same, 5)), "without DUP it is another press"
    assert not repeats.is_repeat(delivery(same, 6, dup=True))
    assert not repeats.is_repeat(delivery(same, 5, b"off", dup=True))
    assert not repeats.is_repeat(delivery(lost, 5, dup=True)), "the ids of a forgotten session mean nothing"
    repeats.arrived(delivery(same, 5).message)
    assert not repeats.is_repeat(delivery(same, 5, dup=True)), "the id was given to a new message meanwhile"
