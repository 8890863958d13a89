"""Makers' clouds push, each as it does: proved, committed, answered as it wants it."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from hub.errors import BadRequestError
from hub.ports import SYSTEM
from tests.api.desk import Desk, Json
from tests.api.makers import alarms_of, integration, push, uplinks_of
from tests.devices.captures import needs, rows

_WATCH_CLOUD = "captures/watch_cloud_webhook.jsonl"
_THINGS = "captures/thing_models.jsonl"
_RADARS = "captures/fall_radars.jsonl"


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
