"""Proof of visit as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from dispatch.proof import Late, ProofLimits
from hub.errors import BadRequestError
from hub.ports.proof import CheckRow, ReviewFilter, TaskDone, VitalsRow
from hub.ports.records import Json
from hub.store.session import Session, as_json, is_uuid

__all__ = ["ProofDrawer"]


class ProofDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add_check(self, row: CheckRow) -> bool:
        params: dict[str, Any] = {name: getattr(row, name) for name in CheckRow.__slots__}
        params["findings"] = as_json(row.findings)
        params["photo_sha256"] = bytes.fromhex(row.photo_sha256) if row.photo_sha256 else None
        return self._session.run("proof_check_add", **params) > 0

    def check(self, check_id: str, *, lock: bool = False) -> CheckRow | None:
        if not is_uuid(check_id):
            return None
        if lock and self._session.one("proof_check_lock", id=check_id) is None:
            return None
        row = self._session.one("proof_check_get", id=check_id)
        return msgspec.convert(row["record"], CheckRow) if row else None

    def checks(self, visit_id: str) -> Sequence[CheckRow]:
        rows = self._session.all("proof_checks_of", visit_id=visit_id)
        return [msgspec.convert(row["record"], CheckRow) for row in rows]

    def flag(self, check_id: str, finding: Json) -> bool:
        flag = finding["code"]
        return self._session.run("proof_check_flag", id=check_id, flag=flag, finding=as_json([finding])) > 0

    def review(self, check_id: str, verdict: str, reason: str, user_id: str | None, at: datetime) -> None:
        self._session.run("proof_check_review", id=check_id, verdict=verdict, reason=reason, user_id=user_id, at=at)

    def set_late(self, visit_id: str, late: Late | None) -> bool:
        return self._session.run("proof_late_set", id=visit_id, late=late) > 0

    def number_of(self, order_id: str) -> int:
        return int(self._session.value("proof_number", id=order_id) or 0)

    def set_gate(self, visit_id: str, gate: Json) -> None:
        self._session.run("proof_gate_set", id=visit_id, gate=as_json(gate))

    def gate_of(self, visit_id: str) -> Json | None:
        found: Json | None = self._session.value("proof_gate_of", id=visit_id)
        return found

    def put_tasks(
        self, visit_id: str, responder_id: str, rows: Sequence[TaskDone], at: datetime, recorded_at: datetime
    ) -> None:
        if rows:
            given = as_json([row._asdict() for row in rows])
            self._session.run(
                "proof_task_put",
                visit_id=visit_id,
                responder_id=responder_id,
                rows=given,
                at=at,
                recorded_at=recorded_at,
            )

    def add_vitals(self, row: VitalsRow) -> None:
        params: dict[str, Any] = {name: getattr(row, name) for name in VitalsRow.__slots__}
        params["measured"] = as_json(row.measured)
        params["score"] = None if row.score is None else as_json(row.score)
        self._session.run("proof_vitals_add", **params)

    def vitals(self, visit_id: str) -> Sequence[Json]:
        return [row["view"] for row in self._session.all("proof_vitals_of", visit_id=visit_id)]

    def overdue(self, now: datetime, limits: ProofLimits, limit: int) -> list[str]:
        rows = self._session.all(
            "proof_overdue",
            yellow=now - limits.yellow,
            red=now - limits.red,
            missed=now - limits.missed,
            limit=limit,
        )
        return [row["visit_id"] for row in rows]

    def predict(self, now: datetime, ahead: timedelta) -> list[tuple[str, datetime | None]]:
        rows = self._session.all("proof_predict", now=now, since=now - ahead, until=now + ahead)
        return [(row["order_id"], row["expected_at"]) for row in rows]

    def unfinished(self, now: datetime, limits: ProofLimits, limit: int) -> list[str]:
        rows = self._session.all(
            "proof_unfinished",
            now=now,
            together=now - limits.together,
            grace_min=int(limits.no_check_out / timedelta(minutes=1)),
            limit=limit,
        )
        return [row["visit_id"] for row in rows]

    def left_over(self, before: datetime, limit: int) -> list[str]:
        return [row["visit_id"] for row in self._session.all("proof_left_over", before=before, limit=limit)]

    def told(self, provider_id: str | None) -> list[str]:
        return [row["id"] for row in self._session.all("proof_told", provider_id=provider_id)]

    def reviews(self, where: ReviewFilter, limit: int, cursor: str | None) -> tuple[list[Json], str | None]:
        if cursor is not None and not is_uuid(cursor):
            raise BadRequestError("cursor: not one of this list", field="cursor")
        rows = self._session.all("proof_reviews", after=cursor, limit=limit + 1, **where._asdict())
        following = rows[limit - 1]["id"] if len(rows) > limit else None
        return [row["view"] for row in rows[:limit]], following

    def review_of(self, check_id: str) -> tuple[Json, str | None] | None:
        row = self._session.one("proof_review", id=check_id) if is_uuid(check_id) else None
        return (row["view"], row["provider_id"]) if row else None
