"""Care plans: services that come again and again, and the orders they give weeks ahead. A method is one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields as fields_of
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from dispatch import RuleError, read_rule
from hub.care import ABSENT_STATUSES
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Actor, CarePlanFilter, CarePlanRow, Database, EntryRow, Json, PauseRow, Transaction
from hub.service.care_orders import Followed, PlanOrders
from hub.service.guards import check_version
from hub.service.medical import check_particulars
from hub.service.ordering import kind_of

__all__ = ["CarePlanDesk"]

_FIELDS: Final = frozenset(
    {
        "kind",
        "rule",
        "exdates",
        "rdates",
        "starts_on",
        "ends_on",
        "begins",
        "ends",
        "duration_min",
        "holidays",
        "preferred_responder_id",
        "provider_id",
        "station_id",
        "payer_hint",
        "open_to",
        "note",
        "attributes",
        "active",
    }
)
_SHORTEST_PERSONAL: Final = 30  # NICE NG21: personal care is never planned below half an hour
_FURTHEST: Final = timedelta(days=366)
_LOOKED_AHEAD: Final = timedelta(days=400)


class CarePlanDesk:
    """Adds, changes, pauses and shows care plans."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, orders: PlanOrders) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._orders = orders

    # ---- looking ----------------------------------------------------------------------------------------------------

    def listed(self, where: CarePlanFilter, limit: int, after: str | None) -> list[Json]:
        """Plans by id, `after` the last one seen."""
        with self._database.begin() as tx:
            return tx.everyday.care_plans.views(where, limit, after)

    def view(self, plan_id: str) -> Json:
        """One plan. NotFoundError."""
        with self._database.begin() as tx:
            found = tx.everyday.care_plans.view(plan_id)
        if found is None:
            raise NotFoundError(f"no care plan {plan_id}")
        return found

    def preview(self, fields: Mapping[str, Any], count: int = 10) -> Json:
        """What a plan would give, without keeping it: `items`, and the rule as it is understood. BadRequestError."""
        now = self._clock()
        with self._database.begin() as tx:
            plan = self._whole(tx, self._blank(fields, now), now, new=False)
            return self._next(tx, plan, [], count, now, {})

    def upcoming(self, plan_id: str, count: int = 10) -> Json:
        """The next occurrences with their orders, and why one does not come: holiday, paused, absent, cancelled."""
        now = self._clock()
        with self._database.begin() as tx:
            plan = _plan(tx, plan_id)
            pauses = tx.everyday.care_plans.pauses(plan_id)
            since = self._orders.today(now) - timedelta(days=45)
            orders = {order.occurrence_on: order for order, _visit in tx.everyday.care_plans.orders(plan_id, since)}
            return self._next(tx, plan, pauses, count, now, orders)

    def _next(
        self,
        tx: Transaction,
        plan: CarePlanRow,
        pauses: list[PauseRow],
        count: int,
        now: datetime,
        orders: Mapping[date | None, Any],
    ) -> Json:
        resident = tx.residents.get(plan.resident_id)
        absent = resident is not None and resident.status in ABSENT_STATUSES
        today, calendar = self._orders.today(now), tx.rota.calendar()
        first = max(today, plan.starts_on)
        found = self._orders.days(plan, pauses, calendar, first - timedelta(days=45), first + _LOOKED_AHEAD)
        items: list[Json] = []
        for one in found:
            begin, end = self._orders.window(plan, one.day or one.on)
            if end <= now or (one.day or one.on) < plan.starts_on:
                continue
            order = orders.get(one.on)
            left_out = one.left_out or ("ended" if not plan.active else "absent" if absent else None)
            items.append(
                {
                    "on": one.on,
                    "wanted_from": None if one.day is None else begin,
                    "wanted_to": None if one.day is None else end,
                    "moved": one.moved,
                    "left_out": left_out,
                    "order": None if order is None else {"id": order.id, "state": order.state, "reason": order.reason},
                }
            )
            if len(items) == count:
                break
        return {
            "items": items,
            "rule": plan.rule,
            "made_until": plan.made_until,
            "resident_status": None if resident is None else resident.status,
        }

    # ---- writing ----------------------------------------------------------------------------------------------------

    def add(self, fields: Mapping[str, Any], actor: Actor) -> tuple[str, Followed]:
        """A new plan and its first orders. BadRequestError or NotFoundError with the field."""
        now = self._clock()
        with self._database.begin() as tx:
            plan = self._whole(tx, self._blank(fields, now, actor), now, new=True)
            tx.everyday.care_plans.insert(plan)
            followed = self._orders.follow(tx, plan, now, actor)
            self._note(tx, plan, "added", actor, now, followed)
        return plan.id, followed

    def change(
        self,
        plan_id: str,
        changes: Mapping[str, Any],
        actor: Actor,
        *,
        version: int | None = None,
        also_promised: bool = False,
    ) -> Followed:
        """Changes what is given, and the orders that follow from it.

        What is promised or begun stays as it is and is named (`kept`), unless `also_promised`: then only what has begun
        stays. ConflictError: the version.
        """
        now = self._clock()
        _known(changes)
        with self._database.begin() as tx:
            plan = _plan(tx, plan_id, lock=True)
            check_version(plan.version, version)
            changed = replace(plan, **changes, changed_at=now, made_until=None, version=plan.version + 1)
            after = self._whole(tx, changed, now, new=False)
            followed = self._orders.follow(tx, after, now, actor, also_promised=also_promised)
            word = "ended" if plan.active and not after.active else "changed"
            self._note(tx, after, word, actor, now, followed, fields=sorted(changes))
        return followed

    def pause(
        self, plan_id: str, from_on: date, to_on: date | None, reason: str, actor: Actor, *, version: int | None = None
    ) -> Followed:
        """It rests from a day to another, both within; `to_on` None: until it is lifted. Whoever was to go is told."""
        now = self._clock()
        if to_on is not None and to_on < from_on:
            raise BadRequestError("to_on: lies before from_on", field="to_on")
        if to_on is not None and to_on < self._orders.today(now):
            raise BadRequestError("to_on: is past", field="to_on")
        with self._database.begin() as tx:
            plan = _plan(tx, plan_id, lock=True)
            check_version(plan.version, version)
            pause = PauseRow(self._new_id(), plan_id, from_on, to_on, reason, now, actor.user_id)
            tx.everyday.care_plans.add_pause(pause)
            after = replace(plan, changed_at=now, version=plan.version + 1)
            followed = self._orders.follow(tx, after, now, actor)
            span = {"from_on": from_on.isoformat(), "to_on": None if to_on is None else to_on.isoformat()}
            self._note(tx, after, "paused", actor, now, followed, reason=reason, **span)
        return followed

    def resume(self, plan_id: str, pause_id: str, actor: Actor) -> Followed:
        """Ends a pause: from today on the service comes again. One that has not begun is taken away."""
        now = self._clock()
        today = self._orders.today(now)
        with self._database.begin() as tx:
            plan = _plan(tx, plan_id, lock=True)
            found = next((one for one in tx.everyday.care_plans.pauses(plan_id) if one.id == pause_id), None)
            if found is None:
                raise NotFoundError(f"no pause {pause_id}")
            if found.to_on is not None and found.to_on < today:
                raise ConflictError("this pause is over", code="over")
            yesterday = today - timedelta(days=1)
            tx.everyday.care_plans.end_pause(plan_id, pause_id, yesterday if found.from_on <= yesterday else None)
            after = replace(plan, changed_at=now, version=plan.version + 1)
            followed = self._orders.follow(tx, after, now, actor)
            self._note(tx, after, "resumed", actor, now, followed)
        return followed

    def top_up(self, limit: int) -> int:
        """Makes the orders that have come within reach; gives how many plans it looked at. For the jobs."""
        now = self._clock()
        with self._database.begin() as tx:
            ids = tx.everyday.care_plans.due(self._orders.horizon(now), self._orders.today(now), limit)
        for plan_id in ids:  # each its own transaction: one that fails stands in nobody's way
            with self._database.begin() as tx:
                plan = _plan(tx, plan_id, lock=True)
                self._orders.follow(tx, plan, now)
        return len(ids)

    # ---- checking ---------------------------------------------------------------------------------------------------

    def _blank(self, fields: Mapping[str, Any], now: datetime, actor: Actor | None = None) -> CarePlanRow:
        _known(fields, "resident_id")
        for name in ("resident_id", "kind", "rule", "begins"):
            if fields.get(name) in (None, ""):
                raise BadRequestError(f"{name}: is missing", field=name)
        given = {"starts_on": self._orders.today(now), "ends": fields["begins"], **fields}
        return CarePlanRow(
            id=self._new_id(),
            created_at=now,
            changed_at=now,
            created_by=actor.user_id if actor else None,
            **{name: value for name, value in given.items() if name in {one.name for one in fields_of(CarePlanRow)}},
        )

    def _whole(self, tx: Transaction, plan: CarePlanRow, now: datetime, *, new: bool) -> CarePlanRow:
        """The plan with its rule in the usual form, once everything in it holds together."""
        resident = tx.residents.get(plan.resident_id)
        if resident is None:
            raise NotFoundError(f"no resident {plan.resident_id}", field="resident_id")
        if new and resident.status in ("moved", "deceased"):
            raise ConflictError(f"{resident.name} is {resident.status}", code="resident-absent")
        kind = kind_of(tx, plan.kind, active=new)
        check_particulars(tx, kind.id, plan.attributes)
        try:
            rule = read_rule(plan.rule, plan.starts_on)
        except RuleError as error:
            raise BadRequestError(f"rule: {error}", field="rule") from None
        if plan.starts_on > self._orders.today(now) + _FURTHEST:
            raise BadRequestError("starts_on: more than a year ahead", field="starts_on")
        if plan.ends_on is not None and plan.ends_on < plan.starts_on:
            raise BadRequestError("ends_on: lies before starts_on", field="ends_on")
        if plan.ends < plan.begins:
            raise BadRequestError("ends: lies before begins; a window does not run over midnight", field="ends")
        minutes = plan.duration_min or kind.duration_min
        if kind.personal and minutes < _SHORTEST_PERSONAL:
            raise BadRequestError(
                f"duration_min: personal care is planned for {_SHORTEST_PERSONAL} min at least", field="duration_min"
            )
        if plan.preferred_responder_id is not None:
            if tx.responders.get(plan.preferred_responder_id) is None:
                raise NotFoundError(f"no responder {plan.preferred_responder_id}", field="preferred_responder_id")
            if plan.preferred_responder_id in resident.never_responders:
                raise BadRequestError(
                    f"preferred_responder_id: {resident.name} does not want this carer", field="preferred_responder_id"
                )
        if plan.station_id is not None and tx.reference.get("stations", plan.station_id) is None:
            raise NotFoundError(f"no station {plan.station_id}", field="station_id")
        exdates, rdates = tuple(sorted(set(plan.exdates))), tuple(sorted(set(plan.rdates)))
        return replace(plan, rule=rule, exdates=exdates, rdates=rdates)

    def _note(
        self, tx: Transaction, plan: CarePlanRow, word: str, actor: Actor, now: datetime, done: Followed, **more: Any
    ) -> None:
        counts = {"made": done.made, "changed": done.changed, "cancelled": done.cancelled, "taken_up": done.taken_up}
        body = {"care_plan_id": plan.id, "service": plan.kind, "what": word, **counts, "kept": list(done.kept), **more}
        tx.timeline.add(
            EntryRow(
                at=now, subject_kind="resident", subject_id=plan.resident_id, kind="care_plan", actor=actor, body=body
            )
        )
        # Why it rests may be an illness: the audit has only which fields.
        told = {**counts, "fields": more.get("fields", sorted(more))}
        tx.audit.add(actor, f"care_plans.{word}", f"care_plans:{plan.id}", told, now)


def _plan(tx: Transaction, plan_id: str, *, lock: bool = False) -> CarePlanRow:
    found = tx.everyday.care_plans.get(plan_id, lock=lock)
    if found is None:
        raise NotFoundError(f"no care plan {plan_id}")
    return found


def _known(fields: Mapping[str, Any], *also: str) -> None:
    for name in fields:
        if name not in _FIELDS and name not in also:
            raise BadRequestError(f"{name}: a care plan has no such field, or it cannot be changed", field=name)
