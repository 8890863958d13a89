"""A report from patrol is a matter with a deadline, its place and its photo; once, however often it is sent."""

from __future__ import annotations

import base64

import psycopg

from tests.api.desk import Desk, Json

JPEG = b"\xff\xd8\xff\xe0" + b"x" * 400


def test_a_report_is_a_matter_with_a_deadline_and_a_photo(desk: Desk) -> None:
    officer, zhou = desk.seat("sunwei"), desk.seat("zhoumin")
    body: Json = {
        "kind": "fire_risk",
        "note": "楼道堆放电动车",
        "fix": {"lat": 31.34, "lon": 118.39, "accuracy_m": 12},
        "photo": base64.b64encode(JPEG).decode(),
        "at": "2026-01-05T09:00:00+08:00",
    }
    first = officer.post("/api/v1/my/matters", json=body, headers={"Idempotency-Key": "p1"})
    assert first.status_code == 201, first.text
    again = officer.post("/api/v1/my/matters", json=body, headers={"Idempotency-Key": "p1"})
    assert again.json()["alarm"]["id"] == first.json()["alarm"]["id"]
    incident = first.json()["incident"]
    assert (incident["type"], incident["priority"], incident["fix"]["lat"]) == ("assistance", "medium", 31.34)
    desk.services.matters.tend()
    loop = zhou.get(f"/api/v1/incidents/{incident['id']}/loop").json()
    assert (loop["level"], loop["reporter"]["channel"], loop["reporter"]["caller"]) == ("yellow", "patrol", "sunwei")
    (photo,) = loop["photos"]
    shown = zhou.get(f"/api/v1/incidents/{incident['id']}/photos/{photo['id']}")
    assert (shown.content, shown.headers["content-type"]) == (JPEG, "image/jpeg")
    assert zhou.get(f"/api/v1/photos/{photo['id']}").status_code == 404, "it belongs to no visit"
    assert zhou.get(f"/api/v1/incidents/{first.json()['alarm']['id']}/photos/{photo['id']}").status_code == 404
    with psycopg.connect(desk.url) as connection:
        looked = connection.execute("SELECT count(*) FROM audit WHERE action = 'photo.read'").fetchone()
    assert looked == (1,)
    second = officer.post("/api/v1/my/matters", json={"kind": "water"}).json()["incident"]
    assert second["id"] != incident["id"], "each report is a matter of its own"


def test_what_is_wrong_is_said(desk: Desk) -> None:
    officer = desk.seat("sunwei")
    post = "/api/v1/my/matters"
    assert officer.post(post, json={"kind": "other"}).json()["field"] == "note"
    assert (
        officer.post(post, json={"kind": "help", "photo": base64.b64encode(b"GIF89a....").decode()}).status_code == 422
    )
    assert officer.post(post, json={"kind": "help", "area_id": "nowhere"}).status_code == 404
    assert officer.post(post, json={"kind": "volcano"}).status_code == 422
    assert desk.seat("zhoumin").post(post, json={"kind": "help"}).status_code == 403
