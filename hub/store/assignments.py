"""Who is sent where. The database itself refuses a responder under way at two places."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.errors import ConflictError, NotFoundError
from hub.ports.records import AssignmentRow
from hub.store.session import Session, as_json, is_uuid

__all__ = ["AssignmentsDrawer"]

_UNDER_WAY = "assignments_one_under_way"


def _assignment(row: Mapping[str, Any]) -> AssignmentRow:
    return AssignmentRow(**{**row, "reasons": tuple(row["reasons"])})


class AssignmentsDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, row: AssignmentRow) -> None:
        self._write("assignments_insert", row)

    def save(self, row: AssignmentRow) -> None:
        self._write("assignments_save", row)

    def live_of(self, responder_id: str) -> list[AssignmentRow]:
        return [_assignment(row) for row in self._session.all("assignments_live_of", responder_id=responder_id)]

    def arrives(self, assignment_id: str, eta_s: int, eta_at: datetime) -> None:
        self._session.run("assignments_arrives", id=assignment_id, eta_s=eta_s, eta_at=eta_at)

    def _write(self, block: str, row: AssignmentRow) -> None:
        """Inside a savepoint: after a refusal the transaction can still ask where the responder is."""
        params = {name: getattr(row, name) for name in row.__slots__}
        params["reasons"] = as_json(row.reasons)
        try:
            with self._session.savepoint():
                written = self._session.run(block, **params)
        except ConflictError as error:
            raise self._explained(error, row) from error
        if not written:
            raise NotFoundError(f"there is no assignment {row.id}")
        if row.state == "completed":
            self._session.run(
                "acquaintances_meet",
                responder_id=row.responder_id,
                incident_id=row.incident_id,
                visit_id=row.visit_id,
                at=row.ended_at or row.offered_at,
            )

    def _explained(self, error: ConflictError, row: AssignmentRow) -> ConflictError:
        constraint = error.extra.get("constraint")
        if constraint == _UNDER_WAY:
            other = self.under_way(row.responder_id)
            return ConflictError(
                f"{row.responder_id} is under way to another matter",
                code="under-way-elsewhere",
                assignment_id=other.id if other else None,
                incident_id=other.incident_id if other else None,
                visit_id=other.visit_id if other else None,
            )
        if constraint in ("assignments_one_live_incident", "assignments_one_live_visit"):
            return ConflictError(
                f"{row.responder_id} has a live assignment to this matter already",
                code="already-assigned",
                responder_id=row.responder_id,
                incident_id=row.incident_id,
                visit_id=row.visit_id,
            )
        return error

    def get(self, assignment_id: str, *, lock: bool = False) -> AssignmentRow | None:
        if not is_uuid(assignment_id):
            return None
        row = self._session.one("assignments_get_locked" if lock else "assignments_get", id=assignment_id)
        return _assignment(row) if row else None

    def of_incident(self, incident_id: str) -> list[AssignmentRow]:
        return self._of("assignments_of_incident", incident_id)

    def of_visit(self, visit_id: str) -> list[AssignmentRow]:
        return self._of("assignments_of_visit", visit_id)

    def _of(self, block: str, ident: str) -> list[AssignmentRow]:
        return [_assignment(row) for row in self._session.all(block, id=ident)] if is_uuid(ident) else []

    def under_way(self, responder_id: str) -> AssignmentRow | None:
        row = self._session.one("assignments_under_way", responder_id=responder_id)
        return _assignment(row) if row else None
