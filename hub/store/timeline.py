"""The timeline: buffered, numbered and written by the last statement of the transaction."""

from __future__ import annotations

from hub.ports.records import EntryRow
from hub.store.session import Session, as_json

__all__ = ["TimelineDrawer"]


class TimelineDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._entries: list[EntryRow] = []

    def add(self, *entries: EntryRow) -> None:
        self._entries.extend(entries)

    def write(self) -> None:
        """Takes as many numbers as there are entries; without entries the counter is not touched."""
        if not self._entries:
            return
        entries, self._entries = self._entries, []
        rows = [
            {
                "n": number,
                "at": entry.at,
                "subject_kind": entry.subject_kind,
                "subject_id": entry.subject_id,
                "kind": entry.kind,
                "actor_kind": entry.actor.kind,
                "actor_id": entry.actor.ident,
                "actor_name": entry.actor.name,
                "body": entry.body,
            }
            for number, entry in enumerate(entries, start=1)
        ]
        self._session.queue("timeline_write", rows=as_json(rows), count=len(rows))
