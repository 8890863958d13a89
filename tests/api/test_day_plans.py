"""Plans of a day over HTTP, with the job and the planner's process behind them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from hub.api import schemas_day_plans as shapes
from hub.jobs import DayPlansJob
from hub.store.listen import Listener
from tests.api.desk import Desk, Json
from tests.waiting import wait_until

CHINA = timezone(timedelta(hours=8))
TOMORROW = (datetime.now(UTC).astimezone(CHINA) + timedelta(days=1)).date()


def _at(clock: str) -> str:
    return f"{TOMORROW.isoformat()}T{clock}:00+08:00"


def ok(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


def check(model: Any, body: Any) -> None:
    TypeAdapter(model).validate_python(body)


@pytest.fixture
def planned(desk: Desk) -> Iterator[Desk]:
    """A desk with a job that plans: two nurses on duty tomorrow, three visits."""
    coordinator = desk.seat("coord")
    nurse = {"kind": "nurse", "sex": "f", "skills": [{"skill": "nursing", "expires_on": None}], "station_id": "ST1"}
    ok(coordinator.post("/api/v1/responders", json={"id": "S4", "name": "林芳", **nurse}), 201)
    for carer in ("S2", "S4"):
        shift = {"responder_id": carer, "starts_at": _at("08:00"), "ends_at": _at("17:00")}
        ok(coordinator.post("/api/v1/shifts", json=shift), 201)
    for resident, clock in (("R1", "09:00"), ("R2", "10:00"), ("R1", "14:00")):
        wanted = {"kind": "nursing_visit", "resident_id": resident, "wanted_from": _at(clock)}
        ok(coordinator.post("/api/v1/orders", json=wanted), 201)
    with closing(Listener(desk.url, ["care_hub_day_plans"])) as listener:
        job = DayPlansJob(desk.services.day.planning, wake=listener.wait)
        job.start()
        try:
            yield desk
        finally:
            job.request_stop()
            listener.close()
            job.stop(10)


def test_a_day_is_planned_looked_at_published_and_changed(planned: Desk) -> None:
    coordinator = planned.seat("coord")
    asked = coordinator.post("/api/v1/plans", json={"date": TOMORROW.isoformat(), "seconds": 1})
    plan = ok(asked, 202)
    check(shapes.DayPlan, plan)
    assert plan["state"] == "running"
    base = f"/api/v1/plans/{plan['id']}"
    assert asked.headers["location"] == base

    def ready() -> Json | None:
        now = ok(coordinator.get(base))
        assert now["state"] in ("running", "ready"), now
        return now if now["state"] == "ready" else None

    plan = wait_until(ready, 120)
    check(shapes.DayPlan, plan)
    assert plan["progress"]["share"] == 1
    assert (plan["counts"]["planned"], plan["unplanned"], plan["missing"]) == (3, [], [])
    assert "missing" not in plan["progress"]
    listed = ok(coordinator.get("/api/v1/plans", params={"date": TOMORROW.isoformat()}))
    check(shapes.DayPlanList, listed)
    assert [one["id"] for one in listed["items"]] == [plan["id"]]
    where = {"date": TOMORROW.isoformat()}
    assert ok(coordinator.get("/api/v1/routes", params=where))["items"] == []
    routes = ok(coordinator.get("/api/v1/routes", params={**where, "plan": plan["id"]}))
    check(shapes.RouteList, routes)
    assert sum(len(route["stops"]) for route in routes["items"]) == 3
    compared = ok(coordinator.get(f"{base}/compare"))
    check(shapes.PlanCompared, compared)
    stop = routes["items"][0]["stops"][0]
    check(shapes.VisitWhy, ok(coordinator.get(f"{base}/visits/{stop['visit_id']}/why")))

    published = ok(coordinator.post(f"{base}/publish", json={"accepted": True}))
    assert published["state"] == "published"
    visit = ok(coordinator.get(f"/api/v1/orders/{stop['order_id']}"))["visit"]
    assert visit["state"] == "accepted"
    assert visit["promised_from"] is not None
    # Staff see their own route, of what is published; others nothing of it.
    owner = routes["items"][0]["responder_id"]
    mine = ok(planned.seat("helin").get("/api/v1/routes", params={**where, "responder": "S4"}))["items"]
    assert {one["responder_id"] for one in mine} <= {"S2"}
    assert planned.seat("chenjing").get("/api/v1/routes", params=where).status_code == 403
    assert planned.seat("zhoumin").post("/api/v1/plans", json=where).status_code == 403

    event = {"kind": "ill", "responder_id": owner, "from": _at("07:00")}
    again = ok(coordinator.post("/api/v1/plans/replan", json={**where, "events": [event]}), 201)
    check(shapes.DayPlan, again)
    again = wait_until(
        lambda: (now := ok(coordinator.get(f"/api/v1/plans/{again['id']}"))) and now["progress"]["share"] == 1 and now,
        60,
    )
    assert again["state"] == "ready"
    assert again["based_on"] == plan["id"]
    assert all(owner not in change["now"]["responder_ids"] for change in again["changes"])
    assert all(set(change["tell"]) == {"resident", "contact", "responder"} for change in again["changes"])

    move = {"kind": "move", "visit_id": stop["visit_id"], "start": _at("18:00"), "responder_id": owner}
    checked = ok(coordinator.post("/api/v1/plans/check", json={**where, "event": move}))
    check(shapes.PlanChecked, checked)
    assert "shift" in {one["code"] for one in checked["conflicts"]}
    refused = coordinator.post(
        "/api/v1/plans/replan",
        json={**where, "events": [{"kind": "swap", "visit_id": stop["visit_id"], "responder_id": "S3"}]},
    )
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:care-hub:rule")
    assert refused.json()["conflicts"][0]["code"] == "skill"
    wrong = coordinator.post(
        "/api/v1/plans/replan", json={**where, "events": [{"kind": "late", "visit_id": plan["id"], "minutes": 9}]}
    )
    assert (wrong.status_code, wrong.json()["field"]) == (422, "events.0.visit_id")
    dropped = ok(coordinator.post(f"/api/v1/plans/{again['id']}/cancel"))
    assert dropped["state"] == "cancelled"
    assert coordinator.post(f"{base}/cancel").status_code == 409
    pinned = ok(coordinator.post(f"/api/v1/visits/{stop['visit_id']}/pin", json={"pinned": True}))
    assert pinned["pinned"] is True
