"""The desk: who looks at what, who holds what, the end of a shift in two signatures, what is masked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
from pydantic import TypeAdapter

from hub.api import views, views_desk
from tests.api.desk import Desk, Json


def ok(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


def check(model: Any, body: Any) -> None:
    TypeAdapter(model).validate_python(body)


def test_who_looks_at_an_incident_is_seen_by_the_others(desk: Desk) -> None:
    ident = desk.incident("W1")
    zhou, li = desk.seat("zhoumin"), desk.seat("liqiang")
    with desk.stream(li) as events:
        events.wait_for("hb")
        mine = ok(zhou.post("/api/v1/presence", json={"incident_id": ident}))
        check(views.ListOf[views_desk.PresenceRow], mine)
        assert [(row["user"]["name"], row["incident_id"]) for row in mine["items"]] == [("zhoumin", ident)]
        told = events.wait_for("presence.updated")[0]["present"]
        assert [row["user"]["name"] for row in told] == ["zhoumin"]
        ok(zhou.post("/api/v1/presence", json={"incident_id": ident}))
        ok(zhou.post("/api/v1/presence", json={"incident_id": None}))
        assert events.wait_for("presence.updated", 2)[1]["present"] == []
        assert len(events.named("presence.updated")) == 2, "saying the same again tells nobody anything"
    assert ok(li.get("/api/v1/presence"))["items"] == []
    gone = ok(zhou.post("/api/v1/presence", json={"incident_id": "0198a000-0000-7000-8000-000000000000"}))
    assert gone["items"] == [], "nothing can be looked at that is not there"


def test_a_page_that_fell_silent_looks_at_nothing_any_more(desk: Desk) -> None:
    ident = desk.incident("W1")
    zhou = desk.seat("zhoumin")
    ok(zhou.post("/api/v1/presence", json={"incident_id": ident}))
    with psycopg.connect(desk.url) as connection:
        connection.execute("UPDATE presence SET seen_at = seen_at - interval '31 seconds'")
    assert ok(zhou.get("/api/v1/presence"))["items"] == []


def test_an_incident_is_put_into_another_hand(desk: Desk) -> None:
    ident = desk.incident("W1")
    zhou, li, fang = desk.seat("zhoumin"), desk.seat("liqiang"), desk.seat("fanglei")
    base = f"/api/v1/incidents/{ident}"
    ok(zhou.post(f"{base}/acknowledge", json={}))
    seats = ok(zhou.get("/api/v1/desk/seats"))["items"]
    assert {one["name"] for one in seats} == {"liqiang", "fanglei", "boss"}
    to_li = next(one["id"] for one in seats if one["name"] == "liqiang")
    refused = li.post(f"{base}/transfer", json={"user_id": to_li})
    assert refused.status_code == 403, "what is not in one's hand cannot be handed on"
    moved = ok(zhou.post(f"{base}/transfer", json={"user_id": to_li, "reason": "轮休"}))
    assert moved["acknowledged_by"]["name"] == "liqiang"
    assert zhou.post(f"{base}/transfer", json={"user_id": to_li}).status_code == 403
    mine = ok(fang.get("/api/v1/session"))["user"]["id"]
    assert ok(fang.post(f"{base}/transfer", json={"user_id": mine}))["acknowledged_by"]["name"] == "fanglei"
    staff = desk.user("sunwei").id
    assert fang.post(f"{base}/transfer", json={"user_id": staff}).status_code == 422
    kinds = [entry["kind"] for entry in ok(fang.get(f"{base}/timeline"))["items"]]
    assert kinds.count("transferred") == 2


def test_a_shift_changes_hands_at_the_second_signature_only(desk: Desk) -> None:
    held, free = desk.incident("W1"), desk.incident("W2", "fall")
    zhou, li = desk.seat("zhoumin"), desk.seat("liqiang")
    ok(zhou.post(f"/api/v1/incidents/{held}/acknowledge", json={}))
    ok(zhou.post(f"/api/v1/incidents/{held}/note", json={"text": "女儿七点到"}))
    assert zhou.delete("/api/v1/session").status_code == 409, "nobody signs out with an open matter"

    draft = ok(zhou.post("/api/v1/handovers", json={}), 201)
    check(views_desk.Handover, draft)
    again = ok(zhou.post("/api/v1/handovers", json={}), 201)
    assert (draft["state"], again["id"]) == ("draft", draft["id"]), "one under way a person"
    body = draft["body"]
    assert [row["id"] for row in body["open"]] == [held, free]
    assert body["open"][0]["holder"]["name"] == "zhoumin"
    assert body["notes"][0]["text"] == "女儿七点到"
    assert {row["name"] for row in body["on_duty"]} == {"孙伟", "何琳", "吴强"}
    assert body["counts"]["opened"] == 2

    path = f"/api/v1/handovers/{draft['id']}"
    assert li.post(f"{path}/sign", json={}).status_code == 403
    early = li.post(f"{path}/accept", json={"ticked": [held, free]})
    assert early.status_code == 409, "the first signature comes first"
    signed = ok(zhou.post(f"{path}/sign", json={"remarks": "三单元门禁坏了"}))
    assert (signed["state"], signed["remarks"]) == ("signed", "三单元门禁坏了")
    assert ok(li.get(f"/api/v1/incidents/{held}"))["acknowledged_by"]["name"] == "zhoumin"
    assert zhou.post(f"{path}/accept", json={"ticked": [held, free]}).status_code == 403, "not to oneself"
    missing = li.post(f"{path}/accept", json={"ticked": [free]})
    assert (missing.status_code, missing.json()["incidents"]) == (409, [held])

    # Claimed after the first signature: still the outgoing person's, so it goes along, but never unread.
    late = desk.incident("W1", "door")
    ok(zhou.post(f"/api/v1/incidents/{late}/acknowledge", json={}))
    assert li.post(f"{path}/accept", json={"ticked": [held, free]}).json()["incidents"] == [late]
    done = ok(li.post(f"{path}/accept", json={"ticked": [held, free, late]}))
    assert (done["state"], done["incoming"]["name"], set(done["moved"])) == ("done", "liqiang", {held, late})
    for ident in (held, late):
        assert ok(li.get(f"/api/v1/incidents/{ident}"))["acknowledged_by"]["name"] == "liqiang"
    assert ok(li.get(f"/api/v1/incidents/{free}"))["acknowledged_by"] is None, "what nobody held stays in the queue"
    entry = ok(li.get(f"/api/v1/incidents/{held}/timeline"))["items"][0]
    assert (entry["kind"], entry["actor"]["name"], entry["body"]["handover_id"]) == (
        "transferred",
        "zhoumin",
        draft["id"],
    )
    assert li.post(f"{path}/accept", json={"ticked": [held, free, late]}).status_code == 409
    assert zhou.delete("/api/v1/session").status_code == 204
    listed = ok(li.get("/api/v1/handovers"))
    assert [row["id"] for row in listed["items"]] == [draft["id"]]


def test_a_hand_over_can_be_taken_back_and_drawn_up_anew(desk: Desk) -> None:
    zhou, li = desk.seat("zhoumin"), desk.seat("liqiang")
    first = ok(zhou.post("/api/v1/handovers", json={}), 201)
    assert li.post(f"/api/v1/handovers/{first['id']}/cancel").status_code == 403
    assert ok(zhou.post(f"/api/v1/handovers/{first['id']}/cancel"))["state"] == "cancelled"
    assert ok(zhou.post("/api/v1/handovers", json={}), 201)["id"] != first["id"]
    far = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    assert desk.seat("fanglei").post("/api/v1/handovers", json={"shift_from": far}).status_code == 422


def test_the_desk_sees_residents_masked_until_it_says_why(desk: Desk) -> None:
    zhou, boss = desk.seat("zhoumin"), desk.seat("boss")
    change = {"conditions": ["高血压"], "allergies": ["青霉素"], "access": {"gate": "3302#"}}
    assert boss.patch("/api/v1/residents/R1", json=change).status_code == 200
    shown = ok(zhou.get("/api/v1/residents/R1"))
    assert (shown["phone"], shown["conditions"], shown["access"]) == ("139****0001", [], {})
    assert shown["allergies"] == ["青霉素"], "a warning is never masked"
    assert shown["masked"] == ["access", "conditions", "phone"]
    row = next(one for one in ok(zhou.get("/api/v1/residents"))["items"] if one["id"] == "R1")
    assert row["phone"] == "139****0001"
    assert ok(zhou.get("/api/v1/contacts", params={"resident": "R1"}))["items"][0]["phone"] == "138****0003"

    assert zhou.post("/api/v1/residents/R1/reveal", json={}).status_code == 422
    opened = ok(zhou.post("/api/v1/residents/R1/reveal", json={"reason": "家属来电核对"}))
    check(views_desk.Revealed, opened)
    assert (opened["resident"]["phone"], opened["contacts"][0]["phone"]) == ("13900000001", "13800000003")
    desk.incident("W1")
    ok(zhou.post("/api/v1/residents/R1/reveal", json={}))
    seen = [one for one in ok(boss.get("/api/v1/audit"))["items"] if one["action"] == "residents.reveal"]
    assert [one["detail"].get("reason") for one in seen] == [None, "家属来电核对"]
    assert seen[0]["detail"]["incident_id"], "an open incident is the reason"


def test_the_page_is_told_the_site_and_its_time(desk: Desk) -> None:
    zhou = desk.seat("zhoumin")
    site = ok(zhou.get("/api/v1/site"))
    check(views_desk.Site, site)
    assert (site["time_zone"], site["tiles"]) == ("Asia/Shanghai", None)
    assert ok(zhou.get("/api/v1/session"))["time_zone"] == "Asia/Shanghai"
    assert zhou.post("/api/v1/desk/sound-test").status_code == 204
    draft = ok(zhou.post("/api/v1/handovers", json={}), 201)
    assert draft["body"]["sound_test"]["name"] == "zhoumin"


def test_what_was_measured_comes_in_every_width_and_with_the_usual_band(desk: Desk) -> None:
    zhou = desk.seat("zhoumin")
    now = datetime.now(UTC)
    with psycopg.connect(desk.url) as connection:
        for hours in range(72):
            at = now - timedelta(hours=hours, minutes=1)
            connection.execute(
                "INSERT INTO observations (received_at, observed_at, device_id, resident_id, metric, value)"
                " VALUES (%s, %s, 'W1', 'R1', 'heart_rate_bpm', %s)",
                (at, at, 60 + hours % 24),
            )
    for width in ("raw", "1m", "5m", "15m", "1h", "1d", "hour", "day"):
        params = {"metric": "heart_rate_bpm", "resolution": width}
        items = ok(zhou.get("/api/v1/residents/R1/observations", params=params))["items"]
        assert items, width
    band = ok(zhou.get("/api/v1/residents/R1/baseline", params={"metric": "heart_rate_bpm"}))
    check(views.ListOf[views_desk.BaselineHour], band)
    assert len(band["items"]) == 24
    assert all(one["low"] <= one["mid"] <= one["high"] and one["n"] == 3 for one in band["items"])
