"""Signing in, staying in, being thrown out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from hub.api import views_records
from hub.api.passwords import hash_password, prime, verify_password
from hub.api.signin import Limit
from hub.errors import BadRequestError
from tests.api.desk import PASSWORD, SAME, Desk, open_desk

WHO = {"username": "zhoumin", "password": PASSWORD}


def test_sign_in_sets_a_careful_cookie_and_says_who(shared: Desk) -> None:
    client = shared.anonymous()
    answer = client.post("/api/v1/session", json=WHO)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    views_records.Session.model_validate(body)
    assert body["user"]["username"] == "zhoumin"
    assert body["user"]["role"] == "operator"
    assert "password" not in answer.text
    assert body["on_duty"] is True
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "Path=/" in cookie
    # A browser on the hub's own machine speaks http.
    assert "secure" not in cookie.lower()
    again = client.get("/api/v1/session")
    assert again.status_code == 200
    assert again.json()["user"] == body["user"]


def test_the_cookie_is_secure_everywhere_but_on_loopback(shared: Desk) -> None:
    answer = shared.anonymous(Host="hub.example.org").post("/api/v1/session", json=WHO)
    assert "secure" in answer.headers["set-cookie"].lower()


def test_the_database_never_holds_a_usable_session(desk: Desk) -> None:
    client = desk.anonymous()
    client.post("/api/v1/session", json=WHO)
    token = client.cookies["hub_session"]
    assert len(token) == 43
    with psycopg.connect(desk.url) as connection:
        rows = connection.execute("SELECT encode(token_hash, 'escape'), token_hash FROM sessions").fetchall()
    assert all(token not in row[0] and len(row[1]) == 32 for row in rows)


@pytest.mark.parametrize(
    "body",
    [
        {"username": "zhoumin", "password": "wrong"},
        {"username": "nobody", "password": "wrong"},
        {"username": "zhoumin", "password": PASSWORD + " "},
    ],
)
def test_wrong_name_and_wrong_password_look_the_same(shared: Desk, body: dict[str, str]) -> None:
    answer = shared.anonymous().post("/api/v1/session", json=body)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:care-hub:wrong-credentials"
    assert answer.json()["detail"] == "name or password is wrong"
    assert "set-cookie" not in answer.headers


def test_an_unknown_name_takes_as_long_as_a_wrong_password() -> None:
    made = hash_password("long enough")
    prime()

    def seconds(stored: str | None) -> float:
        began = time.thread_time()
        assert not verify_password(stored, "wrong")
        return time.thread_time() - began

    known = min(seconds(made) for _ in range(3))
    unknown = min(seconds(None) for _ in range(3))
    # The hash is nearly all of it; without it the unknown one would take a thousandth.
    assert unknown > known * 0.5


def test_an_inactive_account_cannot_sign_in(shared: Desk) -> None:
    with psycopg.connect(shared.url, autocommit=True) as connection:
        connection.execute("UPDATE users SET active = false WHERE username = 'coord'")
    answer = shared.anonymous().post("/api/v1/session", json={"username": "coord", "password": PASSWORD})
    assert answer.status_code == 401


# --- throttle


@pytest.fixture
def strict_desk(database_url: str) -> Iterator[Desk]:
    limit = Limit(timedelta(minutes=15), name=3, address=6, wait_s=300)
    with open_desk(database_url, throttle=(limit,)) as desk:
        yield desk


def test_after_too_many_failures_of_a_name_even_the_right_password_waits(strict_desk: Desk) -> None:
    client = strict_desk.anonymous()
    for _ in range(3):
        assert client.post("/api/v1/session", json={**WHO, "password": "wrong"}).status_code == 401
    answer = client.post("/api/v1/session", json=WHO)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "300"
    assert answer.json()["type"] == "urn:care-hub:too-many-attempts"
    assert answer.json()["retry_after_s"] == 300
    # Others are not locked out with it.
    assert client.post("/api/v1/session", json={**WHO, "username": "fanglei"}).status_code == 200


def test_guessing_many_names_from_one_address_is_held_too(strict_desk: Desk) -> None:
    client = strict_desk.anonymous()
    codes = [
        client.post("/api/v1/session", json={"username": f"nobody{number}", "password": "x"}).status_code
        for number in range(8)
    ]
    assert codes == [401] * 6 + [429] * 2


def test_guesses_sent_all_at_once_do_not_run_past_the_count(strict_desk: Desk) -> None:
    codes: list[int] = []

    def guess() -> None:
        answer = httpx.post(f"{strict_desk.base}/api/v1/session", json={**WHO, "password": "wrong"}, timeout=30)
        codes.append(answer.status_code)

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [401] * 3 + [429] * 5


def test_a_success_clears_the_count_of_the_name(strict_desk: Desk) -> None:
    client = strict_desk.anonymous()
    for _ in range(2):
        for _ in range(2):
            assert client.post("/api/v1/session", json={**WHO, "password": "wrong"}).status_code == 401
        assert client.post("/api/v1/session", json=WHO).status_code == 200


# --- same origin


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "{base}"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "{base}.evil.example"}, 403),
        ({"Origin": "{base}", "Sec-Fetch-Site": "cross-site"}, 403),
        ({}, 403),
    ],
)
def test_a_write_with_a_cookie_must_come_from_our_own_pages(shared: Desk, headers: dict[str, str], status: int) -> None:
    client = shared.seat("zhoumin")
    del client.headers["Sec-Fetch-Site"]
    sent = {name: value.replace("{base}", shared.base) for name, value in headers.items()}
    answer = client.patch("/api/v1/session", json={"language": "en"}, headers=sent)
    assert answer.status_code == status, answer.text
    if status == 403:
        assert answer.json()["type"] == "urn:care-hub:cross-site"
    # Reading needs neither.
    assert client.get("/api/v1/session", headers=sent).status_code == 200


def test_nobody_signs_a_browser_in_from_another_site(shared: Desk) -> None:
    client = shared.anonymous()
    assert client.post("/api/v1/session", json=WHO, headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.post("/api/v1/session", json=WHO, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post("/api/v1/session", json=WHO, headers=SAME).status_code == 200


# --- bearer tokens


def test_a_program_gets_a_token_instead_of_a_cookie(shared: Desk) -> None:
    answer = shared.anonymous().post(
        "/api/v1/session", json={"username": "bridge", "password": PASSWORD, "token": True}
    )
    assert "set-cookie" not in answer.headers
    client = shared.anonymous(Authorization=f"Bearer {answer.json()['token']}")
    assert client.get("/api/v1/session").json()["user"]["role"] == "integrator"
    # A token rides on nothing a browser sends by itself: writes need no origin.
    assert client.patch("/api/v1/session", json={"language": "en"}).status_code == 200
    assert client.delete("/api/v1/session").status_code == 204
    assert client.get("/api/v1/session").status_code == 401


def test_tokens_of_an_integrator_are_given_and_taken_by_the_administrator(shared: Desk) -> None:
    boss = shared.seat("boss")
    bridge, operator = shared.user("bridge").id, shared.user("zhoumin").id
    given = boss.post(f"/api/v1/users/{bridge}/tokens", json={"days": 3, "label": "phone system"})
    assert given.status_code == 201, given.text
    client = shared.anonymous(Authorization=f"Bearer {given.json()['token']}")
    assert client.get("/api/v1/incidents").status_code == 200
    refused = boss.post(f"/api/v1/users/{operator}/tokens", json={})
    assert refused.status_code == 409
    assert boss.delete(f"/api/v1/users/{bridge}/sessions").status_code == 204
    assert client.get("/api/v1/incidents").status_code == 401


def test_one_token_is_found_and_ended_and_the_others_go_on(desk: Desk) -> None:
    boss, bridge = desk.seat("boss"), desk.user("bridge")

    def issue(label: str) -> tuple[str, httpx.Client]:
        given = boss.post(f"/api/v1/users/{bridge.id}/tokens", json={"days": 3, "label": label})
        assert given.status_code == 201, given.text
        return given.json()["id"], desk.anonymous(Authorization=f"Bearer {given.json()['token']}")

    def listed(**params: str | int) -> list[dict[str, Any]]:
        answer = boss.get("/api/v1/tokens", params=params)
        assert answer.status_code == 200, answer.text
        return [views_records.Token.model_validate(item).model_dump() for item in answer.json()["items"]]

    lost, at_lost = issue("lost laptop")
    kept, at_kept = issue("district platform")
    own = desk.anonymous().post("/api/v1/session", json={"username": "bridge", "password": PASSWORD, "token": True})
    by_label = {row["label"]: row for row in listed(user=bridge.id, role="integrator")}
    assert [by_label[label]["id"] for label in ("lost laptop", "district platform")] == [lost, kept]
    row = by_label["lost laptop"]
    assert row["account"]["username"] == "bridge"
    assert row["scope"] == {"role": "integrator", "provider": None}
    assert row["issued_by"] == desk.user("boss").name
    assert row["last_used_at"] is None, "nobody used it yet"
    assert row["expires_at"] - row["issued_at"] == timedelta(days=3)
    assert [one["issued_by"] for one in listed()].count(None) == 1, "signed in by itself"
    answer = boss.get("/api/v1/tokens")
    assert own.json()["token"] not in answer.text
    assert "token_hash" not in answer.text

    for client in (at_lost, at_kept):
        assert client.get("/api/v1/incidents").status_code == 200
    assert {row["label"] for row in listed() if row["last_used_at"]} == {"lost laptop", "district platform"}
    assert boss.delete(f"/api/v1/tokens/{lost}").status_code == 204
    assert at_lost.get("/api/v1/incidents").status_code == 401
    assert at_kept.get("/api/v1/incidents").status_code == 200
    assert boss.delete(f"/api/v1/tokens/{lost}").status_code == 404
    assert lost not in {row["id"] for row in listed()}
    entry = boss.get("/api/v1/audit").json()["items"][0]
    assert (entry["action"], entry["detail"]) == ("users.token_end", {"token": lost, "label": "lost laptop"})
    assert entry["subject"] == f"users:{bridge.id}"

    # A console's seat is no token: it is neither listed nor ended here.
    with psycopg.connect(desk.url) as connection:
        (seat,) = connection.execute("SELECT id::text FROM sessions WHERE kind = 'console'").fetchone() or ("",)
    assert boss.delete(f"/api/v1/tokens/{seat}").status_code == 404
    first = boss.get("/api/v1/tokens", params={"limit": 1}).json()
    rest = boss.get("/api/v1/tokens", params={"limit": 5, "cursor": first["next"]}).json()
    assert [row["id"] for row in [*first["items"], *rest["items"]]] == [row["id"] for row in listed()]
    assert listed(user="nobody") == []


@pytest.mark.parametrize("token", ["x", "ü" * 43, "A" * 43, "A" * 5000])
def test_a_made_up_token_is_nobody(shared: Desk, token: str) -> None:
    headers = {"Authorization": b"Bearer " + token.encode()}
    answer = httpx.get(f"{shared.base}/api/v1/session", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


# --- staying and leaving


def test_a_session_slides_while_it_is_used_and_ends_by_itself(desk: Desk) -> None:
    client = desk.seat("zhoumin")
    with psycopg.connect(desk.url, autocommit=True) as connection:
        connection.execute(
            "UPDATE sessions SET last_seen_at = now() - interval '11 hours', expires_at = now() + interval '1 hour'"
        )
        left = timedelta(hours=11)
        assert client.get("/api/v1/session").status_code == 200
        row = connection.execute("SELECT expires_at - now() FROM sessions").fetchone()
        assert row is not None
        assert row[0] > left
        connection.execute("UPDATE sessions SET expires_at = now() - interval '1 second'")
    desk.hub.sessions.forget_user(desk.user("zhoumin").id)
    assert client.get("/api/v1/session").status_code == 401


def test_a_bound_phone_stays_for_a_month_and_a_console_does_not(shared: Desk) -> None:
    def days(username: str) -> float:
        body = {"username": username, "password": PASSWORD, "bound": True}
        cookie = shared.anonymous().post("/api/v1/session", json=body).headers["set-cookie"]
        return int(cookie.split("Max-Age=")[1].split(";")[0]) / 86_400

    assert days("sunwei") == pytest.approx(30, abs=0.01)
    assert days("zhoumin") == pytest.approx(0.5, abs=0.01)


def test_signing_out_ends_the_session_for_good(shared: Desk) -> None:
    client = shared.anonymous(**SAME)
    client.post("/api/v1/session", json=WHO)
    token = client.cookies["hub_session"]
    answer = client.delete("/api/v1/session")
    assert answer.status_code == 204
    assert 'hub_session=""' in answer.headers["set-cookie"]
    client.cookies.set("hub_session", token)
    assert client.get("/api/v1/session").status_code == 401


def test_own_settings_stay(shared: Desk) -> None:
    client = shared.seat("zhoumin")
    answer = client.patch("/api/v1/session", json={"language": "en", "theme": "dark", "on_duty": False})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["user"]["language"], answer.json()["user"]["theme"]) == ("en", "dark")
    assert answer.json()["on_duty"] is False
    body = client.get("/api/v1/session").json()
    assert (body["user"]["language"], body["user"]["theme"], body["on_duty"]) == ("en", "dark", False)
    assert client.patch("/api/v1/session", json={}).status_code == 422
    assert client.patch("/api/v1/session", json={"language": "fr"}).json()["field"] == "language"


def test_a_responder_s_duty_is_the_person_s(shared: Desk) -> None:
    client = shared.seat("sunwei")
    assert client.get("/api/v1/session").json()["on_duty"] is True
    assert client.patch("/api/v1/session", json={"on_duty": False}).json()["on_duty"] is False
    with shared.database.begin() as tx:
        responder = tx.responders.get("S1")
    assert responder is not None
    assert not responder.on_duty


# --- accounts


def test_an_account_is_made_changed_and_closed(shared: Desk) -> None:
    boss = shared.seat("boss")
    body = {"username": "neu", "name": "新人", "role": "operator", "password": "long enough"}
    made = boss.post("/api/v1/users", json=body)
    assert made.status_code == 201, made.text
    assert "long enough" not in made.text
    assert boss.post("/api/v1/users", json=body).status_code == 409
    them = shared.anonymous(**SAME)
    assert them.post("/api/v1/session", json={"username": "neu", "password": "long enough"}).status_code == 200
    ident = made.json()["id"]
    shown = boss.get(f"/api/v1/users/{ident}")
    listed = boss.get("/api/v1/users", params={"role": "operator"}).json()["items"]
    for view in (made.json(), shown.json(), *listed):
        views_records.User.model_validate(view)
        assert not any("hash" in name or "password" in name for name in view)
    assert ident in [row["id"] for row in listed]
    assert boss.patch(f"/api/v1/users/{ident}", json={"password": "another one"}).status_code == 200
    assert them.get("/api/v1/session").status_code == 401
    assert them.post("/api/v1/session", json={"username": "neu", "password": "long enough"}).status_code == 401
    assert them.post("/api/v1/session", json={"username": "neu", "password": "another one"}).status_code == 200
    assert boss.patch(f"/api/v1/users/{ident}", json={"active": False}).status_code == 200
    assert them.get("/api/v1/session").status_code == 401


def test_accounts_of_persons_need_their_person(shared: Desk) -> None:
    boss = shared.seat("boss")
    body = {"username": "neu2", "name": "新人", "role": "staff", "password": "long enough"}
    assert boss.post("/api/v1/users", json=body).json()["field"] == "person_id"
    assert boss.post("/api/v1/users", json={**body, "person_id": "S99"}).json()["field"] == "person_id"
    assert boss.post("/api/v1/users", json={**body, "person_id": "S1"}).status_code == 201


def test_an_administrator_cannot_lock_the_own_account(shared: Desk) -> None:
    boss = shared.seat("boss")
    ident = shared.user("boss").id
    assert boss.patch(f"/api/v1/users/{ident}", json={"active": False}).status_code == 409
    assert boss.patch(f"/api/v1/users/{ident}", json={"role": "operator"}).status_code == 409


def test_hashes() -> None:
    made = hash_password("long enough")
    assert made.startswith("$argon2id$")
    assert verify_password(made, "long enough")
    assert not verify_password(made, "long enough ")
    assert not verify_password(None, "long enough")
    assert not verify_password("not a hash", "x")
    for wrong in ("short", "x" * 257):
        with pytest.raises(BadRequestError):
            hash_password(wrong)
