"""Profiles, credentials, claims, the broker's questions and the register of devices, over HTTP."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import httpx
import psycopg
import pytest

from devices import Uplink
from hub.clock import utc_now
from hub.ports import Incoming
from hub.settings import Settings
from tests.api.desk import Desk, Json


@pytest.fixture(autouse=True)
def profiles(shared: Desk) -> None:
    shared.services.profiles.seed()


def ok(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


def execute(desk: Desk, query: str, *params: Any) -> None:
    with psycopg.connect(desk.url) as connection:
        connection.execute(query, params)  # type: ignore[call-overload]


def new_device(desk: Desk, name: str, **fields: Any) -> str:
    """Adds a care/v1 device; gives its credential."""
    body = {"id": name, "family": "care", **fields}
    secret = ok(desk.seat("coord").post("/api/v1/devices", json=body), 201)["secret"]
    assert isinstance(secret, str)
    return secret


# --- profiles


def test_every_family_has_a_profile_and_a_site_adds_its_own(shared: Desk) -> None:
    admin = shared.seat("boss")
    found = {one["id"]: one for one in ok(admin.get("/api/v1/device-profiles"))["items"]}
    assert {"care", "watch", "iw", "zigbee2mqtt", "vda5050"} <= found.keys()
    assert found["watch"]["setup"]
    body = {
        "id": "acme-watch",
        "family": "watch",
        "zh": "安康手表",
        "en": "Acme watch",
        "interval_s": 600,
        "silence": {"charging_s": 7200, "night": {"from": "22:00", "to": "06:00", "after_s": 30000}},
        "reading": {"alarm_bits": {"21": "fall"}},
    }
    made = ok(admin.post("/api/v1/device-profiles", json=body), 201)
    assert made["reading"] == {"alarm_bits": {"21": "fall"}}
    changed = ok(admin.patch("/api/v1/device-profiles/acme-watch", json={"interval_s": 300}))
    assert changed["interval_s"] == 300
    assert changed["version"] == 2
    assert admin.post("/api/v1/device-profiles", json=body).status_code == 409


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"family": "nokia"}, "family: there is no device family"),
        ({"reading": {"alarm_bits": {"21": "fell"}}}, "reading.alarm_bits.21"),
        ({"reading": {"alarm_bits": {"3": "fall"}}}, "a bit number from 16 to 31"),
        ({"reading": {"datum": "gcj02"}}, "reading.datum: there is no such field; known here: alarm_bits"),
        ({"silence": {"night": {"from": "25:00", "to": "06:00", "after_s": 5}}}, "silence.night.from"),
        ({"silence": {"after": 5}}, "silence.after: there is no such field"),
        ({"interval_s": None}, "silence.after_s"),
        ({"setup": [{"zh": "甲"}]}, "setup.1.en"),
    ],
)
def test_a_wrong_profile_is_told_what_is_wrong(shared: Desk, fields: Json, said: str) -> None:
    body = {"id": "bad", "family": "watch", "zh": "坏", "en": "bad", "interval_s": 300, **fields}
    answer = shared.seat("boss").post("/api/v1/device-profiles", json=body)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert shared.seat("coord").post("/api/v1/device-profiles", json=body).status_code == 403


def test_a_profile_changes_how_messages_are_read(shared: Desk) -> None:
    admin, coordinator = shared.seat("boss"), shared.seat("coord")
    body = {
        "id": "odd-phone",
        "family": "owntracks",
        "zh": "手机",
        "en": "Phone",
        "interval_s": 900,
        "reading": {"leave": "door"},
    }
    ok(admin.post("/api/v1/device-profiles", json=body), 201)
    ok(
        coordinator.post("/api/v1/devices", json={"id": "phone-1", "family": "owntracks", "profile_id": "odd-phone"}),
        201,
    )
    with shared.database.begin() as tx:
        assert tx.devices.get_many(["phone-1"])["phone-1"].profile == {"leave": "door"}
    wrong = coordinator.patch("/api/v1/devices/phone-1", json={"profile_id": "watch"})
    assert wrong.status_code == 422
    assert "is for watch" in wrong.json()["detail"]
    device = ok(coordinator.patch("/api/v1/devices/phone-1", json={"profile": {"leave": "wandering"}}))
    assert device["interval_s"] == 900
    with shared.database.begin() as tx:
        assert tx.devices.get_many(["phone-1"])["phone-1"].profile == {"leave": "wandering"}


def test_a_profile_is_tried_on_a_message_before_it_is_saved(shared: Desk) -> None:
    admin = shared.seat("boss")
    body: Json = {"family": "owntracks", "topic": "owntracks/u/d", "reading": {"leave": "door"}}
    message = '{"_type":"transition","event":"leave","desc":"home","tst":1760000000,"t":"c","wtst":1}'
    body |= {"message": message, "topic": "owntracks/u/d/event"}
    by_default = ok(admin.post("/api/v1/device-profiles/try", json={**body, "reading": {}}))
    changed = ok(admin.post("/api/v1/device-profiles/try", json=body))
    assert by_default["events"]
    assert changed["events"] != by_default["events"]
    wrong = admin.post("/api/v1/device-profiles/try", json={**body, "reading": {"leaves": "door"}})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "reading")
    assert admin.post("/api/v1/device-profiles/try", json={**body, "hex": True}).json()["field"] == "message"


# --- credentials


def test_rotate_revoke_restore(shared: Desk) -> None:
    first = new_device(shared, "cred-1")
    seat = shared.seat("coord")
    second = ok(seat.post("/api/v1/devices/cred-1/rotate", json={}))["secret"]
    assert second
    assert second != first
    credentials = shared.services.credentials
    assert credentials.admits("cred-1", first, "cred-1") == "the credential is wrong"
    assert credentials.admits("cred-1", second, "cred-1") is None
    assert credentials.admits("cred-1", second, "hub-alarm") is not None
    assert ok(seat.post("/api/v1/devices/cred-1/revoke", json={"reason": "lost"}))["revoked_at"] is not None
    assert credentials.admits("cred-1", second, "cred-1") is not None
    assert credentials.of_broker()["cred-1"] is None
    assert seat.post("/api/v1/devices/cred-1/rotate", json={}).status_code == 409
    third = ok(seat.post("/api/v1/devices/cred-1/restore", json={"reason": "found"}))["secret"]
    assert credentials.admits("cred-1", third, "cred-1") is None
    assert credentials.admits("cred-1", second, "cred-1") is not None
    audit = [row["action"] for row in ok(shared.seat("boss").get("/api/v1/audit"))["items"]]
    assert {"device.rotated", "device.revoked", "device.restored"} <= set(audit)


def test_whose_a_device_was_stays_to_be_seen_and_what_waited_for_it_ends_with_it(shared: Desk) -> None:
    new_device(shared, "life-1", resident_id="R1")
    seat = shared.seat("coord")
    path = "/api/v1/devices/life-1"
    version = ok(seat.get(path))["version"]
    body = {"resident_id": "R2", "area_id": None}
    assert ok(seat.patch(path, json=body, headers={"If-Match": f'"{version}"'}))["resident"]["id"] == "R2"
    assert seat.patch(path, json=body, headers={"If-Match": f'"{version}"'}).status_code == 412
    assert seat.patch(path, json={"resident_id": "nobody"}).status_code == 404
    ok(seat.patch(path, json={"resident_id": None}))
    ok(seat.patch(path, json={"name": "卧室"}))
    ok(seat.post(f"{path}/commands", json={"command": "locate"}), 202)
    ok(seat.post(f"{path}/revoke", json={"reason": "lost"}))
    history = ok(seat.get(f"{path}/history"))
    told = [
        (one["kind"], one["body"].get("before"), one["body"].get("resident_id"))
        for one in history["items"]
        if one["kind"] in ("added", "bound", "unbound")
    ]
    assert told == [("unbound", "R2", None), ("bound", "R1", "R2"), ("added", None, "R1")]
    assert history["names"].keys() == {"R1", "R2"}
    (command,) = ok(seat.get(f"{path}/commands"))["items"]
    assert (command["state"], command["reason"]) == ("failed", "the device was revoked")
    with psycopg.connect(shared.url) as connection:
        left = connection.execute(
            "SELECT body->>'kind' FROM outbox WHERE target = 'life-1' AND sent_at IS NULL AND failed_at IS NULL"
        ).fetchall()
    assert {kind for (kind,) in left} == {"forget"}, "nothing but the wiping of its retained status is to be sent"


def test_what_came_before_the_revocation_and_was_not_taken_yet_raises_nothing(shared: Desk) -> None:
    new_device(shared, "life-2", resident_id="R1")
    came = utc_now()
    ok(shared.seat("coord").post("/api/v1/devices/life-2/revoke", json={"reason": "stolen"}))
    topic = "care/v1/life-2/up/alarm"
    uplink = Uplink(b'{"ref": "late", "type": "sos"}', came, topic)
    (outcome,) = shared.services.ingest.alarms([Incoming(uplink, "life-2", "care", "alarm")])
    assert (outcome.outcome, outcome.alarms) == ("quarantined", 0)
    (kept,) = ok(shared.seat("boss").get("/api/v1/quarantine", params={"device": "life-2"}))["items"]
    assert kept["why"] == "revoked"


def test_a_secret_is_told_once(shared: Desk) -> None:
    new_device(shared, "cred-2")
    seat = shared.seat("coord")
    first = seat.post("/api/v1/devices/cred-2/rotate", json={}, headers={"Idempotency-Key": "r1"})
    again = seat.post("/api/v1/devices/cred-2/rotate", json={}, headers={"Idempotency-Key": "r1"})
    assert ok(first)["secret"]
    assert ok(again)["secret"] is None


# --- by a file


def _sheet(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_file_is_looked_at_before_anything_is_written(shared: Desk) -> None:
    seat = shared.seat("coord")
    new_device(shared, "file-old")
    text = "编号,协议,名称,颜色\nfile-1,care,卧室,红\nfile-2,nokia,厅,\nfile-old,care,新名,\nfile-1,care,又一次,\n"
    body: Json = {"name": "批次.csv", "content": _sheet(text)}
    found = ok(seat.post("/api/v1/devices/file", json=body))
    assert [(row["line"], row["id"], row["does"]) for row in found["rows"]] == [
        (2, "file-1", "add"),
        (4, "file-old", "change"),
    ]
    assert [(row["line"], row["reason"].partition(";")[0][:30]) for row in found["refused"]] == [
        (3, "family: there is no family 'no"),
        (5, "id file-1 is in 批次.csv, line 2"),
    ]
    assert found["refused"][0]["cells"]["协议"] == "nokia"
    assert (found["not_understood"], found["taken"], found["secrets"]) == (["颜色"], False, [])
    assert seat.get("/api/v1/devices/file-1").status_code == 404
    headers = {"Idempotency-Key": "file-once"}
    done = ok(seat.post("/api/v1/devices/file", json={**body, "apply": True}, headers=headers))
    assert (done["taken"], done["written"]) == (True, 2)
    ((told),) = done["secrets"]
    assert shared.services.credentials.admits("file-1", told["secret"], "file-1") is None
    again = ok(seat.post("/api/v1/devices/file", json={**body, "apply": True}, headers=headers))
    assert again["secrets"] == [], "told once, and not kept with the answer"
    assert ok(seat.get("/api/v1/devices/file-old"))["name"] == "新名"
    audit = ok(shared.seat("boss").get("/api/v1/audit"))["items"]
    (load,) = [row for row in audit if row["action"] == "load" and row["subject"] == "批次.csv"]
    assert load["name"] is not None, "by whom, not by the hub itself"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pdf", _sheet("x,y"), "must be one of .csv"),
        ("a.csv", "no base64!", "content: must be base64"),
        ("a.xlsx", _sheet("no workbook"), "a.xlsx: not an XLSX workbook"),
        ("a.csv", _sheet("id,family\n" + "".join(f"m-{n},care\n" for n in range(5001))), "more than 5000 rows"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(shared: Desk, name: str, content: str, said: str) -> None:
    answer = shared.seat("coord").post("/api/v1/devices/file", json={"name": name, "content": content})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert "/tmp" not in answer.text


# --- claims


def test_a_scanned_code_binds_the_device_once(shared: Desk) -> None:
    new_device(shared, "claim-1")
    made = ok(shared.seat("coord").post("/api/v1/devices/claim-1/claim", json={"days": 7}), 201)
    assert made["url"].endswith(made["token"])
    installer = shared.seat("sunwei")
    taken = ok(installer.post("/api/v1/devices/claim", json={"token": made["url"], "resident_id": "R2"}))
    assert taken["resident"]["id"] == "R2"
    assert taken["setup"]
    again = installer.post("/api/v1/devices/claim", json={"token": made["token"], "resident_id": "R1"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:care-hub:claim-used")
    assert installer.post("/api/v1/devices/claim", json={"token": "x" * 22, "resident_id": "R1"}).status_code == 404


def test_a_code_expires_and_a_newer_one_replaces_it(shared: Desk) -> None:
    new_device(shared, "claim-2")
    seat = shared.seat("coord")
    old = ok(seat.post("/api/v1/devices/claim-2/claim", json={}), 201)["token"]
    token = ok(seat.post("/api/v1/devices/claim-2/claim", json={}), 201)["token"]
    assert seat.post("/api/v1/devices/claim", json={"token": old, "resident_id": "R1"}).status_code == 404
    execute(shared, "UPDATE device_claims SET expires_at = now() - interval '1 second' WHERE device_id = 'claim-2'")
    late = seat.post("/api/v1/devices/claim", json={"token": token, "resident_id": "R1"})
    assert late.json()["type"] == "urn:care-hub:claim-expired"


# --- EMQX


def test_the_hook_denies_whatever_is_not_right_and_never_fails(shared: Desk) -> None:
    secret = new_device(shared, "emqx-1")
    client = shared.anonymous()
    good = {"clientid": "emqx-1", "username": "emqx-1", "password": secret}
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer " + "s" * 20}):
        answer = client.post("/api/v1/broker/auth", json=good, headers=headers)
        # No secret is configured on this desk: everybody is denied, with 200, or EMQX would go on without us.
        assert ok(answer)["result"] == "deny"
    credentials = shared.services.credentials
    assert credentials.may("emqx-1", "emqx-1", "care/v1/emqx-1/up/alarm", "publish") is None
    assert credentials.may("emqx-1", "emqx-1", "care/v1/emqx-1/down/#", "subscribe") is None
    for topic, access in (
        ("care/v1/emqx-2/up/alarm", "publish"),
        ("care/v1/emqx-1/down/ack", "publish"),
        ("care/v1/+/down/#", "subscribe"),
        ("#", "subscribe"),
        ("care/v1/emqx-1/up/#", "publish"),
    ):
        assert credentials.may("emqx-1", "emqx-1", topic, access) is not None, topic  # type: ignore[arg-type]


def test_the_hook_lets_devices_and_the_hub_itself_in(desk: Desk) -> None:
    secret = new_device(desk, "emqx-9")
    settings = Settings.model_validate(
        {
            "broker": {"hook_secret": "a-secret-of-the-hook"},
            "mqtt": {"url": "mqtt://hub:word@127.0.0.1:1883", "user_per_connection": True},
        }
    )
    desk.app.state.hub = dataclasses.replace(desk.hub, settings=settings)
    client = desk.anonymous(Authorization="Bearer a-secret-of-the-hook")

    def asked(path: str, **fields: str) -> str:
        found = ok(client.post(f"/api/v1/broker/{path}", json=fields))
        assert found["is_superuser"] is False
        return str(found["result"])

    assert asked("auth", clientid="emqx-9", username="emqx-9", password=secret) == "allow"
    assert asked("auth", clientid="hub-alarm", username="emqx-9", password=secret) == "deny"
    assert asked("auth", clientid="hub-alarm", username="hub-alarm", password="word") == "allow"
    assert asked("auth", clientid="hub-alarm", username="hub-alarm", password="guess") == "deny"
    assert (
        asked("acl", clientid="emqx-9", username="emqx-9", topic="care/v1/emqx-9/up/alarm", action="publish") == "allow"
    )
    assert asked("acl", clientid="emqx-9", username="emqx-9", topic="care/v1/x/up/alarm", action="publish") == "deny"
    assert asked("acl", clientid="emqx-9", username="emqx-9", topic="#", action="subscribe") == "deny"
    ok(desk.seat("coord").post("/api/v1/devices/emqx-9/revoke", json={"reason": "lost"}))
    assert asked("auth", clientid="emqx-9", username="emqx-9", password=secret) == "deny"


# --- the register


def test_the_register_finds_what_needs_somebody(shared: Desk) -> None:
    for name in ("find-1", "find-2", "find-3"):
        new_device(shared, name, resident_id="R1")
    execute(shared, "UPDATE devices SET online = true, last_seen_at = now(), battery_pct = 9 WHERE id = 'find-1'")
    execute(shared, "UPDATE device_watch SET silent_since = now() WHERE device_id = 'find-2'")
    execute(shared, "UPDATE devices SET adopted = false WHERE id = 'find-3'")
    seat = shared.seat("coord")

    def found(**params: Any) -> set[str]:
        items = ok(seat.get("/api/v1/devices", params={**params, "limit": 500}))["items"]
        return {one["id"] for one in items if one["id"].startswith("find-")}

    assert found(online="true") == {"find-1"}
    assert found(online="never") == {"find-2", "find-3"}
    assert found(battery_below=20) == {"find-1"}
    assert found(silent=True) == {"find-2"}
    assert found(adopted=False) == {"find-3"}
    assert found(station="ST1") == {"find-1", "find-2", "find-3"}
    assert found(station="ST1", battery_below=20, q="find") == {"find-1"}
    assert found(family="watch") == set()
