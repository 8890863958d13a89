"""Silences over HTTP: set, seen, ended; refused where they would hide a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from hub.clock import utc_now
from tests.api.desk import Desk, Json


def ok(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


def wanted(**fields: Any) -> Json:
    ends_at = (utc_now() + timedelta(hours=1)).isoformat()
    return {"kind": "maintenance", "device_id": "W1", "ends_at": ends_at, "reason": "换电池"} | fields


def test_a_silence_is_set_listed_and_ended_with_names(shared: Desk) -> None:
    seat = shared.seat("zhoumin")
    made = ok(seat.post("/api/v1/silences", json=wanted()), 201)
    assert (made["state"], made["kind"], made["device_id"]) == ("in_force", "maintenance", "W1")
    assert made["set_by"]
    listed = ok(seat.get("/api/v1/silences"))["items"]
    assert [(one["id"], one["device"]["id"], one["silenced"]) for one in listed] == [(made["id"], "W1", 0)]
    ended = ok(seat.post(f"/api/v1/silences/{made['id']}/end", json={"reason": "已换"}))
    assert (ended["state"], ended["end_reason"]) == ("over", "已换")
    again = seat.post(f"/api/v1/silences/{made['id']}/end", json={"reason": "已换"})
    assert again.status_code == 409
    assert ok(seat.get("/api/v1/silences"))["items"] == []
    over = ok(seat.get("/api/v1/silences", params={"state": "over", "limit": 1}))
    assert over["items"][0]["id"] == made["id"]


def test_what_cannot_be_silenced_is_refused_with_the_field(shared: Desk) -> None:
    seat = shared.seat("zhoumin")
    refused = [
        (wanted(type="sos"), 422, "type"),
        (wanted(device_id=None), 422, "device_id"),
        (wanted(ends_at=(utc_now() + timedelta(days=31)).isoformat()), 422, "ends_at"),
        (wanted(ends_at=(utc_now() - timedelta(days=1)).isoformat()), 422, "ends_at"),
        (wanted(device_id="nobody"), 404, "device_id"),
    ]
    for body, status, field in refused:
        answer = seat.post("/api/v1/silences", json=body)
        assert answer.status_code == status, answer.text
        assert answer.json()["field"] == field
    wide = wanted(device_id=None, type="low_battery")
    assert seat.post("/api/v1/silences", json=wide).status_code == 403
    made = ok(shared.seat("fanglei").post("/api/v1/silences", json=wide), 201)
    assert seat.post(f"/api/v1/silences/{made['id']}/end", json={"reason": "x"}).status_code == 403
