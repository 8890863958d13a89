"""From the hub's rows to the dispatch room's questions: a fix becomes a place, an order a request."""

from __future__ import annotations

from typing import Literal

from dispatch import Place, Request, ServiceKind, response_skills
from hub.alarms import Incident
from hub.alarms.positions import place_of
from hub.care import Resident
from hub.errors import NotFoundError
from hub.ports import Json, OrderRow, Transaction

__all__ = ["area_path_of", "request_of_incident", "request_of_order"]


def area_path_of(tx: Transaction, area_id: str | None, resident: Resident | None) -> tuple[str, ...]:
    """The areas from the district down to where it is: of `area_id`, else of the resident's home; () where unknown.

    NotFoundError: there is no such area.
    """
    if area_id is None or (resident is not None and resident.area_id == area_id):
        return resident.area_path if resident else ()
    return tuple(_area(tx, area_id)["path"])


def _area(tx: Transaction, area_id: str) -> Json:
    area = tx.reference.get("areas", area_id)
    if area is None:
        raise NotFoundError(f"no area {area_id}", field="area_id")
    return area


def _point(lat: float | None, lon: float | None) -> tuple[float, float] | None:
    return None if lat is None or lon is None else (lat, lon)


def request_of_incident(tx: Transaction, incident: Incident) -> Request:
    """Who is wanted, and where: at the place that the incident shows (`hub.alarms.positions.place_of`)."""
    resident = tx.residents.get(incident.resident_id) if incident.resident_id else None
    path, base = resident.area_path if resident else (), _point(resident.lat, resident.lon) if resident else None
    kind: Literal["home", "area"] = "home"
    if incident.area_id is not None and (resident is None or resident.area_id != incident.area_id):
        # A walk-in, a cord in a hall, somebody who fell away from home: it is where the area is.
        area = _area(tx, incident.area_id)
        path, base, kind = tuple(area["path"]), _point(area["lat"], area["lon"]), "area"
    away = resident is not None and resident.status != "home"
    place = place_of(incident.fix, base, kind, incident.types, incident.opened_at, away=away)
    return Request(
        resident_id=incident.resident_id,
        place=Place(place.lat, place.lon) if place else None,
        area_path=path,
        urgent=True,
        any_skills=response_skills(incident.type),
        never=resident.never_responders if resident else frozenset(),
        regular=resident.regular_responders if resident else frozenset(),
        caller=_caller(tx, incident),
    )


def _caller(tx: Transaction, incident: Incident) -> str | None:
    """The responder who called for help themselves; their alarm is a subject of its own."""
    kind, _, alarm_id = incident.subject.partition(":")
    return tx.home.caller_of(alarm_id) if kind == "alarm" else None


def request_of_order(tx: Transaction, order: OrderRow) -> Request:
    """What a carer must be able to do for this order, at the time it is wanted."""
    kind = tx.everyday.kinds.get(order.kind)
    if kind is None:
        raise NotFoundError(f"no service kind {order.kind}", field="kind")
    if order.resident_id is None:
        return _of_place(tx, order, kind)
    resident = tx.residents.get(order.resident_id)
    if resident is None:
        raise NotFoundError(f"no resident {order.resident_id}")
    home = _point(resident.lat, resident.lon)
    return Request(
        resident_id=resident.id,
        place=Place(*home) if home else None,
        area_path=resident.area_path,
        urgent=False,
        skills=kind.skills,
        any_skills=kind.any_skills,
        required_sex=resident.sex if kind.same_sex else None,
        never=resident.never_responders,
        regular=resident.regular_responders,
        starts_at=order.wanted_from,
        kind=order.kind,
    )


def _of_place(tx: Transaction, order: OrderRow, kind: ServiceKind) -> Request:
    """A repair where nobody lives: only the place and the work count."""
    area = _area(tx, order.area_id or "")
    spot = _point(area["lat"], area["lon"])
    return Request(
        resident_id=None,
        place=Place(*spot) if spot else None,
        area_path=tuple(area["path"]),
        urgent=False,
        skills=kind.skills,
        any_skills=kind.any_skills,
        starts_at=order.wanted_from,
        kind=order.kind,
    )
