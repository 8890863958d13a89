"""Everyday services over HTTP: kinds, care plans, claiming, satisfaction and return visits, the visit programme."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
from pydantic import TypeAdapter

from hub.api import views, views_everyday, views_records, views_services
from hub.clock import new_id
from tests.api.desk import Desk, Json, soon
from tests.store.rows import Racers

CHINA = ZoneInfo("Asia/Shanghai")


def ok(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


def refused(answer: httpx.Response, status: int, said: str) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    assert said in answer.text
    return body


def check(model: Any, body: Any) -> None:
    TypeAdapter(model).validate_python(body)


def skilled(desk: Desk, responder: str, *skills: str) -> None:
    held = [{"skill": skill, "expires_on": None} for skill in skills]
    ok(desk.seat("boss").patch(f"/api/v1/responders/{responder}", json={"skills": held}))


def done(desk: Desk, kind: str = "companionship", resident: str = "R1", outcome: str = "done") -> str:
    """An order of S1 that has been carried out; its id."""
    coordinator, carer = desk.seat("coord"), desk.seat("sunwei")
    skilled(desk, "S1", "first_response", "companionship")
    wanted = {"kind": kind, "resident_id": resident, "wanted_from": soon(hours=1)}
    order = ok(coordinator.post("/api/v1/orders", json=wanted), 201)
    ok(coordinator.post(f"/api/v1/orders/{order['id']}/assign", json={"responder_id": "S1"}))
    visit = f"/api/v1/visits/{order['visit']['id']}"
    ok(carer.post(f"{visit}/accept", json={}))
    ok(carer.post(f"{visit}/check-in", json={}))
    ok(carer.post(f"{visit}/check-out", json={"outcome": outcome}))
    return str(order["id"])


def test_a_kind_of_service_is_added_as_the_page_says(shared: Desk) -> None:
    """docs/howto/add-a-service-kind.md, step by step, against the running API."""
    supervisor, coordinator = shared.seat("fanglei"), shared.seat("coord")
    haircut = {
        "id": "haircut",
        "zh": "助洁（理发）",
        "en": "Haircut at home",
        "any_skills": ["care", "companionship"],
        "duration_min": 40,
        "price_fen": 3000,
    }
    made = ok(supervisor.post("/api/v1/service-kinds", json=haircut), 201)
    check(views_records.ServiceKind, made)
    assert (made["price_fen"], made["price_per"], made["active"], made["version"]) == (3000, "visit", True, 1)
    wanted = {"kind": "haircut", "resident_id": "R1", "wanted_from": soon(hours=3)}
    order = ok(coordinator.post("/api/v1/orders", json=wanted), 201)
    assert order["duration_min"] == 40
    skilled(shared, "S1", "first_response", "companionship")
    candidates = ok(coordinator.get(f"/api/v1/orders/{order['id']}/candidates"))
    assert "S1" in [one["responder"]["id"] for one in candidates["items"] if one["eligible"]]
    path = "/api/v1/service-kinds/haircut"
    changed = ok(supervisor.patch(path, json={"duration_min": 50, "same_sex": True}, headers={"If-Match": '"1"'}))
    assert (changed["duration_min"], changed["attributes"], changed["zh"]) == (50, {"same_sex": True}, haircut["zh"])
    refused(supervisor.patch(path, json={"zh": "x"}, headers={"If-Match": '"1"'}), 412, "version")
    assert ok(coordinator.get(f"/api/v1/orders/{order['id']}"))["duration_min"] == 40
    ok(supervisor.patch(path, json={"active": False}))
    refused(coordinator.post("/api/v1/orders", json=wanted), 422, "switched off")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"any_skills": ["magic"]}, "any_skills"),
        ({"any_skills": []}, "skills"),
        ({"en": None}, "en"),
        ({"personal": True, "duration_min": 20}, "duration_min"),
        ({"id": "Hair Cut"}, "id"),
        ({"price_fen": -1}, "price_fen"),
    ],
)
def test_a_kind_that_cannot_be_meant_is_refused(shared: Desk, fields: Json, field: str) -> None:
    kind = {"id": "perm", "zh": "烫发", "en": "Perm", "any_skills": ["care"], "duration_min": 60, **fields}
    kind = {name: value for name, value in kind.items() if value is not None}
    answer = shared.seat("boss").post("/api/v1/service-kinds", json=kind)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert shared.seat("coord").get("/api/v1/service-kinds/perm").status_code == 404


def test_what_the_hub_itself_orders_cannot_be_switched_off(shared: Desk) -> None:
    refused(shared.seat("boss").patch("/api/v1/service-kinds/safety_visit", json={"active": False}), 422, "itself")


def test_a_care_plan_from_preview_to_end(shared: Desk) -> None:
    coordinator, family = shared.seat("coord"), shared.seat("chenjing")
    plan = {"resident_id": "R1", "kind": "housekeeping", "rule": "rrule:freq=weekly;byday=mo,th", "begins": "09:00"}
    plan |= {"ends": "11:00", "payer_hint": "family", "attributes": {"rooms": 2}}
    shown = ok(coordinator.post("/api/v1/care-plans/preview", json=plan, params={"count": 4}))
    check(views_everyday.Occurrences, shown)
    assert [datetime.fromisoformat(one["wanted_from"]).astimezone(CHINA).hour for one in shown["items"]] == [9] * 4
    assert ok(coordinator.get("/api/v1/care-plans", params={"resident": "R1"}))["items"] == []
    made = coordinator.post("/api/v1/care-plans", json=plan, headers={"Idempotency-Key": "plan-1"})
    view = ok(made, 201)
    check(views_everyday.CarePlanDone, view)
    assert view["rule"] == "FREQ=WEEKLY;BYDAY=MO,TH"
    assert view["orders"]["made"] == view["open_orders"]
    assert 7 <= view["open_orders"] <= 9
    assert ok(coordinator.post("/api/v1/care-plans", json=plan, headers={"Idempotency-Key": "plan-1"}), 201) == view
    path = made.headers["location"]
    listed = ok(coordinator.get("/api/v1/orders", params={"resident": "R1", "kind": "housekeeping", "limit": 50}))
    first = listed["items"][0]
    check(views_services.Order, first)
    assert (first["care_plan_id"], first["source"], first["attributes"]) == (view["id"], "plan", {"rooms": 2})
    assert (first["payer_hint"], first["occurrence_on"]) == ("family", first["wanted_from"][:10])
    assert ok(family.get(path))["id"] == view["id"]
    upcoming = ok(family.get(f"{path}/occurrences", params={"count": 3}))
    assert upcoming["items"][0]["order"]["id"] == first["id"]
    tomorrow = (datetime.now(CHINA) + timedelta(days=1)).date().isoformat()
    rested = ok(coordinator.post(f"{path}/pauses", json={"from_on": tomorrow, "reason": "去女儿家"}), 201)
    assert rested["orders"]["cancelled"] >= 7
    pause = rested["pauses"][0]["id"]
    again = ok(coordinator.post(f"{path}/pauses/{pause}/lift", json={}))
    assert again["orders"]["taken_up"] == rested["orders"]["cancelled"]
    refused(coordinator.patch(path, json={"rule": "FREQ=DAILY;BYHOUR=9"}), 422, "BYHOUR is not supported")
    refused(coordinator.patch(path, json={"begins": None}), 422, "begins")
    refused(coordinator.patch(path, json={"note": "x"}, headers={"If-Match": '"1"'}), 412, "version")
    ended = ok(coordinator.patch(path, json={"active": False}))
    assert (ended["active"], ended["open_orders"]) == (False, 0)
    assert family.post("/api/v1/care-plans", json=plan).status_code == 403
    timeline = [row["kind"] for row in _timeline(shared, "resident", "R1")]
    assert timeline.count("care_plan") >= 4


def _timeline(desk: Desk, subject: str, ident: str) -> list[Json]:
    return desk.hub.reads.timeline(subject, ident, 50, None).items


def test_a_family_sees_only_its_own_plans(shared: Desk) -> None:
    coordinator, family = shared.seat("coord"), shared.seat("chenjing")
    plan: Json = {"resident_id": "R2", "kind": "errands", "rule": "FREQ=MONTHLY;BYMONTHDAY=-1", "begins": "09:00"}
    refused(coordinator.post("/api/v1/care-plans", json={**plan, "attributes": {"what": 7}}), 422, "attributes.what")
    plan["attributes"] = {"what": "交水电费"}
    other = ok(coordinator.post("/api/v1/care-plans", json=plan), 201)
    assert family.get(f"/api/v1/care-plans/{other['id']}").status_code == 404
    assert {one["resident"]["id"] for one in ok(family.get("/api/v1/care-plans"))["items"]} <= {"R1"}
    page = ok(coordinator.get("/api/v1/care-plans", params={"limit": 1}))
    assert page["next"] is not None
    assert coordinator.get("/api/v1/care-plans", params={"cursor": "x"}).status_code == 422


def test_the_first_to_claim_has_it_and_the_other_is_told_who(shared: Desk) -> None:
    coordinator = shared.seat("coord")
    skilled(shared, "S1", "first_response", "errands")
    skilled(shared, "S2", "nursing", "errands")
    wanted: Json = {"kind": "errands", "resident_id": "R1", "wanted_from": soon(hours=2), "open_to": "claim"}
    wanted["attributes"] = {"what": "交电费"}
    order = ok(coordinator.post("/api/v1/orders", json=wanted), 201)
    first, second, courier = shared.seat("sunwei"), shared.seat("helin"), shared.seat("wuqiang")
    near = ok(first.get("/api/v1/my/open-orders"))
    check(views.ListOf[views_everyday.OpenOrder], near)
    mine = next(one for one in near["items"] if one["id"] == order["id"])
    assert mine["distance_m"] < 200
    assert "陈秀英" not in str(near), "whose it is stays hidden until it is claimed"
    assert order["id"] not in [one["id"] for one in ok(courier.get("/api/v1/my/open-orders"))["items"]]
    refused(courier.post(f"/api/v1/orders/{order['id']}/claim", json={}), 409, "not-eligible")
    answers: list[httpx.Response] = Racers().run(
        *(lambda seat=seat: seat.post(f"/api/v1/orders/{order['id']}/claim", json={}) for seat in (first, second))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    won = next(answer for answer in answers if answer.status_code == 200).json()
    lost = next(answer for answer in answers if answer.status_code == 409).json()
    winner = won["visit"]["assignments"][0]
    assert (winner["state"], won["state"], won["visit"]["state"]) == ("accepted", "assigned", "accepted")
    assert lost["type"] == "urn:care-hub:already-claimed"
    assert [one["name"] for one in lost["by"]] == [winner["responder"]["name"]]
    # The winner's phone that sends it again is not refused; nobody sees it any more.
    seat = first if winner["responder"]["id"] == "S1" else second
    assert len(ok(seat.post(f"/api/v1/orders/{order['id']}/claim", json={}))["visit"]["assignments"]) == 1
    for one in (first, second):
        assert order["id"] not in [row["id"] for row in ok(one.get("/api/v1/my/open-orders"))["items"]]
    plain = ok(coordinator.post("/api/v1/orders", json={**wanted, "open_to": None}), 201)
    assert first.post(f"/api/v1/orders/{plain['id']}/claim", json={}).status_code == 404


def test_satisfaction_and_a_complaint_that_opens_a_matter(shared: Desk) -> None:
    family, coordinator, stranger = shared.seat("chenjing"), shared.seat("coord"), shared.seat("zhoumin")
    order = done(shared)
    path = f"/api/v1/orders/{order}"
    rated = ok(family.post(f"{path}/satisfaction", json={"score": 5, "words": "很好"}))
    assert (rated["satisfaction"]["score"], rated["satisfaction"]["given_by"]) == (5, "family")
    assert rated["return_visit"] is None
    refused(family.post(f"{path}/satisfaction", json={"score": 1, "complaint": True}), 422, "words")
    angry = ok(family.post(f"{path}/satisfaction", json={"score": 1, "words": "没做完就走了", "complaint": True}))
    matter = ok(stranger.get(f"/api/v1/incidents/{angry['satisfaction']['incident_id']}"))
    assert matter["state"] == "open"
    assert "没做完就走了" in str(matter)
    assert angry["return_visit"]["why"] == "complaint"
    again = ok(family.post(f"{path}/satisfaction", json={"score": 2, "words": "还是不满意", "complaint": True}))
    assert again["satisfaction"]["incident_id"] == angry["satisfaction"]["incident_id"], "one matter an order"
    listed = ok(coordinator.get("/api/v1/return-visits", params={"due": "false"}))
    check(views.ListOf[views_everyday.ReturnVisitDue], listed)
    assert order in [row["order_id"] for row in listed["items"]]
    later = {"way": "phone", "outcome": "unreachable"}
    for tries in (1, 2):
        missed = ok(coordinator.post(f"{path}/return-visit", json=later))["return_visit"]
        assert (missed["tries"], missed["done_at"]) == (tries, None)
    refused(coordinator.post(f"{path}/return-visit", json={"outcome": "not_given"}), 422, "note")
    closed = ok(coordinator.post(f"{path}/return-visit", json={"outcome": "not_content", "note": "约定重做"}))
    assert (closed["return_visit"]["outcome"], closed["return_visit"]["tries"]) == ("not_content", 3)
    refused(coordinator.post(f"{path}/return-visit", json={"outcome": "content"}), 409, "done")
    listed = ok(coordinator.get("/api/v1/return-visits", params={"due": "false"}))
    assert order not in [row["order_id"] for row in listed["items"]]
    past = ok(coordinator.get("/api/v1/return-visits", params={"done": "true", "outcome": "not_content"}))
    check(views.ListOf[views_everyday.ReturnVisitDue], past)
    (row,) = [row for row in past["items"] if row["order_id"] == order]
    assert (row["order"]["return_visit"]["done_by"], row["order"]["satisfaction"]["score"]) == ("coord", 2)
    assert ok(coordinator.get("/api/v1/return-visits?done=true&outcome=not_given"))["items"] == []
    open_order = ok(
        coordinator.post(
            "/api/v1/orders", json={"kind": "companionship", "resident_id": "R1", "wanted_from": soon(hours=2)}
        ),
        201,
    )
    refused(family.post(f"/api/v1/orders/{open_order['id']}/satisfaction", json={"score": 3}), 409, "not ended")


def test_what_was_not_given_and_the_first_of_a_plan_are_asked_about(shared: Desk) -> None:
    coordinator = shared.seat("coord")
    undone = done(shared, outcome="no_answer")
    with shared.database.begin() as tx:
        tx.session.connection.execute(  # type: ignore[attr-defined]
            "UPDATE orders SET wanted_from = %s, wanted_to = %s WHERE id = %s",
            (datetime.now(UTC) - timedelta(hours=2), datetime.now(UTC) - timedelta(hours=1), undone),
        )
    assert shared.services.everyday.satisfaction.draw() >= 1
    assert shared.services.everyday.satisfaction.draw() == 0, "each once"
    assert ok(coordinator.get(f"/api/v1/orders/{undone}"))["return_visit"]["why"] == "undone"


def test_a_programme_says_who_was_not_visited_and_a_tap_says_how_it_was(shared: Desk) -> None:
    coordinator, officer, operator = shared.seat("coord"), shared.seat("sunwei"), shared.seat("zhoumin")
    programme = {"id": "care", "zh": "探访关爱", "en": "Regular visits", "groups": ["lives_alone", "advanced_age"]}
    programme |= {"per_month": {"high": 4, "medium": 2, "low": 1}}
    made = ok(coordinator.post("/api/v1/programmes", json=programme), 201)
    check(views_everyday.Programme, made)
    path = "/api/v1/programmes/care"
    people = ok(coordinator.get(f"{path}/people", params={"only": "pending"}))
    check(views.ListOf[views_everyday.Participant], people)
    by_id = {row["resident"]["id"]: row for row in people["items"]}
    assert (by_id["R1"]["groups"], by_id["R1"]["risk"], by_id["R1"]["target"]) == (
        ["lives_alone", "advanced_age"],
        "medium",
        2,
    )
    assert by_id["R2"]["groups"] == ["advanced_age"]
    grid = ok(operator.get(f"{path}/coverage"))
    check(views.ListOf[views_everyday.CoverageRow], grid)
    assert [(row["area"], row["people"], row["not_visited"]) for row in grid["items"]] == [("第3网格", 2, 2)]
    mine = ok(officer.get("/api/v1/my/programme"))
    check(views_everyday.MyVisits, mine)
    assert {row["resident"]["id"] for row in mine["items"]} == {"R1", "R2"}
    tap = {"resident_id": "R1", "result": "well", "at": soon(hours=0)}
    key = {"Idempotency-Key": new_id()}
    first = ok(officer.post(f"{path}/results", json=tap, headers=key), 201)
    assert first["incident_id"] is None
    assert ok(officer.post(f"{path}/results", json=tap, headers=key), 201) == first
    after = ok(operator.get(f"{path}/coverage"))["items"][0]
    assert (after["not_visited"], after["visited"], after["people_visited"]) == (1, 1, 1)
    sheet = operator.get(f"{path}/coverage", params={"format": "csv"})
    assert sheet.headers["content-type"].startswith("text/csv")
    assert "第3网格" in sheet.text
    # Nobody at home is no visit; the second time in a row it is a matter.
    gone = {"resident_id": "R2", "result": "not_home"}
    assert ok(officer.post(f"{path}/results", json=gone), 201)["incident_id"] is None
    assert ok(operator.get(f"{path}/coverage"))["items"][0]["not_visited"] == 1
    second = ok(officer.post(f"{path}/results", json=gone), 201)["incident_id"]
    assert ok(operator.get(f"/api/v1/incidents/{second}"))["resident"]["id"] == "R2"
    help_wanted = {"resident_id": "R1", "result": "needs_help", "note": "腿疼，下不了楼"}
    matter = ok(officer.post(f"{path}/results", json=help_wanted), 201)["incident_id"]
    incident = ok(operator.get(f"/api/v1/incidents/{matter}"))
    assert (incident["priority"], incident["resident"]["id"]) == ("high", "R1")
    hospital = {"resident_id": "R1", "result": "in_hospital"}
    assert ok(officer.post(f"{path}/results", json=hospital), 201)["incident_id"] == matter
    assert ok(operator.get("/api/v1/residents/R1"))["status"] == "home", "a tap silences nobody's devices"
    listed = ok(operator.get(f"{path}/results"))
    check(views.ListOf[views_everyday.VisitResultView], listed)
    assert [row["result"] for row in listed["items"]][:2] == ["in_hospital", "needs_help"]
    out = {"stands": "out", "reason": "家人每天在"}
    ok(coordinator.post(f"{path}/people/R2", json=out))
    assert "R2" not in [row["resident"]["id"] for row in ok(coordinator.get(f"{path}/people"))["items"]]
    back = ok(coordinator.post(f"{path}/people/R2", json={"stands": "in", "risk": "high", "reason": "刚出院"}))
    assert (back["risk"], back["target"], back["stands"]) == ("high", 4, "in")
    for wrong in ({"groups": ["rich"]}, {"per_month": {"low": 0}}, {"per_month": {"low": 99}}, {"kind": "bathing"}):
        assert coordinator.patch(path, json=wrong).status_code == 422, wrong
    assert coordinator.get(f"{path}/people", params={"month": "2026-13"}).json()["field"] == "month"


def test_a_programme_that_makes_orders_makes_each_once_and_a_tap_ends_it(shared: Desk) -> None:
    coordinator, officer = shared.seat("coord"), shared.seat("sunwei")
    programme = {"id": "daily", "zh": "每日", "en": "Daily", "groups": ["lives_alone"], "makes": "orders"}
    programme |= {"per_month": {"high": 31, "medium": 31, "low": 31}, "begins": "00:00", "ends": "23:59"}
    ok(coordinator.post("/api/v1/programmes", json=programme), 201)
    made = shared.services.everyday.programme_orders.top_up()
    assert 27 <= made <= 29, "today and four weeks ahead, R1 alone"
    assert shared.services.everyday.programme_orders.top_up() == 0
    tap = {"resident_id": "R1", "result": "well"}
    ok(officer.post("/api/v1/programmes/daily/results", json=tap), 201)
    rows = ok(coordinator.get("/api/v1/orders", params={"resident": "R1", "kind": "safety_visit", "limit": 100}))
    mine = [row for row in rows["items"] if row["programme_id"] == "daily"]
    assert (mine[0]["state"], mine[0]["visit"]["outcome"]) == ("completed", "well")
    assert mine[0]["visit"]["assignments"][0]["responder"]["id"] == "S1"
    assert {row["state"] for row in mine[1:]} == {"requested"}
    ok(coordinator.post("/api/v1/residents/R1/status", json={"status": "hospital"}))
    ok(coordinator.post("/api/v1/residents/R1/status", json={"status": "home"}))
    ok(coordinator.patch("/api/v1/programmes/daily", json={"ends": "22:00"}))
    shared.services.everyday.programme_orders.top_up()
    rows = ok(coordinator.get("/api/v1/orders", params={"resident": "R1", "state": "requested", "limit": 100}))
    assert len([row for row in rows["items"] if row["programme_id"] == "daily"]) == made - 1, (
        "home again, they come again"
    )
    ok(coordinator.patch("/api/v1/programmes/daily", json={"active": False}))
    shared.services.everyday.programme_orders.top_up()
    rows = ok(coordinator.get("/api/v1/orders", params={"resident": "R1", "state": "requested", "limit": 100}))
    assert [row for row in rows["items"] if row["programme_id"] == "daily"] == []


def test_staff_order_for_their_tasks_and_for_the_areas_they_look_after(shared: Desk) -> None:
    wanted = {"kind": "medicine_fetch", "resident_id": "R2", "wanted_from": soon(hours=2)}
    courier, nurse, boss = shared.seat("wuqiang"), shared.seat("helin"), shared.seat("boss")
    # A courier goes where he is sent, whatever area he serves.
    refused(courier.post("/api/v1/orders", json=wanted), 403, "tasks or areas")
    assert "R2" not in [one["id"] for one in ok(courier.get("/api/v1/my/residents"))["items"]]
    sent = {"kind": "meal_delivery", "resident_id": "R2", "wanted_from": soon(hours=2)}
    meal = ok(shared.seat("coord").post("/api/v1/orders", json=sent), 201)
    skilled(shared, "S3", "meal_delivery")
    ok(shared.seat("coord").post(f"/api/v1/orders/{meal['id']}/assign", json={"responder_id": "S3"}))
    mine = ok(courier.get("/api/v1/my/residents"))
    check(views.ListOf[views_everyday.OrderFor], mine)
    assert [(one["id"], one["task"]) for one in mine["items"] if one["id"] == "R2"] == [("R2", True)]
    ok(courier.post("/api/v1/orders", json=wanted), 201)
    # A nurse looks after her areas: she has no task there, orders once however often it is sent, and is told of it.
    assert {"R1", "R2"} <= {one["id"] for one in ok(nurse.get("/api/v1/my/residents"))["items"]}
    found = ok(nurse.get("/api/v1/my/residents", params={"q": "赵国华"}))["items"]
    assert [(one["id"], one["task"]) for one in found] == [("R2", False)]
    key = {"Idempotency-Key": "by-phone"}
    order = ok(nurse.post("/api/v1/orders", json=wanted, headers=key), 201)
    assert ok(nurse.post("/api/v1/orders", json=wanted, headers=key), 201) == order
    assert order["created_by"] == str(shared.user("helin").id)
    assert nurse.get(f"/api/v1/orders/{order['id']}").status_code == 404, "she is not sent there"
    boss.patch("/api/v1/responders/S2", json={"area_ids": []})
    refused(nurse.post("/api/v1/orders", json=wanted), 403, "tasks or areas")
    ok(boss.patch("/api/v1/responders/S2", json={"area_ids": ["C"]}))


def test_an_order_that_waited_on_a_phone_is_wanted_at_once(shared: Desk) -> None:
    nurse = shared.seat("helin")
    wanted = {"kind": "companionship", "resident_id": "R1", "wanted_from": soon(hours=-2), "wanted_to": soon(hours=-1)}
    refused(nurse.post("/api/v1/orders", json=wanted), 422, "past")
    refused(nurse.post("/api/v1/orders", json=wanted | {"at": soon(minutes=-30)}), 422, "past")
    refused(nurse.post("/api/v1/orders", json=wanted | {"at": soon(days=-2)}), 422, "past")
    order = ok(nurse.post("/api/v1/orders", json=wanted | {"at": soon(hours=-3)}), 201)
    begin, end = (datetime.fromisoformat(order[name]) for name in ("wanted_from", "wanted_to"))
    assert timedelta(0) <= datetime.now(UTC) - begin < timedelta(minutes=1)
    assert timedelta(minutes=59) < end - begin < timedelta(minutes=61)
    with psycopg.connect(shared.url) as connection:
        row = connection.execute(
            "SELECT body FROM timeline WHERE subject_id = %s AND kind = 'requested'", (order["id"],)
        ).fetchone()
    assert row is not None
    assert row[0]["wanted_from"] == datetime.fromisoformat(str(wanted["wanted_from"])).isoformat()
    asked = datetime.fromisoformat(row[0]["asked_at"])
    assert timedelta(hours=2, minutes=59) < datetime.now(UTC) - asked < timedelta(hours=3, minutes=2)
