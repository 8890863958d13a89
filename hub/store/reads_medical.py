"""Questions to the community doctor as pages read them."""

from __future__ import annotations

from dataclasses import asdict

from hub.ports.medical import TeleconsultFilter
from hub.ports.records import Json
from hub.store.reads_base import ReadsBase, bounded
from hub.store.session import is_uuid

__all__ = ["MedicalReadsPostgres"]


class MedicalReadsPostgres(ReadsBase):
    def teleconsults(self, where: TeleconsultFilter, limit: int) -> list[Json]:
        with self._session() as session:
            return [row["view"] for row in session.all("teleconsults_list", **asdict(where), limit=bounded(limit))]

    def teleconsult(self, consult_id: str) -> Json | None:
        if not is_uuid(consult_id):
            return None
        with self._session() as session:
            row = session.one("teleconsult_view", id=consult_id)
        return row["view"] if row else None
