"""Questions to the community doctor as rows."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgspec

from hub.ports.medical import TeleconsultRow
from hub.store.session import Session, as_json, is_uuid

__all__ = ["MedicalDrawer"]


class MedicalDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, row: TeleconsultRow) -> None:
        self._session.run("teleconsult_add", **_params(row))

    def get(self, consult_id: str, *, lock: bool = False) -> TeleconsultRow | None:
        if not is_uuid(consult_id):
            return None
        row = self._session.one("teleconsult_locked" if lock else "teleconsult_get", id=consult_id)
        return msgspec.convert(row["row"], TeleconsultRow) if row else None

    def save(self, row: TeleconsultRow) -> None:
        self._session.run("teleconsult_save", **_params(row))

    def responder_kind(self, responder_id: str) -> str | None:
        row = self._session.one("responder_kind", id=responder_id)
        return str(row["kind"]) if row else None


def _params(row: TeleconsultRow) -> dict[str, Any]:
    return {one.name: getattr(row, one.name) for one in fields(row)} | {"vitals": as_json(list(row.vitals))}
