"""The rules of the live feed, on a timeline in memory."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import cast

from hub.clock import monotonic
from hub.feed import Feed, parse_cursor
from hub.ports import Cursor, Reads
from tests.feed.memory import NOW, MemoryTimeline
from tests.feed.pages import close, collect, page, run, seqs


def test_cursor_texts() -> None:
    assert parse_cursor("e1-5") == Cursor("e1", 5)
    assert parse_cursor("a-b-12") == Cursor("a-b", 12)
    for text in (None, "", "5", "-5", "e1-", "e1-x", "e1-٣", "e1-" + "9" * 30):
        assert parse_cursor(text) is None


def test_what_is_told_beside_the_timeline_reaches_the_pages_and_moves_no_cursor(
    feed: Feed, timeline: MemoryTimeline
) -> None:
    async def test() -> None:
        async with page(feed) as mine:
            told = {"event": "responder.moved", "body": {"responder_id": "S1", "lat": 31.3}, "responders": ["S1"]}
            for text in ("not ours", '{"event": 1}', json.dumps(told)):
                timeline.bell.tell(text)
            (event,) = await collect(mine, bool)
            assert (event.name, event.ident, event.body) == ("responder.moved", None, told["body"])
            assert event.responders == {"S1"}
            assert str(feed.cursor) == "e1-10"
            timeline.write("i1", "raised")
            (event,) = await collect(mine, bool)
            assert (event.name, event.ident) == ("incident.raised", "e1-11")

    run(test)


def test_an_entry_becomes_a_named_event_with_the_present_view(feed: Feed, timeline: MemoryTimeline) -> None:
    async def test() -> None:
        async with page(feed) as mine:
            timeline.write("i1", "raised", priority="critical")
            (event,) = await collect(mine, bool)
            assert (event.name, event.ident) == ("incident.raised", "e1-11")
            lines = event.frame.decode().split("\n")
            assert lines[:2] == ["id: e1-11", "event: incident.raised"]
            assert lines[3:] == ["", ""]
            body = json.loads(lines[2].removeprefix("data: "))
            assert body["incident"]["id"] == "i1"
            assert body["entry"]["seq"] == 11

    run(test)


def test_several_changes_of_one_incident_are_one_event(feed: Feed, timeline: MemoryTimeline) -> None:
    async def test() -> None:
        async with page(feed) as mine:
            for kind in ("raised", "offered", "offered"):
                timeline.write("i1", kind, ring=False)
            timeline.bell.ring()
            (event,) = await collect(mine, bool)
            assert seqs([event]) == [11, 12, 13]
            assert event.name == "incident.raised"
            assert event.ident == "e1-13"

    run(test)


def test_an_assignment_is_told_before_its_incident_and_does_not_move_the_place(
    feed: Feed, timeline: MemoryTimeline
) -> None:
    timeline.assignments["a1"] = {"id": "a1", "incident_id": "i1", "state": "offered", "responder": {"id": "W-1"}}

    async def test() -> None:
        async with page(feed) as mine, page(feed, accepts=lambda event: "W-1" in event.responders) as staff:
            timeline.write("i1", "offered", assignment_id="a1")
            timeline.write("i2", "raised")
            got = await collect(mine, lambda events: len(seqs(events)) == 2)
            first, second = got[:2]
            assert (first.name, first.ident) == ("assignment.updated", "e1-10")
            assert (second.name, second.ident) == ("incident.updated", "e1-11")
            theirs = await collect(staff, lambda events: len(events) >= 2)
            assert [event.name for event in theirs] == ["assignment.updated", "incident.updated"]
            assert not await staff.batch(0.15)

    run(test)


def test_whoever_was_stood_down_hears_of_it_and_nothing_more(feed: Feed, timeline: MemoryTimeline) -> None:
    timeline.assignments["a1"] = {"id": "a1", "incident_id": "i1", "state": "stood_down", "responder": {"id": "W-1"}}

    async def test() -> None:
        async with page(feed, accepts=lambda event: "W-1" in event.responders) as staff, page(feed) as desk:
            timeline.write("i1", "stood_down", assignment_id="a1")
            await collect(desk, lambda events: len(events) == 2)
            assert [event.name for event in await staff.batch(0.15)] == ["assignment.updated"]

    run(test)


def test_interleaved_matters_never_give_a_place_that_would_skip_an_entry(feed: Feed, timeline: MemoryTimeline) -> None:
    async def test() -> None:
        async with page(feed) as mine:
            for ident in ("x", "y", "x", "z", "y"):
                timeline.write(ident, "noted", ring=False)
            timeline.bell.ring()
            got = await collect(mine, lambda events: len(seqs(events)) == 5)
            for number, event in enumerate(got):
                place = parse_cursor(event.ident)
                assert place is not None
                later = seqs(got[number + 1 :])
                assert all(seq > place.seq for seq in later), "a stream cut here would miss an entry"
            assert got[-1].ident == "e1-15"

    run(test)


def test_resuming_under_concurrent_writes_tells_everything_once(feed: Feed, timeline: MemoryTimeline) -> None:
    total = 1_500
    done = threading.Event()

    def write() -> None:
        for number in range(total):
            timeline.write(f"i{number % 7}", "noted", ring=number % 3 == 0)
        timeline.bell.ring()
        done.set()

    async def test() -> None:
        writer = threading.Thread(target=write)
        writer.start()
        told: list[int] = []
        place: str = "e1-10"
        connections = 0
        while len(told) < total:
            connections += 1
            assert connections < 5_000
            async with page(feed, place) as mine:
                # A page that reads one batch and is cut: the place it keeps is the last id it saw.
                for event in await mine.batch(1.0):
                    assert event.name != "reset", event.body
                    told += seqs([event])
                    place = event.ident or place
        writer.join()
        assert sorted(told) == list(range(11, 11 + total)), "a gap or a double"
        assert connections > 1

    run(test)


def test_a_snapshot_ahead_of_the_feed_gets_nothing_twice(feed: Feed, timeline: MemoryTimeline) -> None:
    async def test() -> None:
        timeline.write("i1", "raised", ring=False)
        timeline.write("i1", "noted", ring=False)
        # The page read the database at 12; the feed has published up to 10 and will flush 11 to 13 as one event.
        async with page(feed, "e1-12") as mine:
            timeline.write("i1", "noted")
            events = await collect(mine, bool)
            assert seqs(events) == [13]
            assert events[-1].ident == "e1-13"

    run(test)


def test_changes_wait_for_one_another_but_critical_ones_for_nobody(feed: Feed, timeline: MemoryTimeline) -> None:
    async def test() -> None:
        async with page(feed) as mine:
            timeline.write("i0", "raised")
            await collect(mine, bool)
            began = monotonic()
            for number in range(30):
                timeline.write("i0", "noted", ring=number % 2 == 0)
            events = await collect(mine, lambda got: len(seqs(got)) == 30)
            assert len(events) <= 10, "a burst must come as few events"
            assert monotonic() - began < 2
            # Two directly after one another: the second would wait for the flush, were it not critical.
            took: list[float] = []
            for _ in range(5):
                timeline.write("c1", "raised", priority="critical")
                await collect(mine, bool)
                began = monotonic()
                timeline.write("c2", "raised", priority="critical")
                timeline.entries[-1]["body"]["priority"] = "critical"
                await collect(mine, bool)
                took.append(monotonic() - began)
            assert min(took) < 0.08

    run(test)


def test_closing_ends_every_page_at_once(timeline: MemoryTimeline) -> None:
    feed = Feed(cast(Reads, timeline), timeline.bell.wait, lambda: NOW)
    feed.start()
    assert feed.wait_ready(5)

    async def test() -> None:
        mine = await feed.subscribe()
        waiting = asyncio.create_task(mine.batch(20))
        await asyncio.sleep(0)
        began = monotonic()
        await asyncio.to_thread(feed.end_streams)
        assert await waiting == []
        assert mine.ended
        assert monotonic() - began < 0.5
        assert feed.subscribers == 0
        await asyncio.to_thread(close, feed, timeline.bell)
        late = await feed.subscribe()
        assert late.ended

    run(test)


def test_announcements_have_no_id_and_reach_their_audience(feed: Feed, timeline: MemoryTimeline) -> None:
    async def test() -> None:
        async with page(feed) as desk, page(feed, accepts=lambda event: "W-1" in event.responders) as staff:
            timeline.bell.tell('{"event": "presence.updated", "body": {"present": []}, "responders": []}')
            (event,) = await collect(desk, bool)
            assert event.frame == b'event: presence.updated\ndata: {"present":[]}\n\n'
            assert not await staff.batch(0.1)

    run(test)


def test_the_heartbeat_counts_what_nobody_claimed(feed: Feed) -> None:
    async def test() -> None:
        async with page(feed) as mine:
            deadline = monotonic() + 5
            while json.loads(feed.heartbeat().data)["open"] != 3:
                assert monotonic() < deadline
                await mine.batch(0.02)

    run(test)
