"""Time-outs as rows. Setting and clearing are buffered: of one step only the last word is written."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from hub.ports.records import DueRow
from hub.store.session import Session, as_json

__all__ = ["DueDrawer"]

_Subject = tuple[str, str]


class DueDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._emptied: set[_Subject] = set()
        self._steps: dict[_Subject, dict[str, DueRow | None]] = {}

    def set(self, *rows: DueRow) -> None:
        for row in rows:
            self._steps.setdefault((row.subject_kind, row.subject_id), {})[row.step] = row

    def clear(self, subject_kind: str, subject_id: str, steps: Collection[str] | None = None) -> None:
        subject = (subject_kind, subject_id)
        if steps is None:
            self._emptied.add(subject)
            self._steps.pop(subject, None)
            return
        known = self._steps.setdefault(subject, {})
        for step in steps:
            known[step] = None

    def claim(self, now: datetime, limit: int) -> list[DueRow]:
        self._session.flush()
        rows = self._session.all("due_claim", now=now, limit=limit)
        return sorted((DueRow(**row) for row in rows), key=lambda row: (row.due_at, row.subject_id, row.step))

    def next_at(self) -> datetime | None:
        self._session.flush()
        found: datetime | None = self._session.value("due_next")
        return found

    def write(self) -> None:
        """Deletes first, then sets, in the order of the key."""
        gone: list[tuple[str, str, str | None]] = [(kind, ident, None) for kind, ident in self._emptied]
        kept: list[DueRow] = []
        for (kind, ident), steps in self._steps.items():
            for step, row in steps.items():
                if row is not None:
                    kept.append(row)
                elif (kind, ident) not in self._emptied:
                    gone.append((kind, ident, step))
        self._emptied, self._steps = set(), {}
        if gone:
            kinds, idents, names = zip(*sorted(gone, key=lambda one: (one[0], one[1], one[2] or "")), strict=True)
            self._session.queue("due_clear", kinds=list(kinds), subjects=list(idents), steps=list(names))
        if kept:
            self._session.queue("due_set", rows=as_json(kept))
