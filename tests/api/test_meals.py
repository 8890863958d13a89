"""Meals, teleconsults and what a service must know, over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from pydantic import TypeAdapter

from hub.api import views, views_meals, views_services
from hub.clock import utc_now
from hub.jobs import MealRoundsJob
from tests.api.desk import Desk, Json, soon

CHINA = ZoneInfo("Asia/Shanghai")
WHOLE_DAY = {"cutoff_min": 0, "from_min": 0, "to_min": 1439, "capacity": 50}


def ok(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


def check(model: Any, body: Any) -> None:
    TypeAdapter(model).validate_python(body)


def refused(answer: httpx.Response, status: int, code: str) -> Json:
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:care-hub:{code}"), answer.text
    body: Json = answer.json()
    return body


@pytest.fixture(scope="module")
def canteen(shared: Desk) -> Desk:
    coordinator = shared.seat("boss")
    for station in (
        {"id": "ST", "kind": "meal_point", "name": "柳岸食堂", "area_id": "G3", "lat": 31.338, "lon": 118.395},
        {"id": "ST2", "kind": "meal_point", "name": "春晓食堂", "area_id": "G3"},
    ):
        ok(coordinator.post("/api/v1/stations", json=station), 201)
    for dish in (
        {"id": "gbjd", "name": "宫保鸡丁", "allergens": ["peanut"], "price_fen": 1200},
        {"id": "luyu", "name": "清蒸鲈鱼", "diets": ["low_salt"], "price_fen": 1500},
    ):
        ok(coordinator.post("/api/v1/meal-dishes", json=dish), 201)
    ok(coordinator.patch("/api/v1/residents/R1", json={"allergies": ["花生"], "lat": 31.3396, "lon": 118.3962}))
    return shared


def days() -> tuple[str, str]:
    today = datetime.now(CHINA).date()
    return today.isoformat(), (today + timedelta(days=1)).isoformat()


def test_menus_orders_and_the_kitchens_day(canteen: Desk) -> None:
    coordinator, operator, family = canteen.seat("coord"), canteen.seat("zhoumin"), canteen.seat("chenjing")
    _, tomorrow = days()
    menu = {"station_id": "ST", "day": tomorrow, "meal": "lunch", "dishes": [{"dish_id": "gbjd"}, {"dish_id": "luyu"}]}
    check(views_meals.MealMenus, ok(coordinator.post("/api/v1/meals/menus", json=menu)))
    assert operator.post("/api/v1/meals/menus", json=menu).status_code == 403
    for wrong, field in (
        ({**menu, "dishes": [{"dish_id": "none"}]}, "dishes.0.dish_id"),
        ({**menu, "meal": "tea"}, "meal"),
        ({**menu, "dishes": [{"dish_id": "luyu", "portions": 0}]}, "dishes.0.portions"),
        ({**menu, "dishes": [{"dish_id": "luyu"}, {"dish_id": "luyu"}]}, "dishes"),
    ):
        answer = coordinator.post("/api/v1/meals/menus", json=wrong)
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
    seen = ok(family.get("/api/v1/meals/menus", params={"station": "ST", "from": tomorrow}))
    assert [one["dish_id"] for one in seen["items"][0]["dishes"]] == ["gbjd", "luyu"]
    assert seen["diets"]["low_salt"] == ["低盐", "Low salt"]
    hours = {"lunch": {"cutoff_min": 540, "from_min": 645, "to_min": 750, "capacity": 50}, "dinner": None}
    ok(coordinator.patch("/api/v1/meals/points/ST", json={"hours": hours, "hot_min": 40}))
    bad = coordinator.patch("/api/v1/meals/points/ST", json={"hours": {"lunch": {"cutoff_min": 1}}})
    assert (bad.status_code, bad.json()["field"]) == (422, "hours.lunch")
    wanted = {"resident_id": "R1", "day": tomorrow, "meal": "lunch"}
    made = ok(family.post("/api/v1/meals/orders", json=wanted, headers={"Idempotency-Key": "meal-a"}), 201)
    check(views_meals.MealOrder, made)
    assert (made["dish"], made["station_id"], made["mode"]) == ("清蒸鲈鱼", "ST", "delivery")
    assert made == ok(family.post("/api/v1/meals/orders", json=wanted, headers={"Idempotency-Key": "meal-a"}), 201)
    assert family.post("/api/v1/meals/orders", json={**wanted, "resident_id": "R2"}).status_code == 403
    nuts = {**wanted, "dish_id": "gbjd"}
    why = refused(operator.post("/api/v1/meals/orders", json=nuts), 409, "meal-refused")
    assert [one["code"] for one in why["objections"]] == ["allergy"]
    assert why["objections"][0]["zh"] == "宫保鸡丁：对花生过敏"
    assert operator.post("/api/v1/meals/orders", json={**nuts, "override_reason": "要吃"}).status_code == 403
    over = ok(coordinator.post("/api/v1/meals/orders", json={**nuts, "override_reason": "已脱敏"}), 201)
    assert over["overridden"]["reason"] == "已脱敏"
    changed = ok(coordinator.post(f"/api/v1/meals/orders/{over['order_id']}/change", json={"dish_id": "luyu"}))
    assert (changed["dish"], changed["problem"], changed["overridden"]) == ("清蒸鲈鱼", None, None)
    day = ok(operator.get("/api/v1/meals/day", params={"meal": "lunch", "date": tomorrow}))
    check(views_meals.MealDay, day)
    point = next(one for one in day["items"] if one["station_id"] == "ST")
    assert (point["counts"]["ordered"], point["capacity"], point["closed"], point["hot_min"]) == (2, 50, False, 40)
    assert point["dishes"] == [{"dish_id": "luyu", "dish": "清蒸鲈鱼", "count": 2}]
    assert day["totals"]["ordered"] == 2
    rows = ok(operator.get("/api/v1/meals/list", params={"meal": "lunch", "station": "ST", "date": tomorrow}))
    check(views_meals.MealList, rows)
    assert {row["resident"]["name"] for row in rows["items"]} == {"陈秀英"}
    sheet = operator.get(
        "/api/v1/meals/list", params={"meal": "lunch", "station": "ST", "date": tomorrow, "format": "csv"}
    )
    assert sheet.text.startswith("\ufeffstation_id,meal,mode,dish,name")
    assert operator.get("/api/v1/meals/day", params={"meal": "tea"}).status_code == 422
    assert operator.get("/api/v1/meals/day", params={"meal": "lunch", "date": "2050-01-01"}).json()["field"] == "date"


def test_the_desk_finds_people_and_serves_each_once(canteen: Desk) -> None:
    coordinator, operator = canteen.seat("coord"), canteen.seat("zhoumin")
    today, _ = days()
    ok(coordinator.post("/api/v1/meals/cards", json={"resident_id": "R2", "card": "C-200"}), 201)
    for q in ("C-200", "R2", "国华"):
        found = ok(operator.get("/api/v1/meals/desk", params={"q": q, "meal": "dinner"}))
        check(views_meals.MealDeskList, found)
        assert [one["resident"]["id"] for one in found["items"]] == ["R2"], q
        assert found["items"][0]["served"] is None
    body = {"station_id": "ST2", "card": "C-200", "meal": "dinner"}
    served = ok(operator.post("/api/v1/meals/serve", json=body), 201)
    check(views_meals.MealServed, served)
    twice = refused(operator.post("/api/v1/meals/serve", json=body), 409, "meal-served-twice")
    assert twice["served"]["station"] == "春晓食堂"
    assert ok(operator.get("/api/v1/meals/desk", params={"q": "R2", "meal": "dinner"}))["items"][0]["served"]["at"]
    kept = ok(operator.get("/api/v1/meals/unanswered", params={"date": today}))
    check(views_meals.MealUnanswered, kept)
    assert [(one["code"], one["card"]) for one in kept["refusals"]] == [("meal-served-twice", "C-200")]
    assert operator.post("/api/v1/meals/serve", json={"station_id": "ST2"}).json()["field"] == "resident_id"
    assert operator.post("/api/v1/meals/serve", json={**body, "station_id": "S"}).status_code == 404


def test_a_round_is_planned_in_a_process_of_its_own_and_tapped_at_the_door(canteen: Desk) -> None:
    coordinator, courier, nurse = canteen.seat("coord"), canteen.seat("wuqiang"), canteen.seat("helin")
    today, _ = days()
    ok(coordinator.patch("/api/v1/meals/points/ST", json={"hours": {"breakfast": {**WHOLE_DAY}}}))
    wanted = {"resident_id": "R1", "day": today, "meal": "breakfast", "station_id": "ST", "override_reason": "临时加餐"}
    order = ok(coordinator.post("/api/v1/meals/orders", json=wanted), 201)
    asked = {"station_id": "ST", "day": today, "meal": "breakfast", "seconds": 0.5}
    planned = ok(coordinator.post("/api/v1/meals/rounds", json=asked), 202)
    check(views_meals.MealRound, planned)
    assert planned["state"] == "queued"
    refused(coordinator.post(f"/api/v1/meals/rounds/{planned['id']}/publish"), 409, "conflict")
    assert MealRoundsJob(canteen.services.meals).piece(1) == 1
    ready = ok(coordinator.get(f"/api/v1/meals/rounds/{planned['id']}"))
    assert (ready["state"], ready["error"]) == ("ready", None)
    assert [stop["order_id"] for trip in ready["answer"]["trips"] for stop in trip["stops"]] == [order["order_id"]]
    ok(coordinator.post(f"/api/v1/meals/rounds/{planned['id']}/publish"))
    check(views_meals.MealRounds, ok(coordinator.get("/api/v1/meals/rounds", params={"meal": "breakfast"})))
    assert coordinator.get("/api/v1/meals/rounds", params={"meal": "tea"}).status_code == 404
    mine = ok(courier.get("/api/v1/my/meals"))
    check(views_meals.MyMeals, mine)
    (trip,) = mine["items"]
    (stop,) = trip["stops"]
    assert (stop["stop"], stop["dish"], stop["resident"]["name"]) == (1, None, "陈秀英")
    assert ok(nurse.get("/api/v1/my/meals"))["items"] == []
    assert nurse.post(f"/api/v1/meals/trips/{trip['id']}/leave").status_code == 403
    left = utc_now() - timedelta(minutes=50)
    ok(courier.post(f"/api/v1/meals/trips/{trip['id']}/leave", json={"at": left.isoformat()}))
    path = f"/api/v1/visits/{stop['visit_id']}/meal"
    assert nurse.post(path, json={"result": "handed_over"}).status_code == 403
    assert courier.post(path, json={"result": "left_with"}).json()["field"] == "left_with"
    assert courier.post(path, json={"result": "eaten"}).json()["field"] == "result"
    # On the way the phone had no signal: the tap comes later and keeps its time, and comes twice.
    tap = {"result": "no_answer", "at": (utc_now() - timedelta(minutes=2)).isoformat()}
    done = ok(courier.post(path, json=tap, headers={"Idempotency-Key": "tap-1"}))
    check(views.Assignment, done)
    assert (done["state"], done["outcome"], done["order_state"]) == ("completed", "no_answer", "aborted")
    assert done == ok(courier.post(path, json=tap, headers={"Idempotency-Key": "tap-1"}))
    (row,) = ok(coordinator.get("/api/v1/meals/unanswered"))["items"]
    assert row["late"] is True
    incident = ok(canteen.seat("zhoumin").get(f"/api/v1/incidents/{row['incident_id']}"))
    assert incident["type"] == "inactivity"
    assert "no_answer" in {reason["code"] for reason in incident["reasons"]}
    assert ok(courier.get("/api/v1/my/meals"))["items"][0]["stops"][0]["result"] == "no_answer"


def test_a_kind_says_what_it_needs_and_what_is_wrong_is_refused_in_words(canteen: Desk) -> None:
    coordinator = canteen.seat("coord")
    fields = ok(coordinator.get("/api/v1/service-fields"))
    check(views_meals.KindFields, fields)
    assert [one["name"] for one in fields["items"]["medicine_fetch"]["order"] if one["required"]] == [
        "pharmacy",
        "prescription",
    ]
    wanted: Json = {"kind": "medicine_fetch", "resident_id": "R1", "wanted_from": soon(hours=2)}
    ok(coordinator.post("/api/v1/orders", json=wanted), 201)  # which pharmacy may be known later
    wanted["attributes"] = {"pharmacy": 7, "prescription": "华法林"}
    wrong = coordinator.post("/api/v1/orders", json=wanted)
    assert (wrong.status_code, wrong.json()["field"]) == (422, "attributes.pharmacy"), wrong.text
    assert [one["field"] for one in wrong.json()["fields"]] == ["attributes.pharmacy", "attributes.prescription"]
    wanted["attributes"] = {"pharmacy": "社区药房", "prescription": ["华法林 2.5 mg × 30"], "pay_by": "advance"}
    order = ok(coordinator.post("/api/v1/orders", json=wanted), 201)
    visit = f"/api/v1/visits/{order['visit']['id']}"
    assert coordinator.get(f"{visit}/results").status_code == 404
    wrong = coordinator.post(f"{visit}/results", json={"results": {"amount_paid_fen": 12.5}})
    assert wrong.json()["field"] == "results.amount_paid_fen"
    said = {"amount_paid_fen": 2350, "fetched": ["华法林"], "handed_to": "本人"}
    check(views_meals.VisitResults, ok(coordinator.post(f"{visit}/results", json={"results": said})))
    assert ok(coordinator.get(f"{visit}/results"))["results"] == said
    assert canteen.seat("helin").post(f"{visit}/results", json={"results": said}).status_code == 404


def test_only_a_registered_nurse_whose_paper_is_in_force_nurses(canteen: Desk) -> None:
    coordinator = canteen.seat("coord")
    yesterday = (datetime.now(CHINA).date() - timedelta(days=1)).isoformat()
    for ident, skills in (
        ("N-OLD", [{"skill": "nursing", "expires_on": yesterday}]),
        ("N-NOT", [{"skill": "care"}, {"skill": "medical_escort"}]),
        ("N-YES", [{"skill": "nursing", "expires_on": (datetime.now(CHINA).date() + timedelta(days=90)).isoformat()}]),
    ):
        nurse = {
            "id": ident,
            "name": ident,
            "kind": "nurse",
            "skills": skills,
            "on_duty": True,
            "lat": 31.33,
            "lon": 118.39,
        }
        ok(canteen.seat("boss").post("/api/v1/responders", json=nurse), 201)
    wanted = {
        "kind": "nursing_visit",
        "resident_id": "R1",
        "wanted_from": soon(hours=3),
        "attributes": {"procedure": "wound_care"},
    }
    order = ok(coordinator.post("/api/v1/orders", json=wanted), 201)
    for ident in ("N-OLD", "N-NOT"):
        answer = coordinator.post(f"/api/v1/orders/{order['id']}/assign", json={"responder_id": ident})
        refused(answer, 409, "not-eligible")
    ok(coordinator.post(f"/api/v1/orders/{order['id']}/assign", json={"responder_id": "N-YES"}))
    # A bath: by two of the resident's own sex.
    man = {"id": "B-M", "name": "男护", "kind": "carer", "sex": "m", "skills": [{"skill": "bathing"}], "on_duty": True}
    ok(canteen.seat("boss").post("/api/v1/responders", json=man), 201)
    ok(canteen.seat("boss").patch("/api/v1/residents/R1", json={"sex": "f"}))
    bath: Json = {"kind": "bathing", "resident_id": "R1", "wanted_from": soon(hours=3)}
    wet = coordinator.post("/api/v1/orders", json={**bath, "attributes": {"hot_water": "river"}})
    assert wet.json()["field"] == "attributes.hot_water"
    kept = ok(
        coordinator.post("/api/v1/orders", json={**bath, "attributes": {"place": "van", "hot_water": "van"}}), 201
    )
    answer = coordinator.post(f"/api/v1/orders/{kept['id']}/assign", json={"responder_id": "B-M"})
    assert "sex" in str(refused(answer, 409, "not-eligible")["reasons"])


def test_the_doctor_answers_with_advice_a_visit_or_120(canteen: Desk) -> None:
    coordinator, operator = canteen.seat("coord"), canteen.seat("zhoumin")
    doctor = {"id": "DR", "name": "钱医生", "kind": "doctor", "skills": [{"skill": "nursing"}], "on_duty": True}
    ok(canteen.seat("boss").post("/api/v1/responders", json=doctor), 201)
    values = {"systolic_mmhg": 186, "diastolic_mmhg": 108, "heart_rate_bpm": 92, "measured_by": "S2"}
    ok(operator.post("/api/v1/residents/R2/vitals", json=values), 201)
    ask: Json = {"resident_id": "R2", "reason": "头晕，血压高", "urgent": True, "doctor_id": "DR"}
    assert operator.post("/api/v1/teleconsults", json={**ask, "doctor_id": "S1"}).json()["field"] == "doctor_id"
    assert canteen.seat("sunwei").post("/api/v1/teleconsults", json=ask).status_code == 403
    made = ok(operator.post("/api/v1/teleconsults", json=ask), 201)
    check(views_meals.Teleconsult, made)
    assert {one["metric"]: one["value"] for one in made["vitals"]}["systolic_mmhg"] == 186
    path = f"/api/v1/teleconsults/{made['id']}"
    assert canteen.seat("helin").post(f"{path}/answer", json={"advice": "advice", "text": "x"}).status_code == 403
    said = {"advice": "visit", "text": "停浴，今天上门复测", "doctor_id": "DR"}
    answered = ok(operator.post(f"{path}/answer", json=said))
    assert (answered["state"], answered["answered_by"], answered["advice"]) == ("answered", "钱医生", "visit")
    order = ok(coordinator.get(f"/api/v1/orders/{answered['visit_order_id']}"))
    assert (order["kind"], order["attributes"]["teleconsult"]) == ("nursing_visit", made["id"])
    refused(operator.post(f"{path}/answer", json=said), 409, "conflict")
    urgent = ok(operator.post("/api/v1/teleconsults", json={**ask, "doctor_id": None}), 201)
    said = {"advice": "120", "text": "疑似脑卒中", "doctor_id": "DR"}
    called = ok(operator.post(f"/api/v1/teleconsults/{urgent['id']}/answer", json=said))
    incident = ok(operator.get(f"/api/v1/incidents/{called['incident_id']}"))
    assert incident["resident"]["id"] == "R2"
    with_incident = ok(operator.post("/api/v1/teleconsults", json={**ask, "incident_id": called["incident_id"]}), 201)
    ok(operator.post(f"/api/v1/teleconsults/{with_incident['id']}/withdraw", json={"reason": "已送医"}))
    told = ok(operator.get(f"/api/v1/incidents/{called['incident_id']}/timeline"))["items"]
    assert [one["body"]["state"] for one in told if "teleconsult_id" in one["body"]] == ["withdrawn", "requested"]
    listed = ok(operator.get("/api/v1/teleconsults", params={"resident": "R2"}))
    check(views_meals.Teleconsults, listed)
    assert [one["state"] for one in listed["items"]].count("answered") == 2


def test_a_vitals_round_is_ordered_at_one_stroke(canteen: Desk) -> None:
    coordinator = canteen.seat("coord")
    _, tomorrow = days()
    body = {"day": tomorrow, "resident_ids": ["R1", "R2"], "measure": ["blood_pressure", "glucose_mmol_l"]}
    made = ok(coordinator.post("/api/v1/vitals-rounds", json=body), 201)
    check(views.ListOf[views_services.Order], made)
    assert {(one["kind"], one["resident"]["id"]) for one in made["items"]} == {
        ("vitals_round", "R1"),
        ("vitals_round", "R2"),
    }
    assert coordinator.post("/api/v1/vitals-rounds", json={"day": tomorrow}).json()["field"] == "resident_ids"
    assert coordinator.post("/api/v1/vitals-rounds", json={**body, "measure": ["mood"]}).status_code == 422


def test_whoever_goes_reads_what_to_bring_and_says_what_came_of_it(canteen: Desk) -> None:
    coordinator, nurse = canteen.seat("coord"), canteen.seat("helin")
    wanted = {
        "kind": "medicine_fetch",
        "resident_id": "R2",
        "wanted_from": soon(hours=2),
        "note": "先打电话",
        "attributes": {"pharmacy": "社区药房", "prescription": ["二甲双胍 × 60"], "pay_by": "insurance"},
    }
    order = ok(coordinator.post("/api/v1/orders", json=wanted), 201)
    ok(coordinator.post(f"/api/v1/orders/{order['id']}/assign", json={"responder_id": "S2"}))
    (task,) = [
        one for one in ok(nurse.get("/api/v1/my/tasks"))["items"] if (one["order"] or {}).get("id") == order["id"]
    ]
    assert task["order"]["note"].split("\n") == [
        "先打电话",
        "取药地点：社区药房",
        "药品清单：二甲双胍 × 60",
        "付款方式：医保卡",
    ]
    assert {"amount_paid_fen", "receipt_photo", "fetched"} <= {one["name"] for one in task["results"]}
    path = f"/api/v1/visits/{order['visit']['id']}/results"
    said = {"amount_paid_fen": 0, "fetched": ["二甲双胍"]}
    ok(nurse.post(path, json={"results": said, "at": soon(hours=-1)}))
    assert ok(coordinator.get(path))["responder_id"] == "S2"
