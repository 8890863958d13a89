"""Whoever can go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from dispatch.model import Place, Responder
from hub.errors import NotFoundError
from hub.ports.everyday import OwnVisit
from hub.store.session import Session

__all__ = ["RespondersDrawer"]


def _responder(row: Mapping[str, Any]) -> Responder:
    skills = {
        skill["skill"]: date.fromisoformat(skill["expires_on"]) if skill.get("expires_on") else None
        for skill in row["skills"]
    }
    return Responder(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        skills=skills,
        sex=row["sex"],
        languages=frozenset(row["languages"]),
        area_ids=frozenset(row["area_ids"]),
        place=None if row["lat"] is None or row["lon"] is None else Place(row["lat"], row["lon"]),
        position_at=row["position_at"],
        mode=row["mode"],
        on_duty=row["on_duty"],
        busy=row["busy"],
        live=row["live"],
        keyholder_for=frozenset(row["keys"] or ()),
        known_to=frozenset(row["known"] or ()),
    )


class RespondersDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def on_duty(self, area_path: Sequence[str], at: datetime | None = None) -> list[Responder]:
        """An empty path (place unknown): whoever is on duty anywhere."""
        if at is None:
            return self._list(on_duty=True, area_path=list(area_path))
        rows = self._session.all("responders_on_shift", area_path=list(area_path), at=at)
        return [_responder(row) for row in rows]

    def everyone(self) -> list[Responder]:
        return self._list()

    def get(self, responder_id: str) -> Responder | None:
        return next(iter(self._list(responder_id)), None)

    def hold(self, *responder_ids: str) -> None:
        self._session.all("responders_hold", ids=list(responder_ids))

    def provider_of(self, responder_id: str) -> str | None:
        row = self._session.one("responders_provider", id=responder_id)
        return row["provider_id"] if row else None

    def visits(self, responder_id: str, now: datetime) -> list[OwnVisit]:
        return [OwnVisit(**row) for row in self._session.all("responders_visits", id=responder_id, now=now)]

    def _list(
        self, responder_id: str | None = None, *, on_duty: bool = False, area_path: Sequence[str] = ()
    ) -> list[Responder]:
        rows = self._session.all("responders_list", id=responder_id, on_duty=on_duty, area_path=list(area_path))
        return [_responder(row) for row in rows]

    def moved(self, responder_id: str, lat: float, lon: float, at: datetime, accuracy_m: float | None = None) -> None:
        """An older position than the stored one changes nothing."""
        self._session.run("responders_moved", id=responder_id, lat=lat, lon=lon, at=at, accuracy_m=accuracy_m or None)

    def set_on_duty(self, responder_id: str, on_duty: bool) -> None:
        if not self._session.run("responders_on_duty", id=responder_id, on_duty=on_duty):
            raise NotFoundError(f"there is no responder {responder_id}")
