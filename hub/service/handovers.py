"""The end of a shift: drawn up by the hub, signed by two people; ownership moves at the second signature."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from hub.alarms import Transfer, apply
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from hub.ports import Actor, Database, HandoverRow, Json, Transaction
from hub.service.guards import check_version
from hub.service.writing import Writer

__all__ = ["Handovers"]

_LONGEST_SHIFT = timedelta(hours=48)


class Handovers:
    """draft -> signed (by the outgoing person) -> done (by the incoming one), or cancelled before that."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, writer: Writer) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._writer = writer

    def begin(self, actor: Actor, shift_from: datetime | None = None) -> str:
        """The actor's hand-over under way, made where there is none; gives its id."""
        now = self._clock()
        begun = shift_from or now - timedelta(hours=12)
        if not now - _LONGEST_SHIFT <= begun <= now:
            raise BadRequestError("shift_from: a shift began within the last 48 hours", field="shift_from")
        user_id = _user(actor)
        with self._database.begin() as tx:
            row_id = self._new_id()
            if not tx.desk.handover_insert(row_id, user_id, begun, now, None):
                row_id = tx.desk.handover_open_of(user_id) or row_id
        return row_id

    def body(self, shift_from: datetime) -> Json:
        """The desk as it is now: what a draft shows."""
        with self._database.begin() as tx:
            return tx.desk.handover_body(shift_from, self._clock())

    def shift_from(self, row_id: str) -> datetime:
        """When the shift of a hand-over began."""
        with self._database.begin() as tx:
            return _locked(tx, row_id, None).shift_from

    def sign(self, row_id: str, actor: Actor, remarks: str | None, *, version: int | None = None) -> None:
        """The outgoing person's signature: what the desk is like now is written down with it."""
        now = self._clock()
        with self._database.begin() as tx:
            row = _locked(tx, row_id, version)
            _own(row, actor)
            if row.state != "draft":
                raise ConflictError(f"it is {row.state} already", code="state", state=row.state)
            tx.desk.handover_save(
                replace(
                    row,
                    state="signed",
                    body=tx.desk.handover_body(row.shift_from, now),
                    remarks=remarks,
                    signed_at=now,
                    version=row.version + 1,
                )
            )
            tx.audit.add(actor, "handovers.sign", f"handovers:{row_id}", {}, now, None)

    def accept(self, row_id: str, actor: Actor, ticked: Collection[str], *, version: int | None = None) -> list[str]:
        """The incoming person's signature: everything the outgoing one still holds becomes theirs; gives the ids.

        ConflictError (code not-ticked, with the ids) where an open item was not gone through. What was claimed after
        the first signature counts too: nothing changes hands unread.
        """
        now = self._clock()
        user_id = _user(actor)
        with self._database.begin() as tx:
            row = _locked(tx, row_id, version)
            if row.outgoing == user_id:
                raise ForbiddenError("nobody hands over to oneself: the second signature is another person's")
            if row.state != "signed":
                raise ConflictError(f"it is {row.state}, not signed", code="state", state=row.state)
            held = tx.desk.held_by(row.outgoing)
            wanted = [one["id"] for one in row.body.get("open", ()) if _still_live(tx, one["id"])]
            missing = [ident for ident in dict.fromkeys([*held, *wanted]) if ident not in ticked]
            if missing:
                raise ConflictError(
                    f"{len(missing)} open items have not been gone through", code="not-ticked", incidents=missing
                )
            for ident in held:
                incident = tx.incidents.get(ident, lock=True)
                if incident is None or not incident.live or incident.acknowledged_by != row.outgoing:
                    continue
                # The signature of the holder stands on the hand-over: it is the holder who hands on.
                action = Transfer(user_id, actor.name, handover_id=row_id)
                change = apply(incident, action, now=now, actor=_outgoing(tx, row.outgoing))
                self._writer.write(tx, change, now=now)
            tx.desk.handover_save(
                replace(
                    row,
                    state="done",
                    incoming=user_id,
                    ticked=sorted(ticked),
                    accepted_at=now,
                    moved=held,
                    version=row.version + 1,
                )
            )
            tx.audit.add(actor, "handovers.accept", f"handovers:{row_id}", {"moved": len(held)}, now, None)
        return held

    def cancel(self, row_id: str, actor: Actor, *, version: int | None = None) -> None:
        """Taken back by the person who made it, before the second signature."""
        with self._database.begin() as tx:
            row = _locked(tx, row_id, version)
            _own(row, actor)
            if row.state not in ("draft", "signed"):
                raise ConflictError(f"it is {row.state} already", code="state", state=row.state)
            tx.desk.handover_save(replace(row, state="cancelled", version=row.version + 1))
            tx.audit.add(actor, "handovers.cancel", f"handovers:{row_id}", {}, self._clock(), None)


def _user(actor: Actor) -> str:
    if actor.user_id is None:
        raise BadRequestError("only a signed-in person hands over", field="actor")
    return actor.user_id


def _own(row: HandoverRow, actor: Actor) -> None:
    if row.outgoing != actor.user_id:
        raise ForbiddenError("this hand-over is another person's")


def _locked(tx: Transaction, row_id: str, version: int | None) -> HandoverRow:
    row = tx.desk.handover(row_id)
    if row is None:
        raise NotFoundError(f"no hand-over {row_id}")
    check_version(row.version, version)
    return row


def _still_live(tx: Transaction, incident_id: str) -> bool:
    incident = tx.incidents.get(incident_id)
    return incident is not None and incident.live


def _outgoing(tx: Transaction, user_id: str) -> Actor:
    user = tx.users.get(user_id)
    if user is None:
        raise NotFoundError(f"there is no account {user_id}")
    return Actor(kind="operator", name=user.name, user_id=user.id, role=user.role)
