"""Answers over HTTP: links that are safe to preview, keys pressed on the telephone, webhooks, pushes."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from hub.api import create_api
from hub.api.sessions import SessionBook
from hub.clock import new_id
from hub.feed import Feed
from hub.notices import Notice
from hub.notify import PushOutlet, VapidKey, signed_headers
from hub.ports import UserRow
from hub.settings import Settings
from hub.settings_notify import NotifySettings, VoiceSettings
from hub.store import ReadsPostgres
from tests.notices.night import Night

SECRET = "a-gateway's-secret"
BEARER = {"Authorization": f"Bearer {SECRET}"}
SAME = {"Sec-Fetch-Site": "same-origin"}


class Seat:
    """Somebody with a client of the API in this process."""

    def __init__(self, app: FastAPI, headers: dict[str, str]) -> None:
        self._app = app
        self._headers = headers

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="https://hub.example") as client:
                headers = {**self._headers, **request.pop("headers", {})}
                return await client.request(method, path, headers=headers, **request)

        return asyncio.run(go())

    def get(self, path: str, **request: Any) -> httpx.Response:
        return self.ask("GET", path, **request)

    def post(self, path: str, **request: Any) -> httpx.Response:
        return self.ask("POST", path, **request)

    def delete(self, path: str) -> httpx.Response:
        return self.ask("DELETE", path)


class Door:
    """The API of the night, in this process."""

    def __init__(self, night: Night) -> None:
        reads = ReadsPostgres(night.database)
        voice = VoiceSettings(callback_secret=SecretStr(SECRET))
        settings = Settings(notify=NotifySettings(public_url="https://hub.example"), voice=voice)
        self.app = create_api(
            database=night.database,
            reads=reads,
            services=night.services,
            feed=Feed(reads, lambda _seconds, _heed: False, night.clock),
            settings=settings,
            clock=night.clock,
            readiness=dict,
            registry=CollectorRegistry(),
        )
        self.night = night
        self.anybody = Seat(self.app, SAME)

    def seat(self, name: str, role: str) -> Seat:
        user = UserRow(new_id(), f"{name}-{new_id()}", name, role, None, password_hash="x")  # type: ignore[arg-type]
        with self.night.database.begin() as tx:
            tx.users.insert(user)
        return self.seat_of(user)

    def seat_of(self, user: UserRow) -> Seat:
        token, _row = SessionBook(self.night.database, self.night.clock).open(user, "token")
        return Seat(self.app, {"Authorization": f"Bearer {token}"})


@pytest.fixture
def door(night: Night) -> Door:
    return Door(night)


def token_in(text: str) -> str:
    found = re.search(r"/(?:t|voice)/([A-Za-z0-9_-]+)", text)
    assert found is not None, text
    return found[1]


def sent_link(night: Night, offer: dict[str, Any]) -> str:
    night.call_out(offer, "sms")
    night.turn()
    return token_in(night.told_by("sms")[-1].short)


def assignment(night: Night, offer: dict[str, Any]) -> str:
    return str(night.row("SELECT state FROM assignments WHERE id = %s", offer["id"])["state"])


def test_a_link_is_safe_to_preview_and_its_button_accepts_once(door: Door) -> None:
    night = door.night
    first, second = night.offered()
    token = sent_link(night, first)
    assert "西里" not in night.told_by("sms")[-1].short
    assert len(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))) >= 16  # 128 bits
    for _ in range(3):  # whoever previews links opens it
        page = door.anybody.get(f"/t/{token}", headers={"Accept": "*/*"})
        assert page.status_code == 200
    assert assignment(night, first) == "offered"
    assert "接受" in page.text
    for private in ("陈秀英", "西里", "13900000001"):
        assert private not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert night.rows("SELECT 1 FROM notice_tokens WHERE token_hash = %s", token.encode()) == []

    refused = door.anybody.post(f"/t/{token}", data={"action": "accept"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    done = door.anybody.post(f"/t/{token}", data={"action": "accept"})
    assert "您已接受" in done.text
    assert "西里 3 幢 501" in done.text  # who goes must know where
    assert assignment(night, first) == "accepted"
    assert assignment(night, second) == "stood_down"
    again = door.anybody.post(f"/t/{token}", data={"action": "decline"})
    assert "您已接受" in again.text
    assert assignment(night, first) == "accepted"


def test_a_link_of_somebody_who_was_stood_down_says_why(door: Door) -> None:
    night = door.night
    first, second = night.offered()
    token = sent_link(night, second)
    night.services.dispatching.step(str(first["id"]), "accept", night.actors["sunwei"])
    page = door.anybody.post(f"/t/{token}", data={"action": "accept"})
    assert "不再需要您" in page.text
    assert "孙伟" in page.text
    assert assignment(night, second) == "stood_down"


def test_links_that_are_over_wrong_or_another_purpose_open_nothing(door: Door) -> None:
    night = door.night
    first, _ = night.offered()
    token = sent_link(night, first)
    assert door.anybody.get("/t/" + "x" * 32).status_code == 404
    assert door.anybody.get("/t/short").status_code in (404, 422)
    assert door.anybody.post(f"/t/{token}", data={"action": "nonsense"}).status_code == 422
    assert (
        door.anybody.post(f"/api/v1/voice/{token}", json={"event": "key", "key": "1"}, headers=BEARER).status_code
        == 404
    )
    night.now += timedelta(hours=2)
    late = door.anybody.post(f"/t/{token}", data={"action": "accept"})
    assert "过期" in late.text
    assert assignment(night, first) == "offered"


def ring(night: Night, offer: dict[str, Any]) -> tuple[str, str]:
    notice = night.call_out(offer, "voice")
    night.turn()
    assert "西里" in night.told_by("voice")[-1].spoken
    url = night.told_by("voice")[-1].answer_url
    assert url is not None
    return notice, url.removeprefix("https://hub.example")


def test_pressing_one_accepts_and_pressing_it_twice_is_once(door: Door) -> None:
    night = door.night
    first, second = night.offered()
    notice, url = ring(night, first)
    _, other = ring(night, second)
    assert door.anybody.post(url, json={"event": "key", "key": "1"}).status_code == 403
    wrong = door.anybody.post(url, json={"event": "key", "key": "1"}, headers={"Authorization": "Bearer nonsense"})
    assert wrong.status_code == 403
    assert assignment(night, first) == "offered"
    assert door.anybody.post(url, json={"event": "answered"}, headers=BEARER).status_code == 200
    again = door.anybody.post(url, json={"event": "key", "key": "7"}, headers=BEARER).json()
    assert again["result"] == "again"
    heard = door.anybody.post(url, json={"event": "key", "key": "1"}, headers=BEARER).json()
    assert heard["result"] == "accept"
    assert "接受" in heard["say"]
    # The gateway's line broke and it tells it again; and as a form, the way a dialplan does.
    form = door.anybody.post(url, data={"event": "key", "key": "1"}, headers=BEARER)
    assert form.text.partition("|")[0] == "accept"
    assert assignment(night, first) == "accepted"
    assert assignment(night, second) == "stood_down"
    late = door.anybody.post(other, json={"event": "key", "key": "1"}, headers=BEARER).json()
    assert late["result"] == "too_late"
    door.anybody.post(url, json={"event": "ended"}, headers=BEARER)
    call = night.row("SELECT outcome, answered_at, ended_at FROM calls WHERE notice_id = %s", notice)
    assert call["outcome"] == "answered"
    assert call["ended_at"] is not None
    assert night.kinds(first["incident_id"]).count("accepted") == 1


def test_pressing_two_declines_and_a_signed_word_is_taken_too(door: Door) -> None:
    night = door.night
    first, _ = night.offered()
    _, url = ring(night, first)
    body = json.dumps({"event": "key", "key": "2"}).encode()
    headers = signed_headers([SECRET], "m1", body, night.now)
    assert door.anybody.post(url, content=body, headers=headers).json()["result"] == "decline"
    assert assignment(night, first) == "declined"
    old = signed_headers([SECRET], "m2", body, night.now - timedelta(minutes=6))
    assert door.anybody.post(url, content=body, headers=old).status_code == 403


def test_a_busy_line_is_followed_by_a_message_at_once(door: Door) -> None:
    night = door.night
    first, _ = night.offered()
    _, url = ring(night, first)
    for _ in range(2):
        door.anybody.post(url, json={"event": "busy"}, headers=BEARER)
    night.turn()
    assert len(night.told_by("sms")) == 1
    assert night.row("SELECT outcome FROM calls")["outcome"] == "busy"


def test_whoever_picks_up_and_presses_nothing_is_asked_by_message(door: Door) -> None:
    """It may have been a mailbox: once when the call ends, and once where the gateway never says that it ended."""
    night = door.night
    first, second = night.offered()
    _, url = ring(night, first)
    _, other = ring(night, second)
    for one in (url, other):
        door.anybody.post(one, json={"event": "answered"}, headers=BEARER)
    night.turn()
    assert night.told_by("sms") == []
    for _ in range(2):
        door.anybody.post(url, json={"event": "ended"}, headers=BEARER)
    night.turn()
    assert [message.address for message in night.told_by("sms")] == ["13800000001"]
    night.sleep(50, step=5)
    assert [message.address for message in night.told_by("sms")] == ["13800000001", "13800000002"]


def test_webhooks_hear_what_happened_each_once_and_can_be_sent_again(door: Door) -> None:
    night, boss = door.night, door.seat("boss", "admin")
    fields = {
        "name": "区网格平台",
        "url": "https://grid.example/hook",
        "events": ["incident.raised", "incident.closed"],
    }
    made = boss.post("/api/v1/webhooks", json=fields, headers={"Idempotency-Key": "w1"})
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert secret.startswith("whsec_")
    repeat = boss.post("/api/v1/webhooks", json=fields, headers={"Idempotency-Key": "w1"}).json()
    assert (repeat["id"], repeat["secret"]) == (made.json()["id"], None)
    hook = made.json()["id"]
    assert secret not in json.dumps(boss.get("/api/v1/webhooks").json())

    def pump() -> int:
        reads = ReadsPostgres(night.database)
        return night.services.webhooks.pump(reads.incidents_by_id, reads.orders_by_id)

    night.press("W1")
    incident_id = str(night.row("SELECT id FROM incidents")["id"])
    assert pump() == 1
    assert pump() == 0
    night.services.handling.close(incident_id, night.actors["zhoumin"], "false", "pressed by mistake")
    pump()
    night.turn()
    told = night.told_by("webhook")
    assert [message.event for message in told] == ["incident.raised", "incident.closed"]
    body = json.loads(told[0].body)
    assert body["incident"]["id"] == incident_id
    assert set(body["incident"]["resident"]) <= {"id", "name", "age", "sex", "address", "status"}
    assert told[0].secrets == (secret,)

    rotated = boss.post(f"/api/v1/webhooks/{hook}/rotate", json={}).json()
    delivery = boss.get(f"/api/v1/webhooks/{hook}/deliveries").json()["items"][-1]
    assert boss.post(f"/api/v1/webhooks/{hook}/deliveries/{delivery['id']}/redeliver", json={}).status_code == 201
    night.turn()
    assert night.told_by("webhook")[-1].secrets == (rotated["secret"], secret)
    assert boss.post(f"/api/v1/webhooks/{hook}/test", json={}).json()["event"] == "test"
    assert boss.delete(f"/api/v1/webhooks/{hook}").status_code == 204
    night.turn()
    assert night.told_by("webhook")[-1].event == "incident.raised"
    assert boss.post(f"/api/v1/webhooks/{hook}/rotate", json={}).status_code == 409
    for url in ("ftp://x.example/", "https://user:pass@x.example/", "https:///nothing"):
        assert boss.post("/api/v1/webhooks", json={**fields, "url": url}).status_code == 422


def test_the_page_sees_notices_and_channels_without_secrets_and_numbers(door: Door) -> None:
    night, boss = door.night, door.seat("boss", "admin")
    first, _ = night.offered()
    night.call_out(first, "sms")
    asked = boss.post("/api/v1/notify/test", json={"channel": "sms", "to": "13912345678"})
    assert asked.status_code == 201
    night.turn()
    seen = boss.get("/api/v1/notices").json()["items"]
    assert {one["state"] for one in seen} == {"sent"}
    assert {one["name"] for one in seen} == {"孙伟", "139****5678"}
    detail = boss.get(f"/api/v1/notices/{asked.json()['id']}").json()
    assert [one["result"] for one in detail["tries"]] == ["sent"]
    overview = boss.get("/api/v1/notify").json()
    assert {one["channel"] for one in overview["channels"] if one["provider"]} >= {"voice", "sms"}
    assert SECRET not in json.dumps(overview)
    assert boss.get("/api/v1/notices", params={"state": "nonsense"}).status_code == 422
    page = boss.get("/api/v1/notices", params={"limit": 1}).json()
    following = boss.get("/api/v1/notices", params={"limit": 1, "cursor": page["next"]}).json()
    assert page["items"][0]["id"] != following["items"][0]["id"]


def test_a_phone_takes_pushes_and_only_a_push_service_is_one(door: Door) -> None:
    night = door.night
    with night.database.begin() as tx:
        sunwei = tx.users.by_name("sunwei")
    assert sunwei is not None
    phone = door.seat_of(sunwei)
    keys = {
        "p256dh": base64.urlsafe_b64encode(b"\x04" * 65).decode(),
        "auth": base64.urlsafe_b64encode(b"a" * 16).decode(),
    }
    given = {"endpoint": "https://fcm.googleapis.com/fcm/send/abc", "keys": keys}
    assert phone.get("/api/v1/my/push").json() == {"public_key": None}
    assert phone.post("/api/v1/my/push", json=given).status_code == 404
    outlet = PushOutlet(VapidKey(ec.generate_private_key(ec.SECP256R1()), "mailto:desk@example.org"))
    night.outlets["push"] = outlet  # type: ignore[assignment]
    assert phone.get("/api/v1/my/push").json() == {"public_key": outlet.public_key}
    for endpoint in ("https://127.0.0.1/x", "https://hub.internal/x", "https://fcm.googleapis.com.evil.example/x"):
        assert phone.post("/api/v1/my/push", json={**given, "endpoint": endpoint}).status_code == 422
    assert phone.post("/api/v1/my/push", json={**given, "keys": {**keys, "auth": "YWE="}}).status_code == 422
    assert phone.post("/api/v1/my/push", json=given).status_code == 201
    with night.database.begin() as tx:
        person = tx.notices.people(["responder:S1"])["responder:S1"]
    assert [(one.endpoint, len(one.p256dh), one.auth) for one in person.pushes] == [(given["endpoint"], 65, b"a" * 16)]
    assert phone.post("/api/v1/my/push/remove", json={"endpoint": given["endpoint"]}).status_code == 200
    with night.database.begin() as tx:
        assert tx.notices.people(["responder:S1"])["responder:S1"].pushes == ()


def test_family_is_told_in_words_without_illness(door: Door) -> None:
    night = door.night
    with night.database.begin() as tx:
        tx.reference.upsert("contacts", [{"id": "K1", "resident_id": "R1", "name": "陈静", "phone": "13700000001"}])
    first, _ = night.offered()
    params = {"who": "李师傅", "minutes": 4}
    night.ask(Notice(str(first["incident_id"]), "contact:K1", "sms", "on_the_way", params, until="closed"))
    night.services.dispatching.step(str(first["id"]), "accept", night.actors["sunwei"])
    night.turn()
    assert night.told_by("sms")[-1].short == "【柳岸】您家人的求助已收到，李师傅正在前往，约4分钟到达。"
