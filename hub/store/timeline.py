"""The timeline: buffered, numbered and written by the last statement of the transaction."""

from __future__ import annotations

from collections.abc import Iterable

from hub.ports.records import EntryRow, Json
from hub.store.session import Session, as_json

__all__ = ["TimelineDrawer"]

_CARRIED = 7_900
"""Bytes that a notification carries, less a little: PostgreSQL refuses 8,000."""


class TimelineDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._entries: list[EntryRow] = []

    def add(self, *entries: EntryRow) -> None:
        self._entries.extend(entries)

    def beside(self, event: str, body: Json, responders: Iterable[str] = ()) -> None:
        told = {"event": event, "body": body, "responders": sorted(responders)}
        text = as_json(told)
        if len(text.encode()) > _CARRIED:
            text = as_json({**told, "body": {}})
        self._session.run("timeline_beside", text=text)

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
