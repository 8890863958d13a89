"""The wall screen's token: it opens the wall and nothing else, shows no names, and can be shut off."""

from __future__ import annotations

import re

import httpx
import psycopg
import pytest
from pydantic import TypeAdapter

from hub.api import views_desk
from tests.api.desk import SAME, Desk, Json


@pytest.fixture
def made(shared: Desk) -> Json:
    answer = shared.seat("fanglei").post("/api/v1/wall-screens", json={"name": "大厅东墙"})
    assert answer.status_code == 201, answer.text
    body: Json = answer.json()
    TypeAdapter(views_desk.WallScreenMade).validate_python(body)
    return body


def look(shared: Desk, token: str, path: str = "/api/v1/wall") -> httpx.Response:
    return shared.anonymous(Authorization=f"Bearer {token}").get(path)


def refused(answer: httpx.Response) -> bool:
    return answer.status_code == 401 and answer.json()["type"] == "urn:care-hub:no-screen"


def test_the_wall_says_what_waits_where_and_not_whose_it_is(shared: Desk, made: Json) -> None:
    shared.press("W1", "sos", fix={"lat": 31.337712, "lon": 118.371234, "accuracy_m": 8, "source": "gnss"})
    with psycopg.connect(shared.url) as connection:
        people = connection.execute("SELECT id, name, phone, address FROM residents").fetchall()
        devices = connection.execute("SELECT id FROM devices").fetchall()
    answer = look(shared, made["token"])
    assert answer.status_code == 200, answer.text
    picture = answer.json()
    TypeAdapter(views_desk.WallPicture).validate_python(picture)
    (shown,) = [one for one in picture["incidents"] if one["type"] == "sos"]
    assert (shown["priority"], shown["state"], shown["fix"]) == ("critical", "open", {"lat": 31.338, "lon": 118.371})
    assert shown["area"] is not None
    texts = set(re.findall(r'"([^"]*)"', answer.text))
    personal = {value for row in people for value in row if value} | {row[0] for row in devices}
    assert not texts & personal
    assert not any(len(word) > 1 and word in answer.text for row in people for word in row[1:3] if word)
    areas = look(shared, made["token"], "/api/v1/wall/areas").json()["items"]
    assert {"G3", shown["area"]["id"]} <= {one["id"] for one in areas}


def test_the_token_opens_nothing_else(shared: Desk, made: Json) -> None:
    client = shared.anonymous(Authorization=f"Bearer {made['token']}", **SAME)
    for path in ("/session", "/incidents", "/stream", "/changes", "/residents", "/areas", "/wall-screens", "/summary"):
        assert client.get(f"/api/v1{path}").status_code == 401, path
    assert client.post("/api/v1/alarms", json={}).status_code == 401
    # And no account opens the wall's own addresses by its cookie: they belong to screens.
    assert refused(shared.seat("boss").get("/api/v1/wall"))
    assert refused(look(shared, "wall_" + "x" * 43))
    assert refused(look(shared, "x" * 43))


def test_a_screen_is_listed_without_its_token_seen_and_shut_off(shared: Desk, made: Json) -> None:
    supervisor = shared.seat("fanglei")
    assert look(shared, made["token"]).status_code == 200
    listed = supervisor.get("/api/v1/wall-screens")
    assert made["token"] not in listed.text
    (row,) = [one for one in listed.json()["items"] if one["id"] == made["id"]]
    TypeAdapter(views_desk.WallScreen).validate_python(row)
    assert (row["name"], row["created_by"], row["revoked_at"]) == ("大厅东墙", shared.user("fanglei").name, None)
    assert row["seen_at"] is not None
    assert supervisor.delete(f"/api/v1/wall-screens/{made['id']}").status_code == 204
    assert refused(look(shared, made["token"]))
    assert supervisor.delete(f"/api/v1/wall-screens/{made['id']}").status_code == 404
    with psycopg.connect(shared.url) as connection:
        told = connection.execute(
            "SELECT action, detail::text FROM audit WHERE subject = %s ORDER BY id", (f"wall-screens:{made['id']}",)
        ).fetchall()
    assert [action for action, _ in told] == ["wall_screens.add", "wall_screens.revoke"]
    assert not any(made["token"] in detail for _, detail in told)


def test_the_token_is_told_once(shared: Desk) -> None:
    supervisor = shared.seat("fanglei")
    again = {"headers": {"Idempotency-Key": "screen-1"}, "json": {"name": "值班室"}}
    first = supervisor.post("/api/v1/wall-screens", **again).json()
    second = supervisor.post("/api/v1/wall-screens", **again).json()
    assert second == {"id": first["id"], "name": "值班室", "token": None, "url": None}
    assert first["url"] == f"/#/wall?token={first['token']}"
    assert look(shared, first["token"]).status_code == 200
