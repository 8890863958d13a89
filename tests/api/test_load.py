"""The desk's load over HTTP: live, and as reports in JSON and CSV."""

from __future__ import annotations

import csv
import io

import httpx

from hub.api.deps import actor_of
from tests.api.desk import Desk, Json


def ok(answer: httpx.Response) -> Json:
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def table(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))


def test_what_rang_is_live_and_reported(desk: Desk) -> None:
    seat = desk.seat("zhoumin")
    assert ok(seat.get("/api/v1/load"))["alarms_last_hour"] == 0
    desk.press("W1", "sos")
    for _ in range(4):
        desk.press("W2", "tamper")
    assert desk.services.load.look() is not None
    found = ok(seat.get("/api/v1/load"))
    assert (found["alarms_last_hour"], found["live"], found["chattering"]) == (1, 1, 1)
    assert [one["state"] for one in found["seats"]] == ["comfortable"]
    load = ok(seat.get("/api/v1/reports/operator-load", params={"by": "seat"}))
    assert [row["rings"] for row in load["items"]] == [1]
    assert (load["mix"]["critical"]["n"], load["goals"]["comfortable"], load["total"]["rings"]) == (1, 6, 1)
    rows = table(seat.get("/api/v1/reports/operator-load", params={"by": "hour", "format": "csv"}))
    assert [row["rings"] for row in rows] == ["1"]
    (day,) = ok(seat.get("/api/v1/reports/operator-load", params={"by": "day"}))["items"]
    desk.services.rota.set_holiday(day["day"], {"kind": "off", "name": "演练日"}, actor_of(desk.user("boss")))
    (again,) = ok(seat.get("/api/v1/reports/operator-load", params={"by": "day"}))["items"]
    assert (again["works"], again["holiday"], again["rings"]) == (False, "演练日", 1)
    (kind,) = ok(seat.get("/api/v1/reports/operator-load", params={"by": "day_kind"}))["items"]
    assert (kind["group"], kind["rings"], kind["seats"]) == ("days_off", 1, 1)
    (seated,) = ok(seat.get("/api/v1/load/seats"))["items"]
    assert (seated["seat"]["name"], seated["rule"]) == (desk.user("zhoumin").name, "home")
    actors = ok(seat.get("/api/v1/reports/bad-actors", params={"of": "technical"}))["items"]
    assert [(one["rank"], one["device"], one["alarms"], one["bad"]) for one in actors] == [(1, "W2", 4, False)]
    rows = table(seat.get("/api/v1/reports/bad-actors", params={"format": "csv"}))
    assert [row["device"] for row in rows] == ["W2", "W1"]
    assert seat.get("/api/v1/reports/operator-load", params={"by": "person"}).status_code == 422
