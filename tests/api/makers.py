"""Makers' clouds that push, and what became of it."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx

from hub.ports import SYSTEM, Scheme
from tests.api.desk import Desk, Json

__all__ = ["alarms_of", "integration", "push", "uplinks_of"]


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
