"""Response plans as records, and as what an incident that opens is given."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

from hub.alarms import (
    BUILT_IN_PLANS,
    PLAN_FIELDS,
    Alarm,
    ChosenPlan,
    PlanSituation,
    ResponsePlan,
    choose_plan,
    plan_from_json,
    plan_to_json,
    risk_flags,
)
from hub.care import Resident
from hub.clock import Clock
from hub.errors import BadRequestError, ConflictError, HubError, NotFoundError
from hub.ports import SYSTEM, Actor, Database, Json, Transaction

__all__ = ["PlanBook", "ResponsePlans", "plan_of_record"]

log = logging.getLogger(__name__)

TABLE: Final = "response_plans"
_WRITTEN: Final = (*PLAN_FIELDS, "note", "active")


def plan_of_record(record: Mapping[str, Any]) -> ResponsePlan:
    """The plan of a row of `response_plans`. BadRequestError names every fault."""
    return plan_from_json({name: record[name] for name in ("id", "version", *PLAN_FIELDS)})


class PlanBook:
    """The plans in memory, read again when the database says that one has changed. Threads may share it."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._known: tuple[int, tuple[ResponsePlan, ...]] = (-1, ())

    def plans(self, tx: Transaction, stamp: int | None = None) -> tuple[ResponsePlan, ...]:
        """The plans that may be chosen. `stamp`: what `Transaction.look` told; None: it is asked for.

        A record that is no plan is left out and logged: it must not stand between an alarm and its incident.
        """
        stamp = tx.plans.stamp() if stamp is None else stamp
        known, plans = self._known
        if known != stamp:
            found = []
            for record in tx.plans.active():
                try:
                    found.append(plan_of_record(record))
                except HubError as error:
                    log.error("response plan %s is left out: %s", record.get("id"), error.detail)
            plans = tuple(found)
            self._known = (stamp, plans)
        return plans

    def chooser(self, tx: Transaction, now: datetime, stamp: int | None = None) -> Callable[..., ChosenPlan]:
        """Chooses for the alarms of one batch: `(alarm, resident, area_path)`."""
        plans = self.plans(tx, stamp)
        local = now.astimezone(self._zone)
        by_day = any(plan.conditions.days != "any" for plan in plans)
        day_off = by_day and not tx.rota.calendar().works(local.date())

        def choose(alarm: Alarm, resident: Resident | None, area_path: tuple[str, ...]) -> ChosenPlan:
            return choose_plan(
                plans,
                PlanSituation(
                    type=alarm.type,
                    alarm_class=alarm.alarm_class,
                    priority=alarm.priority,
                    area_path=area_path,
                    local=local,
                    day_off=day_off,
                    flags=risk_flags(resident),
                ),
            )

        return choose


class ResponsePlans:
    """Adds and changes plans; what is written is a whole plan. Running incidents keep their copies."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def seed(self) -> int:
        """Makes the plans the hub brings along, and brings those nobody edited up to date; gives how many were
        written.
        """
        with self._database.begin() as tx:
            rows = []
            for plan in BUILT_IN_PLANS:
                if not (tx.reference.get(TABLE, plan.id) or {}).get("edited"):
                    body = plan_to_json(plan)
                    rows.append({"id": plan.id, "built_in": True, **{name: body[name] for name in PLAN_FIELDS}})
            return tx.reference.upsert(TABLE, rows)

    def add(self, fields: Mapping[str, Any], actor: Actor) -> str:
        """A new plan; gives its id. BadRequestError says every fault; ConflictError where the id is taken."""
        with self._database.begin() as tx:
            plan_id = str(fields.get("id") or "")
            if plan_id == "default":
                raise BadRequestError("id: default is the hub's own; choose another", field="id")
            row = _whole(tx, {**fields, "version": 1})
            if tx.reference.get(TABLE, plan_id) is not None:
                raise ConflictError(f"plan {plan_id} is there already", field="id", value=plan_id)
            tx.reference.insert(TABLE, {**row, "built_in": False, "edited": True})
            tx.audit.add(actor, f"{TABLE}.add", f"{TABLE}:{plan_id}", {"fields": sorted(fields)}, self._clock())
        return plan_id

    def change(self, plan_id: str, changes: Mapping[str, Any], actor: Actor, *, version: int | None = None) -> None:
        """Changes what is given; what results must be a whole plan."""
        with self._database.begin() as tx:
            found = tx.reference.get(TABLE, plan_id)
            if found is None:
                raise NotFoundError(f"no response plan {plan_id}")
            row = _whole(tx, {**{name: found[name] for name in ("id", "version", *_WRITTEN)}, **changes})
            written = {name: row[name] for name in changes if name in _WRITTEN}
            tx.reference.patch(TABLE, plan_id, {**written, "edited": True}, version=version)
            detail = {"fields": sorted(changes), "version": found["version"] + 1}
            tx.audit.add(actor, f"{TABLE}.change", f"{TABLE}:{plan_id}", detail, self._clock())

    def reset(self, plan_id: str, actor: Actor = SYSTEM) -> None:
        """A plan that was brought along as it was. NotFoundError for any other."""
        plan = next((one for one in BUILT_IN_PLANS if one.id == plan_id), None)
        if plan is None:
            raise NotFoundError(f"{plan_id} is no plan that the hub brings along")
        body = plan_to_json(plan)
        with self._database.begin() as tx:
            changes = {**{name: body[name] for name in PLAN_FIELDS}, "edited": False}
            tx.reference.patch(TABLE, plan_id, changes, version=None)
            tx.audit.add(actor, f"{TABLE}.reset", f"{TABLE}:{plan_id}", {}, self._clock())


def _whole(tx: Transaction, fields: Mapping[str, Any]) -> Json:
    """The row as it is written. What must exist elsewhere is looked for: an area of a condition."""
    given = {name: fields[name] for name in ("id", "version", *PLAN_FIELDS) if name in fields}
    plan = plan_from_json(given)
    area_id = plan.conditions.area_id
    if area_id is not None and tx.reference.get("areas", area_id) is None:
        raise BadRequestError(f"conditions.area_id: no area {area_id}", field="conditions.area_id")
    body = plan_to_json(plan)
    row: Json = {"id": plan.id, **{name: body[name] for name in PLAN_FIELDS}}
    row |= {"note": fields.get("note"), "active": bool(fields.get("active", True))}
    return row
