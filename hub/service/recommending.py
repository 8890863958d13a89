"""Whom to send: the best with their reasons, why not the others, and what keeping the neighbourhood covered costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import tzinfo

from dispatch import Candidate, Recommendation, Request, Responder, Travel, recommend
from hub.clock import Clock
from hub.errors import NotFoundError
from hub.ports import Database, Json
from hub.service.requests import request_of_incident, request_of_order

__all__ = ["Recommending", "recommendation_json"]

_SHOWN = 50


class Recommending:
    """Reads only. Roads are asked outside the transaction: one that is slow to answer holds no connection."""

    def __init__(self, database: Database, clock: Clock, travel: Travel, zone: tzinfo) -> None:
        self._zone = zone
        self._database = database
        self._clock = clock
        self._travel = travel

    def of_incident(self, incident_id: str) -> Recommendation:
        """Whoever is on duty, judged for the incident: the best first, the nearest who cannot go with the reason.

        For what is not critical also a choice that keeps the neighbourhood covered, with its cost.
        """
        with self._database.begin() as tx:
            incident = tx.incidents.get(incident_id)
            if incident is None:
                raise NotFoundError(f"no incident {incident_id}")
            request = request_of_incident(tx, incident)
            people = tx.responders.on_duty(request.area_path, self._clock())
        return self._recommend(request, people, preserve=incident.priority != "critical")

    def of_order(self, order_id: str) -> Recommendation:
        """Carers judged for an order at the time it is wanted."""
        with self._database.begin() as tx:
            found = tx.orders.get(order_id)
            if found is None:
                raise NotFoundError(f"no order {order_id}")
            request = request_of_order(tx, found[0])
            # An order for later is judged over everybody: being off duty now says nothing about tomorrow.
            people = tx.responders.everyone()
        return self._recommend(request, people, preserve=False)

    def _recommend(self, request: Request, people: Sequence[Responder], *, preserve: bool) -> Recommendation:
        now = self._clock().astimezone(self._zone)
        return recommend(request, people, now=now, travel=self._travel, shown=_SHOWN, others=_SHOWN, preserve=preserve)


def recommendation_json(found: Recommendation) -> Json:
    """A recommendation as the API gives it."""
    return {
        "items": [_candidate_json(one) for one in found.candidates],
        "next": None,
        "eligible": found.eligible,
        "why_not": dict(found.why_not),
        "spared": None if found.spared is None else asdict(found.spared),
    }


def _candidate_json(candidate: Candidate) -> Json:
    body = asdict(candidate)
    body["responder"] = {"id": body.pop("responder_id"), "name": body.pop("name"), "kind": body.pop("kind")}
    return body
