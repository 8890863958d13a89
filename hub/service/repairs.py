"""Repair orders: a technical matter becomes a visit of somebody who can repair devices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hub.clock import Clock
from hub.errors import ConflictError, NotFoundError
from hub.ports import Actor, Database
from hub.service.care import Care

__all__ = ["REPAIR_KIND", "Repairs"]

REPAIR_KIND = "device_repair"
_WITHIN = timedelta(days=2)


class Repairs:
    """Makes repair orders of technical incidents."""

    def __init__(self, database: Database, clock: Clock, care: Care) -> None:
        self._database = database
        self._clock = clock
        self._care = care

    def order(self, incident_id: str, fields: Mapping[str, Any], actor: Actor) -> str:
        """A repair order for the resident of a live technical incident; gives its id.

        `fields`: optionally wanted_from, wanted_to, note. ConflictError: it is none of these, or has one already
        (extra: order_id).
        """
        now = self._clock()
        with self._database.begin() as tx:
            incident = tx.incidents.get(incident_id)
            if incident is None:
                raise NotFoundError(f"no incident {incident_id}")
            if incident.alarm_class != "technical":
                raise ConflictError(f"the incident is {incident.alarm_class}, not technical", code="not-technical")
            if not incident.live:
                raise ConflictError(f"the incident is {incident.state}: nothing is left to repair", code="not-live")
            if incident.resident_id is None:
                raise ConflictError(
                    "no resident belongs to it: assign somebody to the incident itself", code="no-resident"
                )
            first = tx.supervision.repair_of(incident_id)
            if first is not None:
                raise ConflictError("there is a repair order already", code="order-exists", order_id=first)
        start = fields.get("wanted_from") or now
        return self._care.create_order(
            {
                "kind": REPAIR_KIND,
                "resident_id": incident.resident_id,
                "incident_id": incident_id,
                "wanted_from": start,
                "wanted_to": fields.get("wanted_to") or start + _WITHIN,
                "note": fields.get("note"),
                "attributes": {"device_id": incident.device_id, "types": list(incident.types)},
            },
            actor,
        )
