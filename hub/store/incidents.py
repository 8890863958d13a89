"""Incidents: at most one live for each subject and class."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from hub.alarms.model import AlarmClass, Incident, Reason
from hub.alarms.plans import DEFAULT_PLAN, ResponsePlan
from hub.alarms.plans_json import plan_from_json, plan_to_json
from hub.alarms.plans_run import run_from_json, run_to_json
from hub.alarms.policy import EscalationPolicy, policy_from_json, policy_to_json
from hub.errors import NotFoundError
from hub.ports.records import Json
from hub.store.session import Session, as_json, is_uuid

__all__ = ["IncidentsDrawer"]


@lru_cache(maxsize=256)
def _stored_policy(policy: EscalationPolicy) -> tuple[bytes, Json]:
    body = policy_to_json(policy)
    return hashlib.sha256(as_json(body).encode()).digest(), body


@lru_cache(maxsize=1024)
def _stored_plan(plan: ResponsePlan) -> tuple[bytes, Json]:
    body = plan_to_json(plan)
    return hashlib.sha256(as_json(body).encode()).digest(), body


_policies: dict[bytes, EscalationPolicy] = {}
"""Policies read before, by their digest: content that cannot change."""
_plans: dict[bytes, ResponsePlan] = {}
"""Copies of response plans, in the same way."""


def _incident(row: Mapping[str, Any]) -> Incident:
    """The value of a row of `incidents` whose policy is known."""
    return Incident(
        id=row["id"],
        subject=row["subject"],
        alarm_class=row["class"],
        state=row["state"],
        type=row["type"],
        types=tuple(row["types"]),
        priority=row["priority"],
        opened_at=row["opened_at"],
        first_alarm_at=row["first_alarm_at"],
        last_alarm_at=row["last_alarm_at"],
        alarm_count=row["alarm_count"],
        resident_id=row["resident_id"],
        device_id=row["device_id"],
        area_id=row["area_id"],
        acknowledged_by=row["acknowledged_by"],
        acknowledged_at=row["acknowledged_at"],
        lease_until=row["lease_until"],
        resolved_by=row["resolved_by"],
        resolved_at=row["resolved_at"],
        disposition=row["disposition"],
        summary=row["summary"],
        supervision=row["supervision"],
        supervised_by=row["supervised_by"],
        supervised_at=row["supervised_at"],
        shelved_until=row["shelved_until"],
        shelve_reason=row["shelve_reason"],
        under_way=row["under_way"],
        on_scene=row["on_scene"],
        plan_round=row["plan_round"],
        reasons=tuple(Reason(one["code"], one["text"], one.get("values") or {}) for one in row["reasons"]),
        policy=_policies[row["policy"]],
        plan=DEFAULT_PLAN if row["response_plan"] is None else _plans[row["response_plan"]],
        run=run_from_json(row["plan_run"]),
        version=row["version"],
        fix=row["fix"],
    )


def _row(incident: Incident, fix: Json | None) -> Json:
    return {
        "id": incident.id,
        "subject": incident.subject,
        "class": incident.alarm_class,
        "state": incident.state,
        "type": incident.type,
        "types": incident.types,
        "priority": incident.priority,
        "opened_at": incident.opened_at,
        "first_alarm_at": incident.first_alarm_at,
        "last_alarm_at": incident.last_alarm_at,
        "alarm_count": incident.alarm_count,
        "resident_id": incident.resident_id,
        "device_id": incident.device_id,
        "area_id": incident.area_id,
        "fix": fix,
        "acknowledged_by": incident.acknowledged_by,
        "acknowledged_at": incident.acknowledged_at,
        "lease_until": incident.lease_until,
        "resolved_by": incident.resolved_by,
        "resolved_at": incident.resolved_at,
        "disposition": incident.disposition,
        "summary": incident.summary,
        "supervision": incident.supervision,
        "supervised_by": incident.supervised_by,
        "supervised_at": incident.supervised_at,
        "shelved_until": incident.shelved_until,
        "shelve_reason": incident.shelve_reason,
        "under_way": incident.under_way,
        "on_scene": incident.on_scene,
        "plan_round": incident.plan_round,
        "reasons": incident.reasons,
        "plan_run": run_to_json(incident.run),
        "version": incident.version,
    }


class IncidentsDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def lock_live(self, subjects: Collection[tuple[str, AlarmClass]]) -> dict[tuple[str, AlarmClass], Incident]:
        return self.lock_live_later(subjects)() if subjects else {}

    def lock_live_later(
        self, subjects: Collection[tuple[str, AlarmClass]]
    ) -> Callable[[], dict[tuple[str, AlarmClass], Incident]]:
        """As `lock_live`, inside `Session.together`: the answer is to be had once that has ended."""
        wanted = list(subjects)
        cursor = self._session.later(
            "incidents_lock_live", subjects=[subject for subject, _ in wanted], classes=[cls for _, cls in wanted]
        )
        return lambda: {(one.subject, one.alarm_class): one for one in self._values(cursor.fetchall())}

    def insert(self, incident: Incident, *, fix: Json | None, area_path: Sequence[str]) -> bool:
        return bool(self.insert_many([(incident, fix, area_path)]))

    def insert_many(self, rows: Sequence[tuple[Incident, Json | None, Sequence[str]]]) -> set[str]:
        """(incident, fix, area path) each; the ids that were inserted.

        An id that is missing: another transaction opened one for that subject and class meanwhile; lock_live again.
        """
        if not rows:
            return set()
        with self._session.together():
            inserted = self.insert_later(rows)
        return inserted()

    def insert_later(self, rows: Sequence[tuple[Incident, Json | None, Sequence[str]]]) -> Callable[[], set[str]]:
        """As `insert_many`, inside `Session.together`: the answer is to be had once that has ended."""
        bodies: list[Json] = []
        policies: dict[bytes, Json] = {}
        plans: dict[bytes, Json] = {}
        for incident, fix, area_path in rows:
            digest, policy = _stored_policy(incident.policy)
            policies[digest] = policy
            body = {**_row(incident, fix), "area_path": list(area_path), "policy": digest, "response_plan": None}
            if incident.plan != DEFAULT_PLAN:
                copy, plan = _stored_plan(incident.plan)
                plans[copy] = plan
                body["response_plan"] = copy
            bodies.append(body)
        for block, bodies_by in (("policies_keep", policies), ("plan_copies_keep", plans)):
            kept = [
                {"digest": digest, "body": bodies_by[digest]} for digest in sorted(self._session.to_keep(bodies_by))
            ]
            if kept:
                self._session.queue(block, rows=as_json(kept))
        cursor = self._session.later("incidents_insert", rows=as_json(bodies))
        return lambda: {row["id"] for row in cursor.fetchall()}

    def get(self, incident_id: str, *, lock: bool = False) -> Incident | None:
        if not is_uuid(incident_id):
            return None
        row = self._session.one("incidents_get_locked" if lock else "incidents_get", id=incident_id)
        return self._values([row])[0] if row else None

    def _values(self, rows: Sequence[Json]) -> list[Incident]:
        unknown = {row["policy"] for row in rows} - _policies.keys()
        if unknown:
            for found in self._session.all("policies_get", digests=list(unknown)):
                _policies[found["digest"]] = policy_from_json(found["body"])
        new = {row["response_plan"] for row in rows if row["response_plan"] is not None} - _plans.keys()
        if new:
            for found in self._session.all("plan_copies_get", digests=list(new)):
                _plans[found["digest"]] = plan_from_json(found["body"])
        return [_incident(row) for row in rows]

    def save(self, incident: Incident, *, fix: Json | None = None) -> None:
        self._save([_row(incident, fix)])

    def save_many(self, rows: Sequence[tuple[Incident, Json | None]]) -> None:
        if rows:
            self._save([_row(incident, fix) for incident, fix in rows])

    def _save(self, bodies: list[Json]) -> None:
        with self._session.together():
            check = self.save_later(bodies)
        check()

    def save_later(self, bodies: list[Json]) -> Callable[[], None]:
        """As `save`, inside `Session.together`: the check is to be made once that has ended."""
        cursor = self._session.later("incidents_save", rows=as_json(bodies))

        def check() -> None:
            if cursor.rowcount < len(bodies):
                raise NotFoundError(f"there is no incident {', '.join(body['id'] for body in bodies)}")

        return check

    @staticmethod
    def rows(pairs: Sequence[tuple[Incident, Json | None]]) -> list[Json]:
        """What `save_later` takes."""
        return [_row(incident, fix) for incident, fix in pairs]

    def devices_about(self) -> list[str]:
        return [row["id"] for row in self._session.all("incidents_devices_about")]

    def lock_about(self, device_ids: Collection[str]) -> list[tuple[str, Json | None, list[str]]]:
        rows = self._session.all("incidents_lock_about", devices=list(device_ids))
        return [(row["id"], row["fix"], row["devices"]) for row in rows]

    def set_fix(self, incident_id: str, fix: Json) -> None:
        self._session.run("incidents_set_fix", id=incident_id, fix=as_json(fix))

    def supervise(self, incident_id: str, user_id: str, at: datetime) -> None:
        """ForbiddenError for the person who resolved it."""
        if not self._session.run("incidents_supervise", id=incident_id, user_id=user_id, at=at):
            raise NotFoundError(f"there is no incident {incident_id}")

    def shelve_reason(self, incident_id: str, reason: str | None) -> None:
        self._session.run("incidents_shelve_reason", id=incident_id, reason=reason)
