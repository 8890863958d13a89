"""`uplink_seen`: what was taken already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.store.session import Session

__all__ = ["LedgerDrawer"]


class LedgerDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def take(self, keys: Sequence[tuple[bytes, datetime]]) -> set[bytes]:
        """Claims keys in their own order, so that two batches with keys in common cannot block one another."""
        if not keys:
            return set()
        wanted = [key for key, _ in keys]
        found = self._session.all("ledger_take", keys=wanted, times=[at for _, at in keys])[0]
        return set(wanted) if found["n"] == len(wanted) else set(found["keys"] or ())

    def prune(self, before: datetime) -> int:
        return self._session.run("ledger_prune", before=before)
