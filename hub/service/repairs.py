"""Repair orders: a technical matter becomes a visit of somebody who can repair devices."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from hub.alarms import Incident
from hub.care import ABSENT_STATUSES
from hub.clock import Clock, IdSource
from hub.errors import ConflictError, HubError, NotFoundError
from hub.ports import Actor, Database, EntryRow, OrderRow, Transaction
from hub.service.ordering import kind_of, place

__all__ = ["REPAIR_KIND", "RepairOutcome", "Repairs"]

REPAIR_KIND = "device_repair"
_WITHIN = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class RepairOutcome:
    """What became of one matter. `order_id`: of the order that is made or was there; `code`, `detail`: why not.

    `wanted` stands in a preview for what would be made.
    """

    incident_id: str
    outcome: Literal["wanted", "made", "exists", "refused"]
    order_id: str | None = None
    code: str | None = None
    detail: str | None = None


class Repairs:
    """Makes repair orders of technical incidents, one a matter however often it is asked for."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    def order(self, incident_id: str, fields: Mapping[str, Any], actor: Actor) -> str:
        """A repair order for a live technical incident: at its resident's, or where its device is; gives its id.

        `fields`: optionally wanted_from, wanted_to, note; `area_id` where nobody knows the place. ConflictError: it is
        none of these, nobody knows where, or it has one already (extra: order_id).
        """
        with self._database.begin() as tx:
            return self._order(tx, incident_id, fields, actor, self._clock())

    def order_many(
        self, incident_ids: Collection[str], fields: Mapping[str, Any], actor: Actor, *, preview: bool = False
    ) -> list[RepairOutcome]:
        """A repair order for each that has none, by itself: what is refused stops nothing. `preview` writes nothing."""
        return [self._outcome(one, fields, actor, preview=preview) for one in dict.fromkeys(incident_ids)]

    def _outcome(self, incident_id: str, fields: Mapping[str, Any], actor: Actor, *, preview: bool) -> RepairOutcome:
        try:
            if preview:
                with self._database.begin() as tx:
                    self._wanted(tx, incident_id, fields, lock=False)
                return RepairOutcome(incident_id, "wanted")
            return RepairOutcome(incident_id, "made", self.order(incident_id, fields, actor))
        except HubError as error:
            outcome: Literal["exists", "refused"] = "exists" if error.code == "order-exists" else "refused"
            first = error.extra.get("order_id")
            return RepairOutcome(incident_id, outcome, str(first) if first else None, error.code, error.detail)

    def _order(self, tx: Transaction, incident_id: str, fields: Mapping[str, Any], actor: Actor, now: datetime) -> str:
        incident, area_id = self._wanted(tx, incident_id, fields, lock=True)
        kind = kind_of(tx, REPAIR_KIND)
        start = fields.get("wanted_from") or now
        order = OrderRow(
            id=self._new_id(),
            kind=kind.id,
            resident_id=incident.resident_id,
            area_id=area_id,
            state="requested",
            wanted_from=start,
            wanted_to=fields.get("wanted_to") or start + _WITHIN,
            duration_min=kind.duration_min,
            carers=kind.carers,
            source=actor.kind,
            created_at=now,
            created_by=actor.user_id,
            incident_id=incident_id,
            note=fields.get("note"),
            attributes={"device_id": incident.device_id, "types": list(incident.types)},
        )
        if order.wanted_to < order.wanted_from:
            raise ConflictError("wanted_to is before wanted_from", code="window")
        place(tx, order, self._new_id, actor, now)
        body = {"order_id": order.id, "kind": kind.id}
        tx.timeline.add(
            EntryRow(at=now, subject_kind="incident", subject_id=incident_id, kind="noted", actor=actor, body=body)
        )
        return order.id

    def _wanted(
        self, tx: Transaction, incident_id: str, fields: Mapping[str, Any], *, lock: bool
    ) -> tuple[Incident, str | None]:
        """The matter, and the area of a repair where nobody lives. Locked, so that two who press make one order."""
        incident = tx.incidents.get(incident_id, lock=lock)
        if incident is None:
            raise NotFoundError(f"no incident {incident_id}")
        if incident.alarm_class != "technical":
            raise ConflictError(f"the incident is {incident.alarm_class}, not technical", code="not-technical")
        if not incident.live:
            raise ConflictError(f"the incident is {incident.state}: nothing is left to repair", code="not-live")
        first = tx.supervision.repair_of(incident_id)
        if first is not None:
            raise ConflictError("there is a repair order already", code="order-exists", order_id=first)
        if incident.resident_id is None:
            return incident, _place_of(tx, incident, fields.get("area_id"))
        resident = tx.residents.get(incident.resident_id)
        if resident is not None and resident.status in ABSENT_STATUSES:
            raise ConflictError(
                f"{resident.name} is {resident.status}: no service can be ordered",
                code="resident-absent",
                status_of_resident=resident.status,
            )
        return incident, None


def _place_of(tx: Transaction, incident: Incident, named: str | None) -> str:
    """The area where the device is, or what several have in common; else the one that was named."""
    kind, _, key = incident.subject.partition(":")
    devices = [incident.device_id] + ([key] if kind in ("upstream", "device") else [])
    found = [incident.area_id, key if kind == "area" else None]
    for ident in filter(None, devices):
        record = tx.reference.get("devices", ident)
        found.append(record["area_id"] if record else None)
    for area in (*found, named):
        if area is not None and tx.reference.get("areas", area) is not None:
            return area
    if named is not None:
        raise NotFoundError(f"no area {named}", field="area_id")
    raise ConflictError("nobody knows where it is: name the area (area_id)", code="no-place")
