"""From a press to the supervised record, over HTTP; who was first; what is done once."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import TypeAdapter

from devices.geo import wgs84_to_gcj02
from hub.api import routes_calls, views, views_live, views_services
from tests.api.desk import Desk, Json, soon


def ok(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


def check(model: Any, body: Any) -> None:
    """The view has every documented field, of the documented type."""
    TypeAdapter(model).validate_python(body)


def test_the_whole_thread(desk: Desk) -> None:
    operator, supervisor, staff = desk.seat("zhoumin"), desk.seat("fanglei"), desk.seat("sunwei")
    ident = desk.incident("W1", "sos")
    base = f"/api/v1/incidents/{ident}"

    queue = ok(operator.get("/api/v1/incidents", params={"state": "live"}))
    check(views.IncidentPage, queue)
    assert [row["id"] for row in queue["items"]] == [ident]
    incident = ok(operator.post(f"{base}/acknowledge", json={}))
    assert (incident["state"], incident["acknowledged_by"]["name"]) == ("acknowledged", "zhoumin")

    candidates = ok(operator.get(f"{base}/candidates"))
    check(views.CandidateList, candidates)
    assert candidates["items"][0]["eligible"]
    incident = ok(operator.post(f"{base}/assign", json={"responder_id": "S1", "note": "第三单元"}))
    assignment = incident["assignments"][0]
    assert (assignment["state"], assignment["responder"]["id"]) == ("offered", "S1")

    tasks = ok(staff.get("/api/v1/my/tasks"))
    check(views_services.Tasks, tasks)
    assert tasks["items"][0]["next"] == "accept"
    assert tasks["items"][0]["incident"]["resident"]["name"] == "陈秀英"
    step = f"/api/v1/assignments/{assignment['id']}"
    for action, body, state in (
        ("accept", {}, "accepted"),
        ("en-route", {}, "en_route"),
        ("on-scene", {"fix": {"lat": 31.34, "lon": 118.396, "accuracy_m": 12.5}}, "on_scene"),
        ("complete", {"outcome": "helped_up", "note": "一切正常"}, "completed"),
    ):
        done = ok(staff.post(f"{step}/{action}", json=body))
        check(views.Assignment, done)
        assert done["state"] == state

    incident = ok(operator.post(f"{base}/close", json={"disposition": "genuine", "summary": "跌倒，已扶起"}))
    assert (incident["state"], incident["supervision"]) == ("resolved", "required")
    refused = operator.post(f"{base}/supervise", json={"verdict": "confirmed"})
    assert refused.status_code == 403
    incident = ok(supervisor.post(f"{base}/supervise", json={"verdict": "confirmed"}))
    assert incident["state"] == "closed"
    check(views.Incident, incident)

    detail = ok(operator.get(base))
    check(views.IncidentDetail, detail)
    assert detail["alarm_rows"][0]["type"] == "sos"
    assert [one["name"] for one in detail["contacts"]] == ["陈静"]
    timeline = ok(operator.get(f"{base}/timeline", params={"limit": 3}))
    check(views.ListOf[views.TimelineEntry], timeline)
    kinds = [row["kind"] for row in timeline["items"]]
    while timeline["next"]:
        timeline = ok(operator.get(f"{base}/timeline", params={"limit": 3, "cursor": timeline["next"]}))
        kinds += [row["kind"] for row in timeline["items"]]
    assert kinds[:2] == ["noted", "closed"], "closed, and the return visit ordered"
    assert kinds[-1] == "raised"
    assert {"acknowledged", "offered", "accepted", "en_route", "on_scene", "completed", "resolved"} <= set(kinds)
    summary = ok(operator.get("/api/v1/summary"))
    check(views_live.Summary, summary)
    assert summary["unclaimed"]["critical"] == 0


def test_the_loser_of_a_race_hears_who_was_first_and_when(desk: Desk) -> None:
    seats = [desk.seat("zhoumin"), desk.seat("liqiang")]
    ident = desk.incident()
    gate = threading.Barrier(2)
    answers: dict[int, httpx.Response] = {}

    def claim(number: int) -> None:
        gate.wait(10)
        answers[number] = seats[number].post(f"/api/v1/incidents/{ident}/acknowledge", json={})

    threads = [threading.Thread(target=claim, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers.values()) == [200, 409]
    lost = next(answer for answer in answers.values() if answer.status_code == 409)
    won = next(answer for answer in answers.values() if answer.status_code == 200)
    problem = lost.json()
    assert lost.headers["content-type"] == "application/problem+json"
    assert problem["by"]["name"] == won.json()["acknowledged_by"]["name"]
    assert problem["at"]
    assert problem["state"] == "acknowledged"


def test_every_other_action(desk: Desk) -> None:
    operator = desk.seat("zhoumin")
    ident = desk.incident("W2", "assistance")
    base = f"/api/v1/incidents/{ident}"
    assert ok(operator.post(f"{base}/acknowledge"))["state"] == "acknowledged"
    ok(operator.post(f"{base}/note", json={"text": "在电话中"}))
    ok(operator.post(f"{base}/touch"))
    ok(operator.post(f"{base}/escalate", json={"reason": "无人接听"}))
    shelved = ok(operator.post(f"{base}/shelve", json={"minutes": 15, "reason": "等家属"}))
    assert shelved["shelved_until"]
    assert ok(operator.post(f"{base}/unshelve", json={}))["shelved_until"] is None
    assert ok(operator.post(f"{base}/shelve", json={"until": soon(minutes=20), "reason": "等家属"}))["shelved_until"]
    assert ok(operator.post(f"{base}/release", json={"reason": "换班"}))["state"] == "open"
    ok(operator.post(f"{base}/acknowledge", json={}))
    assert ok(operator.post(f"{base}/close", json={"disposition": "false", "summary": "误触"}))["state"] == "closed"
    assert ok(operator.post(f"{base}/reopen", json={"reason": "家属来电"}))["state"] == "open"
    kinds = {row["kind"] for row in ok(operator.get(f"{base}/timeline"))["items"]}
    assert {"noted", "escalated", "shelved", "unshelved", "released", "reopened"} <= kinds


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("shelve", {"reason": "x"}, "body"),
        ("shelve", {"reason": "x", "minutes": 5, "until": "2026-03-01T00:00:00Z"}, "body"),
        ("shelve", {"reason": "x", "minutes": 0}, "minutes"),
        ("shelve", {"reason": "x", "minutes": "15"}, "minutes"),
        ("shelve", {"reason": "x", "until": "2026-03-01T00:00:00"}, "until"),
        ("shelve", {"reason": "x", "until": 1772323200}, "until"),
        ("close", {"disposition": "boring", "summary": "x"}, "disposition"),
        ("note", {"text": "   "}, "text"),
        ("note", {"text": "a\x00b"}, "text"),
        ("note", {"text": "x", "colour": "red"}, "colour"),
        ("note", {}, "text"),
        ("assign", {"responder_id": None}, "responder_id"),
        ("acknowledge", {"force": True}, "force"),
        ("supervise", {"verdict": "maybe"}, "verdict"),
    ],
)
def test_wrong_words_are_answered_with_their_place(shared: Desk, action: str, body: Json, field: str) -> None:
    answer = shared.seat("fanglei").post(f"/api/v1/incidents/{uuid4()}/{action}", json=body)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["type"] == "urn:care-hub:bad-request"
    assert problem["field"] == field
    assert field in problem["detail"]
    assert problem["errors"][0]["detail"]


def test_what_is_not_there(shared: Desk) -> None:
    operator = shared.seat("zhoumin")
    for ident in (str(uuid4()), "nonsense", "%00", "a" * 64):
        for path in ("", "/timeline", "/candidates"):
            answer = operator.get(f"/api/v1/incidents/{ident}{path}")
            assert answer.status_code == 404, (ident, path, answer.text)
    assert operator.post(f"/api/v1/incidents/{uuid4()}/acknowledge", json={}).status_code == 404
    ident = shared.incident()
    assert operator.post(f"/api/v1/incidents/{ident}/assign", json={"responder_id": "nobody"}).status_code == 404


# --- once


def test_a_repeated_key_gives_the_first_answer_and_does_nothing(shared: Desk) -> None:
    operator = shared.seat("zhoumin")
    ident = shared.incident()
    ok(operator.post(f"/api/v1/incidents/{ident}/acknowledge", json={}))
    key = {"Idempotency-Key": "note-1"}
    path = f"/api/v1/incidents/{ident}/note"
    first = operator.post(path, json={"text": "一次"}, headers=key)
    ok(first)
    assert "idempotent-replay" not in first.headers
    again = operator.post(path, json={"text": "一次"}, headers=key)
    assert again.json() == first.json()
    assert again.headers["idempotent-replay"] == "true"
    noted = [row for row in ok(operator.get(f"/api/v1/incidents/{ident}/timeline"))["items"] if row["kind"] == "noted"]
    assert len(noted) == 1
    other = operator.post(path, json={"text": "另一次"}, headers=key)
    assert (other.status_code, other.json()["type"]) == (409, "urn:care-hub:key-reused")
    assert other.json()["field"] == "Idempotency-Key"
    # Another person's key is another key.
    ok(shared.seat("fanglei").post(path, json={"text": "督导"}, headers=key))


def test_a_key_whose_request_failed_can_be_used_again(shared: Desk) -> None:
    operator = shared.seat("zhoumin")
    ident = shared.incident()
    key = {"Idempotency-Key": "assign-1"}
    path = f"/api/v1/incidents/{ident}/assign"
    assert operator.post(path, json={"responder_id": "nobody"}, headers=key).status_code == 404
    ok(operator.post(path, json={"responder_id": "S3"}, headers=key))


def test_a_key_sent_twice_at_once_is_done_once(shared: Desk) -> None:
    ident = shared.incident()
    seats = [shared.seat("zhoumin") for _ in range(6)]
    gate = threading.Barrier(len(seats))
    codes: list[int] = []

    def write(seat: httpx.Client) -> None:
        gate.wait(10)
        path = f"/api/v1/incidents/{ident}/note"
        codes.append(seat.post(path, json={"text": "同时"}, headers={"Idempotency-Key": "at-once"}).status_code)

    threads = [threading.Thread(target=write, args=(seat,)) for seat in seats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) <= {200, 409}
    assert 200 in codes
    timeline = ok(seats[0].get(f"/api/v1/incidents/{ident}/timeline"))["items"]
    assert len([row for row in timeline if row["kind"] == "noted" and row["body"].get("text") == "同时"]) == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 129])
def test_a_key_that_is_none(shared: Desk, key: str) -> None:
    answer = shared.seat("zhoumin").post(
        f"/api/v1/incidents/{uuid4()}/acknowledge", json={}, headers={"Idempotency-Key": key}
    )
    assert answer.status_code == 422
    assert answer.json()["field"].lower() == "idempotency-key"


def test_if_match_writes_only_on_the_version_one_has_read(shared: Desk) -> None:
    operator = shared.seat("zhoumin")
    ident = shared.incident()
    shown = operator.get(f"/api/v1/incidents/{ident}")
    seen = shown.headers["etag"]
    assert seen == f'"{shown.json()["version"]}"'
    path = f"/api/v1/incidents/{ident}/acknowledge"
    stale = operator.post(path, json={}, headers={"If-Match": '"999"'})
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:care-hub:version")
    assert ok(operator.post(path, json={}, headers={"If-Match": seen}))["state"] == "acknowledged"
    assert operator.post(path, json={}, headers={"If-Match": "three"}).json()["field"] == "If-Match"


# --- alarms from people


def test_a_person_raises_an_alarm(shared: Desk) -> None:
    operator = shared.seat("zhoumin")
    body = {"type": "assistance", "resident_id": "R2", "note": "来电求助", "phone": "13900000002", "channel": "phone"}
    answer = operator.post("/api/v1/alarms", json=body, headers={"Idempotency-Key": str(uuid4())})
    raised = ok(answer, 201)
    check(views.AlarmRaised, raised)
    assert raised["incident"]["resident"]["id"] == "R2"
    assert raised["alarm"]["source"] == "person"
    page = ok(operator.get("/api/v1/alarms", params={"resident": "R2", "type": "assistance"}))
    check(views.ListOf[views.Alarm], page)
    assert raised["alarm"]["id"] in [row["id"] for row in page["items"]]
    for wrong, field in (
        ({"type": "earthquake", "resident_id": "R1"}, "type"),
        ({"type": "cancel", "resident_id": "R1"}, "type"),
        ({"type": "sos"}, "resident_id"),
        ({"type": "sos", "resident_id": "R1", "fix": {"lat": 91, "lon": 0}}, "fix.lat"),
    ):
        problem = operator.post("/api/v1/alarms", json=wrong)
        assert (problem.status_code, problem.json()["field"]) == (422, field), problem.text
    missing = operator.post("/api/v1/alarms", json={"type": "sos", "resident_id": "R99"})
    assert missing.status_code in (404, 422)


def test_calls_are_kept_and_an_incoming_one_opens_its_resident(shared: Desk) -> None:
    operator, system = shared.seat("zhoumin"), shared.seat("bridge")
    ident = shared.incident("W1")
    opened = ok(system.post("/api/v1/calls/incoming", json={"number": "+86 138-0000-0003"}), 201)
    check(routes_calls.IncomingAnswer, opened)
    assert opened["resident"]["id"] == "R1"
    assert opened["contact"]["name"] == "陈静"
    assert opened["incident"]["id"] == ident
    # The telephone system shows a name, not an illness.
    assert "conditions" not in opened["resident"]
    unknown = ok(system.post("/api/v1/calls/incoming", json={"number": "02112345678"}), 201)
    assert unknown["resident"] is None
    call = ok(operator.post("/api/v1/calls", json={"direction": "out", "number": "120", "incident_id": ident}), 201)
    check(views.Call, call)
    done = ok(operator.patch(f"/api/v1/calls/{call['id']}", json={"outcome": "answered", "note": "已派车"}))
    assert done["outcome"] == "answered"
    listed = ok(operator.get("/api/v1/calls", params={"incident": ident}))
    check(views.ListOf[views.Call], listed)
    assert {call["id"], opened["call"]["id"]} == {row["id"] for row in listed["items"]}
    assert "called" in [row["kind"] for row in ok(operator.get(f"/api/v1/incidents/{ident}/timeline"))["items"]]


# --- rows


def test_staff_see_what_they_are_assigned_to_and_nothing_else(desk: Desk) -> None:
    operator, mine, other = desk.seat("zhoumin"), desk.seat("sunwei"), desk.seat("helin")
    ident = desk.incident("W1")
    hidden = desk.incident("W2")
    ok(operator.post(f"/api/v1/incidents/{ident}/acknowledge"))
    incident = ok(operator.post(f"/api/v1/incidents/{ident}/assign", json={"responder_id": "S1"}))
    assignment = incident["assignments"][0]["id"]
    assert [row["id"] for row in ok(mine.get("/api/v1/incidents"))["items"]] == [ident]
    assert ok(other.get("/api/v1/incidents"))["items"] == []
    for path in ("", "/timeline"):
        assert mine.get(f"/api/v1/incidents/{ident}{path}").status_code == 200
        assert other.get(f"/api/v1/incidents/{ident}{path}").status_code == 404
        assert mine.get(f"/api/v1/incidents/{hidden}{path}").status_code == 404
    assert mine.get("/api/v1/residents/R1").status_code == 200
    assert mine.get("/api/v1/residents/R2").status_code == 404
    assert other.get("/api/v1/residents/R1").status_code == 404
    assert other.get(f"/api/v1/assignments/{assignment}").status_code == 404
    assert other.post(f"/api/v1/assignments/{assignment}/accept", json={}).status_code == 404
    assert ok(mine.get(f"/api/v1/assignments/{assignment}"))["state"] == "offered"
    # An operator may step for somebody who reports by telephone.
    assert ok(operator.post(f"/api/v1/assignments/{assignment}/accept", json={}))["state"] == "accepted"
    ok(mine.post(f"/api/v1/assignments/{assignment}/decline", json={"reason": "车坏了"}), 200)
    assert mine.get(f"/api/v1/incidents/{ident}").status_code == 404


def test_families_and_residents_see_their_own(desk: Desk) -> None:
    operator = desk.seat("zhoumin")
    for seat in (desk.seat("chenjing"), desk.seat("chenxiuying")):
        assert ok(seat.get("/api/v1/residents/R1"))["id"] == "R1"
        assert seat.get("/api/v1/residents/R2").status_code == 404
        calm = ok(seat.get("/api/v1/my/help"))
        check(views_services.Help, calm)
        assert calm["resident"]["id"] == "R1"
        assert seat.post("/api/v1/alarms", json={"type": "sos", "resident_id": "R2"}).status_code == 403
        wanted = {"kind": "meal_delivery", "resident_id": "R2", "wanted_from": soon(hours=3)}
        assert seat.post("/api/v1/orders", json=wanted).status_code == 403
    raised = ok(desk.seat("chenjing").post("/api/v1/my/help", json={"note": "妈妈不接电话"}), 201)
    assert raised["incident"]["type"] == "sos"
    ident = raised["incident"]["id"]
    ok(operator.post(f"/api/v1/incidents/{ident}/acknowledge"))
    incident = ok(operator.post(f"/api/v1/incidents/{ident}/assign", json={"responder_id": "S1"}))
    # Whoever was asked is not yet coming.
    assert ok(desk.seat("chenxiuying").get("/api/v1/my/help"))["coming"] == []
    mine = next(row["id"] for row in incident["assignments"] if row["responder"]["id"] == "S1")
    ok(desk.seat("sunwei").post(f"/api/v1/assignments/{mine}/accept"))
    coming = ok(desk.seat("chenxiuying").get("/api/v1/my/help"))
    assert coming["incident"]["id"] == ident
    assert [one["name"] for one in coming["coming"]] == ["孙伟"]


def test_a_position_of_a_chinese_map_is_kept_as_wgs84(shared: Desk) -> None:
    body = {"type": "fall", "area_id": "G3", "fix": {"lat": 31.34, "lon": 118.396, "crs": "gcj02"}}
    fix = ok(shared.seat("zhoumin").post("/api/v1/alarms", json=body), 201)["alarm"]["fix"]
    assert "crs" not in fix
    assert wgs84_to_gcj02(fix["lat"], fix["lon"]) == pytest.approx((31.34, 118.396), abs=1e-6)
    assert 0.003 < 118.396 - fix["lon"] < 0.007  # the two systems lie some hundred metres apart there
    wrong = shared.seat("zhoumin").post("/api/v1/alarms", json={**body, "fix": {**body["fix"], "crs": "utm"}})  # type: ignore[dict-item]
    assert (wrong.status_code, wrong.json()["field"]) == (422, "fix.crs")


def test_a_place_that_a_person_names_stays_with_the_alarm(shared: Desk) -> None:
    """It joins the resident's live incident, which is elsewhere: what was said must not be lost."""
    operator = shared.seat("zhoumin")
    shared.incident("W1")
    body = {"type": "fall", "resident_id": "R1", "area_id": "G3"}
    assert ok(operator.post("/api/v1/alarms", json=body), 201)["alarm"]["attributes"]["area_id"] == "G3"
    unknown = operator.post("/api/v1/alarms", json={**body, "area_id": "G99"})
    assert (unknown.status_code, unknown.json()["field"]) == (404, "area_id")


@pytest.mark.parametrize(
    ("times", "field"),
    [
        ({"started_at": "2199-01-01T00:00:00Z"}, "started_at"),
        ({"started_at": "2026-11-22T10:00:00+08:00", "answered_at": "2026-11-22T09:59:59+08:00"}, "answered_at"),
        ({"started_at": "2026-11-22T10:00:00+08:00", "ended_at": "2026-11-22T01:00:00Z"}, "ended_at"),
    ],
)
def test_a_call_runs_forward_and_not_in_the_future(shared: Desk, times: Json, field: str) -> None:
    refused = shared.seat("zhoumin").post("/api/v1/calls", json={"direction": "out", "number": "120", **times})
    assert (refused.status_code, refused.json()["field"]) == (422, field)
