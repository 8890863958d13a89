"""Whose number it is: residents, contacts, responders; and what is open with them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hub.api.deps import Hub
from hub.ports import IncidentFilter, Json

__all__ = ["caller_of", "open_incident", "owner", "plain_number"]

_NOT_DIGITS = re.compile(r"[^0-9]")
_LEAST_DIGITS = 3
_MOST = 5
_ON_IT = frozenset({"accepted", "en_route", "on_scene"})
_BRIEF = ("id", "name", "age", "sex", "address", "phone", "status")


def plain_number(number: str) -> str:
    """The digits of a number as they are dialled inside the country: no blanks, no +86 or 0086."""
    digits = _NOT_DIGITS.sub("", number)
    if number.strip().startswith("+86"):
        return digits[2:]
    return digits[4:] if digits.startswith("0086") else digits


def owner(hub: Hub, number: str) -> tuple[str | None, Json | None]:
    """(resident id, the contact who calls) where the number says of itself whom it is about."""
    digits = plain_number(number)
    if len(digits) < _LEAST_DIGITS:
        return None, None
    residents = hub.reads.records("residents", 2, None, phone=digits).items
    if residents:
        return str(residents[0]["id"]), None
    contacts = hub.reads.records("contacts", 2, None, phone=digits).items
    # A number that belongs to contacts of several residents opens none of them: the operator asks.
    if len({row["resident_id"] for row in contacts}) == 1:
        return str(contacts[0]["resident_id"]), contacts[0]
    return None, None


def open_incident(hub: Hub, resident_ids: Iterable[str | None]) -> Json | None:
    """The first live incident of these residents."""
    for resident_id in filter(None, resident_ids):
        live = IncidentFilter(states=("open", "acknowledged", "in_progress"), resident_id=resident_id)
        rows = hub.reads.incidents(live, 1, None).items
        if rows:
            return rows[0]
    return None


def caller_of(hub: Hub, number: str) -> Json:
    """`{"kind", "id", "name", "relation", "residents", "incident"}`: who calls, about whom, and what is open there.

    Everybody whom the number may mean is named, so that the operator can ask: two residents share a telephone, a
    daughter is the contact of both her parents. A responder brings the incident they are on.
    """
    digits = plain_number(number)
    nobody: Json = {"kind": "unknown", "id": None, "name": None, "relation": None, "residents": [], "incident": None}
    if len(digits) < _LEAST_DIGITS:
        return nobody
    residents = hub.reads.records("residents", _MOST, None, phone=digits).items
    if residents:
        return _found(hub, "resident", residents[0], None, residents)
    contacts = hub.reads.records("contacts", _MOST, None, phone=digits).items
    if contacts:
        ids = dict.fromkeys(str(row["resident_id"]) for row in contacts)
        about = [row for one in ids if (row := hub.reads.record("residents", one)) is not None]
        return _found(hub, "contact", contacts[0], contacts[0].get("relation"), about)
    staff = hub.reads.records("responders", _MOST, None, phone=digits).items
    if not staff:
        return nobody
    found = _found(hub, "responder", staff[0], None, [])
    tasks = hub.reads.tasks_of(str(staff[0]["id"]))
    on_it = (task["incident"] for task in tasks if task.get("incident") and task["assignment"]["state"] in _ON_IT)
    return {**found, "incident": next(on_it, None)}


def _found(hub: Hub, kind: str, who: Json, relation: str | None, about: list[Json]) -> Json:
    return {
        "kind": kind,
        "id": who["id"],
        "name": who["name"],
        "relation": relation,
        "residents": [{name: row.get(name) for name in _BRIEF} for row in about],
        "incident": open_incident(hub, (str(row["id"]) for row in about)),
    }
