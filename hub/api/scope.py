"""Which rows a person may see: staff what they are assigned to, family and residents what is their own, an account of a
provider that provider's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from hub.api.deps import Caller, Hub
from hub.errors import ForbiddenError, NotFoundError
from hub.feed import FeedEvent, everything
from hub.ports import Json

__all__ = [
    "assigned_to",
    "incident_view",
    "may_order_for",
    "may_see_assignment",
    "may_see_incident",
    "may_see_order",
    "may_see_resident",
    "order_view",
    "orderable_residents",
    "own_resident",
    "own_responders",
    "person_of",
    "provider_may_see",
    "provider_record",
    "provider_wanted",
    "sees_event",
]

_LIVE = frozenset({"offered", "accepted", "en_route", "on_scene"})
# Whose work it is to look after everybody in an area, not only those they are sent to.
_LOOK_AFTER = frozenset({"grid_officer", "carer", "nurse", "doctor"})
_MOST_RESIDENTS = 500
# Who was there may look again for a day: to correct a report, to answer a question.
_AFTERWARDS = timedelta(hours=24)


def person_of(caller: Caller) -> str:
    """The responder, contact or resident behind the account."""
    if caller.person_id is None:
        raise ForbiddenError(f"this account of role {caller.role} is not tied to a person", code="no-person")
    return caller.person_id


def own_resident(hub: Hub, caller: Caller) -> str:
    """The resident of a family member or of the resident's own account."""
    person = person_of(caller)
    if caller.role == "resident":
        return person
    contact = hub.reads.record("contacts", person)
    if contact is None or not contact.get("resident_id"):
        raise ForbiddenError("this account is not tied to a resident", code="no-person")
    return str(contact["resident_id"])


def provider_wanted(caller: Caller, asked: str | None) -> str | None:
    """The provider a list is about: an account of a provider has no other. ForbiddenError where it asks for one."""
    if caller.provider_id is None:
        return asked
    if asked not in (None, caller.provider_id):
        raise ForbiddenError("an account of a provider sees its own provider alone", code="other-provider")
    return caller.provider_id


def provider_record(hub: Hub, caller: Caller, table: str, row_id: str) -> None:
    """NotFoundError where the record is not one of the caller's provider; nothing for everybody else."""
    provider = caller.provider_id
    if provider is not None and not hub.reads.records(table, 1, None, id=row_id, provider=provider).items:
        raise NotFoundError(f"no {table.removesuffix('s').replace('_', ' ')} {row_id}")


def own_responders(hub: Hub, provider_id: str) -> frozenset[str]:
    """The people of a provider."""
    found: set[str] = set()
    cursor: str | None = None
    while True:
        page = hub.reads.records("responders", 500, cursor, provider=provider_id)
        found.update(row["id"] for row in page.items)
        cursor = page.next_cursor
        if cursor is None:
            return frozenset(found)


def provider_may_see(hub: Hub, caller: Caller, assignment: Json) -> bool:
    """Whether an assignment is to a visit of the caller's provider; true for everybody who is of none."""
    if caller.provider_id is None:
        return True
    order = hub.reads.order_of_visit(assignment["visit_id"]) if assignment.get("visit_id") else None
    return order is not None and order.get("provider_id") == caller.provider_id


def assigned_to(view: Json, responder_id: str, now: datetime) -> bool:
    """Whether an incident or visit has (or lately had) this responder on it."""
    for row in view.get("assignments") or ():
        if (row.get("responder") or {}).get("id") != responder_id:
            continue
        if row["state"] in _LIVE:
            return True
        if row["state"] == "completed":
            ended = row.get("ended_at")
            at = datetime.fromisoformat(ended) if isinstance(ended, str) else ended
            return at is None or now - at < _AFTERWARDS
    return False


def may_see_incident(hub: Hub, caller: Caller, view: Json) -> bool:
    if caller.provider_id is not None:
        return False
    if caller.role == "staff":
        return assigned_to(view, person_of(caller), hub.clock())
    if caller.role in ("family", "resident"):
        resident = view.get("resident") or {}
        return resident.get("id") == own_resident(hub, caller)
    return True


def may_see_order(hub: Hub, caller: Caller, view: Json) -> bool:
    if caller.provider_id is not None:
        return bool(view.get("provider_id") == caller.provider_id)
    if caller.role == "staff":
        return assigned_to(view.get("visit") or {}, person_of(caller), hub.clock())
    if caller.role in ("family", "resident"):
        return bool((view.get("resident") or {}).get("id") == own_resident(hub, caller))
    return True


def may_see_assignment(caller: Caller, view: Json) -> bool:
    if caller.role == "staff":
        return bool((view.get("responder") or {}).get("id") == person_of(caller))
    return True


def may_see_resident(hub: Hub, caller: Caller, resident_id: str) -> bool:
    if caller.provider_id is not None:
        return bool(hub.reads.records("residents", 1, None, id=resident_id, provider=caller.provider_id).items)
    if caller.role in ("family", "resident"):
        return resident_id == own_resident(hub, caller)
    if caller.role == "staff":
        for task in hub.reads.tasks_of(person_of(caller)):
            for matter in (task.get("incident"), task.get("order")):
                if matter and (matter.get("resident") or {}).get("id") == resident_id:
                    return True
        return False
    return True


def _task_residents(hub: Hub, caller: Caller) -> dict[str, Json]:
    """Residents whom the caller has a task with, by id."""
    found: dict[str, Json] = {}
    for task in hub.reads.tasks_of(person_of(caller)):
        resident = (task.get("incident") or task.get("order") or {}).get("resident")
        if resident:
            found[str(resident["id"])] = resident
    return found


def _areas_looked_after(hub: Hub, caller: Caller) -> frozenset[str]:
    """The areas whose residents the caller looks after; none for those who only go where they are sent."""
    me = hub.reads.record("responders", person_of(caller)) or {}
    return frozenset(me.get("area_ids") or ()) if me.get("kind") in _LOOK_AFTER and me.get("active") else frozenset()


def orderable_residents(hub: Hub, caller: Caller, q: str | None, limit: int) -> list[Json]:
    """Whom a member of staff may order a service for: those with a task first, then those at home in the areas that
    they look after, by name. `q` is a part of name, id or address. Each: id, name, age, address, status, `task`.
    """
    mine = _task_residents(hub, caller)
    found: dict[str, Json] = {}
    for ident in mine:
        if (record := hub.reads.record("residents", ident)) is not None and _fits(record, q):
            found[ident] = record
    rest: dict[str, Json] = {}
    for area in sorted(_areas_looked_after(hub, caller)):
        page = hub.reads.records("residents", _MOST_RESIDENTS, None, area=area, status="home", q=q)
        rest.update((row["id"], row) for row in page.items if row["served"] and row["id"] not in mine)
    ordered = [*found.values(), *sorted(rest.values(), key=lambda row: (row["name"], row["id"]))]
    return [
        {name: row[name] for name in ("id", "name", "age", "address", "status")} | {"task": row["id"] in mine}
        for row in ordered[:limit]
    ]


def _fits(record: Json, q: str | None) -> bool:
    return not q or any(q.lower() in str(record.get(name) or "").lower() for name in ("name", "id", "address"))


def may_order_for(hub: Hub, caller: Caller, resident_id: str) -> bool:
    """Whether the caller may order a service for this resident: a family and a resident their own, staff for those
    whom they have a task with or who live in an area that they look after, the desk for everybody.
    """
    if caller.role in ("family", "resident"):
        return resident_id == own_resident(hub, caller)
    if caller.role != "staff" or may_see_resident(hub, caller, resident_id):
        return True
    areas = _areas_looked_after(hub, caller)
    record = hub.reads.record("residents", resident_id) if areas else None
    path = ((record or {}).get("area") or {}).get("path") or ()
    return any(area["id"] in areas for area in path)


def incident_view(hub: Hub, caller: Caller, incident_id: str) -> Json:
    """The incident as it is now. What one may not see looks like what does not exist."""
    view = hub.reads.incidents_by_id([incident_id]).get(incident_id)
    if view is None or not may_see_incident(hub, caller, view):
        raise NotFoundError(f"no incident {incident_id}")
    return view


def order_view(hub: Hub, caller: Caller, order_id: str) -> Json:
    """The order as it is now."""
    view = hub.reads.orders_by_id([order_id]).get(order_id)
    if view is None or not may_see_order(hub, caller, view):
        raise NotFoundError(f"no order {order_id}")
    return view


def sees_event(hub: Hub, caller: Caller) -> Callable[[FeedEvent], bool]:
    """The filter of a stream for this person. Reads the database once, here; not while events pass."""
    provider = caller.provider_id
    if provider is not None:
        return lambda event: (event.body.get("order") or {}).get("provider_id") == provider
    if caller.role == "staff":
        responder = person_of(caller)
        return lambda event: responder in event.responders
    if caller.role in ("family", "resident"):
        resident = own_resident(hub, caller)
        return lambda event: resident in event.residents and not event.internal
    return everything
