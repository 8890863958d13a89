"""The family's and the resident's page, consents, photos of visits, the code of an area, a responder's own."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import httpx
import psycopg
import pytest
from pydantic import TypeAdapter

from hub.api import schemas_rota, views_home, views_services
from hub.api.public_gate import PublicGate, Rate
from hub.api.signin import ThrottledError
from hub.service import MATTERS
from tests.api.desk import Desk, Json, soon

JPEG = b"\xff\xd8\xff\xe0" + b"door" * 500


def ok(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


def check(model: Any, body: Any) -> None:
    TypeAdapter(model).validate_python(body)


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["type"]).rpartition(":")[2]


def audited(desk: Desk, action: str) -> list[Json]:
    with psycopg.connect(desk.url) as connection:
        rows = connection.execute(
            "SELECT subject, detail, name FROM audit WHERE action = %s ORDER BY id", (action,)
        ).fetchall()
    return [{"subject": subject, "detail": detail, "by": by} for subject, detail, by in rows]


def test_a_call_for_help_is_confirmed_and_says_who_comes(shared: Desk) -> None:
    family, operator, officer = shared.seat("chenjing"), shared.seat("zhoumin"), shared.seat("sunwei")
    called = family.post("/api/v1/my/help", json={"note": "妈妈不接电话"}, headers={"Idempotency-Key": "help-1"})
    incident = ok(called, 201)["incident"]
    assert incident["priority"] == "critical"
    # The same press, sent again because its answer was lost, is the same call.
    again = family.post("/api/v1/my/help", json={"note": "妈妈不接电话"}, headers={"Idempotency-Key": "help-1"})
    assert ok(again, 201)["alarm"]["id"] == called.json()["alarm"]["id"]
    view = ok(family.get("/api/v1/my/help"))
    check(views_services.Help, view)
    assert (view["incident"]["id"], view["coming"]) == (incident["id"], [])
    ok(operator.post(f"/api/v1/incidents/{incident['id']}/acknowledge", json={}))
    sent = ok(operator.post(f"/api/v1/incidents/{incident['id']}/assign", json={"responder_id": "S1"}))
    (task,) = [one for one in sent["assignments"] if one["responder"]["id"] == "S1"]
    ok(officer.post(f"/api/v1/assignments/{task['id']}/en-route", json={}))
    coming = ok(family.get("/api/v1/my/help"))["coming"]
    assert [(one["name"], one["state"]) for one in coming] == [("孙伟", "en_route")]
    ok(officer.post(f"/api/v1/assignments/{task['id']}/on-scene", json={}))
    at = soon(minutes=-5)
    ok(officer.post(f"/api/v1/assignments/{task['id']}/all-well", json={"at": at}))
    entries = ok(operator.get(f"/api/v1/incidents/{incident['id']}/timeline"))["items"]
    (answer,) = [one for one in entries if one["body"].get("welfare") == "answered"]
    # Never before the arrival, whatever the phone's clock says.
    assert answer["body"]["happened_at"] > at
    ok(officer.post(f"/api/v1/assignments/{task['id']}/complete", json={"outcome": "safe"}))
    ok(operator.post(f"/api/v1/incidents/{incident['id']}/close", json={"disposition": "false", "summary": "平安"}))


def test_consent_is_given_by_purpose_taken_back_and_audited(shared: Desk) -> None:
    family, resident, desk = shared.seat("chenjing"), shared.seat("chenxiuying"), shared.seat("coord")
    ok(desk.patch("/api/v1/residents/R1", json={"conditions": ["高血压"], "flags": ["独居"]}))
    hidden = ok(family.get("/api/v1/my/help"))
    assert (hidden["shown"], hidden["resident"]["warnings"]) == ({"heard_at": None, "values": None}, [])
    assert ok(family.get("/api/v1/residents/R1"))["conditions"] == []
    assert ok(resident.get("/api/v1/residents/R1"))["conditions"] == ["高血压"]
    assert problem(family.post("/api/v1/my/consents", json={"purpose": "health", "granted": True}))[0] == 403
    given = ok(resident.post("/api/v1/my/consents", json={"purpose": "health", "granted": True}))
    check(views_home.Consents, given)
    ok(resident.post("/api/v1/my/consents", json={"purpose": "health", "granted": True}))
    shown = ok(family.get("/api/v1/my/help"))
    assert shown["shown"]["values"] == []
    assert shown["shown"]["heard_at"] is None
    assert ok(family.get("/api/v1/residents/R1"))["conditions"] == ["高血压"]
    ok(resident.post("/api/v1/my/consents", json={"purpose": "health", "granted": False}))
    assert ok(family.get("/api/v1/my/help"))["shown"]["values"] is None
    noted = {"purpose": "status", "granted": True, "note": "签字纸质同意书"}
    lines = ok(desk.post("/api/v1/residents/R1/consents", json=noted))["items"]
    assert {one["purpose"]: one["granted"] for one in lines} == {"status": True, "health": False, "photos": False}
    assert desk.post("/api/v1/residents/R1/consents", json={**noted, "note": ""}).status_code == 422
    assert desk.post("/api/v1/residents/R1/consents", json={**noted, "purpose": "all"}).status_code == 422
    assert desk.get("/api/v1/residents/R0/consents").status_code == 404
    assert ok(family.get("/api/v1/my/consents"))["may_change"] is False
    assert [(one["by"], one["detail"]["purpose"]) for one in audited(shared, "consent.given")] == [
        ("chenxiuying", "health"),
        ("coord", "status"),
    ]
    assert len(audited(shared, "consent.withdrawn")) == 1


def test_away_ends_the_services_and_what_the_desk_said_stays(shared: Desk) -> None:
    family, desk = shared.seat("chenjing"), shared.seat("coord")
    wanted = {"kind": "meal_delivery", "resident_id": "R1", "wanted_from": soon(hours=3)}
    order = ok(desk.post("/api/v1/orders", json=wanted), 201)
    view = ok(family.post("/api/v1/my/status", json={"status": "away", "reason": "去女儿家"}))
    check(views_services.Help, view)
    assert view["resident"]["status"] == "away"
    assert ok(desk.get(f"/api/v1/orders/{order['id']}"))["state"] == "cancelled"
    ok(family.post("/api/v1/my/status", json={"status": "home"}))
    assert family.post("/api/v1/my/status", json={"status": "hospital"}).status_code == 422
    ok(desk.post("/api/v1/residents/R1/status", json={"status": "hospital"}))
    assert problem(family.post("/api/v1/my/status", json={"status": "home"})) == (409, "not-yours")
    ok(desk.post("/api/v1/residents/R1/status", json={"status": "home"}))


def test_a_visit_that_could_not_be_done_is_aborted_with_photos_as_evidence(shared: Desk) -> None:
    desk, courier, resident = shared.seat("coord"), shared.seat("wuqiang"), shared.seat("chenxiuying")
    wanted = {"kind": "meal_delivery", "resident_id": "R1", "wanted_from": soon(hours=4)}
    order = ok(desk.post("/api/v1/orders", json=wanted), 201)
    offer = ok(desk.post(f"/api/v1/orders/{order['id']}/assign", json={"responder_id": "S3"}))
    task = offer["visit"]["assignments"][0]["id"]
    path = f"/api/v1/assignments/{task}/photos"
    picture = {"content": base64.b64encode(JPEG).decode(), "at": soon(seconds=-1)}
    assert problem(courier.post(path, json=picture)) == (403, "not-on-scene")
    for step in ("accept", "en-route", "on-scene"):
        ok(courier.post(f"/api/v1/assignments/{task}/{step}", json={}))
    (mine,) = [one for one in ok(courier.get("/api/v1/my/tasks"))["items"] if one["assignment"]["id"] == task]
    assert mine["photos"] is False
    assert problem(courier.post(path, json=picture)) == (409, "no-consent")
    ok(resident.post("/api/v1/my/consents", json={"purpose": "photos", "granted": True}))
    ok(courier.post(path, json=picture), 201)
    kept = ok(courier.post(path, json=picture), 201)
    check(views_home.Photos, kept)
    (photo,) = kept["items"]
    assert (photo["sha256"], photo["size"]) == (hashlib.sha256(JPEG).hexdigest(), len(JPEG))
    for wrong in ("not base64!", base64.b64encode(b"GIF89a" + b"x" * 20).decode()):
        assert courier.post(path, json={"content": wrong}).status_code == 422
    shown = desk.get(f"/api/v1/photos/{photo['id']}")
    assert (shown.status_code, shown.headers["content-type"], shown.content) == (200, "image/jpeg", JPEG)
    assert shared.seat("helin").get(f"/api/v1/photos/{photo['id']}").status_code == 404
    assert [one["by"] for one in audited(shared, "photo.read")] == ["coord"]
    ended = {"outcome": "no_answer", "note": "敲门十分钟"}
    ok(courier.post(f"/api/v1/assignments/{task}/complete", json=ended))
    after = ok(desk.get(f"/api/v1/orders/{order['id']}"))
    assert (after["state"], after["reason"]) == ("aborted", "no_answer: 敲门十分钟")
    assert (after["visit"]["state"], after["visit"]["outcome"]) == ("aborted", "no_answer")


def test_whoever_scans_a_code_opens_a_matter_that_is_never_critical(shared: Desk) -> None:
    keeper, anybody, operator = shared.seat("coord"), shared.anonymous(), shared.seat("zhoumin")
    first = ok(keeper.post("/api/v1/areas/G3/code"), 201)
    check(views_home.AreaCode, first)
    code = first["code"]
    assert first["url"] == f"/q/{code}"
    # 22 characters of base64 are 132 bits, 128 of them random.
    assert len(code) == 22
    assert ok(keeper.get("/api/v1/areas/G3/code"))["code"] is None
    with psycopg.connect(shared.url) as connection:
        stored = connection.execute("SELECT code_hash FROM area_codes").fetchone()
    assert stored == (hashlib.sha256(code.encode()).digest(),)
    before = len(ok(operator.get("/api/v1/alarms"))["items"])
    page = ok(anybody.get(f"/api/v1/q/{code}"))
    check(views_home.PublicArea, page)
    assert page["area"] == "柳岸 · 第3网格"
    assert len(ok(operator.get("/api/v1/alarms"))["items"]) == before
    said = {"kind": "help", "note": "3 幢门口有位老人摔倒了", "phone": "13700000001", "key": "abcdefgh"}
    taken = ok(anybody.post(f"/api/v1/q/{code}", json=said), 201)
    check(views_home.MatterTaken, taken)
    assert ok(anybody.post(f"/api/v1/q/{code}", json=said), 201) == taken
    alarms = ok(operator.get("/api/v1/alarms"))["items"]
    assert len(alarms) == before + 1
    (incident,) = [
        one
        for one in ok(operator.get("/api/v1/incidents", params={"state": "live"}))["items"]
        if one["number"] == taken["number"]
    ]
    assert (incident["priority"], incident["area"]["id"], incident["assignments"]) == ("medium", "G3", [])
    assert alarms[0]["attributes"]["phone"] == "13700000001"
    for wrong, field in (({"kind": "sos"}, "kind"), ({"kind": "other"}, "note"), ({"kind": "help", "x": 1}, "x")):
        answer = anybody.post(f"/api/v1/q/{code}", json=wrong)
        assert answer.status_code in (422, 429), answer.text
        assert answer.json().get("field") == field
    answers = [anybody.post(f"/api/v1/q/{code}", json=said) for _ in range(3)]
    assert [one.status_code for one in answers][-1] == 429
    assert int(answers[-1].headers["retry-after"]) > 0
    second = ok(keeper.post("/api/v1/areas/G3/code"), 201)["code"]
    assert anybody.get(f"/api/v1/q/{code}").status_code == 404
    assert anybody.get(f"/api/v1/q/{second}").status_code == 200
    assert keeper.delete("/api/v1/areas/G3/code").status_code == 204
    assert anybody.get(f"/api/v1/q/{second}").status_code == 404
    assert [one["by"] for one in audited(shared, "area.code_withdrawn")] == ["coord"]


def test_no_matter_of_the_public_page_is_critical() -> None:
    assert {one.priority for one in MATTERS.values()} <= {"medium", "low"}


def test_the_public_gate_refills_and_counts_each_on_their_own() -> None:
    now = [100.0]
    gate = PublicGate(lambda: now[0])
    rate = Rate(burst=2, every_s=10)
    gate.admit("say", "a", rate)
    gate.admit("say", "a", rate)
    gate.admit("say", "b", rate)
    with pytest.raises(ThrottledError) as refused:
        gate.admit("say", "a", rate)
    assert refused.value.extra["retry_after_s"] == 10
    now[0] += 10
    gate.admit("say", "a", rate)


def test_staff_see_their_shifts_and_can_call_for_help_themselves(shared: Desk) -> None:
    desk, officer = shared.seat("coord"), shared.seat("sunwei")
    for hours in (30, 2, -40):
        shift = {"responder_id": "S1", "starts_at": soon(hours=hours), "ends_at": soon(hours=hours + 8)}
        ok(desk.post("/api/v1/shifts", json=shift), 201)
    shifts = ok(officer.get("/api/v1/my/shifts"))
    check(schemas_rota.MyRota, shifts)
    starts = [one["starts_at"] for one in shifts["items"]]
    assert len(starts) == 2
    assert starts == sorted(starts)
    called = ok(officer.post("/api/v1/my/sos", json={"note": "被狗追"}), 201)
    assert (called["incident"]["priority"], called["incident"]["area"]["id"]) == ("critical", "C")
    assert called["alarm"]["note"] == "孙伟 · 被狗追"
    # Whoever calls for help is not sent to it.
    candidates = ok(desk.get(f"/api/v1/incidents/{called['incident']['id']}/candidates"))["items"]
    (self_,) = [one for one in candidates if one["responder"]["id"] == "S1"]
    assert (self_["eligible"], "caller" in [reason["code"] for reason in self_["reasons"]]) == (False, True)
    offered = called["incident"]["assignments"]
    assert "S1" not in [one["responder"]["id"] for one in offered]


def test_the_overview_says_who_allows_what(shared: Desk) -> None:
    desk = shared.seat("coord")
    noted = {"purpose": "photos", "granted": True, "note": "纸质签字"}
    # Other tests of this module may have left it in force, given in another way.
    ok(desk.post("/api/v1/residents/R1/consents", json={**noted, "granted": False}))
    ok(desk.post("/api/v1/residents/R1/consents", json=noted))
    everybody = ok(desk.get("/api/v1/consents"))
    check(views_home.ConsentOverview, everybody)
    assert everybody["counts"]["residents"] == len(everybody["items"])
    (given,) = ok(desk.get("/api/v1/consents", params={"purpose": "photos", "given": True}))["items"]
    assert (given["resident"]["id"], given["items"][0]["note"]) == ("R1", "纸质签字")
    without = ok(desk.get("/api/v1/consents", params={"purpose": "photos", "given": False}))["items"]
    assert "R1" not in [one["resident"]["id"] for one in without]
    assert len(without) == everybody["counts"]["residents"] - everybody["counts"]["photos"]
    first = ok(desk.get("/api/v1/consents", params={"limit": 1}))
    second = ok(desk.get("/api/v1/consents", params={"limit": 500, "cursor": first["next"]}))
    assert [*first["items"], *second["items"]] == everybody["items"]
    assert ok(desk.get("/api/v1/consents", params={"q": "%"}))["items"] == []
    ok(desk.post("/api/v1/residents/R1/consents", json={**noted, "granted": False}))


def test_areas_that_have_a_code_are_listed_without_it(shared: Desk) -> None:
    keeper = shared.seat("coord")
    code = ok(keeper.post("/api/v1/areas/G3/code"), 201)["code"]
    listed = keeper.get("/api/v1/area-codes")
    assert code not in listed.text
    (row,) = [one for one in ok(listed)["items"] if one["area_id"] == "G3"]
    check(views_home.AreaCodeInForce, row)
    assert keeper.delete("/api/v1/areas/G3/code").status_code == 204
    assert "G3" not in [one["area_id"] for one in ok(keeper.get("/api/v1/area-codes"))["items"]]
