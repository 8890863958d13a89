"""The register of staff: added, changed, off duty for good; by coordinators and supervisors, told in the audit."""

from __future__ import annotations

from tests.api.desk import Desk, soon
from tests.api.settlement import ok

BASE = "/api/v1/responders"


def test_staff_are_added_changed_and_leave_for_good(desk: Desk) -> None:
    coordinator, operator, boss = desk.seat("coord"), desk.seat("zhoumin"), desk.seat("boss")
    for ident, name in (("PA", "柳岸服务"), ("PB", "东门服务")):
        ok(boss.post("/api/v1/providers", json={"id": ident, "name": name}), 201)
    ok(coordinator.patch("/api/v1/stations/ST1", json={"provider_id": "PB"}))
    new = {
        "id": "N1",
        "name": "周静",
        "kind": "carer",
        "skills": [{"skill": "companionship", "expires_on": "2027-01-31"}],
    }
    assert operator.post(BASE, json=new).status_code == 403
    made = ok(coordinator.post(BASE, json={**new, "station_id": "ST1", "mode": "foot", "area_ids": ["C"]}), 201)
    assert (made["provider_id"], made["belongs_to"], made["mode"]) == (None, "PB", "foot"), "its station's"
    moved = ok(coordinator.patch(f"{BASE}/N1", json={"provider_id": "PA", "phone": "13900000007"}))
    assert (moved["provider_id"], moved["belongs_to"]) == ("PA", "PA"), "the own one counts before the station's"
    for field, value in (("provider_id", "PX"), ("station_id", "SX")):
        wrong = coordinator.patch(f"{BASE}/N1", json={field: value})
        assert wrong.status_code in (404, 409, 422), wrong.text
        assert wrong.json()["field"] == field
    assert coordinator.patch(f"{BASE}/N1", json={"mode": "boat"}).json()["field"] == "mode"
    stale = coordinator.patch(f"{BASE}/N1", json={"name": "x"}, headers={"If-Match": f'"{made["version"]}"'})
    assert stale.status_code == 412

    wanted = {"kind": "companionship", "resident_id": "R1", "wanted_from": soon(hours=3)}
    order = ok(coordinator.post("/api/v1/orders", json=wanted), 201)
    ok(coordinator.post(f"/api/v1/orders/{order['id']}/assign", json={"responder_id": "N1"}))
    busy = coordinator.patch(f"{BASE}/N1", json={"active": False})
    assert (busy.status_code, busy.json()["type"], busy.json()["live"]) == (409, "urn:care-hub:has-tasks", 1)
    ok(coordinator.post(f"/api/v1/orders/{order['id']}/cancel", json={"reason": "不需要了"}))
    ok(coordinator.patch(f"{BASE}/N1", json={"on_duty": True}))
    gone = ok(coordinator.patch(f"{BASE}/N1", json={"active": False}))
    assert (gone["active"], gone["on_duty"]) == (False, False)
    again = ok(coordinator.post("/api/v1/orders", json=wanted), 201)
    assert "N1" not in str(ok(coordinator.get(f"/api/v1/orders/{again['id']}/candidates"))["items"])
    back = ok(coordinator.patch(f"{BASE}/N1", json={"active": True}))
    assert (back["active"], back["on_duty"]) == (True, False)
    told = [one["action"] for one in ok(boss.get("/api/v1/audit", params={"limit": 500}))["items"]]
    assert told.count("responders.change") == 4
    assert told.count("responders.add") == 1
