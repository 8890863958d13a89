"""Scenes of people: read whole, played in their order, left where they cannot go on; telephones that ring."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.acts import VERBS, Act, Scene
from simulators.deeds import DEEDS
from simulators.device import Happening
from simulators.pace import Pace
from simulators.roster import StaffSpec
from simulators.scenario import load_scenario
from simulators.seats import NotYetError, Seats
from simulators.stage import Play, Stage
from simulators.story import Story
from simulators.tables import ScenarioError
from simulators.telephone import PhoneBook, Telephones

SECRET, ANSWER_SECRET = "exchange-secret-0001", "answer-secret-000001"
PEOPLE = (StaffSpec("zhoumin", "x", "周敏"), StaffSpec("liqiang", "x", "李强"))


def test_every_verb_has_its_deed() -> None:
    assert DEEDS.keys() == VERBS.keys()


@pytest.mark.parametrize(
    ("act", "key", "said"),
    [
        ('do = "claim"\nwho = "周敏"', "resident", "is missing: claim wants it"),
        ('do = "dance"', "do", "is unknown"),
        ('do = "call"\nwho = "a"\nresident = "b"\noutcome = "maybe"', "outcome", "one of answered"),
        ('zh = "只有中文"', "zh", "both zh and en"),
        ('after = ["never"]', "after", "no act is labelled 'never'"),
        ('do = "beat"\nbeat = "none"', "beat", "no beat is labelled 'none'"),
        ('whom = "周敏"', "whom", "is no known key"),
    ],
)
def test_a_bad_act_is_named(tmp_path: Path, act: str, key: str, said: str) -> None:
    file = tmp_path / "bad.toml"
    text = 'title = "t"\n[fleet.make]\nwatch = 1\n[[scene]]\nname = "s"\n[[scene.act]]\nat_s = 1\n'
    file.write_text(text + act, encoding="utf-8")
    with pytest.raises(ScenarioError) as error:
        load_scenario(file)
    assert error.value.key == f"scene[0].act[0].{key}"
    assert said in str(error.value)


class Hub:
    """The little of a hub that a claim and a close need. `at_desk`: whoever sits there on duty."""

    def __init__(self) -> None:
        self.incident: dict[str, Any] = {
            "id": "i1",
            "class": "emergency",
            "state": "open",
            "last_alarm_at": "2026-11-23T07:00:00Z",
            "acknowledged_by": None,
            "resident": {"phone": "1"},
            "assignments": [],
            "calls": [],
        }
        self.raised = False
        self.at_desk: list[str] = []
        self.posts: list[str] = []

    def claimed_by(self, name: str) -> None:
        self.incident |= {"state": "acknowledged", "acknowledged_by": {"name": name}}

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        path = path.partition("?")[0].removeprefix("/api/v1")
        if path == "/session":
            return 200, {"user": {"id": "u1", "role": "operator"}, "on_duty": method == "POST"}
        if method == "GET":
            if path == "/load":
                return 200, {"seats": [{"user": {"name": name}} for name in self.at_desk]}
            if path.endswith("/timeline"):
                return 200, {"items": []}
            found = [self.incident] if self.raised else []
            return 200, {"items": found, "next": None} if path == "/incidents" else self.incident
        self.posts.append(path)
        if path.endswith("/acknowledge"):
            self.claimed_by("周敏")
        elif path.endswith("/close"):
            self.incident["state"] = "resolved"
        return 200, self.incident


@contextmanager
def served(answer: Callable[[str, str], tuple[int, Any]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, body = answer(self.command, self.path)
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = _take  # noqa: N815 - the library's names

        def log_message(self, *_args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def act(do: str, **more: Any) -> Act:
    return Act(key=f"act-{do}", at_s=0.0, do=do, who="周敏", resident="王桂兰", **more)


CLAIM = act("claim", label="claimed", zh="{by}受理", en="{by} claims")
CLOSE = act("close", disposition="false", note="误按")


def played(hub: Hub, scenes: tuple[Scene, ...], play: Play, meanwhile: Callable[[], None]) -> tuple[Story, list[str]]:
    """Plays the scenes; `meanwhile` is done once somebody has looked at the hub."""
    told: list[str] = []

    def tell(happening: Happening) -> None:
        told.append(f"{happening.what} {happening.text}")

    async def run(api: str) -> Story:
        seats = Seats(api, PEOPLE)
        stage = Stage(seats, Pace(100.0), {"王桂兰": "R-1"}, play, frozenset({"liqiang"}))
        story = Story(scenes, stage, tell)
        playing = asyncio.create_task(story.run())
        await asyncio.sleep(0)
        meanwhile()
        await asyncio.wait_for(playing, 30)
        return story

    with served(hub.answer) as api:
        return asyncio.run(run(api)), told


def test_acts_wait_for_the_hub_and_go_in_their_order() -> None:
    hub = Hub()

    def raised_later() -> None:
        hub.raised = True

    scenes = (Scene("s", "slip", (CLAIM, CLOSE), 20.0),)
    story, told = played(hub, scenes, "all", raised_later)
    assert hub.posts == ["/incidents/i1/acknowledge", "/incidents/i1/close"]
    assert story.outcomes == {"slip": "played"}
    assert "caption 周敏受理" in told


def test_nobody_clicks_over_a_visitor() -> None:
    hub = Hub()
    hub.raised = True
    hub.at_desk = ["李强", "周敏"]
    hub.claimed_by("访客")
    other = Scene("o", "other", (Act(key="o", at_s=0.0, after=("claimed",), zh="完", en="done"),), 20.0)
    story, told = played(hub, (Scene("s", "slip", (CLAIM, CLOSE), 1.0), other), "auto", lambda: None)
    assert hub.posts == []
    assert story.outcomes["slip"].startswith("close: 访客 has it")
    assert story.outcomes["other"] == "played", "one scene's end is not another's"
    assert "caption 访客受理" in told, "what a visitor did is followed"


def test_the_desk_can_be_left_to_people() -> None:
    hub = Hub()
    hub.raised = True
    story, _told = played(hub, (Scene("s", "slip", (CLAIM,), 0.6),), "devices", lambda: None)
    assert hub.posts == []
    assert "left to people" in story.outcomes["slip"]


class _Line:
    """A hub whose technical list has lines, and devices that were found silent."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.silent = 0

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        path = path.partition("?")[0].removeprefix("/api/v1")
        if path == "/session":
            return 200, {"user": {"id": "u1", "role": "operator"}, "on_duty": method == "POST"}
        if path == "/devices":
            return 200, {"items": [{"upstream": "S"}] * self.silent + [{"upstream": "other"}] * 9}
        lines = [
            {"type": "offline", "device": None, "resident": None, "reasons": [{"code": "dark", "values": {"key": key}}]}
            for key in self.lines
        ]
        return 200, {"items": [*lines, {"type": "offline", "device": {"id": "W"}, "resident": None, "reasons": []}]}


def _asked(answer: Callable[[str, str], tuple[int, Any]], one: Act, **stage: Any) -> str | None:
    """Does the deed once; what it still waits for."""

    async def run(api: str) -> str | None:
        try:
            await DEEDS[one.do](Stage(Seats(api, PEOPLE), Pace(100.0), {}, "all", **stage), one)
        except NotYetError as error:
            return str(error)
        return None

    with served(answer) as api:
        return asyncio.run(run(api))


def test_many_silences_are_told_as_one_line_when_all_of_them_are_in_it_and_no_line_stands_beside() -> None:
    hub = _Line()
    one = act("silent_together", count=41)
    assert _asked(hub.answer, one) == "0 silences of many are known"
    hub.lines, hub.silent = ["S"], 40
    assert _asked(hub.answer, one) == "40 of 41 are known to be silent"
    hub.lines, hub.silent = ["S", "area"], 41
    assert _asked(hub.answer, one) == "2 silences of many are known"
    hub.lines = ["S"]
    assert _asked(hub.answer, one) is None


def test_what_people_do_about_a_press_comes_after_the_hub_has_taken_it() -> None:
    hub = Hub()
    hub.raised = True
    cued: list[str] = []
    asked: list[str] = []

    def told(label: str) -> bool:
        asked.append(label)
        return len(asked) > 2

    async def run(api: str) -> Story:
        stage = Stage(Seats(api, PEOPLE), Pace(100.0), {"王桂兰": "R-1"}, "all", beat=cued.append, told=told)
        story = Story((Scene("s", "slip", (act("beat", beat="press"), CLAIM), 20.0),), stage, lambda _happening: None)
        await asyncio.wait_for(story.run(), 30)
        return story

    with served(hub.answer) as api:
        story = asyncio.run(run(api))
    assert story.outcomes == {"slip": "played"}
    assert (cued, asked) == (["press"], ["press"] * 3)
    assert hub.posts == ["/incidents/i1/acknowledge"]


def test_a_tap_whose_answer_was_lost_is_no_stop_too_many() -> None:
    """The hub took it and could not say so; three of five are handed over, and not four."""
    left = [f"v{number}" for number in range(5)]
    taps: list[str] = []

    def answer(method: str, path: str) -> tuple[int, Any]:
        path = path.partition("?")[0].removeprefix("/api/v1")
        if path == "/session":
            return 200, {"user": {"id": "u1", "role": "staff"}}
        if path == "/openapi.json":
            return 200, {"paths": {"/api/v1/visits/{visit_id}/meal": {}}}
        if method == "POST":
            taps.append(path.split("/")[2])
            left.remove(taps[-1])
            return (503, {"detail": "away"}) if len(taps) == 2 else (200, {})
        order = {"kind": "meal_delivery", "wanted_from": "2026-11-23T03:00:00Z", "resident": {"id": "R-9"}}
        return 200, {"items": [{"order": order, "assignment": {"visit_id": one}} for one in left]}

    async def run(api: str) -> Story:
        stage = Stage(Seats(api, PEOPLE), Pace(100.0), {"王桂兰": "R-1"}, "all")
        story = Story((Scene("s", "lunch", (act("meals", count=3),), 20.0),), stage, lambda _happening: None)
        await asyncio.wait_for(story.run(), 30)
        return story

    with served(answer) as api:
        assert asyncio.run(run(api)).outcomes == {"lunch": "played"}
    assert taps == ["v0", "v1", "v2"]


def test_a_supervisor_settles_what_was_drawn_and_nothing_else() -> None:
    hub = Hub()
    one = act("supervise")
    for state, supervision, posts in (
        ("closed", "none", []),
        ("resolved", "required", ["/incidents/i1/supervise"]),
        ("closed", "done", []),
    ):
        hub.raised, hub.posts = True, []
        hub.incident |= {"state": state, "supervision": supervision}
        assert _asked(hub.answer, one, found={"王桂兰": "i1"}) is None
        assert hub.posts == posts


# ---- telephones ------------------------------------------------------------------------------------------------------


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    at = str(int(time.time()))
    mac = hmac.digest(secret.encode(), b".".join((b"n1", at.encode(), body)), "sha256")
    signature = "v1," + base64.b64encode(mac).decode()
    return {"webhook-id": "n1", "webhook-timestamp": at, "webhook-signature": signature}


def test_a_telephone_rings_is_answered_and_stops() -> None:
    told: list[str] = []
    heard: list[str] = []

    def answer(_method: str, path: str) -> tuple[int, Any]:
        heard.append(path)
        return 200, {"result": "accept", "say": "好"}

    async def run(api: str) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        book = PhoneBook({"139": "李师傅", "138": "陈静"}, SECRET, ANSWER_SECRET)
        phones = Telephones(book, api, pace=Pace(), tell=lambda one: told.append(f"{one.who} {one.text}"))
        serving = asyncio.create_task(phones.run(listening))
        call = {"number": "139", "text": "请前往", "ring_s": 30, "answer_url": "http://hub.example/api/v1/voice/tok"}
        async with httpx.AsyncClient(trust_env=False) as hub:

            async def post(path: str, body: dict[str, Any], secret: str = SECRET) -> int:
                raw = json.dumps(body).encode()
                return (await hub.post(url + path, content=raw, headers=signed(raw, secret))).status_code

            assert await post("/voice/calls", {"id": "a", **call}, "somebody-else-0000000") == 401
            assert await post("/voice/calls", {"number": "139"}) == 400
            assert await post("/voice/calls", {"id": "a", **call}) == 201
            assert await post("/voice/calls", {"id": "a", **call}) == 201
            assert await post("/voice/calls", {"id": "b", **call, "number": "138"}) == 201
            assert await post("/sms", {"id": "c", "number": "138", "text": "短信"}) == 200
            ring = phones.rings("李师傅")
            assert ring is not None
            assert await phones.press(ring, "1") == "accept"
            assert phones.rings("李师傅") is None
            gone = await hub.delete(f"{url}/voice/calls/b", headers=signed(b""))
            assert gone.status_code == 204
            assert phones.rings("陈静") is None
            assert phones.messages == [("陈静", "短信")]
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    with served(answer) as api:
        asyncio.run(run(api))
    assert heard == ["/api/v1/voice/tok"] * 3, "answered, the key, ended: at the hub's own address"
    assert [one for one in told if "rings" in one] == ["李师傅 rings: 请前往", "陈静 rings: 请前往"]
