"""Thresholds, fences and entered values over HTTP: who may, what is refused, and who changed what when."""

from __future__ import annotations

from typing import Any

import httpx
import psycopg
import pytest

from devices.geo import wgs84_to_gcj02
from tests.api.desk import Desk, Json

WELL = {
    "respiration_rpm": 16,
    "spo2_pct": 97,
    "oxygen": False,
    "systolic_mmhg": 128,
    "diastolic_mmhg": 76,
    "heart_rate_bpm": 72,
    "consciousness": "alert",
    "temperature_c": 36.7,
    "measured_by": "何琳",
}
SQUARE = [[118.394, 31.337], [118.398, 31.337], [118.398, 31.341], [118.394, 31.341]]
FENCE: Json = {"name": "柳岸小区", "polygon": {"type": "Polygon", "coordinates": [[*SQUARE, SQUARE[0]]]}}


@pytest.fixture
def keeper(shared: Desk) -> httpx.Client:
    return shared.seat("coord")


def thresholds(client: httpx.Client, resident: str, values: Json, **headers: str) -> httpx.Response:
    body = {"values": values, "reason": "医嘱"}
    return client.patch(f"/api/v1/residents/{resident}/thresholds", json=body, headers=headers)


def fences(client: httpx.Client, resident: str, *items: Json) -> httpx.Response:
    body = {"items": list(items), "reason": "走失风险"}
    return client.patch(f"/api/v1/residents/{resident}/geofences", json=body)


def vitals(client: httpx.Client, resident: str = "R1", **values: Any) -> httpx.Response:
    return client.post(f"/api/v1/residents/{resident}/vitals", json=values)


def test_a_threshold_says_who_changed_it_and_when(shared: Desk, keeper: httpx.Client) -> None:
    before = keeper.get("/api/v1/residents/R1/thresholds").json()
    # Also the first change of all is one on what was read.
    read = {"If-Match": f'"{before["version"]}"'}
    answer = thresholds(keeper, "R1", {"heart_rate_high": 115, "well_by": "09:30"}, **read)
    assert answer.status_code == 200, answer.text
    rows = {one["id"]: one for one in answer.json()["items"]}
    assert (rows["heart_rate_high"]["value"], rows["heart_rate_high"]["default"]) == (115, 131)
    assert (rows["heart_rate_high"]["changed_by"], rows["heart_rate_high"]["reason"]) == ("coord", "医嘱")
    assert rows["heart_rate_high"]["changed_at"]
    assert rows["spo2_low"] == next(one for one in before["items"] if one["id"] == "spo2_low")
    version = answer.json()["version"]
    assert thresholds(keeper, "R1", {"heart_rate_high": 120}, **{"If-Match": f'"{version - 1}"'}).status_code in (
        409,
        412,
    )
    back = thresholds(keeper, "R1", {"heart_rate_high": None}, **{"If-Match": f'"{version}"'}).json()
    row = next(one for one in back["items"] if one["id"] == "heart_rate_high")
    assert (row["value"], row["own"], row["changed_by"]) == (131, False, None)
    audit = shared.seat("fanglei").get("/api/v1/audit", params={"limit": 20}).json()["items"]
    assert any(one["action"] == "thresholds.change" and one["subject"] == "residents:R1" for one in audit)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"heart_rate_high": 400}, "heart_rate_high"),
        ({"heart_rate": 100}, "heart_rate"),
        ({"gone": None}, "gone"),
        ({"off": ["sos"]}, "off"),
        ({}, "values"),
        ({"medication_times": ["8:00"]}, "medication_times"),
    ],
)
def test_a_bad_threshold_is_named(keeper: httpx.Client, values: Json, field: str) -> None:
    answer = thresholds(keeper, "R2", values)
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert all(not one["own"] for one in keeper.get("/api/v1/residents/R2/thresholds").json()["items"])


def test_nobody_is_nobody(keeper: httpx.Client) -> None:
    assert keeper.get("/api/v1/residents/nobody/thresholds").status_code == 404
    assert thresholds(keeper, "nobody", {"heart_rate_high": 115}).status_code == 404
    assert fences(keeper, "nobody", FENCE).status_code == 404
    assert vitals(keeper, "nobody", **WELL).status_code == 404


def test_a_fence_as_a_map_draws_it(keeper: httpx.Client) -> None:
    answer = fences(keeper, "R2", FENCE | {"days": [1, 2, 3, 4, 5], "from": "21:00", "to": "06:30"})
    assert answer.status_code == 200, answer.text
    (row,) = answer.json()["items"]
    assert (row["days"], row["from"], row["to"], row["kind"]) == ([1, 2, 3, 4, 5], "21:00", "06:30", "safe")
    assert row["polygon"]["coordinates"] == [[*SQUARE, SQUARE[0]]]
    assert (row["changed_by"], row["reason"]) == ("coord", "走失风险")
    # In the Chinese datum it is stored as the same place.
    gcj = [[lon, lat] for lat, lon in (wgs84_to_gcj02(lat, lon) for lon, lat in SQUARE)]
    both = fences(
        keeper,
        "R2",
        FENCE | {"id": row["id"]},
        FENCE | {"crs": "gcj02", "polygon": {"type": "Polygon", "coordinates": [gcj]}},
    )
    first, second = both.json()["items"]
    assert first["id"] == row["id"]
    flat = [value for corner in second["polygon"]["coordinates"][0] for value in corner]
    assert flat == pytest.approx([value for corner in [*SQUARE, SQUARE[0]] for value in corner], abs=2e-6)
    assert fences(keeper, "R2").json()["items"] == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"polygon": {"type": "Polygon", "coordinates": [[[118.0, 31.0], [118.0, 31.0], [118.0, 31.0]]]}},
            "square metres",
        ),
        ({"polygon": {"type": "Polygon", "coordinates": [[[31.3, 118.3], [31.4, 118.3], [31.4, 118.4]]]}}, "no place"),
        ({"polygon": {"type": "Polygon", "coordinates": [SQUARE, SQUARE]}}, "holes"),
        ({"from": "08:00"}, "together"),
        ({"from": "08:00", "to": "08:00"}, "differ"),
        ({"id": "stranger"}, "no fence"),
        ({"days": [0]}, ""),
        ({"from": "24:00", "to": "06:00"}, ""),
    ],
)
def test_what_is_no_fence_is_refused(keeper: httpx.Client, change: Json, words: str) -> None:
    answer = fences(keeper, "R1", FENCE | change)
    assert answer.status_code in (404, 422), answer.text
    assert words in answer.json()["detail"]


def test_all_seven_are_a_score_and_less_is_a_partial_one(shared: Desk) -> None:
    operator = shared.seat("zhoumin")
    whole = vitals(operator, **WELL)
    assert whole.status_code == 201, whole.text
    score = whole.json()["news2"]
    assert (score["total"], score["known"], score["partial"], score["en"]) == (0, 7, False, "NEWS2 = 0")
    assert whole.json()["alarm_id"] is None
    part = vitals(operator, heart_rate_bpm=95, temperature_c=38.4, spo2_pct=95, measured_by="何琳").json()["news2"]
    assert (part["total"], part["en"], part["zh"]) == (3, "partial score 3 (3 of 7)", "部分评分 3（3/7 项）")
    assert set(part["not_scored"]) == {"respiration_rpm", "oxygen", "systolic_mmhg", "consciousness"}
    with psycopg.connect(shared.url) as connection:
        rows = connection.execute(
            "SELECT metric, value FROM observations WHERE resident_id = 'R1' AND device_id = 'hub-entered'"
        ).fetchall()
    assert {("heart_rate_bpm", 72.0), ("news2", 0.0), ("news2_partial", 3.0), ("diastolic_mmhg", 76.0)} <= set(rows)


def test_an_urgent_score_raises_an_alarm_with_its_reasons_once(shared: Desk) -> None:
    operator = shared.seat("zhoumin")
    body = WELL | {"respiration_rpm": 26, "spo2_pct": 92, "oxygen": True}
    send = {"json": body, "headers": {"Idempotency-Key": "entered-once"}}
    answer = operator.post("/api/v1/residents/R2/vitals", **send).json()
    again = operator.post("/api/v1/residents/R2/vitals", **send).json()
    assert answer == again
    assert (answer["news2"]["total"], answer["news2"]["response"]) == (7, "emergency")
    incident = operator.get(f"/api/v1/incidents/{answer['incident_id']}").json()
    assert (incident["class"], incident["priority"], incident["alarms"]) == ("emergency", "critical", 1)
    assert any(one["code"] == "news2" and one["values"]["total"] == 7 for one in incident["reasons"])


def test_scale_2_needs_the_target_on_record(keeper: httpx.Client) -> None:
    values = WELL | {"spo2_pct": 90}
    assert vitals(keeper, **values).json()["news2"]["points"]["spo2_pct"] == 3
    assert thresholds(keeper, "R1", {"spo2_scale_2": True}).status_code == 200
    score = vitals(keeper, **values).json()["news2"]
    assert (score["scale"], score["points"]["spo2_pct"]) == (2, 0)
    assert thresholds(keeper, "R1", {"spo2_scale_2": None}).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"spo2_pct": 127}, "spo2_pct"),
        ({"temperature_c": 98.6}, "temperature_c"),
        ({"heart_rate_bpm": 0}, "heart_rate_bpm"),
        ({"diastolic_mmhg": 130}, "diastolic_mmhg"),
        ({"observed_at": "2020-01-01T00:00:00Z"}, "observed_at"),
        ({"measured_by": None}, "measured_by"),
    ],
)
def test_what_nobody_can_have_is_refused(shared: Desk, change: Json, field: str) -> None:
    answer = vitals(shared.seat("zhoumin"), **(WELL | change))
    assert answer.status_code == 422
    assert answer.json()["field"] == field


def test_staff_enter_values_of_whom_they_are_sent_to_and_as_nurses_only(shared: Desk) -> None:
    assert vitals(shared.seat("helin"), **WELL).status_code == 404  # a nurse, not sent there
    operator = shared.seat("zhoumin")
    raised = operator.post("/api/v1/alarms", json={"type": "assistance", "resident_id": "R1"}).json()
    for responder, name, status in (("S2", "helin", 201), ("S1", "sunwei", 403)):
        sent = operator.post(f"/api/v1/incidents/{raised['incident']['id']}/assign", json={"responder_id": responder})
        assert sent.status_code in (200, 201), sent.text
        assert vitals(shared.seat(name), **WELL).status_code == status
