"""Residents as decisions need them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from hub.care import Resident
from hub.errors import NotFoundError
from hub.store.session import Session

__all__ = ["ResidentsDrawer"]


class ResidentsDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, resident_id: str) -> Resident | None:
        return self.get_many([resident_id]).get(resident_id)

    def get_many(self, ids: Collection[str]) -> dict[str, Resident]:
        if not ids:
            return {}
        return {row["id"]: _resident(row) for row in self._session.all("residents_get", ids=list(ids))}

    def set_status(
        self, resident_id: str, status: str, reason: str | None, at: datetime, *, until: date | None = None
    ) -> None:
        fields = {"status": status, "reason": reason, "since": at, "until": until}
        if not self._session.run("residents_status", id=resident_id, **fields):
            raise NotFoundError(f"there is no resident {resident_id}")


def _resident(row: Mapping[str, Any]) -> Resident:
    lists = {
        "area_path": tuple(row["area_path"]),
        "never_responders": frozenset(row["never_responders"]),
        "regular_responders": frozenset(row["regular_responders"]),
        "flags": frozenset(row["flags"]),
    }
    return Resident(**{**row, **lists})
