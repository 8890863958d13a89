"""Many incidents of the lowest level claimed, and given back, by one word: what a flood leaves an operator time for.

Nothing above the lowest level is ever taken this way: whoever presses must have looked at it. ISA-18.2 wants each
acknowledgement to be a person's own, so every incident gets its line with the reason, and the press one line in the
audit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.alarms import Acknowledge, Action, Incident, NotHolder, Release, apply
from hub.clock import Clock
from hub.errors import ConflictError, HubError, NotFoundError
from hub.ports import Actor, Database, Json, Transaction
from hub.service.writing import Writer

__all__ = ["ClaimingTogether", "Together"]


@dataclass(frozen=True, slots=True)
class Together:
    """`done`: ids as they were given. `refused`: `{"id", "code", "detail"}`, and who was first where known."""

    done: Sequence[str]
    refused: Sequence[Json]


class ClaimingTogether:
    """Each call is one transaction: what was done, why, and the audit of it stand or fall together."""

    def __init__(self, database: Database, clock: Clock, writer: Writer) -> None:
        self._database = database
        self._clock = clock
        self._writer = writer

    def acknowledge(self, incident_ids: Sequence[str], actor: Actor, reason: str) -> Together:
        """Claims those of the lowest level. Any above it is refused (`bulk-refused`), the others are claimed.

        BadRequestError: no reason.
        """
        return self._each("incident.bulk_acknowledge", incident_ids, actor, reason, lambda _: Acknowledge(reason))

    def release(self, incident_ids: Sequence[str], actor: Actor, reason: str) -> Together:
        """Gives back those that `actor` holds: what was claimed together is taken back together."""

        def action(incident: Incident) -> Action:
            if incident.acknowledged_by is None or incident.acknowledged_by != actor.user_id:
                raise NotHolder("only what you hold yourself is given back many at once")
            return Release(reason=reason)

        return self._each("incident.bulk_release", incident_ids, actor, reason, action)

    def _each(
        self,
        name: str,
        incident_ids: Sequence[str],
        actor: Actor,
        reason: str,
        action: Callable[[Incident], Action],
    ) -> Together:
        now = self._clock()
        wanted = list(dict.fromkeys(incident_ids))
        done: list[str] = []
        refused: list[Json] = []
        with self._database.begin() as tx:
            for incident_id, incident in _locked(tx, wanted):
                try:
                    self._one(tx, incident_id, incident, action, actor, now)
                    done.append(incident_id)
                except HubError as refusal:
                    refused.append(
                        {"id": incident_id, "code": refusal.code, "detail": refusal.detail, **_first(tx, refusal)}
                    )
            detail = {"reason": reason, "done": done, "refused": {one["id"]: one["code"] for one in refused}}
            tx.audit.add(actor, name, None, detail, now)
        return Together(done, refused)

    def _one(
        self,
        tx: Transaction,
        incident_id: str,
        incident: Incident | None,
        action: Callable[[Incident], Action],
        actor: Actor,
        now: datetime,
    ) -> None:
        if incident is None:
            if tx.incidents.get(incident_id) is None:
                raise NotFoundError(f"no incident {incident_id}")
            raise ConflictError("it is over already")
        self._writer.write(tx, apply(incident, action(incident), now=now, actor=actor), now=now)


def _locked(tx: Transaction, incident_ids: Sequence[str]) -> list[tuple[str, Incident | None]]:
    """Each with its row locked, None where it is not live. In the order of subjects, as whoever raises alarms locks."""
    seen = [tx.incidents.get(one) for one in incident_ids]
    held = tx.incidents.lock_live([(one.subject, one.alarm_class) for one in seen if one is not None])
    live = {incident.id: incident for incident in held.values()}
    return [(one, live.get(one)) for one in incident_ids]


def _first(tx: Transaction, refusal: HubError) -> Json:
    """Who was first and when, by name."""
    by = refusal.extra.get("by")
    user = tx.users.get(str(by["id"])) if isinstance(by, dict) and by.get("id") else None
    return {} if user is None else {"by": {"id": user.id, "name": user.name}, "at": refusal.extra.get("at")}
