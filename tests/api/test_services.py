"""Registers and everyday services over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from hub.api import views, views_records, views_services
from tests.api.desk import Desk, Json, soon


def ok(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


def check(model: Any, body: Any) -> None:
    TypeAdapter(model).validate_python(body)


def test_an_order_is_given_to_a_qualified_carer_and_done(shared: Desk) -> None:
    coordinator, courier = shared.seat("coord"), shared.seat("wuqiang")
    kinds = ok(coordinator.get("/api/v1/service-kinds"))
    check(views_records.ServiceKindList, kinds)
    assert "meal_delivery" in [one["id"] for one in kinds["items"]]
    wanted = {
        "kind": "meal_delivery",
        "resident_id": "R1",
        "wanted_from": soon(hours=2),
        "note": "少盐",
        "attributes": {"diet": "low_salt"},
    }
    made = coordinator.post("/api/v1/orders", json=wanted, headers={"Idempotency-Key": "meal-1"})
    order = ok(made, 201)
    check(views_services.Order, order)
    assert made.headers["location"] == f"/api/v1/orders/{order['id']}"
    assert ok(coordinator.post("/api/v1/orders", json=wanted, headers={"Idempotency-Key": "meal-1"}), 201) == order
    base = f"/api/v1/orders/{order['id']}"
    candidates = ok(coordinator.get(f"{base}/candidates"))
    check(views.CandidateList, candidates)
    assert [one["responder"]["id"] for one in candidates["items"] if one["eligible"]] == ["S3"]
    refused = coordinator.post(f"{base}/assign", json={"responder_id": "S1"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:care-hub:not-eligible")
    assigned = ok(coordinator.post(f"{base}/assign", json={"responder_id": "S3"}))
    assert assigned["visit"]["assignments"][0]["responder"]["id"] == "S3"
    visit = f"/api/v1/visits/{order['visit']['id']}"
    assert courier.get(visit).status_code == 200
    assert shared.seat("helin").get(visit).status_code == 404
    for action, body, state in (
        ("accept", {}, "accepted"),
        ("start", {}, "en_route"),
        ("check-in", {"fix": {"lat": 31.34, "lon": 118.396}}, "in_service"),
        ("check-out", {"outcome": "handed_over"}, "completed"),
    ):
        done = ok(courier.post(f"{visit}/{action}", json=body))
        check(views_services.Visit, done)
        assert done["state"] == state
    assert ok(coordinator.get(base))["state"] == "completed"
    listed = ok(coordinator.get("/api/v1/orders", params={"state": "completed", "resident": "R1"}))
    check(views.ListOf[views_services.Order], listed)
    assert order["id"] in [row["id"] for row in listed["items"]]


def test_orders_of_a_day_and_cancelling(shared: Desk) -> None:
    coordinator, family = shared.seat("coord"), shared.seat("chenjing")
    wanted = {"kind": "meal_delivery", "resident_id": "R1", "wanted_from": "2027-01-05T03:00:00+08:00"}
    order = ok(family.post("/api/v1/orders", json={**wanted, "wanted_from": soon(days=2)}), 201)
    assert order["id"] in [row["id"] for row in ok(family.get("/api/v1/orders"))["items"]]
    day = order["wanted_from"][:10]
    for one in ok(coordinator.get("/api/v1/orders", params={"date": day}))["items"]:
        assert one["wanted_from"]
    assert coordinator.get("/api/v1/orders", params={"date": "tomorrow"}).json()["field"] == "date"
    gone = ok(family.post(f"/api/v1/orders/{order['id']}/cancel", json={"reason": "去女儿家"}))
    assert gone["state"] == "cancelled"
    again = family.post(f"/api/v1/orders/{order['id']}/cancel", json={"reason": "去女儿家"})
    assert again.status_code == 409
    past = family.post("/api/v1/orders", json={**wanted, "wanted_from": "2020-01-01T08:00:00+08:00"})
    assert (past.status_code, past.json()["field"]) == (422, "wanted_from")
    unknown = family.post("/api/v1/orders", json={**wanted, "kind": "massage", "wanted_from": soon(hours=1)})
    assert (unknown.status_code, unknown.json()["field"]) == (422, "kind")


def test_a_resident_in_hospital_gets_no_service(shared: Desk) -> None:
    operator = shared.seat("zhoumin")
    wanted = {"kind": "meal_delivery", "resident_id": "R2", "wanted_from": soon(hours=2)}
    order = ok(operator.post("/api/v1/orders", json=wanted), 201)
    body = ok(operator.post("/api/v1/residents/R2/status", json={"status": "hospital", "reason": "住院"}))
    assert body["status"] == "hospital"
    assert ok(operator.get(f"/api/v1/orders/{order['id']}"))["state"] == "cancelled"
    refused = operator.post("/api/v1/orders", json=wanted)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:care-hub:resident-absent")
    ok(operator.post("/api/v1/residents/R2/status", json={"status": "home"}))
    assert operator.post("/api/v1/residents/R2/status", json={"status": "moon"}).status_code == 422


RECORDS: list[tuple[str, Any, Json, Json]] = [
    ("areas", views_records.Area, {"kind": "grid", "name": "第9网格", "parent_id": "C"}, {"households": 400}),
    (
        "stations",
        views_records.Station,
        {"kind": "meal_point", "name": "食堂", "area_id": "G3"},
        {"phone": "0553-1234567"},
    ),
    ("contacts", views.Contact, {"resident_id": "R1", "name": "李师傅", "kind": "neighbour"}, {"has_key": True}),
    (
        "responders",
        views_records.Responder,
        {"name": "马芳", "kind": "carer", "skills": [{"skill": "bathing"}]},
        {"mode": "van"},
    ),
    ("crews", views_records.Crew, {"name": "助浴二组", "members": ["S1", "S2"]}, {"members": ["S2"]}),
    (
        "shifts",
        views_records.Shift,
        {"responder_id": "S1", "starts_at": "2026-03-01T08:00:00+08:00", "ends_at": "2026-03-01T16:00:00+08:00"},
        {"role": "night"},
    ),
    (
        "residents",
        views_records.Resident,
        {"name": "孙桂英", "born_on": "1940-02-29", "area_id": "G3", "conditions": ["高血压"], "hearing": "听力差"},
        {"access": {"gate": "东门", "lift": True}, "medications": ["华法林"]},
    ),
]


@pytest.mark.parametrize(("table", "model", "new", "change"), RECORDS, ids=[row[0] for row in RECORDS])
def test_records_are_added_shown_listed_and_changed(
    shared: Desk, table: str, model: Any, new: Json, change: Json
) -> None:
    boss = shared.seat("boss")
    made = boss.post(f"/api/v1/{table}", json=new)
    record = ok(made, 201)
    check(model, record)
    path = f"/api/v1/{table}/{record['id']}"
    assert made.headers["location"] == path
    shown = boss.get(path)
    seen = ok(shown)
    if table == "residents":
        assert seen.pop("position") is None, (
            "where a resident was last is told to those who look, not to those who write"
        )
    assert seen == record, "a person is answered as masked as shown"
    version = shown.headers["etag"]
    changed = ok(boss.patch(path, json=change, headers={"If-Match": version}))
    check(model, changed)
    assert changed["version"] > record["version"]
    stale = boss.patch(path, json=change, headers={"If-Match": version})
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:care-hub:version"), stale.text
    listed: list[Json] = []
    cursor: str | None = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = ok(boss.get(f"/api/v1/{table}", params=params))
        listed += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    check(list[model], listed)
    idents = [row["id"] for row in listed]
    assert record["id"] in idents
    assert len(set(idents)) == len(idents)
    assert boss.patch(path, json={}).status_code == 422
    assert boss.patch(path, json={"colour": "red"}).json()["field"] == "colour"
    assert boss.get(f"/api/v1/{table}/nobody").status_code == 404
    assert boss.patch(f"/api/v1/{table}/nobody", json=change).status_code == 404
    if "id" in boss.get("/api/v1/openapi.json").json()["components"]["schemas"][model.__name__]["properties"]:
        assert boss.patch(path, json={"id": "other"}).status_code == 422


def test_a_record_that_cannot_be(shared: Desk) -> None:
    boss = shared.seat("boss")
    for table, body, field in (
        ("residents", {"phone": "1"}, "name"),
        ("residents", {"name": "x", "born_on": "0044-01-01"}, "born_on"),
        ("residents", {"name": "x", "lat": "31.3"}, "lat"),
        ("residents", {"name": "x", "name ": "y"}, "name "),
        ("shifts", {"responder_id": "S1", "starts_at": "2026-03-01T08:00:00Z"}, "ends_at"),
        ("areas", {"kind": "planet", "name": "x"}, "kind"),
    ):
        answer = boss.post(f"/api/v1/{table}", json=body)
        assert (answer.status_code, answer.json().get("field")) == (422, field), answer.text
    # A parent that does not exist, an id that is taken: the database says so, in words.
    for table, body in (
        ("stations", {"kind": "clinic", "name": "x", "area_id": "nowhere"}),
        ("residents", {"id": "R1", "name": "x"}),
    ):
        answer = boss.post(f"/api/v1/{table}", json=body)
        assert answer.status_code in (404, 409, 422), answer.text
        assert answer.json()["detail"]


def test_devices_and_commands(shared: Desk) -> None:
    coordinator, operator = shared.seat("coord"), shared.seat("zhoumin")
    key = {"Idempotency-Key": "device-1"}
    body = {"id": "W-77", "family": "care", "resident_id": "R2", "name": "腕表"}
    added = ok(coordinator.post("/api/v1/devices", json=body, headers=key), 201)
    check(views_records.DeviceAdded, added)
    assert added["secret"]
    # The secret is told once: not by the repeated request, not by reading.
    assert ok(coordinator.post("/api/v1/devices", json=body, headers=key), 201)["secret"] is None
    assert added["secret"] not in coordinator.get("/api/v1/devices/W-77").text
    assert coordinator.post("/api/v1/devices", json=body).status_code == 409
    changed = ok(coordinator.patch("/api/v1/devices/W-77", json={"interval_s": 60}))
    check(views_records.Device, changed)
    assert changed["interval_s"] == 60
    check(views.ListOf[views_records.Device], ok(operator.get("/api/v1/devices", params={"resident": "R2"})))
    sent = ok(operator.post("/api/v1/devices/W-77/commands", json={"command": "speak", "text": "马上到"}), 202)
    assert sent["id"]
    assert operator.post("/api/v1/devices/W-0/commands", json={"command": "speak"}).status_code == 404
    assert operator.post("/api/v1/devices/W-77/commands", json={"command": "rm -rf"}).status_code == 422


def test_lists_can_be_narrowed(shared: Desk) -> None:
    operator = shared.seat("zhoumin")
    found = ok(operator.get("/api/v1/residents", params={"q": "秀英", "area": "C", "status": "home"}))
    assert "R1" in [row["id"] for row in found["items"]]
    assert ok(operator.get("/api/v1/residents", params={"q": "%"}))["items"] == []
    assert ok(operator.get("/api/v1/residents", params={"phone": "139 0000 0001"}))["items"][0]["id"] == "R1"
    for params, field in (({"limit": "501"}, "limit"), ({"limit": "0"}, "limit"), ({"cursor": "¿"}, "cursor")):
        answer = operator.get("/api/v1/residents", params=params)
        assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_observations(shared: Desk) -> None:
    operator = shared.seat("zhoumin")
    path = "/api/v1/residents/R1/observations"
    answer = ok(operator.get(path, params={"metric": "heart_rate_bpm"}))
    check(views_records.ObservationList, answer)
    for params, field in (
        ({}, "metric"),
        ({"metric": "heart_rate_bpm", "from": "2026-02-02T00:00:00Z", "to": "2026-02-01T00:00:00Z"}, "from"),
        ({"metric": "heart_rate_bpm", "from": "2010-02-02T00:00:00Z", "to": "2026-02-01T00:00:00Z"}, "from"),
        ({"metric": "x; drop table"}, "metric"),
        ({"metric": "heart_rate_bpm", "resolution": "second"}, "resolution"),
    ):
        problem = operator.get(path, params=params)
        assert (problem.status_code, problem.json().get("field")) == (422, field), problem.text


def test_looking_at_a_resident_is_in_the_audit(shared: Desk) -> None:
    ok(shared.seat("zhoumin").get("/api/v1/residents/R1"))
    page = ok(shared.seat("fanglei").get("/api/v1/audit"))
    check(views.ListOf[views_records.AuditRow], page)
    assert any(row["action"] == "residents.read" and row["subject"] == "residents:R1" for row in page["items"])
