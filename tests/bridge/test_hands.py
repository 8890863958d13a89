"""Several transactions of one line at a time: turns, order, and nothing settled that is not committed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from hub.bridge import BatchOptions
from hub.bridge.batches import Batcher
from hub.bridge.metrics import BridgeMetrics
from hub.bridge.turns import InOrder, Turns
from hub.clock import utc_now
from hub.errors import UnavailableError
from hub.ports.records import Incoming, Meanwhile, Outcome
from tests.bridge.test_batches import Letter, Sender
from tests.waiting import wait_until


@dataclass
class Server:
    """Transactions that end when the test says so, and what each was given. One thread at a time may compute."""

    ends: dict[bytes, threading.Event] = field(default_factory=dict)
    begun: list[bytes] = field(default_factory=list)
    alone: list[bytes] = field(default_factory=list)
    computing: int = 0
    most: int = 0
    poison: bytes | None = None
    away: bool = False

    def prepare(self, _incoming: Incoming) -> object | None:
        return None

    def telemetry(self, batch: Sequence[Any], meanwhile: Meanwhile) -> list[Outcome]:
        first = batch[0].uplink.payload
        self.computing += 1
        self.most = max(self.most, self.computing)
        self.begun.append(first)
        self.computing -= 1  # a turn may be passed on between two pieces of other work
        while meanwhile.work():
            pass
        meanwhile.rest()
        try:
            if (end := self.ends.get(first)) is not None:
                assert end.wait(30)
        finally:
            meanwhile.resume()
        self.computing += 1
        self.most = max(self.most, self.computing)
        try:
            if self.away:
                raise UnavailableError("the database is away")
            if self.poison is not None and any(self.poison == one.uplink.payload for one in batch):
                raise ValueError("poison in the batch")
            return [Outcome("accepted") for _ in batch]
        finally:
            self.computing -= 1

    def one(self, batch: Sequence[Incoming]) -> list[Outcome]:
        self.alone += [item.uplink.payload for item in batch]
        if self.poison is not None and any(self.poison == one.uplink.payload for one in batch):
            raise ValueError("poison")
        return [Outcome("accepted") for _ in batch]


@contextmanager
def line(server: Server, *, hands: int = 2, size: int = 2) -> Iterator[Batcher]:
    batcher = Batcher(
        "telemetry",
        BatchOptions(size=size, hands=hands, backoff_min_s=0.01, backoff_max_s=0.02),
        ingest=server.one,
        quarantine=lambda _item, _reason: None,
        metrics=BridgeMetrics(CollectorRegistry()),
        clock=utc_now,
        ahead=server,
    )
    batcher.start()
    try:
        yield batcher
    finally:
        for end in server.ends.values():
            end.set()
        assert batcher.stop(10)


def test_the_second_begins_while_the_first_is_committed_and_both_settle_in_order() -> None:
    server, sender = Server({b"0": threading.Event(), b"2": threading.Event()}), Sender()
    with line(server) as batcher:
        batcher.put([Letter(sender, b"%d" % number) for number in range(6)])
        wait_until(lambda: server.begun[:2] == [b"0", b"2"])
        assert batcher.depth() == 6
        server.ends[b"2"].set()
        assert sender.done == [], "committed, but something before it is not"
        server.ends[b"0"].set()
        wait_until(lambda: len(sender.done) == 6)
        assert batcher.depth() == 0
        assert batcher.lag_s() == 0
    assert [payload for payload, _ in sender.done] == [b"%d" % number for number in range(6)]
    assert server.most == 1


def test_poison_in_the_second_stands_in_nobodys_way() -> None:
    server, sender = Server({b"0": threading.Event()}, poison=b"3"), Sender()
    with line(server) as batcher:
        batcher.put([Letter(sender, b"%d" % number) for number in range(4)])
        wait_until(lambda: server.alone)
        assert sender.done == []
        server.ends[b"0"].set()
        wait_until(lambda: len(sender.done) == 4)
    assert sender.done == [(b"0", "accepted"), (b"1", "accepted"), (b"2", "accepted"), (b"3", "quarantined")]


def test_both_wait_while_the_database_is_away_and_stopping_settles_nothing() -> None:
    server, sender = Server(away=True), Sender()
    with line(server) as batcher:
        batcher.put([Letter(sender, b"%d" % number) for number in range(4)])
        wait_until(lambda: {b"0", b"2"} <= set(server.begun) and len(server.begun) > 4)
        assert batcher.away_since() is not None
    assert sender.done == []


@settings(max_examples=20, deadline=None)
@given(
    letters=st.integers(1, 60),
    size=st.integers(1, 7),
    hands=st.integers(1, 4),
    poison=st.integers(0, 60),
    order=st.randoms(use_true_random=False),
)
def test_whatever_ends_first_each_is_settled_once_and_in_order(
    letters: int, size: int, hands: int, poison: int, order: Any
) -> None:
    names = [b"%d" % number for number in range(letters)]
    server, sender = Server({name: threading.Event() for name in names}, poison=b"%d" % poison), Sender()
    with line(server, hands=hands, size=size) as batcher:
        batcher.put([Letter(sender, name) for name in names])
        for name in order.sample(names, len(names)):
            server.ends[name].set()
        wait_until(lambda: len(sender.done) == letters)
    expected = [(name, "quarantined" if name == server.poison else "accepted") for name in names]
    assert sender.done == expected
    assert server.most <= 1


def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    turns, had = Turns(), []
    turns.take()
    assert not turns.wanted

    def ask(name: int) -> None:
        turns.take()
        had.append(name)
        turns.give()

    threads = []
    for name in range(4):
        threads.append(threading.Thread(target=ask, args=(name,)))
        before = turns._drawn
        threads[-1].start()
        wait_until(lambda before=before: turns._drawn > before)  # type: ignore[misc]
    assert turns.wanted
    assert had == []
    turns.give()
    for thread in threads:
        thread.join(10)
    assert had == [0, 1, 2, 3]


def test_what_ended_early_is_not_waited_for() -> None:
    order = InOrder()
    first, second, third = order.draw(), order.draw(), order.draw()
    order.done(second)
    assert order.is_next(first)
    assert not order.is_next(third)
    order.done(first)
    order.wait(third)
    assert order.is_next(third)
