"""`quarantine`: uplinks kept aside."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from hub.ports.quarantine import QuarantinedRow, QuarantineState
from hub.ports.records import Actor
from hub.store.session import Session, clean

__all__ = ["QuarantineDrawer"]


class QuarantineDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, row_id: int, *, lock: bool = False) -> QuarantinedRow | None:
        row = self._session.one("quarantine_lock" if lock else "quarantine_get", id=row_id)
        return None if row is None else QuarantinedRow(**row)

    def page(
        self, *, state: QuarantineState | None, device_id: str | None, after: int, limit: int
    ) -> list[QuarantinedRow]:
        rows = self._session.all("quarantine_page", state=state, device_id=device_id, after=after, limit=limit)
        return [QuarantinedRow(**row) for row in rows]

    def release_keys(self, keys: Collection[bytes]) -> None:
        if keys:
            self._session.run("quarantine_release_keys", keys=list(keys))

    def settle(self, row_id: int, state: QuarantineState, actor: Actor, at: datetime, outcome: str) -> None:
        self._session.run(
            "quarantine_settle",
            id=row_id,
            state=state,
            at=at,
            user_id=actor.user_id,
            name=actor.name,
            outcome=clean(outcome)[:1000],
        )

    def failed(self, row_id: int, error: str) -> None:
        self._session.run("quarantine_failed", id=row_id, error=clean(error)[:1000])
