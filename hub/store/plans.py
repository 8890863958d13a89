"""Response plans as rows."""

from __future__ import annotations

from datetime import datetime

from hub.ports.plans import PlanContact, PlanPlace
from hub.ports.records import Json
from hub.store.session import Session, is_uuid

__all__ = ["PlansDrawer"]


class PlansDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def stamp(self) -> int:
        return int(self._session.value("plans_stamp") or 0)

    def active(self) -> list[Json]:
        return [row["record"] for row in self._session.all("plans_active")]

    def contacts(self, resident_id: str) -> list[PlanContact]:
        return [PlanContact(**row) for row in self._session.all("plan_contacts", resident_id=resident_id)]

    def supervisors(self, now: datetime) -> list[tuple[str, str, str | None]]:
        return [(row["id"], row["name"], row["phone"]) for row in self._session.all("plan_supervisors", now=now)]

    def place(self, incident_id: str) -> PlanPlace | None:
        row = self._session.one("plan_place", id=incident_id) if is_uuid(incident_id) else None
        return None if row is None else PlanPlace(row["number"], row["address"], row["area"])
