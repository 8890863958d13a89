"""Simulated people against a small HTTP server that keeps the states of docs/wire/http-v1.md."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from simulators.device import Happening
from simulators.pace import Pace
from simulators.roster import StaffSpec
from simulators.scenario import OperatorRules, StaffRules
from simulators.staff import FieldStaff, Operator, StaffCounters

NEXT = {"offered": "accept", "accepted": "en-route", "en_route": "on-scene", "on_scene": "complete"}
AFTER = {"accept": "accepted", "decline": "declined", "en-route": "en_route", "on-scene": "on_scene"} | {
    "complete": "completed",
    "start": "en_route",
    "check-in": "on_scene",
    "check-out": "completed",
}
QUICK = StaffRules(poll_s=0.05, accept_s=(1, 2), leave_s=(1, 2), on_scene_s=(1, 2), travel_max_s=30, decline_share=0.0)


class Desk:
    """The server's state: one incident, one assignment, and every write it was asked for."""

    def __init__(self) -> None:
        self.state = "offered"
        self.incident_state = "open"
        self.visit_id: str | None = None
        self.writes: list[tuple[str, dict[str, Any]]] = []
        self.sign_ins = 0
        self.looks = 0
        self.order: dict[str, Any] | None = None
        self.refuse: dict[str, int] = {}
        self.sessions_valid = True
        self.faults: list[int] = []

    def get(self, path: str) -> Any:
        incident = {
            "id": "i1",
            "class": "emergency",
            "priority": "critical",
            "first_alarm_at": "2026-11-22T07:00:00Z",
            "fix": None,
            "resident": {"lat": 31.902, "lon": 118.825},
            "assignments": [self.assignment()] if self.incident_state != "open" else [],
        }
        if path == "/api/v1/my/tasks":
            step = NEXT.get(self.state)
            self.looks += self.state == "accepted"
            items = [{"assignment": self.assignment(), "incident": incident, "order": self.order, "next": step}]
            return {"items": items if step else [], "server_time": "2026-11-22T07:00:00Z"}
        if path.endswith("/candidates"):
            return {"items": [{"responder": {"id": "p0"}, "eligible": False}, {"responder": {"id": "p1"}}]}
        if path.startswith("/api/v1/incidents/"):
            return incident
        return {"items": [incident] if self.incident_state == "open" else [], "next": None}

    def assignment(self) -> dict[str, Any]:
        return {"id": "a1", "state": self.state, "visit_id": self.visit_id}

    def post(self, path: str, body: dict[str, Any]) -> int:
        verb = path.rpartition("/")[2]
        self.writes.append((path.removeprefix("/api/v1"), body))
        if self.refuse.get(verb):
            self.refuse[verb] -= 1
            return 409
        if path.startswith("/api/v1/incidents/"):
            self.incident_state = {"acknowledge": "acknowledged", "close": "resolved"}.get(verb, "in_progress")
            if verb == "assign":
                self.state = "completed"
        else:
            self.state = AFTER[verb]
        return 200


@pytest.fixture
def desk() -> Iterator[tuple[Desk, str]]:
    state = Desk()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(lambda: (200, state.get(self.path.partition("?")[0])))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            if self.headers.get("Sec-Fetch-Site") != "same-origin":
                self.finish_with(403, {"detail": "no Sec-Fetch-Site"})
            elif self.path == "/api/v1/session":
                state.sign_ins += 1
                state.sessions_valid = True
                good = body == {"username": "sun", "password": "p"}
                self.finish_with(200 if good else 401, {}, "hub_session=s; HttpOnly; Path=/" if good else None)
            else:
                self.answer(lambda: (state.post(self.path, body), {"detail": "孙伟 was first"}))

        def answer(self, made: Callable[[], tuple[int, Any]]) -> None:
            if state.faults:
                self.finish_with(state.faults.pop(0), {"detail": "out of order"})
            elif not state.sessions_valid or "hub_session=s" not in self.headers.get("Cookie", ""):
                self.finish_with(401, {"detail": "no session"})
            else:
                self.finish_with(*made())

        def finish_with(self, code: int, body: Any, cookie: str | None = None) -> None:
            content = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            if cookie:
                self.send_header("Set-Cookie", cookie)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def work(
    api: str,
    until: Callable[[], bool],
    *,
    rules: StaffRules | OperatorRules = QUICK,
    password: str = "p",
    counters: StaffCounters | None = None,
) -> Any:
    """Lets one person work until the condition holds; gives the counters and what was said."""
    counters, said = counters or StaffCounters(), list[Happening]()
    shared: dict[str, Any] = {"pace": Pace(100), "seed": 1, "counters": counters, "tell": said.append}
    spec = StaffSpec("sun", password, "孙伟", lat=31.9, lon=118.82)

    async def play() -> None:
        person = (
            FieldStaff(spec, api, rules, **shared)
            if isinstance(rules, StaffRules)
            else Operator(spec, api, rules, **shared)
        )
        task = asyncio.create_task(person.run())
        try:
            async with asyncio.timeout(20):
                while True:
                    if task.done():
                        task.result()
                    if until():
                        return
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(play())
    return counters, [happening.text for happening in said]


def test_a_task_is_accepted_travelled_to_and_reported(desk: tuple[Desk, str]) -> None:
    state, api = desk
    counters = StaffCounters()
    work(api, lambda: "complete" in counters.done, counters=counters)
    assert [path for path, _ in state.writes] == [
        *("/assignments/a1/accept", "/assignments/a1/en-route", "/assignments/a1/on-scene", "/assignments/a1/complete"),
    ]
    assert state.writes[2][1]["fix"]["lat"] == 31.902
    assert state.writes[3][1]["outcome"]
    assert state.sign_ins == 1
    assert counters.done["complete"] == 1


def test_a_visit_is_reported_on_the_visit(desk: tuple[Desk, str]) -> None:
    state, api = desk
    state.visit_id = "v1"
    work(api, lambda: state.state == "completed")
    assert [path.rpartition("/")[2] for path, _ in state.writes] == ["accept", "start", "check-in", "check-out"]


def test_nobody_sets_off_for_tomorrows_visit(desk: tuple[Desk, str]) -> None:
    state, api = desk
    state.visit_id = "v1"
    state.order = {"wanted_from": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    work(api, lambda: state.looks >= 8)
    assert [path for path, _ in state.writes] == ["/visits/v1/accept"]


def test_some_decline_and_say_why(desk: tuple[Desk, str]) -> None:
    state, api = desk
    always = StaffRules(poll_s=0.05, accept_s=(1, 2), decline_share=1.0, decline_reasons=("忙",))
    work(api, lambda: state.state == "declined", rules=always)
    assert state.writes == [("/assignments/a1/decline", {"reason": "忙"})]


def test_a_lost_race_is_no_failure(desk: tuple[Desk, str]) -> None:
    state, api = desk
    state.refuse["accept"] = 1
    counters, said = work(api, lambda: state.state == "completed")
    assert counters.lost_races == 1
    assert any("孙伟 was first" in text for text in said)


def test_it_gets_over_a_fault_and_a_lost_session(desk: tuple[Desk, str]) -> None:
    state, api = desk
    state.faults = [503]
    counters, said = work(api, lambda: state.state == "accepted")
    assert counters.troubles == 1
    assert any("503 out of order" in text for text in said)
    assert "the hub answers again" in said
    state.sessions_valid = False
    work(api, lambda: state.state == "completed")
    assert state.sign_ins >= 2


def test_a_wrong_password_is_said_and_tried_again_later(desk: tuple[Desk, str]) -> None:
    state, api = desk
    counters, said = work(api, lambda: state.sign_ins >= 2, password="wrong")
    assert state.state == "offered"
    assert counters.done == {}
    assert len(said) == 1
    assert "401" in said[0]


def test_an_operator_claims_sends_and_closes(desk: tuple[Desk, str]) -> None:
    state, api = desk
    rules = OperatorRules(poll_s=0.05, claim_s=(1, 2), talk_s=(1, 2), dispatch_share=1.0)
    work(api, lambda: state.incident_state == "resolved", rules=rules)
    assert [path for path, _ in state.writes] == [
        *("/incidents/i1/acknowledge", "/incidents/i1/assign", "/incidents/i1/close"),
    ]
    assert state.writes[1][1] == {"responder_id": "p1"}
    assert state.writes[2][1]["disposition"] == "genuine"
    assert state.writes[2][1]["summary"]
