"""The shelter: what it is told to keep is durable before anybody hears of it, and all of it reaches the database."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from devices.model import Reply, Uplink
from hub.bridge import BatchOptions
from hub.bridge.batches import Batcher, Parcel
from hub.bridge.journal import Journal
from hub.bridge.metrics import BridgeMetrics
from hub.bridge.shelter import Shelter, ShelterPlan
from hub.clock import utc_now
from hub.ports.dark import DarkState, Foreseen
from hub.ports.records import Incoming, Json, Outcome
from tests.bridge.parts import MemoryIngest
from tests.waiting import wait_until

OPTIONS = BatchOptions(size=10, backoff_min_s=0.01, backoff_max_s=0.02)


@dataclass
class Device:
    """Sends, and remembers in order what was settled and what it was told."""

    settled_: list[tuple[bytes, Outcome]] = field(default_factory=list)

    def settled(self, parcels: Sequence[Parcel], outcomes: Sequence[Outcome]) -> None:
        for parcel, outcome in zip(parcels, outcomes, strict=True):
            self.settled_.append((parcel.incoming().uplink.payload, outcome))

    @property
    def told(self) -> list[bytes]:
        return [payload for payload, outcome in self.settled_ if outcome.replies]


@dataclass
class Letter:
    source: Device
    payload: bytes
    device_id: str = "d"
    received_at: datetime = field(default_factory=utc_now)
    early: bool = True

    def incoming(self) -> Incoming:
        return Incoming(Uplink(self.payload, self.received_at, "t"), self.device_id, "care", "alarm", number=7)


def foresee(item: Incoming) -> Foreseen:
    payload = item.uplink.payload
    return Foreseen((Reply(b"received " + payload, "down"),), (payload,), ({"ref": payload.decode()},))


@dataclass
class Heard:
    """What consoles were told."""

    states: list[DarkState | None] = field(default_factory=list)
    alarms: list[Json] = field(default_factory=list)

    def announce(self, state: DarkState | None, alarms: Sequence[Json]) -> None:
        self.states.append(state)
        self.alarms += alarms


@dataclass
class House:
    """An alarm line with a shelter."""

    folder: Path
    ingest: MemoryIngest
    heard: Heard = field(default_factory=Heard)
    published: list[tuple[str, bytes]] = field(default_factory=list)
    after_s: float = 0.05

    def __post_init__(self) -> None:
        metrics = BridgeMetrics(CollectorRegistry())
        plan = ShelterPlan(self.folder, self.after_s, foresee, self.ingest, self.heard.announce)
        self.shelter = Shelter(
            plan,
            OPTIONS,
            quarantine=self.ingest.keep,
            publish=lambda topic, payload: self.published.append((topic, payload)),
            metrics=metrics,
            clock=utc_now,
        )
        self.line = Batcher(
            "alarm",
            OPTIONS,
            ingest=self.ingest,
            quarantine=self.ingest.keep,
            metrics=metrics,
            clock=utc_now,
            haven=self.shelter,
        )

    @contextmanager
    def open(self) -> Iterator[House]:
        self.shelter.start()
        self.line.start()
        try:
            yield self
        finally:
            self.ingest.gate.set()
            assert self.line.stop(5)
            assert self.shelter.stop(5)


class OneBatch(MemoryIngest):
    """A database that goes away again after the first batch."""

    def __call__(self, batch: Sequence[Incoming]) -> list[Outcome]:
        outcomes = super().__call__(batch)
        self.away = True
        return outcomes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def test_alarms_are_told_while_the_database_is_away_and_are_there_when_it_is_back(folder: Path) -> None:
    ingest, device = MemoryIngest(away=True), Device()
    with House(folder, ingest).open() as house:
        sent = [Letter(device, b"%d" % number) for number in range(25)]
        for letter in sent:
            house.line.put([letter])
        wait_until(lambda: len(device.told) == 25, 5)
        assert [one["ref"] for one in house.heard.alarms] == [str(number) for number in range(25)]
        state = house.shelter.state()
        assert state is not None
        assert (state.alarms, state.uplinks, state.replaying) == (25, 25, False)
        assert ingest.rows == {}

        ingest.away = False
        wait_until(lambda: house.shelter.state() is None, 5)
        assert [item.uplink.payload for item in ingest.order] == [letter.payload for letter in sent]
        assert set(ingest.rows.values()) == {1}
        taken = ingest.order[0]
        assert taken == sent[0].incoming(), "with the time it was received, and all else"
        assert house.heard.states[-1] is None

        house.line.put([Letter(device, b"straight")])
        wait_until(lambda: len(device.settled_) == 26, 5)
        assert device.settled_[-1][1].reason is None
        assert house.published == []


def test_a_moment_is_not_worth_the_journal(folder: Path) -> None:
    ingest, device = MemoryIngest(away=True), Device()
    with House(folder, ingest, after_s=30).open() as house:
        house.line.put([Letter(device, b"a")])
        wait_until(lambda: len(ingest.calls) > 3, 5)
        assert house.shelter.state() is None
        ingest.away = False
        wait_until(lambda: len(device.settled_) == 1, 5)
        assert house.heard.states == []


def test_a_repeat_is_told_again_and_kept_once(folder: Path) -> None:
    ingest, device = MemoryIngest(away=True), Device()
    with House(folder, ingest).open() as house:
        for _ in range(3):
            house.line.put([Letter(device, b"same")])
            wait_until(lambda: not house.line.depth(), 5)
        wait_until(lambda: len(device.told) == 3, 5)
        state = house.shelter.state()
        assert state is not None
        assert state.alarms == 1
        assert len(house.heard.alarms) == 1
        ingest.away = False
        wait_until(lambda: house.shelter.state() is None, 5)
        assert list(ingest.rows.values()) == [1]


def test_a_repeat_in_the_same_batch_is_told_and_kept_once(folder: Path) -> None:
    """It came while the batch before it waited for the database."""
    device = Device()
    with House(folder, MemoryIngest(away=True)).open() as house:
        house.line.put(
            [Letter(device, b"first"), Letter(device, b"sos"), Letter(device, b"sos"), Letter(device, b"fall")]
        )
        wait_until(lambda: len(device.told) == 4, 5)
        assert [one["ref"] for one in house.heard.alarms] == ["first", "sos", "fall"]
        state = house.shelter.state()
        assert state is not None
        assert (state.alarms, state.uplinks) == (3, 3)


def test_what_a_killed_hub_left_is_taken_over_before_anything_else(folder: Path) -> None:
    ingest, device = MemoryIngest(away=True), Device()
    with House(folder, ingest).open() as house:
        house.line.put([Letter(device, b"%d" % number) for number in range(5)])
        wait_until(lambda: len(device.told) == 5, 5)
    ingest.away = False
    again = House(folder, ingest)
    ingest.gate.clear()
    with again.open():
        state = again.shelter.state()
        assert state is not None
        assert state.alarms == 5
        again.line.put([Letter(device, b"later")])
        ingest.gate.set()
        wait_until(lambda: again.shelter.state() is None, 5)
        assert [item.uplink.payload for item in ingest.order] == [b"0", b"1", b"2", b"3", b"4", b"later"]


def test_a_hub_that_dies_again_and_again_gets_on(folder: Path) -> None:
    """Each life commits one batch more: what an earlier one committed is not begun with again."""
    ingest, device = MemoryIngest(away=True), Device()
    sent = [b"%d" % number for number in range(40)]
    with House(folder, ingest).open() as house:
        house.line.put([Letter(device, one) for one in sent])
        wait_until(lambda: len(device.told) == 40, 5)
    ingest.away = False
    taken: list[bytes] = []
    for _ in range(40):
        life = OneBatch()
        with House(folder, life).open():
            assert life.entered.acquire(timeout=5)
        taken += [item.uplink.payload for item in life.order]
        if len(taken) >= len(sent):
            break
    assert taken == sent


def test_a_hub_that_died_with_nothing_in_its_journal_says_nothing_of_it(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.close(Journal(folder)._lock)  # all that a killed process does
    house = House(folder, MemoryIngest())
    with house.open():
        assert house.shelter.state() is None
    assert "the database is back" not in caplog.text
    assert not list(folder.glob("*.journal"))


def test_poison_in_the_journal_goes_to_quarantine_and_the_rest_is_taken(folder: Path) -> None:
    ingest, device = MemoryIngest(away=True, poison=b"bad"), Device()
    with House(folder, ingest).open() as house:
        house.line.put(
            [Letter(device, b"a"), Letter(device, b"bad"), Letter(device, b"x", device_id=""), Letter(device, b"b")]
        )
        wait_until(lambda: len(device.settled_) == 4, 5)
        ingest.away = False
        wait_until(lambda: house.shelter.state() is None, 5)
        assert ingest.payloads() == {b"a", b"b"}
        assert sorted(item.uplink.payload for item, _ in ingest.quarantined) == [b"bad", b"x"]


def test_nobody_is_told_anything_when_the_journal_cannot_be_written(folder: Path) -> None:
    ingest, device = MemoryIngest(away=True), Device()
    with House(folder, ingest).open() as house:
        wait_until(lambda: list(folder.glob("*.journal")), 5)
        journal = house.shelter._journal
        with journal._guard:
            journal._close_file()
            # A file in the folder's place: whoever runs the tests, nothing can be made there.
            moved = folder.rename(folder.with_name("moved"))
            folder.write_bytes(b"")
        house.line.put([Letter(device, b"a")])
        wait_until(lambda: house.shelter._error, 5)
        assert device.settled_ == []
        assert house.shelter.state() is None
        folder.unlink()
        moved.rename(folder)
        wait_until(lambda: len(device.told) == 1, 5)
        ingest.away = False
        wait_until(lambda: house.shelter.state() is None, 5)
        assert list(ingest.rows.values()) == [1]


def test_a_damaged_record_is_set_aside_and_said(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(folder)
    journal.append([json.dumps({"no": "uplink"}).encode()])
    journal.close()
    ingest = MemoryIngest()
    with House(folder, ingest).open() as house:
        wait_until(lambda: house.shelter.state() is None, 5)
    assert "is no uplink" in caplog.text
    assert [path.suffix for path in folder.glob("0*")] == [".damaged"]


def test_later_words_reach_the_device(folder: Path) -> None:
    """Somebody had the matter in hand already when its press came."""
    device = Device()
    hold = Reply(b"hold", "down")

    def replies(item: Incoming) -> tuple[Any, ...]:
        return (*foresee(item).replies, hold)

    ingest = MemoryIngest(away=True, replies=replies)
    with House(folder, ingest).open() as house:
        house.line.put([Letter(device, b"a")])
        wait_until(lambda: len(device.told) == 1, 5)
        ingest.away = False
        wait_until(lambda: house.shelter.state() is None, 5)
        assert house.published == [("down", b"hold")]
