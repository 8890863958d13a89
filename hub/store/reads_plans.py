"""Response plans, and how far they have come, as pages see them."""

from __future__ import annotations

from collections.abc import Sequence

from hub.ports.records import Json
from hub.store.reads_base import ReadsBase
from hub.store.session import is_uuid

__all__ = ["PlanReadsPostgres"]


class PlanReadsPostgres(ReadsBase):
    def plan_of(self, incident_id: str) -> Json | None:
        if not is_uuid(incident_id):
            return None
        with self._session() as session:
            return session.one("plan_of_incident", id=incident_id)

    def plan_versions(self, plan_id: str) -> Sequence[Json]:
        return self._ask("plan_versions", id=plan_id)
