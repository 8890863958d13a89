"""The call log: every call in or out, whatever telephone made it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Actor, Database, EntryRow, Json, Transaction

__all__ = ["Calls"]

Heard = Callable[[Transaction, Mapping[str, Any], Actor, datetime], None]

_OUTCOMES = ("answered", "busy", "no_answer", "failed")
_AHEAD = timedelta(minutes=5)
"""How far a telephone system's clock may run before the hub's."""


class Calls:
    """Records calls and puts them on the incident's timeline."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, heard: Heard = lambda *_: None) -> None:
        """`heard` is told of every call as it is kept, in the same transaction."""
        self._database = database
        self._heard = heard
        self._clock = clock
        self._new_id = new_id

    def record(self, fields: Mapping[str, Any], actor: Actor) -> str:
        """A call that was placed or came in; gives its id.

        `fields`: direction "in" or "out", number, optionally incident_id, resident_id, party, started_at, answered_at,
        ended_at, outcome, note.
        """
        now = self._clock()
        _check_outcome(fields.get("outcome"))
        row: Json = {
            "id": self._new_id(),
            "direction": fields["direction"],
            "number": fields["number"],
            "incident_id": fields.get("incident_id"),
            "resident_id": fields.get("resident_id"),
            "party": fields.get("party"),
            "placed_by": actor.user_id,
            "started_at": fields.get("started_at") or now,
            "answered_at": fields.get("answered_at"),
            "ended_at": fields.get("ended_at"),
            "outcome": fields.get("outcome"),
            "note": fields.get("note"),
        }
        _check_times(row, now)
        with self._database.begin() as tx:
            if row["incident_id"] is not None and tx.incidents.get(row["incident_id"]) is None:
                raise NotFoundError(f"no incident {row['incident_id']}", field="incident_id")
            tx.calls.insert(row)
            self._log(tx, row, actor)
            self._heard(tx, row, actor, now)
        call_id: str = row["id"]
        return call_id

    def update(self, call_id: str, fields: Mapping[str, Any], actor: Actor, *, seat: str | None = None) -> None:
        """How the call went: answered_at, ended_at, outcome, note.

        `seat`: the account that takes a call which came in. ConflictError where another one has it, who and when.
        """
        _check_outcome(fields.get("outcome"))
        allowed = {"answered_at", "ended_at", "outcome", "note", "incident_id", "resident_id", "party"}
        changes = {name: value for name, value in fields.items() if name in allowed and value is not None}
        with self._database.begin() as tx:
            found = tx.calls.get(call_id)
            if found is None:
                raise NotFoundError(f"no call {call_id}")
            if seat is not None and found["direction"] == "in" and "answered_at" in changes:
                _check_free(tx, found, seat)
                # Who lifted the receiver first is when it was answered, whichever told the hub of it first.
                changes["answered_at"] = found["answered_at"] or changes["answered_at"]
                changes["answered_by"] = seat
            if changes:
                _check_times({**found, **changes}, self._clock())
                tx.calls.update(call_id, changes)
                self._log(tx, {**found, **changes}, actor)
                self._heard(tx, {**found, **changes}, actor, self._clock())

    def _log(self, tx: Any, row: Json, actor: Actor) -> None:
        now = self._clock()
        body = {
            "call_id": str(row["id"]),
            "direction": row["direction"],
            "party": row.get("party"),
            "outcome": row.get("outcome"),
            "note": row.get("note"),
        }
        tx.timeline.add(
            EntryRow(at=now, subject_kind="call", subject_id=str(row["id"]), kind="called", actor=actor, body=body)
        )
        if row.get("incident_id"):
            tx.timeline.add(
                EntryRow(
                    at=now,
                    subject_kind="incident",
                    subject_id=str(row["incident_id"]),
                    kind="called",
                    actor=actor,
                    body=body,
                )
            )


def _check_times(row: Mapping[str, Any], now: datetime) -> None:
    """A call begins, is answered and ends in this order, and not in the future: the list is ordered by it."""
    given = [(name, row[name]) for name in ("started_at", "answered_at", "ended_at") if row.get(name) is not None]
    for name, at in given:
        if at > now + _AHEAD:
            raise BadRequestError(f"{name} is in the future", field=name)
    for (earlier, before), (later, after) in pairwise(given):
        if after < before:
            raise BadRequestError(f"{later} is before {earlier}", field=later)


def _check_free(tx: Transaction, call: Json, seat: str) -> None:
    holder = call["answered_by"]
    if holder is not None and str(holder) != seat:
        user = tx.users.get(str(holder))
        by = {"id": str(holder), "name": user.name if user else None}
        raise ConflictError("another seat has taken this call", by=by, at=call["answered_at"].isoformat())
    if call["ended_at"] is not None or call["outcome"] is not None:
        raise ConflictError("this call is over")


def _check_outcome(outcome: str | None) -> None:
    if outcome is not None and outcome not in _OUTCOMES:
        raise BadRequestError(f"outcome must be one of {', '.join(_OUTCOMES)}", field="outcome")
