"""When the live feed sends pages back to the start, and what it goes on with, on a timeline in memory."""

from __future__ import annotations

import json

import pytest

from hub.clock import monotonic
from hub.feed import Feed, live, parse_cursor
from hub.feed import subscription as subscriptions
from tests.feed.memory import MemoryTimeline
from tests.feed.pages import collect, page, run, seqs


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        ("e2-10", "another epoch"),
        ("nonsense", "unknown cursor"),
        ("e1-999", "unknown cursor"),
    ],
)
def test_a_place_that_is_none_of_ours_starts_again(feed: Feed, after: str, reason: str) -> None:
    async def test() -> None:
        async with page(feed, after) as mine:
            (event,) = await mine.batch(1.0)
            assert event.name == "reset"
            assert event.body == {"reason": reason, "cursor": "e1-10"}
            assert event.frame.startswith(b"id: e1-10\nevent: reset\n")

    run(test)


def test_too_old_a_place_starts_again(feed: Feed, timeline: MemoryTimeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "REPLAY", 3)

    async def test() -> None:
        async with page(feed) as mine:
            for _ in range(4):
                timeline.write("i1", "noted")
            await collect(mine, lambda events: len(seqs(events)) == 4)
        async with page(feed, "e1-10") as mine:
            (event,) = await mine.batch(1.0)
            assert (event.name, event.body["reason"]) == ("reset", "too old")
        async with page(feed, "e1-11") as mine:
            assert seqs(await mine.batch(1.0)) == [12, 13, 14]

    run(test)


def test_a_page_that_cannot_keep_up_is_reset_and_the_others_are_not(
    feed: Feed, timeline: MemoryTimeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "QUEUE", 5)

    async def test() -> None:
        async with page(feed) as slow, page(feed) as quick:
            told: list[int] = []
            for number in range(12):
                timeline.write(f"i{number}", "raised", priority="critical")
                told += seqs(await collect(quick, lambda events: len(seqs(events)) == 1))
            assert told == list(range(11, 23))
            events = await slow.batch(1.0)
            assert events[0].name == "reset"
            assert events[0].body["reason"] == "overflow"
            place = parse_cursor(events[0].ident)
            assert place is not None
            # What comes after the reset continues exactly from its place.
            assert seqs(events[1:]) == list(range(place.seq + 1, 23))

    run(test)


def test_a_restore_sends_every_page_back_to_the_start(
    feed: Feed, timeline: MemoryTimeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_COUNT_EVERY_S", 0.05)

    async def test() -> None:
        # A place of the old epoch, further than the new one will be for a while, must not swallow what comes.
        async with page(feed, "e1-10") as mine:
            timeline.restore("e2", 4)
            timeline.bell.ring()
            got = await collect(mine, bool)
            assert (got[0].name, got[0].ident) == ("reset", "e2-4")
            timeline.write("i1", "raised")
            got = await collect(mine, lambda events: bool(seqs(events)))
            assert got[-1].ident == "e2-5"

    run(test)


def test_while_the_database_is_away_pages_stay_and_nothing_is_lost(feed: Feed, timeline: MemoryTimeline) -> None:
    async def test() -> None:
        async with page(feed) as mine:
            timeline.away = True
            timeline.write("i1", "raised")
            deadline = monotonic() + 5
            while not feed.dark:
                assert monotonic() < deadline
                assert not await mine.batch(0.02)
            assert json.loads(feed.heartbeat().data)["database"] is False
            timeline.away = False
            assert seqs(await collect(mine, bool)) == [11]
            assert not feed.dark

    run(test)


def test_an_entry_that_cannot_be_shown_does_not_hold_up_the_rest(
    feed: Feed, timeline: MemoryTimeline, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with page(feed) as mine:
            # A view without its assignments' responder: nothing the feed can make an event of.
            timeline.assignments["a1"] = {"id": "a1", "incident_id": "bad", "state": "offered"}
            timeline.write("bad", "offered", assignment_id="a1")
            got = await collect(mine, bool)
            assert [(event.name, event.ident) for event in got] == [("reset", "e1-11")]
            timeline.write("i2", "raised")
            assert seqs(await collect(mine, lambda events: bool(seqs(events)))) == [12]
        assert "are left out of the live feed" in caplog.text

    run(test)
