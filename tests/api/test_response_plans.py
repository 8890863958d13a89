"""Response plans over HTTP: kept, checked, audited, versioned; and the plan of an incident."""

from __future__ import annotations

from typing import Any

import httpx
import psycopg
import pytest

from tests.api.desk import Desk, Json

PLAN: Json = {
    "id": "night-grid-3",
    "zh": "三网格夜间",
    "en": "Grid 3 at night",
    "conditions": {"types": ["sos"], "hours": [1320, 360], "days": "any"},
    "voice": {"seconds": 40, "by_type": {"fall": 20}},
    "tiers": [{"code": "guard", "zh": "保安", "en": "Guard", "parties": [{"role": "guard"}], "wait_s": 45}],
}


@pytest.fixture(autouse=True)
def plans(shared: Desk) -> None:
    shared.services.response_plans.seed()


def ok(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


def test_a_plan_is_added_changed_and_its_versions_stay(shared: Desk) -> None:
    seat = shared.seat("fanglei")
    made = ok(seat.post("/api/v1/response-plans", json=PLAN), 201)
    assert (made["version"], made["built_in"], made["conditions"]["hours"]) == (1, False, [1320, 360])
    assert made["tiers"][0]["channels"] == ["voice", "sms", "push"], "what was left out is filled in and shown"
    path = "/api/v1/response-plans/night-grid-3"
    changed = ok(seat.patch(path, json={"voice": {"seconds": 60}}, headers={"If-Match": '"1"'}))
    assert (changed["version"], changed["voice"]["seconds"]) == (2, 60)
    assert seat.patch(path, json={"active": False}, headers={"If-Match": '"1"'}).status_code in (409, 412)
    versions = ok(seat.get(f"{path}/versions"))["items"]
    assert [(one["version"], one["record"]["voice"]["seconds"]) for one in versions] == [(2, 60), (1, 40)]
    with psycopg.connect(shared.url) as connection:
        rows = connection.execute(
            "SELECT action, name FROM audit WHERE subject = 'response_plans:night-grid-3' ORDER BY id"
        ).fetchall()
    assert rows == [("response_plans.add", "fanglei"), ("response_plans.change", "fanglei")]
    assert seat.post("/api/v1/response-plans", json=PLAN).status_code == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tiers": []}, "tiers"),
        ({"tiers": [{"code": "a", "zh": "x", "en": "x", "parties": [{"role": "mayor"}]}]}, "tiers[0].parties[0].role"),
        ({"tiers": [{**PLAN["tiers"][0], "wait_s": 1}]}, "tiers[0].wait_s"),
        ({"tiers": [PLAN["tiers"][0], PLAN["tiers"][0]]}, "tiers"),
        ({"conditions": {"types": ["earthquake"]}}, "conditions.types"),
        ({"conditions": {"hours": [60, 60]}}, "conditions.hours"),
        ({"conditions": {"area_id": "nowhere"}}, "conditions.area_id"),
        ({"conditions": {"weather": "rain"}}, "conditions.weather"),
        ({"voice": {"seconds": "soon"}}, "voice.seconds"),
        ({"clocks": {"accept_s": 0}}, "clocks.accept_s"),
    ],
)
def test_every_fault_is_named_with_its_place(shared: Desk, change: dict[str, Any], field: str) -> None:
    answer = shared.seat("boss").patch("/api/v1/response-plans/emergency", json=change)
    body = ok(answer, 422)
    assert field in answer.text
    assert body["type"] == "urn:care-hub:bad-request" or "field" in body


def test_an_edited_plan_survives_a_newer_hub_and_can_be_put_back(shared: Desk) -> None:
    seat = shared.seat("fanglei")
    before = ok(seat.get("/api/v1/response-plans/whereabouts"))
    ok(seat.patch("/api/v1/response-plans/whereabouts", json={"voice": {"seconds": 33}}))
    shared.services.response_plans.seed()
    assert ok(seat.get("/api/v1/response-plans/whereabouts"))["voice"]["seconds"] == 33
    back = ok(seat.post("/api/v1/response-plans/whereabouts/reset"))
    assert (back["voice"], back["edited"]) == (before["voice"], False)


def test_the_plan_of_an_incident_is_seen_and_a_tier_left_out(shared: Desk) -> None:
    incident = shared.incident("W2", "fall")
    seat = shared.seat("zhoumin")
    plan = ok(seat.get(f"/api/v1/incidents/{incident}/plan"))
    assert plan["plan"]["id"].startswith("emergency")
    assert plan["chosen"]["values"]["plan"] == plan["plan"]["id"]
    assert plan["access"]["ways"][0]["way"] == "key"
    code = plan["tiers"][0]["code"]
    refused = seat.post(f"/api/v1/incidents/{incident}/plan/skip", json={"tier": code, "reason": ""})
    assert refused.status_code == 422
    after = ok(seat.post(f"/api/v1/incidents/{incident}/plan/skip", json={"tier": code, "reason": "not at home"}))
    assert (after["tiers"][0]["state"], after["tiers"][0]["reason"]) == ("skipped", "not at home")
    ok(seat.post(f"/api/v1/incidents/{incident}/acknowledge"))
    said = ok(seat.post(f"/api/v1/incidents/{incident}/plan/voice", json={"reached": True}))
    assert said["voice"]["state"] == "reached"
    assert seat.get("/api/v1/incidents/00000000-0000-4000-8000-000000000000/plan").status_code == 404
