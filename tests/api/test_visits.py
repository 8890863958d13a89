"""Proof of visit over HTTP: what a phone sends once or twice, who may see what, the list of what is to be looked at."""

from __future__ import annotations

from typing import Any

import psycopg

from hub.api import views_meals, views_services
from hub.clock import utc_now
from tests.api.desk import Desk, Json
from tests.api.settlement import add_user
from tests.api.test_services import check, ok

FIX = {"lat": 31.3396, "lon": 118.3962, "accuracy_m": 10.0}


def offered(shared: Desk, kind: str, responder: str) -> tuple[str, str]:
    """An order of now, offered: visit and assignment."""
    coordinator = shared.seat("coord")
    wanted = {"kind": kind, "resident_id": "R1", "wanted_from": utc_now().isoformat()}
    order = ok(coordinator.post("/api/v1/orders", json=wanted), 201)
    given = ok(coordinator.post(f"/api/v1/orders/{order['id']}/assign", json={"responder_id": responder}))
    return order["visit"]["id"], given["visit"]["assignments"][0]["id"]


def test_a_nurses_visit_with_values_and_tasks_sent_twice_is_one(shared: Desk) -> None:
    visit, assignment = offered(shared, "nursing_visit", "S2")
    nurse, coordinator = shared.seat("helin"), shared.seat("coord")
    [task] = [one for one in ok(nurse.get("/api/v1/my/tasks"))["items"] if one["assignment"]["id"] == assignment]
    kit = task["kit"]
    assert (kit["proof"], kit["nurse"], kit["gate"], kit["least_min"]) == (True, True, None, 30)
    assert [one["code"] for one in kit["tasks"]][:2] == ["vitals", "medication_check"]
    here = {"at": utc_now().isoformat(), "fix": FIX}
    check(views_services.Visit, ok(nurse.post(f"/api/v1/visits/{visit}/check-in", json=here)))
    vitals: Json = {"systolic_mmhg": 128, "heart_rate_bpm": 72}
    body: Json = {**here, "outcome": "done", "tasks": [{"code": "vitals", "done": True}], "vitals": vitals}
    impossible = nurse.post(f"/api/v1/visits/{visit}/check-out", json={**body, "vitals": {"heart_rate_bpm": 5}})
    assert (impossible.status_code, impossible.json()["field"]) == (422, "heart_rate_bpm")
    empty = nurse.post(f"/api/v1/visits/{visit}/check-out", json={**body, "vitals": {}})
    assert empty.status_code == 422
    left = [
        ok(nurse.post(f"/api/v1/assignments/{assignment}/complete", json=body, headers={"Idempotency-Key": "out-1"}))
        for _ in range(2)
    ]
    assert left[0] == left[1]
    assert left[0]["state"] == "completed"
    seen = ok(coordinator.get(f"/api/v1/visits/{visit}"))
    check(views_services.Visit, seen)
    assert [(one["kind"], one["verdict"]) for one in seen["checks"]] == [("in", "verified"), ("out", "flagged")]
    assert seen["checks"][1]["flags"] == ["too_short"]
    assert seen["tasks"] == [{**seen["tasks"][0], "code": "vitals", "zh": "测量生命体征", "done": True, "note": None}]
    taken = ok(coordinator.get(f"/api/v1/visits/{visit}/vitals"))
    assert taken["items"][0]["values"] == {"systolic_mmhg": 128, "heart_rate_bpm": 72}
    assert taken["items"][0]["news2"]["zh"].startswith("部分评分")
    page = ok(shared.seat("fanglei").get("/api/v1/audit"))
    assert any(row["action"] == "visit_vitals.read" for row in page["items"])
    # The family sees the visit, and neither positions nor values.
    family = shared.seat("chenjing")
    shown = family.get(f"/api/v1/visits/{visit}")
    assert shown.status_code == 200
    assert not {"lat", "lon", "systolic_mmhg"} & _keys(shown.json()["checks"])
    assert family.get(f"/api/v1/visits/{visit}/vitals").status_code == 403
    assert shared.seat("wuqiang").get(f"/api/v1/visits/{visit}/vitals").status_code == 404


def test_a_vitals_round_says_who_is_due_and_whose_values_are_beyond_the_own_limits(shared: Desk) -> None:
    nurse, coordinator = shared.seat("helin"), shared.seat("coord")
    own = {"values": {"systolic_high": 150}, "reason": "医嘱"}
    ok(coordinator.patch("/api/v1/residents/R1/thresholds", json=own))
    visit, assignment = offered(shared, "vitals_round", "S2")
    today = ok(coordinator.get("/api/v1/vitals-rounds"))
    check(views_meals.VitalsRoundDay, today)
    assert [one["taken"] for one in today["items"] if one["visit"]["id"] == visit] == [None]
    ok(nurse.post(f"/api/v1/visits/{visit}/check-in", json={"at": utc_now().isoformat(), "fix": FIX}))
    for vitals in ({"systolic_mmhg": 175, "heart_rate_bpm": 72}, {"systolic_mmhg": 152, "spo2_pct": 91}):
        ok(nurse.post(f"/api/v1/visits/{visit}/vitals", json={"vitals": vitals}), 201)
    round_ = ok(coordinator.get("/api/v1/vitals-rounds", params={"date": today["day"]}))
    check(views_meals.VitalsRoundDay, round_)
    (taken,) = [one["taken"] for one in round_["items"] if one["visit"]["id"] == visit]
    assert (taken["by"]["name"], taken["nurse"]) == ("何琳", True)
    assert [(one["metric"], one["value"], one["beyond"], one["limit"]) for one in taken["values"]] == [
        ("heart_rate_bpm", 72, None, None),
        ("spo2_pct", 91, "low", 91),
        ("systolic_mmhg", 152, "high", 150),
    ]
    looked = ok(shared.seat("fanglei").get("/api/v1/audit"))["items"]
    assert [row for row in looked if row["action"] == "visit_vitals.read" and row["detail"] == {"visit": visit}]
    assert ok(coordinator.get("/api/v1/vitals-rounds", params={"date": "2020-01-01"}))["items"] == []
    assert nurse.get("/api/v1/vitals-rounds").status_code == 403
    ok(nurse.post(f"/api/v1/assignments/{assignment}/complete", json={"outcome": "done"}))


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(_keys, value.values()))
    return set().union(*map(_keys, value)) if isinstance(value, list) else set()


def test_a_flagged_check_is_listed_with_its_evidence_and_decided_once_a_version(shared: Desk) -> None:
    visit, assignment = offered(shared, "nursing_visit", "S2")
    nurse, coordinator = shared.seat("helin"), shared.seat("coord")
    away = {"lat": 31.36, "lon": 118.39, "accuracy_m": 15.0}
    ok(nurse.post(f"/api/v1/visits/{visit}/check-in", json={"fix": away}))
    given = {"tasks": [{"code": "vitals", "done": True}]}
    ok(nurse.post(f"/api/v1/assignments/{assignment}/complete", json={"outcome": "no_answer", **given}))
    listed = ok(coordinator.get("/api/v1/visit-checks", params={"flag": "too_far", "responder": "S2", "limit": 1}))
    [row] = listed["items"]
    assert row["check"]["findings"][0]["zh"].startswith("距服务地点")
    assert (row["fix"]["lat"], row["order"]["kind"], row["visit"]["state"]) == (31.36, "nursing_visit", "aborted")
    path = f"/api/v1/visit-checks/{row['check']['id']}"
    assert ok(coordinator.get(path)) == row
    no_reason = coordinator.post(f"{path}/review", json={"verdict": "accepted", "reason": " "})
    assert (no_reason.status_code, no_reason.json()["field"]) == (422, "reason")
    match = {"If-Match": f'"{row["check"]["version"]}"'}
    done = ok(coordinator.post(f"{path}/review", json={"verdict": "accepted", "reason": "在侧门"}, headers=match))
    assert (done["check"]["review"]["verdict"], done["check"]["review"]["by"]) == ("accepted", "coord")
    stale = coordinator.post(f"{path}/review", json={"verdict": "rejected", "reason": "x"}, headers=match)
    assert stale.status_code == 412
    assert row["check"]["id"] not in [
        one["check"]["id"] for one in ok(coordinator.get("/api/v1/visit-checks"))["items"]
    ]
    # Another organisation's people see nothing of it, and nobody decides on checks of their own people.
    with psycopg.connect(shared.url) as connection:
        connection.execute("INSERT INTO providers (id, name) VALUES ('P9', '安康') ON CONFLICT DO NOTHING")
    add_user(shared, "ankang", "coordinator", "P9")
    theirs = shared.seat("ankang")
    assert ok(theirs.get("/api/v1/visit-checks", params={"state": "all"}))["items"] == []
    assert theirs.get(path).status_code == 404
    assert theirs.get("/api/v1/visit-checks", params={"provider": "P8"}).status_code == 403
    assert theirs.post(f"{path}/review", json={"verdict": "accepted", "reason": "x"}).status_code == 403
    assert coordinator.get("/api/v1/visit-checks", params={"cursor": "x"}).json()["field"] == "cursor"
    assert coordinator.get("/api/v1/visit-checks", params={"state": "maybe"}).status_code == 422


def test_only_an_incident_has_no_tasks_and_only_a_bath_has_a_gate(shared: Desk) -> None:
    operator, nurse = shared.seat("zhoumin"), shared.seat("helin")
    incident = shared.incident("W2")
    assigned = ok(operator.post(f"/api/v1/incidents/{incident}/assign", json={"responder_id": "S2"}))
    assignment = assigned["assignments"][0]["id"]
    ok(nurse.post(f"/api/v1/assignments/{assignment}/on-scene", json={"fix": FIX}))
    body = {"outcome": "safe", "tasks": [{"code": "vitals", "done": True}]}
    refused = nurse.post(f"/api/v1/assignments/{assignment}/complete", json=body)
    assert (refused.status_code, refused.json()["field"]) == (422, "tasks")
    ok(nurse.post(f"/api/v1/assignments/{assignment}/complete", json={"outcome": "safe"}))
    visit, _ = offered(shared, "nursing_visit", "S2")
    gate = {"consent": "given", "vitals": {"systolic_mmhg": 120}}
    early = nurse.post(f"/api/v1/visits/{visit}/gate", json=gate)
    assert (early.status_code, early.json()["type"]) == (409, "urn:care-hub:not-on-scene")
    ok(nurse.post(f"/api/v1/visits/{visit}/check-in", json={"fix": FIX}))
    none = nurse.post(f"/api/v1/visits/{visit}/gate", json=gate)
    assert (none.status_code, none.json()["type"]) == (409, "urn:care-hub:no-gate")
    added = ok(nurse.post(f"/api/v1/visits/{visit}/vitals", json={"vitals": {"spo2_pct": 97}}), 201)
    assert added["items"][0]["values"] == {"spo2_pct": 97}
