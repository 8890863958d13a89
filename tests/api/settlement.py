"""A provider with a month of services, for the tests of money and of whose rows are whose."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg

from hub.clock import new_id
from hub.ports import UserRow
from tests.api.desk import Desk, Json, password_hash

__all__ = ["MONTH", "NEXT", "add_user", "meal", "ok", "settle_world", "visit"]

MONTH, NEXT = "2026-10", "2026-11"
CHINA = "+08:00"


def ok(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


def add_user(desk: Desk, username: str, role: str, provider: str | None = None, person: str | None = None) -> None:
    with desk.database.begin() as tx:
        row = UserRow(new_id(), username, username, role, person, password_hash=password_hash(), provider_id=provider)  # type: ignore[arg-type]
        tx.users.insert(row)


def settle_world(desk: Desk) -> None:
    """Two providers with a courier each, a volunteer, tariffs, entitlements, an account of each provider."""
    skill = [{"skill": "meal_delivery", "expires_on": None}, {"skill": "companionship", "expires_on": None}]
    with desk.database.begin() as tx:
        tx.reference.upsert("providers", [{"id": "PA", "name": "柳岸服务"}, {"id": "PB", "name": "东门服务"}])
        people = [
            ("C1", "courier", "PA"),
            ("C2", "courier", "PB"),
            ("V1", "volunteer", None),
            ("V2", "volunteer", None),
        ]
        tx.reference.upsert(
            "responders",
            [
                {
                    "id": one,
                    "name": f"送餐{one}",
                    "kind": kind,
                    "skills": skill,
                    "area_ids": ["C"],
                    "provider_id": whose,
                }
                for one, kind, whose in people
            ],
        )
        tariff = {"kind": "meal_delivery", "unit": "visit", "price_fen": 1500, "from_on": "2026-01-01"}
        tx.reference.insert("tariffs", {"id": "T1", **tariff})
        tx.reference.insert(
            "tariffs", {"id": "T2", **tariff, "kind": "companionship", "unit": "minute", "price_fen": 100}
        )
        for resident in ("R1", "R2"):
            what = {"resident_id": resident, "payer": "subsidy", "copay_percent": 10, "from_on": "2026-01-01"}
            tx.reference.insert("entitlements", {"id": f"E-{resident}", **what})
    for name, role, provider in (("manager-a", "coordinator", "PA"), ("manager-b", "supervisor", "PB")):
        add_user(desk, name, role, provider)
    add_user(desk, "volunteer-1", "staff", None, "V1")
    add_user(desk, "volunteer-2", "staff", None, "V2")


def visit(
    desk: Desk,
    responder: str,
    resident: str = "R1",
    at: str = "2026-10-05T10:00:00+08:00",
    minutes: int = 30,
    kind: str = "companionship",
    **order: Any,
) -> str:
    """A completed visit with its check-in and check-out; gives the order's id. `flags`: what failed at the door."""
    started = datetime.fromisoformat(at)
    ended = started + timedelta(minutes=minutes)
    order_id, visit_id, assignment_id = new_id(), new_id(), new_id()
    flags = order.pop("flags", [])
    checked = order.pop("checked", True)
    with psycopg.connect(desk.url) as connection:
        run = connection.execute
        run(
            "INSERT INTO orders (id, kind, resident_id, state, wanted_from, wanted_to, duration_min, source,"
            " created_at, attributes) VALUES (%s, %s, %s, 'completed', %s, %s, %s, 'operator', %s, %s)",
            (order_id, kind, resident, started, ended, max(minutes, 5), started, psycopg.types.json.Jsonb(order)),
        )
        run(
            "INSERT INTO visits (id, order_id, state, planned_start, started_at, ended_at) VALUES (%s, %s, 'completed',"
            " %s, %s, %s)",
            (visit_id, order_id, started, started, ended),
        )
        run(
            "INSERT INTO assignments (id, visit_id, responder_id, state, offered_at, on_scene_at, ended_at, outcome)"
            " VALUES (%s, %s, %s, 'completed', %s, %s, %s, 'done')",
            (assignment_id, visit_id, responder, started, started if checked else None, ended),
        )
        if checked:
            for way, when in (("in", started), ("out", ended)):
                run(
                    "INSERT INTO visit_checks (id, visit_id, assignment_id, responder_id, kind, at, recorded_at, flags)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                    (new_id(), visit_id, assignment_id, responder, way, when, when, flags if way == "in" else []),
                )
    return order_id


def meal(desk: Desk, responder: str, resident: str, at: str, card: str | None = None) -> str:
    return visit(desk, responder, resident, at, 5, "meal_delivery", meal="lunch", **({"card": card} if card else {}))
