"""The rota's rows."""

from __future__ import annotations

from datetime import datetime

from hub.errors import NotFoundError
from hub.ports.rota import RotaSlice
from hub.rota import Override, Person, Shift
from hub.store.session import Session

__all__ = ["RotaDrawer"]


class RotaDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def slice(self, start: datetime, end: datetime, *, role: str | None = None) -> RotaSlice:
        span = {"from": start, "to": end}
        shifts = [
            Shift(**{**row, "area_ids": frozenset(row["area_ids"])})
            for row in self._session.all("rota_shifts", role=role, **span)
        ]
        overrides = [
            Override(**{**row, "area_ids": frozenset(row["area_ids"])})
            for row in self._session.all("rota_overrides_in", **span)
        ]
        named = {one.responder_id for one in shifts} | {one.substitute_id for one in overrides if one.substitute_id}
        people = [
            Person(**{**row, "area_ids": frozenset(row["area_ids"])})
            for row in self._session.all("rota_people", role=role, ids=sorted(named))
        ]
        return RotaSlice(shifts, overrides, people)

    def path_of(self, area_id: str) -> tuple[str, ...]:
        row = self._session.one("area_path_of", id=area_id)
        if row is None:
            raise NotFoundError(f"no area {area_id}", field="area_id")
        return tuple(row["path"])
