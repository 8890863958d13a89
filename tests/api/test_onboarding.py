"""Bringing a device in: it shows itself, is watched for a while, and its maker gets a report."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import psycopg

from devices import Uplink
from hub.ports import SYSTEM, Incoming
from hub.service.ingest import Ingest
from tests.api.desk import Desk, Json


def press(desk: Desk, device_id: str, channel: str, body: Json) -> None:
    """A message over MQTT, by the way the bridge takes: through the tap of the composition."""
    now = datetime.now(UTC)
    uplink = Uplink(json.dumps(body).encode(), now, f"care/v1/{device_id}/up/{channel}")
    ingest: Ingest = desk.services.ingest
    take = ingest.alarms if channel == "alarm" else ingest.telemetry
    desk.services.onboarding.tap(take)(
        [Incoming(uplink, device_id, "care", "alarm" if channel == "alarm" else "telemetry")]
    )


def uplinks(client: httpx.Client, device_id: str) -> list[Json]:
    answer = client.get(f"/api/v1/onboarding/devices/{device_id}/uplinks")
    assert answer.status_code == 200, answer.text
    items: list[Json] = answer.json()["items"]
    return items


def test_a_device_nobody_added_shows_itself_with_everything_it_says(shared: Desk) -> None:
    boss = shared.seat("boss")
    device_id = f"new-{uuid4().hex[:8]}"
    assert boss.get(f"/api/v1/onboarding/devices/{device_id}").status_code == 404
    at = datetime.now(UTC) - timedelta(hours=2)
    press(shared, device_id, "vitals", {"observed_at": at.isoformat(), "heart_rate_bpm": 72, "spo2_pct": 300})
    press(shared, device_id, "alarm", {"ref": "1", "type": "pushed", "observed_at": at.isoformat()})

    listed = boss.get("/api/v1/onboarding/devices").json()["items"]
    (row,) = [row for row in listed if row["id"] == device_id]
    assert (row["family"], row["adopted"], row["watched_until"]) == ("care", False, None)
    alarm, vitals = uplinks(boss, device_id)
    assert alarm["events"][0]["type"] == "assistance"
    assert alarm["replies"][0]["payload"]["status"] == "received"
    assert vitals["outcome"] == "quarantined"
    assert json.loads(vitals["text"])["heart_rate_bpm"] == 72
    assert bytes.fromhex(vitals["hex"]).decode() == vitals["text"]
    assert vitals["events"][0]["vitals"] == {"heart_rate_bpm": 72}
    assert -7260 < vitals["clock_skew_s"] < -7140

    report = boss.get(f"/api/v1/onboarding/devices/{device_id}/conformance").json()
    assert report["conforms"] is False
    said = [(finding["code"], finding["zh"], finding["en"]) for finding in report["findings"]]
    assert any(code == "field" and "spo2_pct" in en for code, _, en in said)
    assert any(code == "clock_off" and "2 h" in en for code, _, en in said)
    assert any(code == "unknown_code" and "pushed" in zh for code, zh, _ in said)
    assert any(code == "no_battery" for code, _, _ in said)


def test_an_adopted_device_brings_what_it_sent_before(shared: Desk) -> None:
    coordinator = shared.seat("coord")
    device_id = f"new-{uuid4().hex[:8]}"
    at = datetime.now(UTC) - timedelta(hours=2)
    for minute, bpm in enumerate((71, 72, 73)):
        stamp = (at + timedelta(minutes=minute)).isoformat()
        press(shared, device_id, "vitals", {"observed_at": stamp, "heart_rate_bpm": bpm})
    (row,) = [row for row in coordinator.get("/api/v1/onboarding/devices").json()["items"] if row["id"] == device_id]
    assert row["kept_aside"] == 3
    path = f"/api/v1/onboarding/devices/{device_id}/replay"
    early = coordinator.post(path, json={}).json()
    assert (early["taken"], len(early["refused"])) == (0, 3)
    assert "adopt it first" in early["refused"][0]["reason"]
    body = {"id": device_id, "family": "care", "resident_id": "R1"}
    assert coordinator.post("/api/v1/devices", json=body).status_code == 201
    assert coordinator.post(path, json={}).json() == {"taken": 3, "refused": [], "more": False}
    with psycopg.connect(shared.url) as connection:
        kept = connection.execute(
            "SELECT observed_at, value FROM observations WHERE device_id = %s ORDER BY observed_at", [device_id]
        ).fetchall()
    assert [value for _, value in kept] == [71, 72, 73]
    assert kept[0][0] == at, "with its own time, not that of the taking"
    assert coordinator.post(path, json={}).json()["taken"] == 0


def test_an_adopted_device_is_watched_for_a_while(shared: Desk) -> None:
    boss = shared.seat("boss")
    now = datetime.now(UTC).isoformat()
    press(shared, "W2", "vitals", {"observed_at": now, "heart_rate_bpm": 61})
    assert boss.post("/api/v1/onboarding/devices/W2/watch", json={"minutes": 5}).status_code == 201
    press(shared, "W2", "vitals", {"observed_at": now, "heart_rate_bpm": 62})
    (heard,) = uplinks(boss, "W2")
    assert heard["events"][0]["vitals"] == {"heart_rate_bpm": 62}
    assert heard["outcome"] == "accepted"
    # An alarm is kept anyway, and comes once.
    press(shared, "W2", "alarm", {"ref": uuid4().hex[:8], "type": "sos", "observed_at": now})
    assert [one["events"][0]["kind"] for one in uplinks(boss, "W2")] == ["alarm", "vitals"]
    assert boss.delete("/api/v1/onboarding/devices/W2/watch").status_code == 204
    press(shared, "W2", "vitals", {"observed_at": now, "heart_rate_bpm": 63})
    assert len(uplinks(boss, "W2")) == 2


def test_a_device_that_was_not_heard_yet_can_be_waited_for(shared: Desk) -> None:
    boss = shared.seat("boss")
    device_id = f"soon-{uuid4().hex[:8]}"
    assert boss.post(f"/api/v1/onboarding/devices/{device_id}/watch", json={}).status_code == 201
    assert uplinks(boss, device_id) == []
    listed = boss.get("/api/v1/onboarding/devices").json()["items"]
    assert device_id in [row["id"] for row in listed]
    assert boss.post("/api/v1/onboarding/devices/hub-x/watch", json={}).status_code == 422
    assert boss.post(f"/api/v1/onboarding/devices/{device_id}/watch", json={"minutes": 1441}).status_code == 422


def test_only_who_keeps_the_registers_may_look_and_only_administrators_watch(shared: Desk) -> None:
    keeper, operator = shared.seat("coord"), shared.seat("zhoumin")
    assert keeper.get("/api/v1/onboarding/devices").status_code == 200
    assert keeper.post("/api/v1/onboarding/devices/W2/watch", json={}).status_code == 403
    assert operator.get("/api/v1/onboarding/devices").status_code == 403
    assert keeper.get("/api/v1/onboarding/integrations").status_code == 403


def test_an_integration_is_added_once_told_once_and_revoked(shared: Desk) -> None:
    boss = shared.seat("boss")
    name = f"maker-{uuid4().hex[:8]}"
    body = {"name": name, "family": "onenet", "scheme": "onenet"}
    given = boss.post("/api/v1/onboarding/integrations", json=body, headers={"Idempotency-Key": name})
    assert given.status_code == 201
    assert len(given.json()["secret"]) == 32
    again = boss.post("/api/v1/onboarding/integrations", json=body, headers={"Idempotency-Key": name})
    assert again.json()["secret"] is None
    assert boss.post("/api/v1/onboarding/integrations", json=body).status_code == 409
    for wrong in ({"scheme": "none"}, {"family": "none"}, {"scheme": "bearer", "secret": "short"}, {"devices": "a b"}):
        answer = boss.post("/api/v1/onboarding/integrations", json={**body, "name": f"{name}-2", **wrong})
        assert answer.status_code == 422, answer.text
    listed = boss.get("/api/v1/onboarding/integrations").json()["items"]
    (row,) = [row for row in listed if row["name"] == name]
    assert "secret" not in row
    assert row["revoked_at"] is None
    revoked = boss.post(f"/api/v1/onboarding/integrations/{name}/revoke", json={})
    assert revoked.status_code == 200
    assert boss.post("/api/v1/onboarding/integrations/nobody/revoke", json={}).status_code == 404


def test_pushes_that_named_no_device_are_shown(shared: Desk) -> None:
    given = shared.services.pushes.add("t-unread", "thingsboard", "bearer", SYSTEM)
    answer = httpx.post(
        f"{shared.base}/api/v1/intake/thingsboard",
        content=b"[1, 2",
        headers={"Authorization": f"Bearer {given.secret}"},
    )
    assert answer.status_code == 422
    items = shared.seat("boss").get("/api/v1/onboarding/unread").json()["items"]
    assert [(one["text"], one["topic"]) for one in items] == [("[1, 2", "intake/thingsboard/t-unread")]
