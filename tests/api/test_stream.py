"""The stream and the long poll over a real server: nothing missed, nothing twice, ends when it must."""

from __future__ import annotations

import statistics
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from hub.api import routes_live
from hub.api.deps import actor_of
from hub.clock import monotonic
from tests.api.desk import Desk, Events
from tests.waiting import wait_until


def entries(events: Events) -> list[int]:
    """Numbers of the timeline entries of incidents, as told."""
    told: list[int] = []
    for name, _, data in list(events.got):
        if name.startswith("incident."):
            told += [row["seq"] for row in data.get("entries") or [data["entry"]]]
    return told


def committed(desk: Desk, after: int) -> list[int]:
    with psycopg.connect(desk.url) as connection:
        rows = connection.execute(
            "SELECT seq FROM timeline WHERE subject_kind = 'incident' AND seq > %s ORDER BY seq", (after,)
        ).fetchall()
    return [row[0] for row in rows]


def test_what_was_committed_is_seen(desk: Desk) -> None:
    operator = desk.seat("zhoumin")
    snapshot = operator.get("/api/v1/incidents", params={"state": "live"}).json()
    with desk.stream(operator, f"/api/v1/stream?cursor={snapshot['cursor']}") as events:
        assert events.response.headers["content-type"].startswith("text/event-stream")
        assert events.response.headers["cache-control"] == "no-cache"
        assert events.response.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in events.response.headers
        # At once, before anything happens: nothing on the way holds the stream back.
        beat = events.wait_for("hb", seconds=2)[0]
        assert set(beat) >= {"server_time", "open"}
        ident = desk.incident("W1")
        raised = events.wait_for("incident.raised")[0]
        assert raised["incident"]["id"] == ident
        assert raised["incident"]["resident"]["name"] == "陈秀英"
        operator.post(f"/api/v1/incidents/{ident}/acknowledge")
        operator.post(f"/api/v1/incidents/{ident}/assign", json={"responder_id": "S1"})
        assigned = events.wait_for("assignment.updated")[0]
        assert assigned["assignment"]["responder"]["id"] == "S1"
        wait_until(lambda: events.named("incident.updated")[-1]["incident"]["assignments"], 5)
        order = operator.post(
            "/api/v1/orders",
            json={"kind": "meal_delivery", "resident_id": "R1", "wanted_from": "2026-12-24T11:00:00+08:00"},
        )
        assert order.status_code == 201, order.text
        assert events.wait_for("order.updated")[0]["order"]["id"] == order.json()["id"]
        call = operator.post("/api/v1/calls", json={"direction": "out", "number": "120", "incident_id": ident})
        assert events.wait_for("call.updated")[0]["call"]["id"] == call.json()["id"]


def test_a_cut_stream_resumes_without_gap_and_without_double(desk: Desk) -> None:
    operator = desk.seat("zhoumin")
    ident = desk.incident("W1")
    desk.incident("W2", "assistance")
    start = operator.get("/api/v1/incidents").json()["cursor"]
    first = int(start.rpartition("-")[2])
    stop = threading.Event()
    seats = [desk.seat("zhoumin"), desk.seat("liqiang"), desk.seat("fanglei")]

    def write(seat: httpx.Client) -> None:
        while not stop.is_set():
            seat.post(f"/api/v1/incidents/{ident}/note", json={"text": "还在"})
            desk.press("W2", "assistance")

    told: list[int] = []
    place = start
    with ThreadPoolExecutor(3) as writers:
        running = [writers.submit(write, seat) for seat in seats]
        try:
            for _ in range(8):
                # Cut wherever it happens to stand.
                with desk.stream(operator, **{"Last-Event-ID": place}) as events:
                    wait_until(lambda events=events: len(entries(events)) >= 20, 15, what="entries")  # type: ignore[misc]
                assert not events.named("reset")
                told += entries(events)
                place = events.place or place
        finally:
            stop.set()
        for one in running:
            one.result()
    last = committed(desk, first)[-1]
    with desk.stream(operator, **{"Last-Event-ID": place}) as events:
        wait_until(lambda: [*told, *entries(events)][-1:] == [last] or place.endswith(f"-{last}"), 10, what="the rest")
    told += entries(events)
    expected = committed(desk, first)
    assert sorted(set(told)) == expected, "a gap"
    # A flush cut between two of its events may repeat; whole flushes never do.
    assert len(told) - len(set(told)) <= 8 * 3
    assert len(expected) > 160


def test_every_page_sees_the_same(desk: Desk) -> None:
    seats = [desk.seat("zhoumin") for _ in range(5)]
    streams = [desk.stream(seat) for seat in seats]
    opened = [stream.__enter__() for stream in streams]
    try:
        ident = desk.incident("W1")
        for events in opened:
            assert events.wait_for("incident.raised")[0]["incident"]["id"] == ident
        assert desk.feed.subscribers == 5
    finally:
        for stream in streams:
            stream.__exit__(None, None, None)
    # Whoever left is forgotten: at the latest when the next beat cannot be delivered.
    wait_until(lambda: desk.feed.subscribers == 0, 10, what="nobody listening")


def test_staff_hear_of_their_own_only(desk: Desk) -> None:
    operator = desk.seat("zhoumin")
    with desk.stream(desk.seat("sunwei")) as mine, desk.stream(desk.seat("wuqiang")) as other:
        with desk.stream(desk.seat("chenjing")) as family, desk.stream(operator) as all_of_it:
            mine.wait_for("hb")
            other.wait_for("hb")
            family.wait_for("hb")
            hidden = desk.incident("W2")
            ident = desk.incident("W1")
            operator.post(f"/api/v1/incidents/{ident}/acknowledge")
            answer = operator.post(f"/api/v1/incidents/{ident}/assign", json={"responder_id": "S1"})
            assert answer.status_code == 200, answer.text
            assignment = mine.wait_for("assignment.updated")[0]["assignment"]
            assert assignment["incident_id"] == ident
            mine.wait_for("incident.updated")
            all_of_it.wait_for("assignment.updated")
            assert {data["incident"]["id"] for data in all_of_it.named("incident.raised")} == {hidden, ident}
            for had in (mine, family):
                seen = {data["incident"]["id"] for name, _, data in had.got if name.startswith("incident.")}
                assert seen == {ident}
            assert not family.named("assignment.updated")
            assert {name for name, _, _ in other.got} == {"hb"}


def test_a_strange_place_is_answered_with_reset(desk: Desk) -> None:
    operator = desk.seat("zhoumin")
    desk.incident("W1")
    for place in ("otherepoch-3", "nonsense"):
        with desk.stream(operator, **{"Last-Event-ID": place}) as events:
            told = events.wait_for("reset")[0]
            assert told["reason"]
            assert told["cursor"] == operator.get("/api/v1/incidents").json()["cursor"]
            # The id that goes with it stops the browser from asking for the strange place again.
            assert events.place == told["cursor"]


def test_a_beat_every_five_seconds(desk: Desk) -> None:
    with desk.stream(desk.seat("zhoumin")) as events:
        events.wait_for("hb")
        began = monotonic()
        events.wait_for("hb", 2, seconds=8)
        assert 4 < monotonic() - began < 7


def test_whoever_is_signed_out_loses_the_stream(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_live, "RECHECK_S", 0.3)
    operator = desk.seat("zhoumin")
    with desk.stream(operator) as events:
        events.wait_for("hb")
        assert operator.delete("/api/v1/session").status_code == 204
        assert events.ended.wait(15)
    assert operator.get("/api/v1/stream").status_code == 401


def test_the_server_ends_at_once_with_streams_open(desk: Desk) -> None:
    seats = [desk.seat("zhoumin") for _ in range(4)]
    streams = [desk.stream(seat) for seat in seats]
    opened = [stream.__enter__() for stream in streams]
    for events in opened:
        events.wait_for("hb")
    place = seats[1].get("/api/v1/incidents").json()["cursor"]
    pool = ThreadPoolExecutor(1)
    polled = pool.submit(lambda: seats[0].get("/api/v1/changes", params={"wait": 30, "since": place}))
    wait_until(lambda: desk.feed.subscribers == 5, 5)
    began = monotonic()
    desk.server.should_exit = True
    for events in opened:
        assert events.ended.wait(5)
    wait_until(lambda: not desk.server.started or not desk.server.servers[0].is_serving(), 5)
    assert monotonic() - began < 1.5
    assert polled.result(5).status_code == 200
    pool.shutdown()
    for stream in streams:
        stream.__exit__(None, None, None)


def test_the_long_poll_tells_the_same(desk: Desk) -> None:
    operator = desk.seat("zhoumin")
    begin = operator.get("/api/v1/changes").json()
    assert begin["reset"] is True
    place = begin["cursor"]
    quiet = operator.get("/api/v1/changes", params={"since": place, "wait": 0.2}).json()
    assert quiet == {"events": [], "reset": False, "cursor": place}
    with ThreadPoolExecutor(1) as waiting:
        answer = waiting.submit(lambda: operator.get("/api/v1/changes", params={"since": place, "wait": 15}).json())
        wait_until(lambda: desk.feed.subscribers == 1, 5)
        ident = desk.incident("W1")
        told = answer.result(10)
    assert told["events"][0]["event"] == "incident.raised"
    assert told["events"][0]["data"]["incident"]["id"] == ident
    assert told["cursor"] == told["events"][-1]["id"]
    # What came while nobody asked waits at its place.
    operator.post(f"/api/v1/incidents/{ident}/acknowledge")
    more = operator.get("/api/v1/changes", params={"since": told["cursor"], "wait": 10}).json()
    assert more["events"][0]["data"]["incident"]["state"] == "acknowledged"
    assert operator.get("/api/v1/changes", params={"since": "x-1"}).json()["reset"] is True
    assert operator.get("/api/v1/changes", params={"since": place, "wait": 61}).status_code == 422


def test_a_commit_is_on_the_page_within_milliseconds(desk: Desk) -> None:
    operator, actor = desk.seat("zhoumin"), actor_of(desk.user("zhoumin"))
    ident = desk.incident("W1")
    seconds: list[float] = []
    with desk.stream(operator) as events:
        events.wait_for("hb")
        for number in range(30):
            before = len(events.got)
            desk.services.handling.note(ident, actor, f"第{number}次")
            began = monotonic()
            wait_until(lambda before=before: len(events.got) > before, 5)  # type: ignore[misc]
            seconds.append(monotonic() - began)
    # The incident is critical: nothing waits for the flush of 100 ms. (The look itself is every 10 ms.)
    assert statistics.median(seconds) < 0.05
