"""From the hub's rows to the dispatch room's questions: a fix becomes a place, an order a request."""

from __future__ import annotations

from dispatch import SERVICE_KINDS, Place, Request, response_skills
from hub.alarms import Incident
from hub.errors import NotFoundError
from hub.ports import OrderRow, Transaction

__all__ = ["request_of_incident", "request_of_order"]


def request_of_incident(tx: Transaction, incident: Incident) -> Request:
    """Who is wanted, and where: the incident's own fix, else the resident's home."""
    resident = tx.residents.get(incident.resident_id) if incident.resident_id else None
    fix = tx.incidents.place_of(incident.id)
    place = Place(*fix) if fix else None
    if place is None and resident is not None and resident.lat is not None and resident.lon is not None:
        place = Place(resident.lat, resident.lon)
    return Request(
        resident_id=incident.resident_id,
        place=place,
        area_path=resident.area_path if resident else (),
        urgent=True,
        any_skills=response_skills(incident.type),
        never=resident.never_responders if resident else frozenset(),
        regular=resident.regular_responders if resident else frozenset(),
    )


def request_of_order(tx: Transaction, order: OrderRow) -> Request:
    """What a carer must be able to do for this order, at the time it is wanted."""
    kind = SERVICE_KINDS.get(order.kind)
    if kind is None:
        raise NotFoundError(f"no service kind {order.kind}", field="kind")
    resident = tx.residents.get(order.resident_id)
    if resident is None:
        raise NotFoundError(f"no resident {order.resident_id}")
    place = Place(resident.lat, resident.lon) if resident.lat is not None and resident.lon is not None else None
    return Request(
        resident_id=resident.id,
        place=place,
        area_path=resident.area_path,
        urgent=False,
        skills=kind.skills,
        any_skills=kind.any_skills,
        required_sex=resident.sex if kind.same_sex else None,
        never=resident.never_responders,
        regular=resident.regular_responders,
        starts_at=order.wanted_from,
    )
