"""Silences of one cause are one matter, however they trickle in: whoever falls silent later joins it, and what was
opened for parts of the cause, or for single devices, before the whole was certain is taken in as its duplicate.

A matter that somebody is at work on is never closed under their hands: it grows instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.alarms import SYSTEM, AlarmClass, Close, Incident, apply
from hub.alarms.shared_silence import SharedSilence
from hub.ports import EntryRow, SuspectRow, Transaction
from hub.service.writing import Writer

__all__ = ["Folding", "Together"]

_CLASS: AlarmClass = "technical"


@dataclass(slots=True)
class Together:
    """Devices found silent in one run that belong to one matter."""

    shared: SharedSilence
    members: list[SuspectRow]

    def add(self, one: SuspectRow, shared: SharedSilence) -> None:
        """One more. Whoever only fell silent beside it says nothing of the cause; another may."""
        self.members.append(one)
        if self.shared.cause is None:
            self.shared = shared


class Folding:
    """What a run does with the open matters its silences are part of, inside the run's transaction."""

    def __init__(self, tx: Transaction, writer: Writer, now: datetime) -> None:
        self._tx = tx
        self._writer = writer
        self._now = now
        self.live: dict[str, Incident] = {}
        """By subject, locked."""
        self._moved: dict[str, str] = {}

    def lock(self, together: Mapping[str, Together]) -> None:
        """Everything that may be joined or taken in, at once and in one order."""
        subjects = {*together, *(part for found in together.values() for part in found.shared.takes_in)}
        found = self._tx.incidents.lock_live([(subject, _CLASS) for subject in subjects]) if subjects else {}
        self.live = {subject: incident for (subject, _), incident in found.items()}

    def grown(self, subject: str, found: Together) -> Incident | None:
        """The open matter that these devices join: the cause's own, or a part of it that somebody is at work on."""
        running = self.live.get(subject)
        if running is not None:
            return running
        parts = (self.live[part] for part in found.shared.takes_in if part in self.live)
        return next((part for part in parts if not _idle(part)), None)

    @staticmethod
    def joined(incident: Incident, found: Together) -> tuple[str, dict[str, int]]:
        """The words and numbers of the line that says who joined."""
        count, cause = len(found.members), found.shared.cause
        text = f"{count} more devices are silent"
        if cause is not None and cause.place != incident.subject:
            text += f": {found.shared.reasons[0].text}"
        return text, {"joined": count}

    def take_in(self, incident_id: str, found: Together) -> int:
        """Closes what is part of it as its duplicates, and moves their devices; gives how many."""
        shared = found.shared
        if shared.cause is None or shared.since is None:
            return 0
        parts = [self.live[part] for part in shared.takes_in if part in self.live]
        for single_id in self._tx.supervision.singles(shared.joins or shared.cause.place, shared.since):
            single = self._tx.incidents.get(single_id, lock=True)
            if single is not None:
                parts.append(single)
        parts = [part for part in parts if part.id != incident_id and part.id not in self._moved and _idle(part)]
        name = shared.cause.name
        for part in parts:
            summary = f"并入：{name} · part of a wider silence ({name}), {incident_id}"
            action = Close(disposition="duplicate", summary=summary, sampled=False)
            self._writer.write(self._tx, apply(part, action, now=self._now, actor=SYSTEM), now=self._now)
            self._moved[part.id] = incident_id
        self._tx.supervision.move([part.id for part in parts], incident_id)
        if parts:
            body = {
                "text": f"{len(parts)} open matters are part of it: {shared.reasons[0].text}",
                "taken_in": len(parts),
            }
            entry = EntryRow(at=self._now, subject_kind="incident", subject_id=incident_id, kind="noted", body=body)
            self._tx.timeline.add(entry)
        return len(parts)

    def now_in(self, incident_id: str | None) -> str | None:
        """The matter that one of this run belongs to at its end."""
        return self._moved.get(incident_id, incident_id) if incident_id is not None else None


def _idle(incident: Incident) -> bool:
    """About silence only, and nobody is at work on it."""
    free = incident.state == "open" and not (incident.under_way or incident.on_scene or incident.shelved)
    return free and set(incident.types) == {"offline"}
