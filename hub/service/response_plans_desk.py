"""What the desk does with a running plan: sees it, leaves a tier out, says whether the resident was spoken to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from hub.alarms import SkipTier, VoiceContact, apply
from hub.clock import Clock
from hub.errors import NotFoundError
from hub.ports import Actor, Database, Json, Transaction
from hub.service.guards import check_version
from hub.service.writing import Writer

__all__ = ["PlanDesk", "VoiceHeard"]

_FAILED: Final = frozenset({"busy", "no_answer", "failed"})


class PlanDesk:
    """Each method is one transaction. Raises hub.errors; nothing is changed then."""

    def __init__(self, database: Database, clock: Clock, writer: Writer) -> None:
        self._database = database
        self._clock = clock
        self._writer = writer

    def skip(self, incident_id: str, code: str, reason: str, actor: Actor, *, version: int | None = None) -> None:
        """Leaves a tier out; of the one being called: the next is called now. ConflictError: it is behind already."""
        self._act(incident_id, SkipTier(code, reason), actor, version)

    def voice(
        self, incident_id: str, reached: bool, note: str | None, actor: Actor, *, version: int | None = None
    ) -> None:
        """Whether the resident was spoken to, where no call of the hub's says so."""
        self._act(incident_id, VoiceContact(reached, note=note), actor, version)

    def _act(self, incident_id: str, action: SkipTier | VoiceContact, actor: Actor, version: int | None) -> None:
        now = self._clock()
        with self._database.begin() as tx:
            incident = tx.incidents.get(incident_id, lock=True)
            if incident is None:
                raise NotFoundError(f"no incident {incident_id}")
            check_version(incident.version, version)
            self._writer.write(tx, apply(incident, action, now=now, actor=actor), now=now)


class VoiceHeard:
    """Hears of calls: an answered one to (or from) the resident ends step 0 of the plan, a failed one lets it go on."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def __call__(self, tx: Transaction, row: Mapping[str, Any], actor: Actor, now: datetime) -> None:
        """Inside the transaction that keeps the call, as it is now (a row of `calls`)."""
        reached = _reached(row)
        incident_id = row.get("incident_id")
        if reached is None or not incident_id:
            return
        incident = tx.incidents.get(str(incident_id), lock=True)
        if incident is None or not incident.live or not _with_resident(row, incident.resident_id):
            return
        if incident.run.state == "spoken" or (incident.run.state == "stopped" and not reached):
            return
        self._writer.write(tx, apply(incident, VoiceContact(reached), now=now, actor=actor), now=now)


def _reached(row: Json | Mapping[str, Any]) -> bool | None:
    """None: it is not known yet, or the call came in and was missed, which says nothing about the resident."""
    outcome = row.get("outcome")
    if outcome == "answered" or (outcome is None and row.get("answered_at") is not None):
        return True
    return False if outcome in _FAILED and row.get("direction") == "out" else None


def _with_resident(row: Mapping[str, Any], resident_id: str | None) -> bool:
    party = row.get("party")
    if party is None:
        return resident_id is not None and row.get("resident_id") == resident_id
    return bool(party == f"resident:{resident_id}")
