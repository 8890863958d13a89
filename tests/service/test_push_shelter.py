"""A push while the database is away: an alarm is journalled, the rest is refused, and nobody waits for long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from devices import Uplink
from hub.errors import UnavailableError
from hub.ports import Incoming, Outcome
from hub.ports.dark import Foreseen
from hub.service.push_shelter import PushMemory, Sheltered

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
TAKEN, KEPT = Outcome("accepted"), Outcome("accepted", "journalled")


def push(payload: bytes) -> Incoming:
    return Incoming(Uplink(payload, NOW, "t"), "W-1", "care", "http")


ALARM, VITALS = push(b"alarm"), push(b"vitals")


def foresee(item: Incoming) -> Foreseen:
    return Foreseen(alarms=({"type": "sos"},) if item.uplink.payload == b"alarm" else ())


@dataclass
class World:
    """A database that answers or not, and a journal."""

    failure: Exception | None = None
    after_s: float = 0.05
    dark: bool = False
    full: bool = False
    asked: int = 0
    kept: list[tuple[bytes, bool]] = field(default_factory=list)

    def commit(self, batch: Sequence[Incoming]) -> list[Outcome]:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return [TAKEN] * len(batch)

    def take(self, items: Sequence[Incoming], away_since: datetime | None) -> list[Outcome] | None:
        if self.full or (not self.dark and away_since is None):
            return None
        self.dark = True
        self.kept += [(item.uplink.payload, away_since is not None) for item in items]
        return [KEPT] * len(items)


def way(world: World) -> Sheltered:
    return Sheltered(world.commit, lambda: world, foresee, lambda: NOW)


AWAY = UnavailableError("the database is away")


def test_with_the_database_there_the_journal_is_not_asked() -> None:
    world = World()
    assert way(world)([ALARM, VITALS]) == [TAKEN, TAKEN]
    assert world.kept == []


def test_an_alarm_is_tried_for_a_moment_and_then_kept() -> None:
    world = World(AWAY)
    assert way(world)([ALARM, VITALS]) == [KEPT, KEPT]
    assert world.asked > 1
    assert world.kept == [(b"alarm", True), (b"vitals", True)], "a push is answered as a whole"
    # From then on the database is not asked first, until the journal is empty again.
    asked = world.asked
    assert way(world)([ALARM]) == [KEPT]
    assert world.asked == asked
    assert world.kept[-1] == (b"alarm", False)


@pytest.mark.parametrize(
    ("world", "item"),
    [
        (World(AWAY), VITALS),
        (World(AWAY, dark=True), VITALS),
        (World(AWAY, full=True), ALARM),
        (World(UnavailableError("in the way", code="busy")), ALARM),
    ],
)
def test_what_was_not_taken_is_said(world: World, item: Incoming) -> None:
    with pytest.raises(UnavailableError):
        way(world)([item])
    assert world.kept == []


def test_without_a_journal_it_is_the_plain_way() -> None:
    world = World(AWAY)
    with pytest.raises(UnavailableError):
        Sheltered(world.commit, lambda: None, foresee, lambda: NOW)([ALARM])
    assert world.asked == 1


def test_nonces_are_remembered_as_long_as_they_count() -> None:
    memory = PushMemory()
    memory.hear("cloud", b"n", b"digest", NOW + timedelta(minutes=5))
    assert memory.heard("cloud", b"n", NOW) == b"digest"
    assert memory.heard("other", b"n", NOW) is None
    assert memory.heard("cloud", b"m", NOW) is None
    assert memory.heard("cloud", b"n", NOW + timedelta(minutes=5)) is None
