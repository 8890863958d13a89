"""`uplink_seen`: what was taken already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from hub.store.session import Session

__all__ = ["LedgerDrawer"]


class LedgerDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def take(self, keys: Sequence[tuple[bytes, datetime]]) -> set[bytes]:
        """Claims keys in their own order, so that two batches with keys in common cannot block one another."""
        return self.take_later(keys)() if keys else set()

    def take_later(self, keys: Sequence[tuple[bytes, datetime]]) -> Callable[[], set[bytes]]:
        """As `take`, inside `Session.together`: the answer is to be had once that has ended."""
        wanted = [key for key, _ in keys]
        cursor = self._session.later("ledger_take", keys=wanted, times=[at for _, at in keys])

        def fresh() -> set[bytes]:
            found = cursor.fetchall()[0]
            return set(wanted) if found["n"] == len(wanted) else set(found["keys"] or ())

        return fresh

    def prune(self, before: datetime) -> int:
        return self._session.run("ledger_prune", before=before)
