"""The work list of devices and the repairs that come of it, over HTTP."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import psycopg

from hub.clock import utc_now
from tests.api.desk import Desk, Json


def ok(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


def test_the_work_list_puts_bad_actors_first_and_becomes_orders(desk: Desk) -> None:
    desk.services.profiles.seed()
    for number in range(11):
        desk.press("W2", "low_battery", ref=f"b{number}")
    desk.press("W1", "off_wrist")
    emergency = desk.incident("P1", "sos")
    seat = desk.seat("coord")
    work = ok(seat.get("/api/v1/technical-work"))
    assert [item["device"]["id"] for item in work["items"]] == ["W2", "W1"]
    first = work["items"][0]
    assert first["rank"] == 1
    assert first["bad_actor"] is True
    assert first["alarms_30d"] == 11
    assert first["station"] == {"id": "ST1", "name": "柳岸照料站"}
    assert first["resident"]["address"]
    assert work["stations"] == [{"id": "ST1", "name": "柳岸照料站", "open": 2, "done": 0, "bad_actors": 1}]
    assert emergency not in [item["incident"]["id"] for item in work["items"]]
    assert ok(seat.get("/api/v1/technical-work", params={"station": "none"}))["items"] == []
    path = f"/api/v1/technical-work/{first['incident']['id']}/repair"
    order = ok(seat.post(path, json={"note": "换电池"}), 201)
    assert order["kind"] == "device_repair"
    assert order["resident"]["id"] == "R2"
    again = seat.post(path, json={})
    assert again.json()["order_id"] == order["id"]
    assert seat.post(f"/api/v1/technical-work/{emergency}/repair", json={}).status_code == 409
    listed = ok(seat.get("/api/v1/technical-work"))["items"][0]
    assert listed["order"]["id"] == order["id"]
    rows = list(
        csv.DictReader(io.StringIO(seat.get("/api/v1/technical-work", params={"format": "csv"}).text.lstrip("\ufeff")))
    )
    assert [row["device"] for row in rows] == ["W2", "W1"]
    yesterday = (utc_now().astimezone(desk.hub.zone) - timedelta(days=1)).date().isoformat()
    assert ok(seat.get("/api/v1/technical-work", params={"day": yesterday}))["items"] == []


def test_technical_alarms_never_stand_among_emergencies(desk: Desk) -> None:
    desk.press("W1", "low_battery")
    desk.press("W2", "offline")
    seat = desk.seat("zhoumin")
    summary = ok(seat.get("/api/v1/summary"))
    assert sum(summary["unclaimed"].values()) == 0
    assert summary["technical_open"] == 2
    for incident in ok(seat.get("/api/v1/incidents", params={"class": "emergency"}))["items"]:
        raise AssertionError(incident)
    for incident in ok(seat.get("/api/v1/incidents"))["items"]:
        assert incident["class"] == "technical"
        assert incident["priority"] == "low"


def test_what_nobody_has_is_repaired_where_it_is(desk: Desk) -> None:
    desk.services.profiles.seed()
    with psycopg.connect(desk.url) as connection:
        connection.execute("UPDATE devices SET resident_id = NULL, area_id = 'G3' WHERE id = 'W2'")
        connection.execute("UPDATE devices SET resident_id = NULL, area_id = NULL WHERE id = 'P1'")
        connection.execute(
            """UPDATE responders SET skills = '[{"skill": "device_service", "expires_on": null}]' WHERE id = 'S3'"""
        )
    for device in ("W1", "W2", "P1"):
        desk.press(device, "low_battery", ref=f"low-{device}")
    seat = desk.seat("coord")
    matters = {one["device"]["id"]: one["incident"]["id"] for one in ok(seat.get("/api/v1/technical-work"))["items"]}
    body = {"incident_ids": [matters["W1"], matters["W2"], matters["P1"]], "note": "换电池"}
    path = "/api/v1/technical-work/repairs"

    def outcomes(**more: object) -> dict[str, str]:
        items = ok(seat.post(path, json={**body, **more}))["items"]
        return {one["incident_id"]: one["outcome"] for one in items}

    expected = {matters["W1"]: "wanted", matters["W2"]: "wanted", matters["P1"]: "refused"}
    assert outcomes(preview=True) == expected, "nobody knows where P1 is"
    assert ok(seat.get("/api/v1/orders"))["items"] == [], "a preview makes nothing"
    assert set(outcomes().values()) == {"made", "refused"}
    assert outcomes(area_id="G3")[matters["P1"]] == "made", "named, it is known"
    assert set(outcomes().values()) == {"exists"}, "a second press makes no second order"
    orders = {one["device"]["id"]: one for one in ok(seat.get("/api/v1/orders"))["items"]}
    assert len(orders) == 3
    hall = orders["W2"]
    assert (hall["resident"], hall["area"]["name"], hall["note"]) == (None, "第3网格", "换电池")
    assert orders["W1"]["resident"]["id"] == "R1"
    assert seat.get(f"/api/v1/orders/{hall['id']}/candidates").status_code == 200
    assigned = ok(seat.post(f"/api/v1/orders/{hall['id']}/assign", json={"responder_id": "S3"}))
    assert assigned["state"] == "assigned"
    man = desk.seat("wuqiang")
    (task,) = ok(man.get("/api/v1/my/tasks"))["items"]
    assert task["order"]["area"]["name"] == "第3网格"
    for step in ("accept", "en-route", "on-scene"):
        ok(man.post(f"/api/v1/assignments/{task['assignment']['id']}/{step}", json={}))
    ok(man.post(f"/api/v1/assignments/{task['assignment']['id']}/complete", json={"outcome": "done"}))
    assert ok(seat.get(f"/api/v1/orders/{hall['id']}"))["state"] == "completed"
    day = {"from": (utc_now() - timedelta(days=1)).isoformat()}
    assert ok(seat.get("/api/v1/reports/orders", params={"number": "orders", **day}))["items"][0]["area"]


def test_two_who_press_at_once_make_one_repair(desk: Desk) -> None:
    desk.press("W2", "low_battery", ref="b")
    seats = [desk.seat("coord"), desk.seat("fanglei")]
    ident = ok(seats[0].get("/api/v1/technical-work"))["items"][0]["incident"]["id"]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda seat: seat.post(f"/api/v1/technical-work/{ident}/repair", json={}), seats))
    assert sorted(one.status_code for one in answers) == [201, 409]
