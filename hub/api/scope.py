"""Which rows a person may see: staff what they are assigned to, family and residents what is their own."""

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
    "may_see_assignment",
    "may_see_incident",
    "may_see_order",
    "may_see_resident",
    "order_view",
    "own_resident",
    "person_of",
    "sees_event",
]

_LIVE = frozenset({"offered", "accepted", "en_route", "on_scene"})
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
    if caller.role == "staff":
        return assigned_to(view, person_of(caller), hub.clock())
    if caller.role in ("family", "resident"):
        resident = view.get("resident") or {}
        return resident.get("id") == own_resident(hub, caller)
    return True


def may_see_order(hub: Hub, caller: Caller, view: Json) -> bool:
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
    if caller.role in ("family", "resident"):
        return resident_id == own_resident(hub, caller)
    if caller.role == "staff":
        for task in hub.reads.tasks_of(person_of(caller)):
            for matter in (task.get("incident"), task.get("order")):
                if matter and (matter.get("resident") or {}).get("id") == resident_id:
                    return True
        return False
    return True


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
    if caller.role == "staff":
        responder = person_of(caller)
        return lambda event: responder in event.responders
    if caller.role in ("family", "resident"):
        resident = own_resident(hub, caller)
        return lambda event: resident in event.residents and not event.internal
    return everything
