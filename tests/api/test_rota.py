"""The rota over HTTP: rotations make shifts, gaps are found, swaps change hands, somebody is on call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from tests.api.desk import Desk, Json

DAY = timedelta(days=1)
ROTATION = {
    "name": "夜间门卫",
    "role": "guard",
    "area_id": "C",
    "starts_on": "2026-01-05",
    "begins": "20:00",
    "minutes": 720,
    "members": ["S1", "S2"],
}


def _soon(days: int) -> str:
    return (datetime.now(UTC) + days * DAY).date().isoformat()


def _add(desk: Desk, **more: Any) -> Json:
    answer = desk.seat("coord").post("/api/v1/rotations", json={**ROTATION, **more})
    assert answer.status_code == 201, answer.text
    body: Json = answer.json()
    return body


def _shifts(desk: Desk, rotation_id: str) -> list[Json]:
    items: list[Json] = desk.seat("coord").get("/api/v1/shifts", params={"limit": 500}).json()["items"]
    found = [one for one in items if one["rotation_id"] == rotation_id]
    return sorted(found, key=lambda one: (one["starts_at"], one["id"]))


def test_a_rotation_makes_its_shifts_and_they_follow_its_change(desk: Desk) -> None:
    made = _add(desk, id="night")
    assert made["made"] in (60, 61)  # the one under way is among them
    shifts = _shifts(desk, "night")
    assert len(shifts) == made["made"]
    people = [one["responder_id"] for one in shifts]
    assert all(a != b for a, b in pairwise(people))  # they take turns
    assert {one["starts_at"][11:16] for one in shifts} == {"12:00"}  # 20:00 at +08:00

    seat = desk.seat("coord")
    touched = seat.patch(f"/api/v1/shifts/{shifts[5]['id']}", json={"responder_id": "S3"}).json()
    assert touched["changed"] is True
    answer = seat.patch("/api/v1/rotations/night", json={"members": ["S2"], "minutes": 600})
    after = answer.json()
    assert (after["made"], after["removed"]) == (0, 0)
    assert made["made"] - 2 <= after["changed"] < made["made"]  # what has begun stays
    assert [one["id"] for one in after["kept"]] == [shifts[5]["id"]]
    begun = datetime.now(UTC).isoformat()
    assert {one["responder_id"] for one in _shifts(desk, "night") if one["starts_at"] > begun} == {"S2", "S3"}
    gone = seat.patch("/api/v1/rotations/night", json={"active": False}).json()
    assert gone["removed"] == after["changed"]
    assert "S3" in {one["responder_id"] for one in _shifts(desk, "night")}


def test_the_jobs_top_up_and_do_it_once(desk: Desk) -> None:
    _add(desk, id="night")
    with psycopg.connect(desk.url, autocommit=True) as connection:
        connection.execute("UPDATE rotations SET made_until = current_date + 10")
        connection.execute("DELETE FROM shifts WHERE starts_at > current_date + 10")
    assert desk.services.rota.top_up() == 1
    assert desk.services.rota.top_up() == 0
    assert len(_shifts(desk, "night")) in (60, 61)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rule": "FREQ=SECONDLY"}, "rule"),
        ({"members": ["nobody"]}, "members"),
        ({"area_id": "nowhere"}, "area_id"),
        ({"begins": "25:00"}, "begins"),
        ({"name": ""}, "name"),
    ],
)
def test_a_pattern_that_cannot_be_meant_names_its_field(shared: Desk, change: Json, field: str) -> None:
    for path in ("/api/v1/rotations", "/api/v1/rotations/preview"):
        if path.endswith("preview") and field in ("area_id", "name"):
            continue
        answer = shared.seat("coord").post(path, json={**ROTATION, **change})
        assert answer.status_code == 422 or answer.status_code == 400, answer.text
        assert field in answer.text


def test_a_preview_keeps_nothing(shared: Desk) -> None:
    body = {**ROTATION, "role": "keeper", "seats": 2, "members": ["S1"]}
    items = shared.seat("coord").post("/api/v1/rotations/preview", json=body).json()["items"]
    assert len(items) == 56
    assert {one["responder_id"] for one in items} == {"S1", None}
    assert shared.seat("coord").get("/api/v1/rotations", params={"role": "keeper"}).json()["items"] == []


def test_gaps_are_found_ahead_and_closed_by_an_override(desk: Desk) -> None:
    seat = desk.seat("coord")
    _add(desk, id="night")
    wanted = seat.post(
        "/api/v1/rota-cover", json={"id": "w", "role": "guard", "area_id": "C", "begins": "20:00", "minutes": 720}
    )
    assert wanted.status_code == 201, wanted.text
    assert _future(seat.get("/api/v1/rota/gaps").json()["items"]) == []
    shift = _shifts(desk, "night")[3]
    absent = {"kind": "absent", "responder_id": shift["responder_id"], "reason": "病假"}
    span = {"starts_at": shift["starts_at"], "ends_at": shift["ends_at"]}
    made = seat.post("/api/v1/rota/overrides", json={**absent, **span})
    assert made.status_code == 201, made.text
    (gap,) = _future(seat.get("/api/v1/rota/gaps", params={"role": "guard"}).json()["items"])
    assert (gap["kind"], gap["have"], gap["wanted"], gap["area_id"]) == ("below", 0, 1, "C")
    assert (gap["starts_at"], gap["ends_at"]) == (_utc(shift["starts_at"]), _utc(shift["ends_at"]))
    relief = {"kind": "extra", "substitute_id": "S3", "role": "guard", "area_id": "C", "reason": "顶班", **span}
    assert seat.post("/api/v1/rota/overrides", json=relief).status_code == 201
    assert _future(seat.get("/api/v1/rota/gaps").json()["items"]) == []
    board = seat.get("/api/v1/rota", params={"from": _soon(0), "days": 10, "role": "guard"}).json()
    assert "S3" in {one["responder"]["id"] for one in board["duties"]}
    assert len(board["days"]) == 10
    assert {one["kind"] for one in board["overrides"]} == {"absent", "extra"}
    done = seat.post(f"/api/v1/rota/overrides/{made.json()['id']}/withdraw")
    assert done.status_code == 200
    assert seat.post(f"/api/v1/rota/overrides/{made.json()['id']}/withdraw").status_code == 404


def _future(items: list[Json]) -> list[Json]:
    """Without tonight, which may have begun already when the test runs."""
    return [one for one in items if one["starts_at"] > (datetime.now(UTC) + DAY).isoformat()]


def _utc(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(UTC).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "absent", "reason": "x"}, "responder_id"),
        ({"kind": "instead", "responder_id": "S1", "reason": "x"}, "substitute_id"),
        ({"kind": "instead", "responder_id": "S1", "substitute_id": "S1", "reason": "x"}, "substitute_id"),
        ({"kind": "extra", "substitute_id": "S1", "reason": "x"}, "role"),
        ({"kind": "absent", "responder_id": "nobody", "reason": "x"}, "nobody"),
        ({"kind": "absent", "responder_id": "S1", "reason": " "}, "reason"),
        ({"kind": "absent", "responder_id": "S1", "reason": "x", "ends_at": "2026-01-02T00:00:00Z"}, "ends_at"),
    ],
)
def test_an_override_that_cannot_be_meant(shared: Desk, body: Json, field: str) -> None:
    span = {"starts_at": "2026-01-01T00:00:00Z", "ends_at": f"{_soon(9)}T00:00:00Z"}
    answer = shared.seat("coord").post("/api/v1/rota/overrides", json={**span, **body})
    assert answer.status_code in (400, 404, 422), answer.text
    assert field in answer.text


def test_a_swap_is_asked_agreed_and_approved_and_every_step_is_on_record(shared: Desk) -> None:
    _add(shared, id="early", begins="04:00", minutes=60)
    mine = next(one for one in _shifts(shared, "early")[4:] if one["responder_id"] == "S1")
    sunwei, helin, coord = shared.seat("sunwei"), shared.seat("helin"), shared.seat("coord")
    seen = sunwei.get("/api/v1/my/shifts").json()
    assert mine["id"] in {one["id"] for one in seen["items"] if one["swappable"]}
    assert "S2" in {one["id"] for one in seen["colleagues"]}
    asked = sunwei.post("/api/v1/rota/swaps", json={"shift_id": mine["id"], "asked_of": "S2", "note": "家里有事"})
    assert asked.status_code == 201, asked.text
    swap = f"/api/v1/rota/swaps/{asked.json()['id']}"
    again = sunwei.post("/api/v1/rota/swaps", json={"shift_id": mine["id"], "asked_of": "S2"})
    assert again.status_code == 409
    assert coord.post(f"{swap}/approve").status_code == 409  # nobody agreed yet
    assert sunwei.post(f"{swap}/agree").status_code == 403  # not in another's name
    assert shared.seat("wuqiang").post(f"{swap}/agree").status_code == 403
    assert [one["state"] for one in helin.get("/api/v1/my/shifts").json()["swaps"]] == ["asked"]
    assert helin.post(f"{swap}/agree").json()["state"] == "agreed"
    assert helin.post(f"{swap}/approve").status_code == 403
    assert coord.post(f"{swap}/refuse", json={}).status_code == 422  # say why
    assert coord.post(f"{swap}/approve").json()["state"] == "approved"
    after = next(one for one in _shifts(shared, "early") if one["id"] == mine["id"])
    assert (after["responder_id"], after["changed"]) == ("S2", True)
    assert coord.patch("/api/v1/rotations/early", json={"name": "夜班"}).json()["changed"] == 0
    assert mine["id"] in {one["id"] for one in helin.get("/api/v1/my/shifts").json()["items"]}
    audit = shared.seat("fanglei").get("/api/v1/audit", params={"limit": 100}).json()["items"]
    assert [one["action"] for one in audit if one["subject"] == f"rota_swaps:{asked.json()['id']}"] == [
        "rota.swap.approve",
        "rota.swap.agree",
        "rota.swap.ask",
    ]


def test_a_swap_that_would_put_somebody_on_two_shifts_is_refused_with_the_reason(shared: Desk) -> None:
    _add(shared, id="late", begins="06:00", minutes=60)
    mine = next(one for one in _shifts(shared, "late")[4:] if one["responder_id"] == "S1")
    other = {"responder_id": "S2", "starts_at": mine["starts_at"], "ends_at": mine["ends_at"], "role": "guard"}
    extra = shared.seat("coord").post("/api/v1/shifts", json=other).json()
    answer = shared.seat("sunwei").post("/api/v1/rota/swaps", json={"shift_id": mine["id"], "asked_of": "S2"})
    assert answer.status_code == 409
    assert [one["code"] for one in answer.json()["reasons"]] == ["on_shift_already"]
    assert shared.seat("coord").delete(f"/api/v1/shifts/{extra['id']}").status_code == 200
    assert shared.seat("coord").delete(f"/api/v1/shifts/{mine['id']}").status_code == 409  # its rotation makes it
    strange = shared.seat("sunwei").post("/api/v1/rota/swaps", json={"shift_id": mine["id"], "asked_of": "S3"})
    assert [one["code"] for one in strange.json()["reasons"]] == ["role_missing"]
    assert (
        shared.seat("sunwei").post("/api/v1/rota/swaps", json={"shift_id": mine["id"], "asked_of": "S2"}).status_code
        == 201
    )


def test_a_holiday_moves_the_shifts_of_working_days(shared: Desk) -> None:
    seat = shared.seat("coord")
    assert shared.services.rota.seed_holidays() > 50
    assert shared.services.rota.seed_holidays() == 0
    _add(shared, id="office", days="workdays", begins="09:00", minutes=480)
    before = {one["starts_at"][:10] for one in _shifts(shared, "office")}
    day = sorted(before)[9]
    assert seat.post("/api/v1/holidays", json={"id": day, "kind": "off", "name": "停电"}).status_code == 201
    assert {one["starts_at"][:10] for one in _shifts(shared, "office")} == before - {day}
    assert seat.patch(f"/api/v1/holidays/{day}", json={"kind": "work"}).status_code == 200
    assert {one["starts_at"][:10] for one in _shifts(shared, "office")} == before
    assert seat.patch("/api/v1/holidays/2031-02-30", json={"kind": "work"}).status_code == 404


def test_who_is_on_call(shared: Desk) -> None:
    now = datetime.now(UTC)
    seat = shared.seat("coord")
    shift = {"responder_id": "S3", "role": "porter", "area_id": "C"}
    span = {"starts_at": (now - DAY).isoformat(), "ends_at": (now + DAY).isoformat()}
    assert seat.post("/api/v1/shifts", json={**shift, **span}).status_code == 201
    found = seat.get("/api/v1/rota/on-call", params={"role": "porter", "area": "G3"}).json()["items"]
    assert [(one["responder"]["id"], one["on_shift"], one["area_id"]) for one in found] == [("S3", True, "C")]
    fallback = seat.get("/api/v1/rota/on-call", params={"role": "nurse", "area": "G3"}).json()["items"]
    assert [one["reasons"][0]["code"] for one in fallback] == ["nobody_on_shift"]
    assert seat.get("/api/v1/rota/on-call", params={"role": "nurse", "area": "nowhere"}).status_code == 404
