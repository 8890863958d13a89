"""Makers' clouds push: proved, committed, answered as each wants it; repeats, forgeries, floods, a database away."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from psycopg import sql

from hub.api.gate import Gate
from hub.api.routes_intake import MAX_PUSH
from hub.api.signin import ThrottledError
from hub.embedded import EmbeddedPostgres
from hub.errors import BadRequestError
from hub.ports import SYSTEM, Scheme
from hub.service.signatures import hmac_signature
from tests.api.desk import Desk, Json, open_desk
from tests.devices.captures import needs, rows
from tests.waiting import wait_until

_WATCH_CLOUD = "captures/watch_cloud_webhook.jsonl"
_THINGS = "captures/thing_models.jsonl"
_RADARS = "captures/fall_radars.jsonl"


def integration(desk: Desk, family: str, scheme: Scheme, **more: Any) -> tuple[str, str]:
    """A new integration: its name and secret. Each test has its own, and no other of its family."""
    for row in desk.services.pushes.all():
        if row.family == family and row.revoked_at is None:
            desk.services.pushes.revoke(row.name, SYSTEM)
    name = f"t-{uuid4().hex[:12]}"
    return name, desk.services.pushes.add(name, family, scheme, SYSTEM, **more).secret


def push(desk: Desk, family: str, body: Any, query: str = "", **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{desk.base}/api/v1/intake/{family}{query}", content=content, headers=sent)


def alarms_of(desk: Desk, device_id: str) -> list[Json]:
    with desk.database.reading() as connection:
        return connection.execute(
            "SELECT type, repeats, observed_at, ref FROM alarms WHERE device_id = %s ORDER BY received_at", (device_id,)
        ).fetchall()


def uplinks_of(desk: Desk, device_id: str) -> list[Json]:
    with desk.database.reading() as connection:
        return connection.execute(
            "SELECT lane, topic, outcome, reason, payload FROM uplinks WHERE device_id = %s ORDER BY received_at",
            (device_id,),
        ).fetchall()


def onenet_body(token: str, msg: Json, nonce: str | None = None) -> Json:
    text, nonce = json.dumps(msg), nonce or uuid4().hex[:8]
    signature = base64.b64encode(hashlib.md5(f"{token}{nonce}{text}".encode()).digest()).decode()
    return {"msg": text, "nonce": nonce, "signature": signature, "id": uuid4().hex}


def huawei_headers(token: str, at: datetime | None = None) -> dict[str, str]:
    stamp = str(int((at or datetime.now(UTC)).timestamp() * 1000))
    nonce = uuid4().hex
    signature = hashlib.sha256("".join(sorted((token, stamp, nonce))).encode()).hexdigest()
    return {"timestamp": stamp, "nonce": nonce, "signature": signature}


# --- as each maker pushes ---------------------------------------------------------------------------------------------


@needs(_WATCH_CLOUD)
@pytest.mark.parametrize(
    "row", [row for row in rows(_WATCH_CLOUD) if "flag" in row["payload"]], ids=lambda row: row["id"]
)
def test_a_watch_cloud_pushes_and_hears_success(shared: Desk, row: Json) -> None:
    _, key = integration(shared, "watch", "key")
    device_id = str(uuid4().int)[:15]
    body = {**row["payload"], "deviceId": device_id}
    answer = push(shared, "watch", body, f"?key={key}")
    assert (answer.status_code, answer.text) == (200, "Success")
    assert answer.headers["content-type"].startswith("text/plain")
    expected = {"alarm_unspecified": "assistance"}.get(row["meaning"]["event"], row["meaning"]["event"])
    (alarm,) = alarms_of(shared, device_id)
    assert alarm["type"] == expected
    # The cloud sends again what it was not answered: answered, counted, not raised twice.
    assert push(shared, "watch", body, f"?key={key}").text == "Success"
    (alarm,) = alarms_of(shared, device_id)
    assert alarm["repeats"] == 1
    assert [row["lane"] for row in uplinks_of(shared, device_id)] == ["http", "http"]


def test_onenet_checks_the_address_and_pushes_with_its_signature(shared: Desk) -> None:
    _, token = integration(shared, "onenet", "onenet", secret="aB3-token")
    msg, nonce = "check-5e1", "n0nce+/="
    signature = base64.b64encode(hashlib.md5(f"{token}{nonce}{msg}".encode()).digest()).decode()
    asked = {"msg": msg, "nonce": nonce, "signature": signature}
    checked = httpx.get(f"{shared.base}/api/v1/intake/onenet", params=asked)
    assert (checked.status_code, checked.text) == (200, msg)
    assert checked.headers["x-content-type-options"] == "nosniff"
    forged = httpx.get(f"{shared.base}/api/v1/intake/onenet", params={**asked, "msg": "other"})
    assert forged.status_code == 401

    name = f"band-{uuid4().hex[:8]}"
    event = {"params": {"sos": {"value": {"button": 1}, "time": 1795331900123}}}
    body = onenet_body(
        token, {"messageType": "notify", "notifyType": "event", "deviceName": name, "productId": "p", "data": event}
    )
    answer = push(shared, "onenet", body)
    assert answer.status_code == 200
    assert [alarm["type"] for alarm in alarms_of(shared, name)] == ["sos"]
    # The very same request again is the platform repeating itself.
    again = push(shared, "onenet", body)
    assert again.status_code == 200
    assert again.json()["repeated"] is True
    assert len(alarms_of(shared, name)) == 1
    # Another message under a signature that was seen is a forgery.
    forged = push(shared, "onenet", {**body, "msg": body["msg"].replace("sos", "fall")})
    assert forged.status_code == 401


def test_onenet_pushes_encrypted(shared: Desk) -> None:
    key = b"Ab3dEf6hIj9lMn2p"
    _, token = integration(shared, "onenet", "onenet", cipher_key=key.decode())
    name = f"band-{uuid4().hex[:8]}"
    said = {
        "notifyType": "event",
        "deviceName": name,
        "data": {"params": {"sos": {"value": {}, "time": 1795331900123}}},
    }
    padder = PKCS7(128).padder()
    padded = padder.update(json.dumps(said).encode()) + padder.finalize()
    sealer = Cipher(algorithms.AES(key), modes.CBC(key)).encryptor()
    sealed = base64.b64encode(sealer.update(padded) + sealer.finalize()).decode()
    nonce = uuid4().hex[:8]
    signature = base64.b64encode(hashlib.md5(f"{token}{nonce}{sealed}".encode()).digest()).decode()
    body = {"msg": sealed, "nonce": nonce, "signature": signature}
    answer = push(shared, "onenet", body)
    assert answer.status_code == 200, answer.text
    assert [alarm["type"] for alarm in alarms_of(shared, name)] == ["sos"]
    assert push(shared, "onenet", body).json()["repeated"] is True
    with pytest.raises(BadRequestError, match="cipher_key"):
        shared.services.pushes.add(f"t-{uuid4().hex[:12]}", "onenet", "onenet", SYSTEM, cipher_key="too short")


def test_aqara_signs_its_headers(shared: Desk) -> None:
    _, key = integration(shared, "fall_radar", "aqara")
    subject = f"lumi1.{uuid4().hex[:8]}"
    report = {"resourceId": "4.31.85", "value": "1", "time": "1795331900123", "subjectId": subject}
    body = {"msgType": "resource_report", "data": [report]}
    stamp, nonce = str(int(datetime.now(UTC).timestamp() * 1000)), uuid4().hex
    sign = hashlib.md5(f"appkey={key}&nonce={nonce}&time={stamp}&token=at-1".encode()).hexdigest()
    headers = {"token": "at-1", "time": stamp, "nonce": nonce, "appkey": key, "sign": sign}
    assert push(shared, "fall_radar", body, **headers).json()["code"] == 0
    assert [alarm["type"] for alarm in alarms_of(shared, subject)] == ["fall"]
    other = {**body, "data": [{**report, "value": "2"}]}
    replayed = push(shared, "fall_radar", other, **headers)
    assert (replayed.status_code, replayed.json()["type"]) == (401, "urn:care-hub:intake-replayed")
    assert push(shared, "fall_radar", body, **{**headers, "nonce": uuid4().hex}).status_code == 401


def test_onenet_pushes_what_it_gathered_for_several_devices(shared: Desk) -> None:
    _, token = integration(shared, "onenet", "onenet")
    names = [f"g-{uuid4().hex[:8]}" for _ in range(3)]
    older = [
        {"type": 1, "dev_id": name, "ds_id": "sos", "at": 1795331900000 + at, "value": 1}
        for at, name in enumerate(names)
    ]
    text, nonce = json.dumps(older), uuid4().hex[:8]
    signature = base64.b64encode(hashlib.md5(f"{token}{nonce}{text}".encode()).digest()).decode()
    # `msg` as a bare array: what was signed are its characters.
    body = f'{{"msg": {text}, "nonce": "{nonce}", "msg_signature": "{signature}"}}'.encode()
    answer = push(shared, "onenet", body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["taken"] == 3
    for name in names:
        assert [alarm["type"] for alarm in alarms_of(shared, name)] == ["sos"], name


@needs(_THINGS)
def test_huawei_signs_time_and_nonce(shared: Desk) -> None:
    (row,) = [row for row in rows(_THINGS) if row["platform"] == "iotda"]
    _, token = integration(shared, "huawei", "huawei")
    device_id = f"hw-{uuid4().hex[:8]}"
    body = json.loads(json.dumps(row["payload"]).replace('"dev1"', f'"{device_id}"'))
    headers = huawei_headers(token)
    assert push(shared, "huawei", body, **headers).status_code == 200
    (uplink,) = uplinks_of(shared, device_id)
    assert uplink["lane"] == "http"
    other = push(shared, "huawei", {**body, "resource": "device.message"}, **headers)
    assert other.status_code == 401
    assert other.json()["type"] == "urn:care-hub:intake-replayed"
    stale = huawei_headers(token, datetime.now(UTC) - timedelta(minutes=6))
    refused = push(shared, "huawei", body, **stale)
    assert refused.status_code == 401
    assert "five minutes" in refused.json()["detail"]
    assert push(shared, "huawei", body, **huawei_headers("another token")).status_code == 401


def test_a_gateways_devices_are_filed_each_under_itself(shared: Desk) -> None:
    _, token = integration(shared, "huawei", "bearer")
    ids = [f"sub-{uuid4().hex[:8]}" for _ in range(2)]
    services = [{"service_id": "w", "properties": {"sos": 1}, "event_time": "20261122T071820Z"}]
    body = {"devices": [{"device_id": one, "services": services} for one in ids]}
    assert push(shared, "huawei", body, Authorization=f"Bearer {token}").json()["taken"] == 2
    assert [len(alarms_of(shared, one)) for one in ids] == [1, 1]


@pytest.mark.parametrize(
    ("family", "query", "body"),
    [
        ("thingsboard", "?device={id}", {"ts": 1795331900000, "values": {"sos": True}}),
        (
            "thingsboard",
            "",
            {"topic": "v1/gateway/telemetry", "payload": {"{id}": [{"ts": 1, "values": {"sos": True}}]}},
        ),
        ("alink", "", {"deviceName": "{id}", "identifier": "SosAlarm", "value": {}, "time": 1795331900000}),
        (
            "fall_radar",
            "",
            {"type": 5, "payload": {"timestamp": 1795331900000, "status": "fall_confirmed", "deviceId": "{id}"}},
        ),
        (
            "fall_radar",
            "?topic=/devices/{id}/events",
            {"type": 1, "payload": {"timestamp": 1795331900000, "status": "calling"}},
        ),
        (
            "fall_radar",
            "",
            {"DeviceId": "{id}", "DeviceType": "sos-button", "EventId": "e1", "EventType": "event-start"},
        ),
        ("zigbee2mqtt", "?topic=zigbee2mqtt/{id}", {"action": "emergency"}),
        ("vda5050", "?topic=uagv/v2/Carrier/{id}/state", {"errors": [{"errorType": "blocked", "errorLevel": "FATAL"}]}),
    ],
)
def test_the_others_push_with_a_token(shared: Desk, family: str, query: str, body: Json) -> None:
    _, token = integration(shared, family, "bearer")
    device_id = f"x-{uuid4().hex[:8]}"
    sent = json.dumps(body).replace("{id}", device_id).encode()
    answer = push(shared, family, sent, query.replace("{id}", device_id), Authorization=f"Bearer {token}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["taken"] == 1
    with shared.database.reading() as connection:
        found = connection.execute(
            "SELECT device_id FROM alarms WHERE device_id LIKE %s", (f"%{device_id}",)
        ).fetchall()
    assert len(found) == 1


@needs(_RADARS)
def test_aqara_reports_are_filed_by_subject(shared: Desk) -> None:
    (row,) = [row for row in rows(_RADARS) if "resourceId" in json.dumps(row.get("payload", {}))]
    _, key = integration(shared, "fall_radar", "key")
    subjects = [f"lumi1.{uuid4().hex[:8]}" for _ in range(2)]
    report = row["payload"]["data"][0]
    body = {**row["payload"], "data": [{**report, "subjectId": one} for one in subjects]}
    assert push(shared, "fall_radar", body, f"?key={key}").json()["code"] == 0
    assert [[alarm["type"] for alarm in alarms_of(shared, one)] for one in subjects] == [["fall"], ["fall"]]


def test_owntracks_speaks_http_with_basic_authentication(shared: Desk) -> None:
    name, secret = integration(shared, "owntracks", "basic")
    user = f"u{uuid4().hex[:8]}"
    basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "X-Limit-U": user, "X-Limit-D": "phone"}
    body = {"_type": "location", "lat": 31.9, "lon": 118.8, "tst": 1795331900}
    answer = httpx.post(f"{shared.base}/api/v1/intake/owntracks", json=body, headers=headers)
    assert (answer.status_code, answer.json()) == (200, [])
    with shared.database.reading() as connection:
        seen = connection.execute("SELECT id FROM devices WHERE id LIKE %s", (f"{user}%",)).fetchall()
    assert len(seen) == 1
    # A friend's entry wiped: nothing is in it, nothing is wrong with it.
    empty = httpx.post(f"{shared.base}/api/v1/intake/owntracks", content=b"", headers=headers)
    assert empty.status_code == 200


# --- care/v1, and the generic signature -------------------------------------------------------------------------------


def signed(
    secret: str, query: str, body: bytes, at: datetime | None = None, nonce: str | None = None
) -> dict[str, str]:
    stamp, nonce = str(int((at or datetime.now(UTC)).timestamp())), nonce or uuid4().hex
    return {
        "X-Hub-Timestamp": stamp,
        "X-Hub-Nonce": nonce,
        "X-Hub-Signature": hmac_signature(secret, stamp, nonce, query, body),
    }


def test_care_with_a_signature_hears_its_acknowledgement(shared: Desk) -> None:
    _, secret = integration(shared, "care", "hmac")
    body = json.dumps(
        {"ref": f"h-{uuid4().hex[:6]}", "type": "sos", "observed_at": datetime.now(UTC).isoformat()}
    ).encode()
    query = "device=W1&channel=alarm"
    headers = signed(secret, query, body)
    url = f"{shared.base}/api/v1/intake/care?{query}"
    answer = httpx.post(url, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    (told,) = answer.json()["replies"]
    assert told["topic"] == "care/v1/W1/down/ack"
    assert told["payload"]["status"] == "received"
    assert httpx.post(url, content=body, headers=headers).json()["repeated"] is True
    # Signed again, as a device that repeats does: the ledger knows the press and it hears received again.
    again = httpx.post(url, content=body, headers=signed(secret, query, body)).json()
    assert again["repeated"] is False
    assert again["replies"][0]["payload"]["status"] in ("received", "hold")
    ref = json.loads(body)["ref"]
    assert [alarm["ref"] for alarm in alarms_of(shared, "W1")].count(ref) == 1
    for wrong in (
        signed("another", query, body),
        signed(secret, "device=W2&channel=alarm", body),
        signed(secret, query, body + b" "),
        signed(secret, query, body, at=datetime.now(UTC) - timedelta(minutes=6)),
        signed(secret, query, body, at=datetime.now(UTC) + timedelta(minutes=6)),
        signed(secret, query, body, nonce="short"),
        {},
    ):
        refused = httpx.post(url, content=body, headers=wrong)
        assert refused.status_code == 401, refused.text
        assert refused.json()["type"] == "urn:care-hub:intake-refused"
    reused = httpx.post(
        url, content=body + b"\n", headers=signed(secret, query, body + b"\n", nonce=headers["X-Hub-Nonce"])
    )
    assert reused.status_code == 401


def test_care_with_a_token_takes_telemetry_and_batches(shared: Desk) -> None:
    _, token = integration(shared, "care", "bearer")
    now = datetime.now(UTC)
    batch = [{"observed_at": (now - timedelta(minutes=n)).isoformat(), "heart_rate_bpm": 60 + n} for n in range(5)]
    answer = push(shared, "care", batch, "?device=P1&channel=vitals", Authorization=f"Bearer {token}")
    assert answer.status_code == 200, answer.text
    with shared.database.reading() as connection:
        (row,) = connection.execute(
            "SELECT count(*) AS n FROM observations WHERE device_id = 'P1' AND metric = 'heart_rate_bpm'"
        ).fetchall()
    assert row["n"] == 5


def test_an_integration_speaks_for_its_own_devices_only(shared: Desk) -> None:
    _, token = integration(shared, "care", "bearer", devices="maker-*")
    body = {"ref": "1", "type": "sos", "observed_at": datetime.now(UTC).isoformat()}
    before = len(alarms_of(shared, "W1"))
    refused = push(shared, "care", body, "?device=W1", Authorization=f"Bearer {token}")
    assert refused.status_code == 422
    assert "may not speak for W1" in refused.json()["detail"]
    assert len(alarms_of(shared, "W1")) == before
    mine = f"maker-{uuid4().hex[:6]}"
    assert push(shared, "care", body, f"?device={mine}", Authorization=f"Bearer {token}").status_code == 200


# --- what is refused --------------------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_kept_raw_and_not_answered_success(shared: Desk) -> None:
    name, token = integration(shared, "alink", "bearer")
    junk = b'{"deviceName": '
    answer = push(shared, "alink", junk, Authorization=f"Bearer {token}")
    assert answer.status_code == 422
    assert "nothing could be read" in answer.json()["detail"]
    kept = [row for row in uplinks_of(shared, "") if row["topic"] == f"intake/alink/{name}"]
    assert [bytes(row["payload"]) for row in kept] == [junk]
    assert kept[0]["outcome"] == "quarantined"


def test_nobody_pushes_without_an_integration_or_after_it_was_revoked(shared: Desk) -> None:
    name, token = integration(shared, "vda5050", "bearer")
    body, query = {"connectionState": "ONLINE"}, "?topic=uagv/v2/Carrier/R7/connection"
    assert push(shared, "vda5050", body, query, Authorization=f"Bearer {token}").status_code == 200
    assert push(shared, "vda5050", body, query).status_code == 401
    assert push(shared, "vda5050", body, query, Authorization="Bearer wrong").status_code == 401
    (row,) = [row for row in shared.services.pushes.all() if row.name == name]
    assert row.last_used_at is not None
    assert "Bearer" in (row.last_refusal or "")
    shared.services.pushes.revoke(name, SYSTEM)
    assert push(shared, "vda5050", body, query, Authorization=f"Bearer {token}").status_code == 401
    assert push(shared, "nothing", {}).status_code == 404
    # An account of the hub opens nothing here, and an integration's secret nothing there.
    refused = httpx.get(f"{shared.base}/api/v1/devices", headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 401


def test_a_push_that_is_too_large_is_not_read(shared: Desk) -> None:
    _, token = integration(shared, "alink", "bearer")
    answer = push(shared, "alink", b" " * (MAX_PUSH + 1), Authorization=f"Bearer {token}")
    assert answer.status_code == 413


def test_a_flood_is_told_to_wait() -> None:
    gate = Gate()
    for _ in range(20):
        gate.admit("slow", 1)
    with pytest.raises(ThrottledError):
        gate.admit("slow", 1)
    gate.admit("other", 1)
    for _ in range(29):
        gate.failed("10.0.0.1")
    with pytest.raises(ThrottledError):
        gate.failed("10.0.0.1")
    gate.failed("10.0.0.2")


def test_while_the_database_is_away_the_maker_is_told_to_repeat(
    database_url: str, postgres_server: EmbeddedPostgres
) -> None:
    name = sql.Identifier(urlsplit(database_url).path.strip("/"))
    body = {"deviceId": "5550001234", "flag": "AL", "data": {"time": "2026-11-22 07:15:04", "status": "00010000"}}
    with (
        open_desk(database_url, patience=1.0) as desk,
        psycopg.connect(postgres_server.admin_url, autocommit=True) as admin,
    ):
        _, key = integration(desk, "watch", "key")
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        try:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (name.as_string().strip('"'),),
            )
            answer = push(desk, "watch", body, f"?key={key}")
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
        finally:
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        wait_until(lambda: push(desk, "watch", body, f"?key={key}").text == "Success", 15)
        assert [alarm["type"] for alarm in alarms_of(desk, "5550001234")] == ["sos"]


def test_the_secrets_that_are_sent_along_are_kept_as_digests(shared: Desk) -> None:
    name, secret = integration(shared, "alink", "bearer")
    with shared.database.reading() as connection:
        (row,) = connection.execute("SELECT * FROM integrations WHERE name = %s", (name,)).fetchall()
    assert row["secret"] is None
    assert secret.encode() not in bytes(row["secret_digest"])
