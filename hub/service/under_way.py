"""Responders on their way: where they are, and when they arrive.

A phone tells positions only while its owner has accepted an emergency or is on the way to anything, and the hub takes
none at any other time: who has nothing to do is nobody's business. What counts is the newest; there is no track.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from dispatch import Place, Responder, Travel
from hub.alarms.positions import read_fix
from hub.clock import Clock
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from hub.ports import Actor, AssignmentRow, Database, EntryRow, Json, Transaction
from hub.service.requests import request_of_incident, request_of_order
from hub.service.series import dated

__all__ = ["Arrival", "Seen", "UnderWay", "follows"]

_WORTH_A_LINE: Final = timedelta(minutes=2)
"""An arrival that moves by more is told on the timeline: somebody waits at a door, and somebody counts on it."""

_TOLD: Final = 30
"""Arrivals that one notification tells of: as many as surely fit. Nobody is on the way to more."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a responder arrives, reckoned anew: `eta_s` seconds after `eta_at`."""

    assignment_id: str
    incident_id: str | None
    eta_s: int
    eta_at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a position. `kept` False: it is too vague, too old or not the newest; `why` says which."""

    responder_id: str
    kept: bool
    why: str | None
    lat: float
    lon: float
    accuracy_m: float
    at: datetime
    arrivals: tuple[Arrival, ...] = ()


def follows(row: AssignmentRow) -> bool:
    """Whether a position of its responder is wanted: on the way, or called to an emergency and about to go."""
    return row.state == "en_route" or (row.state == "accepted" and row.incident_id is not None)


class UnderWay:
    """Takes positions of responders. Thread-safe."""

    def __init__(self, database: Database, clock: Clock, travel: Travel) -> None:
        self._database = database
        self._clock = clock
        self._travel = travel

    def seen(self, actor: Actor, fix: Mapping[str, Any]) -> Seen:
        """Keeps where the actor is, and reckons anew when they arrive wherever they are on the way to.

        `fix`: the JSON object of the contract. ConflictError (`not-under-way`): nothing is wanted of them now, and the
        phone stops telling. BadRequestError: it is no place. ForbiddenError: the account is nobody who goes out.
        """
        now = self._clock()
        if actor.person_id is None:
            raise ForbiddenError("this account is not tied to a person", code="no-person")
        body = dated(fix, None, now)
        found = read_fix(body)
        if found is None:
            raise BadRequestError("fix: it is no place on earth", field="fix")
        at = min(found.observed_at or now, now)
        with self._database.begin() as tx:
            responder = tx.responders.get(actor.person_id)
            if responder is None:
                raise NotFoundError(f"no responder {actor.person_id}")
            rows = [row for row in tx.assignments.live_of(responder.id) if follows(row)]
            if not rows:
                raise ConflictError("no task is under way: no position is wanted", code="not-under-way")
            why: str | None = None
            if found.rank < 2:
                why = "rough" if found.rank == 0 else "old"
            elif responder.position_at is not None and responder.position_at > at:
                why = "older"
            said = Seen(responder.id, why is None, why, found.lat, found.lon, found.accuracy_m, at)
            if why is not None:
                return said
            here = Place(found.lat, found.lon)
            arrivals = [self._arrival(tx, row, responder, here, at) for row in rows]
            # The assignment before its responder, as every step has it.
            told = tuple(
                self._keep(tx, row, one, responder, actor) for row, one in zip(rows, arrivals, strict=True) if one
            )
            tx.responders.moved(responder.id, found.lat, found.lon, at, found.accuracy_m)
            seen = replace(said, arrivals=told)
            # Beside the timeline: nobody needs a track of somebody's ways, and a page that missed one gets the next.
            tx.timeline.beside("responder.moved", _moved(seen), responders=[responder.id])
        return seen

    def _arrival(
        self, tx: Transaction, row: AssignmentRow, responder: Responder, here: Place, at: datetime
    ) -> Arrival | None:
        place = _goal(tx, row)
        if place is None:
            return None
        (way,) = self._travel.estimates([(here, responder.mode)], place)
        return Arrival(row.id, row.incident_id, round(way.seconds), at)

    def _keep(self, tx: Transaction, row: AssignmentRow, one: Arrival, responder: Responder, actor: Actor) -> Arrival:
        tx.assignments.arrives(one.assignment_id, one.eta_s, one.eta_at)
        expected = _expected(row)
        arrives = one.eta_at + timedelta(seconds=one.eta_s)
        if row.incident_id is not None and (expected is None or abs(arrives - expected) >= _WORTH_A_LINE):
            tx.timeline.add(
                EntryRow(
                    at=one.eta_at,
                    subject_kind="incident",
                    subject_id=row.incident_id,
                    kind="arrival",
                    actor=actor,
                    body={
                        "assignment_id": row.id,
                        "responder_id": responder.id,
                        "responder_name": responder.name,
                        "eta_s": one.eta_s,
                        "arrives_at": arrives.isoformat(),
                    },
                )
            )
        return one


def _moved(seen: Seen) -> Json:
    return {
        "responder_id": seen.responder_id,
        "lat": seen.lat,
        "lon": seen.lon,
        "position_at": seen.at,
        "position_accuracy_m": seen.accuracy_m,
        "arrivals": [asdict(one) for one in seen.arrivals[:_TOLD]],
    }


def _expected(row: AssignmentRow) -> datetime | None:
    """When the arrival was expected so far; None where nobody could say."""
    since = row.eta_at or row.en_route_at or row.accepted_at or row.offered_at
    return None if row.eta_s is None else since + timedelta(seconds=row.eta_s)


def _goal(tx: Transaction, row: AssignmentRow) -> Place | None:
    if row.incident_id is not None:
        incident = tx.incidents.get(row.incident_id)
        return None if incident is None else request_of_incident(tx, incident).place
    matter = tx.orders.of_visit(row.visit_id) if row.visit_id else None
    return None if matter is None else request_of_order(tx, matter[0]).place
