"""What operators and supervisors do with incidents. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import cast, get_args

from hub.alarms import (
    Acknowledge,
    Action,
    Close,
    Disposition,
    Escalate,
    Incident,
    Note,
    Release,
    Reopen,
    Shelve,
    Supervise,
    Touch,
    Transfer,
    Unshelve,
    apply,
)
from hub.clock import Clock
from hub.errors import BadRequestError, ConflictError, HubError, NotFoundError
from hub.ports import Actor, Database, Transaction
from hub.service.guards import check_version
from hub.service.writing import Writer

__all__ = ["Handling", "ReturnVisit", "Sample"]

Sample = Callable[[str], bool]
"""Whether an incident (by id) is drawn for supervision whatever it was."""
ReturnVisit = Callable[[Transaction, Incident, Actor, datetime], str | None]
"""Has somebody go again after a supervised closing; gives the order's id, None where nobody needs to."""


class Handling:
    """Claims, notes, shelves, closes, supervises. Raises hub.errors; nothing is changed then."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        writer: Writer,
        sample: Sample,
        return_visit: ReturnVisit = lambda _tx, _incident, _actor, _now: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._writer = writer
        self._sample = sample
        self._return_visit = return_visit

    def acknowledge(self, incident_id: str, actor: Actor, *, version: int | None = None) -> None:
        """Claims it; ConflictError says who was first and when."""
        self._act(incident_id, Acknowledge(), actor, version)

    def touch(self, incident_id: str, actor: Actor) -> None:
        """Renews the claim: the holder is at it."""
        self._act(incident_id, Touch(), actor, None)

    def release(self, incident_id: str, actor: Actor, reason: str | None = None, *, version: int | None = None) -> None:
        """Gives it back to the queue."""
        self._act(incident_id, Release(reason=reason), actor, version)

    def escalate(
        self, incident_id: str, actor: Actor, reason: str | None = None, *, version: int | None = None
    ) -> None:
        """Calls the plan's next tier and a supervisor, now."""
        self._act(incident_id, Escalate(reason=reason), actor, version)

    def transfer(
        self, incident_id: str, actor: Actor, to_user_id: str, reason: str | None = None, *, version: int | None = None
    ) -> None:
        """Puts it into another operator's hands; NotFoundError or BadRequestError where that one cannot hold it."""
        with self._database.begin() as tx:
            action = Transfer(to_user_id, _holder(tx, to_user_id), reason=reason)
        self._act(incident_id, action, actor, version)

    def note(self, incident_id: str, actor: Actor, text: str, *, version: int | None = None) -> None:
        """A line on the timeline."""
        self._act(incident_id, Note(text=text), actor, version)

    def shelve(
        self, incident_id: str, actor: Actor, until: datetime, reason: str, *, version: int | None = None
    ) -> None:
        """Out of the queue until a time, for a reason."""
        self._act(incident_id, Shelve(until=until, reason=reason), actor, version)

    def unshelve(
        self, incident_id: str, actor: Actor, reason: str | None = None, *, version: int | None = None
    ) -> None:
        """Back from the shelf before its end."""
        self._act(incident_id, Unshelve(reason=reason), actor, version)

    def close(
        self, incident_id: str, actor: Actor, disposition: str, summary: str, *, version: int | None = None
    ) -> None:
        """Resolves it; a supervisor must confirm where the disposition or the sample asks for it."""
        if disposition not in get_args(Disposition):
            raise BadRequestError(
                f"disposition must be one of {', '.join(get_args(Disposition))}, not {disposition!r}",
                field="disposition",
            )
        action = Close(disposition=cast(Disposition, disposition), summary=summary, sampled=self._sample(incident_id))
        self._act(incident_id, action, actor, version)

    def reopen(self, incident_id: str, actor: Actor, reason: str, *, version: int | None = None) -> None:
        """Back to the queue."""
        self._act(incident_id, Reopen(reason=reason), actor, version)

    def supervise(
        self, incident_id: str, actor: Actor, verdict: str, note: str | None = None, *, version: int | None = None
    ) -> None:
        """Confirms the resolution or returns it; never by whoever resolved it."""
        if verdict not in ("confirmed", "returned"):
            raise BadRequestError(f"verdict must be confirmed or returned, not {verdict!r}", field="verdict")
        action = Supervise(verdict="confirmed" if verdict == "confirmed" else "returned", note=note)
        self._act(incident_id, action, actor, version)

    def _act(self, incident_id: str, action: Action, actor: Actor, version: int | None) -> None:
        now = self._clock()
        with self._database.begin() as tx:
            incident = _locked(tx, incident_id)
            check_version(incident.version, version)
            try:
                change = apply(incident, action, now=now, actor=actor)
            except HubError as refusal:
                raise _named(tx, refusal) from None
            if change.incident.live and not incident.live:
                _check_alone(tx, incident)
            self._writer.write(tx, change, now=now)
            if isinstance(action, Supervise) and change.incident.state == "closed":
                self._return_visit(tx, change.incident, actor, now)


def _holder(tx: Transaction, user_id: str) -> str:
    user = tx.users.get(user_id)
    if user is None or not user.active:
        raise NotFoundError(f"there is no active account {user_id}", field="user_id")
    if user.role not in ("operator", "supervisor", "admin"):
        raise BadRequestError(f"{user.name} ({user.role}) cannot hold an incident", field="user_id")
    return user.name


def _locked(tx: Transaction, incident_id: str) -> Incident:
    incident = tx.incidents.get(incident_id, lock=True)
    if incident is None:
        raise NotFoundError(f"no incident {incident_id}")
    return incident


def _check_alone(tx: Transaction, incident: Incident) -> None:
    """At most one live incident a subject and class: the database refuses a second; this says which is the first."""
    slot = (incident.subject, incident.alarm_class)
    other = tx.incidents.lock_live([slot]).get(slot)
    if other is not None:
        raise ConflictError(
            "a newer incident of the same matter is live: go on there",
            code="another-live",
            state=incident.state,
            incident_id=other.id,
        )


def _named(tx: Transaction, refusal: HubError) -> HubError:
    """The pure rooms know ids only; whoever reads a refusal wants the name."""
    by = refusal.extra.get("by")
    if isinstance(by, dict) and by.get("id") and not by.get("name"):
        user = tx.users.get(str(by["id"]))
        if user is not None:
            refusal.extra["by"] = {"id": user.id, "name": user.name}
    return refusal
