"""`uplink_seen`: what was taken already; what of it is packed is in `uplink_packed` (see `hub.store.packing`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from hub.store.session import Session

__all__ = ["LedgerDrawer"]


class LedgerDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def take(self, keys: Sequence[tuple[bytes, datetime]], stretches: Sequence[int | None] = ()) -> set[bytes]:
        """Claims keys in their own order, so that two batches with keys in common cannot block one another."""
        return self.take_later(keys, stretches)() if keys else set()

    def take_later(
        self, keys: Sequence[tuple[bytes, datetime]], stretches: Sequence[int | None] = ()
    ) -> Callable[[], set[bytes]]:
        """As `take`, inside `Session.together`: the answer is to be had once that has ended."""
        wanted = [key for key, _ in keys]
        known = [one for one in stretches if one is not None]
        cursor = self._session.later(
            "ledger_take",
            keys=wanted,
            times=[at for _, at in keys],
            stretches=stretches or [None] * len(wanted),
            low=min(known, default=None),
            high=max(known, default=None),
        )

        def fresh() -> set[bytes]:
            found = cursor.fetchall()[0]
            taken = set(wanted) if found["n"] == len(wanted) else set(found["keys"] or ())
            return taken - self._packed(wanted, stretches) if found["packed"] and taken else taken

        return fresh

    def _packed(self, keys: Sequence[bytes], stretches: Sequence[int | None]) -> set[bytes]:
        """Those of the keys that are packed. Their new rows in `uplink_seen` stay: they are repeats there as well."""
        return {row["key"] for row in self._session.all("ledger_packed", keys=keys, stretches=stretches)}

    def prune(self, before: datetime) -> int:
        return self._session.run("ledger_prune", before=before)
