"""Pushes of care/v1, and what is refused: forgeries, floods, what cannot be read, a database away."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import sql

from hub.api.gate import Gate
from hub.api.routes_intake import MAX_PUSH
from hub.api.signin import ThrottledError
from hub.embedded import EmbeddedPostgres
from hub.ports import SYSTEM
from hub.service.signatures import hmac_signature
from tests.api.desk import Desk, open_desk
from tests.api.makers import alarms_of, integration, push, uplinks_of
from tests.waiting import wait_until

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


def test_a_push_heard_while_the_database_was_away_is_not_taken_again_when_it_is_back(database_url: str) -> None:
    body = json.dumps({"ref": "n-1", "type": "sos", "observed_at": datetime.now(UTC).isoformat()}).encode()
    query = "device=W9&channel=alarm"
    with open_desk(database_url) as desk:
        _, secret = integration(desk, "care", "hmac")
        headers = signed(secret, query, body)
        pushes, ingest = desk.services.pushes, desk.services.ingest
        pushes.remember()
        url = f"{desk.base}/api/v1/intake/care?{query}"
        away = True
        pushes.take_by(ingest.alarms, ingest.quarantine, lambda: away)
        assert httpx.post(url, content=body, headers=headers).json()["repeated"] is False
        away = False
        assert httpx.post(url, content=body, headers=headers).json()["repeated"] is True
        # The next push of anybody tells the database of it, and with that every other process.
        assert httpx.post(url, content=body, headers=signed(secret, query, body)).status_code == 200
        with desk.database.reading() as connection:
            seen = connection.execute("SELECT key FROM intake_seen").fetchall()
        assert len(seen) == 2


def test_the_secrets_that_are_sent_along_are_kept_as_digests(shared: Desk) -> None:
    name, secret = integration(shared, "alink", "bearer")
    with shared.database.reading() as connection:
        (row,) = connection.execute("SELECT * FROM integrations WHERE name = %s", (name,)).fetchall()
    assert row["secret"] is None
    assert secret.encode() not in bytes(row["secret_digest"])
