"""Where people are, over HTTP: who may see it, how much of it, and that every look is written down."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from devices import Uplink
from hub.api import views_positions, views_records
from hub.clock import utc_now
from hub.ports import Incoming
from tests.api.desk import Desk
from tests.api.test_incidents import check, ok

PARK = {"lat": 31.3460, "lon": 118.3962, "accuracy_m": 12, "source": "gnss"}


def report(desk: Desk, device: str, fix: dict[str, Any]) -> None:
    body = json.dumps({"observed_at": utc_now().isoformat(), "fix": fix}).encode()
    uplink = Uplink(payload=body, received_at=utc_now(), topic=f"care/v1/{device}/up/location")
    desk.services.ingest.telemetry([Incoming(uplink=uplink, device_id=device, family="care", lane="telemetry")])


def test_where_a_resident_is_is_opened_with_a_reason_and_written_down(desk: Desk) -> None:
    operator = desk.seat("zhoumin")
    assert ok(operator.get("/api/v1/residents/R1"))["position"] is None
    report(desk, "W1", PARK)
    shown = ok(operator.get("/api/v1/residents/R1"))
    check(views_records.Resident, shown)
    position = shown["position"]
    assert (position["accuracy_m"], position["source"], position["device"]["id"]) == (12, "gnss", "W1")
    assert position["observed_at"]
    assert not {"lat", "lon", "apart_m"} & position.keys()
    assert "position" in shown["masked"]
    device = ok(operator.get("/api/v1/devices/W1"))
    check(views_records.Device, device)
    assert device["last_fix"]["source"] == "gnss"
    for text in (json.dumps(device), operator.get("/api/v1/devices").text, operator.get("/api/v1/residents").text):
        assert "31.346" not in text

    assert operator.post("/api/v1/residents/R1/reveal", json={}).status_code == 422
    opened = ok(operator.post("/api/v1/residents/R1/reveal", json={"reason": "家属来电询问"}))["resident"]["position"]
    assert (opened["lat"], opened["lon"]) == (PARK["lat"], PARK["lon"])
    with psycopg.connect(desk.url) as connection:
        rows = connection.execute("SELECT detail FROM audit WHERE action = 'residents.reveal'").fetchall()
    assert rows[-1][0]["reason"] == "家属来电询问"
    # A cell of kilometres that comes later is not better.
    report(desk, "W1", {**PARK, "lat": 31.4, "accuracy_m": 3000, "source": "cell"})
    assert ok(operator.get("/api/v1/residents/R1"))["position"]["source"] == "gnss"


def test_field_staff_see_the_incident_and_families_nothing_of_it(desk: Desk) -> None:
    report(desk, "W1", PARK)
    ident = desk.incident("W1", "sos")
    operator, staff = desk.seat("zhoumin"), desk.seat("sunwei")
    ok(operator.post(f"/api/v1/incidents/{ident}/acknowledge", json={}))
    ok(operator.post(f"/api/v1/incidents/{ident}/assign", json={"responder_id": "S1"}))
    seen = ok(staff.get("/api/v1/residents/R1"))
    assert "position" not in seen


@pytest.mark.parametrize("state", ["offered", "accepted"])
def test_a_responder_tells_where_they_are_once_they_have_accepted(desk: Desk, state: str) -> None:
    ident = desk.incident("W1", "sos")
    operator, staff = desk.seat("zhoumin"), desk.seat("sunwei")
    ok(operator.post(f"/api/v1/incidents/{ident}/acknowledge", json={}))
    incident = ok(operator.post(f"/api/v1/incidents/{ident}/assign", json={"responder_id": "S1"}))
    step = f"/api/v1/assignments/{incident['assignments'][0]['id']}"
    if state == "offered":
        refused = staff.post("/api/v1/my/position", json={"fix": PARK})
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:care-hub:not-under-way")
        assert operator.post("/api/v1/my/position", json={"fix": PARK}).status_code == 403
        return
    ok(staff.post(f"{step}/accept", json={}))
    with desk.stream(operator) as events:
        events.wait_for("hb")
        told = ok(staff.post("/api/v1/my/position", json={"fix": PARK}))
        check(views_positions.PositionKept, told)
        moved = events.wait_for("responder.moved")[0]
    assert (moved["responder_id"], moved["lat"]) == ("S1", PARK["lat"])
    assert moved["arrivals"] == told["arrivals"]
    assert ok(operator.get(step))["eta_s"] == told["arrivals"][0]["eta_s"]
    assert ok(operator.get("/api/v1/responders/S1"))["position_accuracy_m"] == 12
