"""What is told to the desk: by telephone, at the counter, by a call that rings; many small matters at once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from hub.api import routes_bulk, routes_calls
from hub.api.routes_alarms import AlarmKinds
from hub.clock import new_id, utc_now
from tests.api.desk import Desk, Json
from tests.api.test_incidents import check, ok


def told(client: httpx.Client, status: int = 201, **body: Any) -> Json:
    return ok(client.post("/api/v1/alarms", json=body), status)


def refused(client: httpx.Client, status: int = 422, **body: Any) -> str:
    answer = client.post("/api/v1/alarms", json=body)
    assert answer.status_code == status, answer.text
    return str(answer.json()["field"])


def timeline(client: httpx.Client, incident_id: str) -> list[Json]:
    return list(ok(client.get(f"/api/v1/incidents/{incident_id}/timeline"))["items"])


def test_an_alarm_told_by_telephone_keeps_who_called_and_why_it_has_its_level(shared: Desk) -> None:
    operator = shared.seat("zhoumin")
    kinds = ok(operator.get("/api/v1/alarms/kinds"))
    check(AlarmKinds, kinds)
    levels = {one["id"]: one["priority"] for one in kinds["types"]}
    assert (levels["fall"], levels["assistance"], "cancel" in levels) == ("critical", "high", False)
    assert kinds["resolve_h"]["medium"] == 72

    said = {"type": "fall", "resident_id": "R2", "caller": "邻居 王阿姨", "phone": "13700000000", "note": "听见摔倒"}
    plain = told(operator, **said)
    assert (plain["incident"]["priority"], plain["incident"]["resident"]["id"]) == ("critical", "R2")
    assert plain["alarm"]["attributes"]["caller"] == "邻居 王阿姨"

    # Without a resident each stands alone, so what was said before cannot raise its level.
    assert refused(operator, type="assistance", area_id="G3", priority="medium") == "priority_reason"
    lower = told(operator, type="assistance", area_id="G3", priority="medium", priority_reason="只问送餐时间")
    assert lower["incident"]["priority"] == "medium"
    assert lower["alarm"]["attributes"]["priority_proposed"] == "high"
    assert lower["alarm"]["attributes"]["priority_reason"] == "只问送餐时间"
    assert refused(shared.seat("chenjing"), 403, type="assistance", priority="critical") == "priority"


def test_a_matter_told_to_the_desk_is_the_grids_matter(shared: Desk) -> None:
    operator = shared.seat("zhoumin")
    matter = told(operator, matter="fire_risk", area_id="G3", channel="walk_in", note="楼道堆物", caller="李大爷")
    assert (matter["incident"]["type"], matter["incident"]["priority"]) == ("assistance", "medium")
    assert matter["alarm"]["note"] == "消防隐患 · 楼道堆物"
    shared.services.matters.tend()
    loop = ok(operator.get(f"/api/v1/incidents/{matter['incident']['id']}/loop"))
    assert (loop["level"], loop["reporter"]["caller"], loop["reporter"]["channel"]) == ("yellow", "李大爷", "walk_in")
    for wrong, field in (
        ({"matter": "nonsense", "area_id": "G3"}, "matter"),
        ({"matter": "other", "area_id": "G3"}, "note"),
        ({"matter": "water", "type": "water_leak", "area_id": "G3"}, "type"),
        ({"area_id": "G3"}, "type"),
        ({"matter": "water"}, "resident_id"),
    ):
        assert refused(operator, **wrong) == field


def test_enter_pressed_twice_makes_one_alarm(shared: Desk) -> None:
    operator = shared.seat("zhoumin")
    body = {"type": "gas", "area_id": "G3", "note": new_id()}
    answers: list[httpx.Response] = []

    def send() -> None:
        answers.append(operator.post("/api/v1/alarms", json=body, headers={"Idempotency-Key": body["note"]}))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Whoever comes while the first is under way is told so, and may repeat.
    assert {one.status_code for one in answers} <= {201, 409}
    send()
    rows = ok(operator.get("/api/v1/alarms", params={"q": body["note"]}))["items"]
    assert [one["id"] for one in rows] == [answers[-1].json()["alarm"]["id"]]


def ringing(client: httpx.Client) -> dict[str, Json]:
    body = ok(client.get("/api/v1/calls/incoming"))
    check(routes_calls.Incoming, body)
    return {one["call"]["number"]: one for one in body["items"]}


def test_a_call_that_rings_names_who_calls_and_goes_when_it_is_over(shared: Desk) -> None:
    system, operator, other = shared.seat("bridge"), shared.seat("zhoumin"), shared.seat("liqiang")
    with shared.database.begin() as tx:
        tx.reference.upsert("contacts", [{"id": "K2", "resident_id": "R1", "name": "陈明", "phone": "13800000009"}])
        tx.reference.upsert("contacts", [{"id": "K3", "resident_id": "R2", "name": "陈明", "phone": "13800000009"}])
        tx.reference.upsert(
            "responders", [{"id": "S1", "name": "孙伟", "kind": "grid_officer", "phone": "138 0000 0010"}]
        )
    incident = shared.incident("W1")
    rung: dict[str, Json] = {}
    for number in ("13900000001", "13800000009", "+8613800000010", "02188886666"):
        rung[number] = ok(system.post("/api/v1/calls/incoming", json={"number": number}), 201)["call"]

    found = ringing(operator)
    resident = found["13900000001"]["caller"]
    assert (resident["kind"], resident["name"], resident["incident"]["id"]) == ("resident", "陈秀英", incident)
    contact = found["13800000009"]["caller"]
    assert (contact["kind"], contact["name"]) == ("contact", "陈明")
    assert {one["id"] for one in contact["residents"]} == {"R1", "R2"}, "the operator asks which of them"
    assert found["+8613800000010"]["caller"]["kind"] == "responder"
    assert found["02188886666"]["caller"]["kind"] == "unknown"

    # One seat has it; the other hears who, and when.
    call = f"/api/v1/calls/{rung['13900000001']['id']}"
    mine = ok(operator.patch(call, json={"answered_at": utc_now().isoformat()}))
    assert mine["answered_by"]["name"] == "zhoumin"
    late = other.patch(call, json={"answered_at": utc_now().isoformat()})
    assert (late.status_code, late.json()["by"]["name"]) == (409, "zhoumin")
    assert ringing(other)["13900000001"]["call"]["answered_by"]["name"] == "zhoumin"

    # The telephone system says of its own calls that they ended, and of them nothing else.
    assert system.patch(call, json={"note": "x"}).status_code == 403
    placed = ok(operator.post("/api/v1/calls", json={"direction": "out", "number": "120"}), 201)
    assert system.patch(f"/api/v1/calls/{placed['id']}", json={"outcome": "answered"}).status_code == 404
    ok(system.patch(call, json={"ended_at": utc_now().isoformat(), "outcome": "answered"}))
    unknown = f"/api/v1/calls/{rung['02188886666']['id']}"
    ok(system.patch(unknown, json={"ended_at": utc_now().isoformat(), "outcome": "no_answer"}))
    assert set(ringing(operator)) == {"13800000009", "+8613800000010"}
    assert other.patch(unknown, json={"answered_at": utc_now().isoformat()}).status_code == 409


def test_a_call_that_nobody_said_the_end_of_does_not_ring_for_ever(shared: Desk) -> None:
    system, operator = shared.seat("bridge"), shared.seat("zhoumin")
    long_ago = (utc_now() - timedelta(minutes=3)).isoformat()
    ok(system.post("/api/v1/calls/incoming", json={"number": "02133334444", "started_at": long_ago}), 201)
    assert "02133334444" not in ringing(operator)


def low(desk: Desk) -> str:
    """A live incident of the lowest level, of its own subject."""
    said = {"matter": "equipment", "area_id": "G3", "note": new_id()}
    return str(told(desk.seat("zhoumin"), **said)["incident"]["id"])


def test_only_the_lowest_level_is_claimed_many_at_once(shared: Desk) -> None:
    operator, other = shared.seat("zhoumin"), shared.seat("liqiang")
    mine, second, held = low(shared), low(shared), low(shared)
    urgent = str(told(operator, matter="fire_risk", area_id="G3")["incident"]["id"])
    ok(other.post(f"/api/v1/incidents/{held}/acknowledge"))
    gone = new_id()
    body = {"ids": [mine, urgent, held, second, gone, mine], "reason": "洪峰：同一网格的通知"}
    headers = {"Idempotency-Key": new_id()}
    answer = ok(operator.post("/api/v1/incidents/bulk-acknowledge", json=body, headers=headers))
    check(routes_bulk.BulkAnswer, answer)
    assert [one["id"] for one in answer["done"]] == [mine, second]
    assert {one["acknowledged_by"]["name"] for one in answer["done"]} == {"zhoumin"}
    codes = {one["id"]: one["code"] for one in answer["refused"]}
    assert codes == {urgent: "bulk-refused", held: "conflict", gone: "not-found"}
    assert next(one for one in answer["refused"] if one["id"] == held)["by"]["name"] == "liqiang"
    assert ok(operator.get(f"/api/v1/incidents/{urgent}"))["state"] == "open"
    line = next(one for one in timeline(operator, mine) if one["kind"] == "acknowledged")
    assert (line["body"]["together"], line["body"]["reason"]) == (True, body["reason"])
    again = ok(operator.post("/api/v1/incidents/bulk-acknowledge", json=body, headers=headers))
    assert again == answer, "a second Enter is the same press"

    # The way back takes what is one's own, and nothing of another seat.
    undone = ok(operator.post("/api/v1/incidents/bulk-release", json={"ids": [mine, held, second], "reason": "撤销"}))
    assert [one["state"] for one in undone["done"]] == ["open", "open"]
    assert [one["code"] for one in undone["refused"]] == ["not-holder"]

    with psycopg.connect(shared.url) as connection:
        rows = connection.execute(
            "SELECT action, detail ->> 'reason', detail -> 'done', detail -> 'refused' FROM audit"
            " WHERE action LIKE 'incident.bulk%' ORDER BY id"
        ).fetchall()
    assert [(row[0], row[1]) for row in rows] == [
        ("incident.bulk_acknowledge", body["reason"]),
        ("incident.bulk_release", "撤销"),
    ]
    assert rows[0][2] == [mine, second]
    assert rows[0][3] == codes


@pytest.mark.parametrize("body", [{"ids": [], "reason": "x"}, {"ids": [new_id()], "reason": "  "}, {"reason": "x"}])
def test_many_at_once_need_ids_and_a_reason(shared: Desk, body: Json) -> None:
    assert shared.seat("zhoumin").post("/api/v1/incidents/bulk-acknowledge", json=body).status_code == 422
    assert shared.seat("coord").post("/api/v1/incidents/bulk-acknowledge", json=body).status_code in (403, 422)
