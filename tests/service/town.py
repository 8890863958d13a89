"""A town with response plans: who is called, and what the desk sees of it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import psycopg

from hub.ports import SessionRow
from hub.service import plan_progress
from hub.store.reads import ReadsPostgres
from tests.service.conftest import START, World

__all__ = ["NEAR", "call", "notices", "offers", "open_town", "opened", "progress", "sign_in", "tiers"]

_KEYS = itertools.count(1)


def sign_in(world: World, *names: str) -> None:
    """Operators sit down: with nobody signed in everything happens at once."""
    with world.database.begin() as tx:
        for name in names:
            user = tx.users.by_name(name)
            assert user is not None
            token = bytes([next(_KEYS)]) * 32
            end = world.now + timedelta(days=2)
            tx.users.open_session(SessionRow(token, user.id, "console", world.now, end, end, on_duty=True))


_FRESH = (
    "TRUNCATE incidents, alarms, notices, due, calls, assignments, response_plans, sessions CASCADE",
    "DELETE FROM contacts",
    "DELETE FROM responders WHERE id LIKE 'contact-%'",
)
_CONTACTS = (
    ("K1", "李师傅", "neighbour", True, "13900000011"),
    ("K2", "老胡", "guard", False, "13900000012"),
    ("K3", "陈静", "family", False, "13900000013"),
)


def open_town(world: World) -> World:
    """Neighbours, a guard, a daughter; the plans that the hub brings along; one operator signed in."""
    world.now = START
    with psycopg.connect(world.url) as connection:
        for line in _FRESH:
            connection.execute(line)
    with world.database.begin() as tx:
        for place, (ident, name, kind, key, phone) in enumerate(_CONTACTS):
            row = {"id": ident, "resident_id": "R1", "name": name, "kind": kind, "has_key": key, "phone": phone}
            tx.reference.insert("contacts", {**row, "position": place})
    world.services.response_plans.seed()
    sign_in(world, "zhoumin")
    return world


def opened(world: World, alarm_type: str = "sos", device: str = "W1") -> str:
    world.press(device, alarm_type)
    live = "state IN ('open', 'acknowledged', 'in_progress')"
    return str(world.row(f"SELECT id FROM incidents WHERE {live} AND type = %s", alarm_type)["id"])


def offers(world: World) -> dict[str, str]:
    rows = world.rows(
        "SELECT r.name, a.id FROM assignments a JOIN responders r ON r.id = a.responder_id WHERE a.state = 'offered'"
    )
    return {row["name"]: str(row["id"]) for row in rows}


def notices(world: World, template: str = "call_out", states: Sequence[str] = ("waiting",)) -> list[str]:
    rows = world.rows(
        "SELECT party FROM notices WHERE template = %s AND state = ANY (%s) ORDER BY id", template, list(states)
    )
    return [row["party"] for row in rows]


def progress(world: World, incident_id: str) -> dict[str, Any]:
    row = ReadsPostgres(world.database).plan_of(incident_id)
    assert row is not None
    return plan_progress(row)


def tiers(world: World, incident_id: str) -> dict[str, str]:
    return {tier["code"]: tier["state"] for tier in progress(world, incident_id)["tiers"]}


def call(world: World, incident_id: str, outcome: str | None) -> str:
    fields = {"direction": "out", "number": "1", "incident_id": incident_id, "party": "resident:R1", "outcome": outcome}
    return world.services.calls.record(fields, world.actors["zhoumin"])


NEAR = {"李师傅", "老胡", "陈静"}
