"""From a care plan to its orders: what the plan says of the coming weeks, exactly once each.

The plan's row is locked before its orders; the resident is read behind that lock. Whoever changes a resident's status
takes the plans' locks first, so that no order is made beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from dispatch import Occurrence, Pause, Recurrence, ServiceKind, occurrences
from hub.care import ABSENT_STATUSES, Resident
from hub.clock import IdSource
from hub.errors import NotFoundError
from hub.ports import SYSTEM, Actor, CancelledBy, CarePlanRow, OrderRow, PauseRow, Transaction, VisitRow
from hub.rota import Calendar
from hub.service.ordering import cancel, order_entry, place, promised, revive

__all__ = ["Followed", "PlanOrders", "recurrence_of"]

_BACK = timedelta(days=45)
"""A public holiday moves an occurrence no further: what was due before that day is over."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What following a plan did to its orders. `kept`: ids of orders that no longer fit and are promised or begun."""

    made: int = 0
    changed: int = 0
    taken_up: int = 0
    cancelled: int = 0
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An order as the plan would have it."""

    kind: str
    wanted_from: datetime
    wanted_to: datetime
    duration_min: int
    carers: int

    def of(self, order: OrderRow, plan: CarePlanRow) -> OrderRow:
        return replace(
            order,
            kind=self.kind,
            wanted_from=self.wanted_from,
            wanted_to=self.wanted_to,
            duration_min=self.duration_min,
            carers=self.carers,
            note=plan.note,
            attributes=dict(plan.attributes),
            provider_id=plan.provider_id,
            open_to=plan.open_to,
            station_id=plan.station_id,
            preferred_responder_id=plan.preferred_responder_id,
            payer_hint=plan.payer_hint,
        )


def recurrence_of(plan: CarePlanRow) -> Recurrence:
    """The plan's days, exceptions and all."""
    return Recurrence(plan.rule, plan.starts_on, plan.ends_on, frozenset(plan.exdates), frozenset(plan.rdates))


class PlanOrders:
    """`zone`: the site's time; `weeks`: how far ahead orders are made."""

    def __init__(self, new_id: IdSource, zone: tzinfo, weeks: int) -> None:
        self._new_id = new_id
        self._zone = zone
        self._ahead = timedelta(weeks=weeks)

    def today(self, now: datetime) -> date:
        return now.astimezone(self._zone).date()

    def horizon(self, now: datetime) -> date:
        """The last day for which orders are made."""
        return self.today(now) + self._ahead

    def window(self, plan: CarePlanRow, day: date) -> tuple[datetime, datetime]:
        """When it may begin on a day, by the wall clock of the site."""
        begin = datetime.combine(day, plan.begins, tzinfo=self._zone).astimezone(UTC)
        return begin, max(begin, datetime.combine(day, plan.ends, tzinfo=self._zone).astimezone(UTC))

    def days(
        self, plan: CarePlanRow, pauses: list[PauseRow], calendar: Calendar, first: date, last: date
    ) -> list[Occurrence]:
        """What becomes of the plan's days, holidays and pauses considered; the resident's absence is not."""
        return occurrences(
            recurrence_of(plan),
            first,
            last,
            policy=plan.holidays,
            holiday=lambda day: calendar.exceptions.get(day) == "off",
            works=calendar.works,
            pauses=[Pause(one.from_on, one.to_on) for one in pauses],
        )

    def follow_resident(self, tx: Transaction, resident_id: str, now: datetime, actor: Actor) -> None:
        """The resident has gone or is back: the plans' orders go or come again."""
        for plan in tx.everyday.care_plans.of_resident(resident_id):
            self.follow(tx, plan, now, actor)

    def follow(
        self, tx: Transaction, plan: CarePlanRow, now: datetime, actor: Actor = SYSTEM, *, also_promised: bool = False
    ) -> Followed:
        """Makes the orders of the coming weeks what the plan says. The plan is locked by the caller.

        What is promised or begun stays as it is (`kept`), unless the plan rests, its resident is not there, or
        `also_promised`: then only what has begun stays.
        """
        resident, kind = tx.residents.get(plan.resident_id), tx.everyday.kinds.get(plan.kind)
        if resident is None or kind is None:
            raise NotFoundError(f"care plan {plan.id}: there is no {plan.resident_id if kind else plan.kind}")
        pauses = tx.everyday.care_plans.pauses(plan.id)
        wanted, resting = self._wanted(tx, plan, resident, kind, pauses, now)
        since = self.today(now) - _BACK
        made = changed = taken_up = cancelled = 0
        kept: list[str] = []
        for order, visit in tx.everyday.care_plans.orders(plan.id, since):
            assert order.occurrence_on is not None
            want = wanted.pop(order.occurrence_on, None)
            if want is None:
                if order.wanted_to > now and order.state in ("requested", "assigned"):
                    cause, reason = self._cause(plan, resident, resting.get(order.occurrence_on))
                    if promised(order, visit) and cause == "plan" and not also_promised:
                        kept.append(order.id)
                    else:
                        cancel(tx, order, visit, now, actor, reason, cause)
                        cancelled += 1
            elif order.state == "cancelled" and order.cancelled_by in ("plan", "pause", "status"):
                revive(tx, want.of(order, plan), visit, now, actor, "its cause is gone")
                taken_up += 1
            elif (after := want.of(order, plan)) != order and order.wanted_to > now:
                if order.state == "requested" and not promised(order, visit):
                    self._change(tx, after, visit, now, actor)
                    changed += 1
                elif order.state in ("requested", "assigned") and also_promised:
                    cancel(tx, order, visit, now, actor, "the care plan was changed", "plan")
                    revive(tx, *self._again(tx, after), now, actor, "as the care plan says now")
                    changed += 1
                elif order.state in ("requested", "assigned"):
                    kept.append(order.id)
        if kind.active:
            for on, want in wanted.items():
                self._make(tx, plan, on, want, now, actor)
                made += 1
        tx.everyday.care_plans.save(replace(plan, made_until=self.horizon(now)))
        return Followed(made, changed, taken_up, cancelled, tuple(kept))

    def _wanted(
        self,
        tx: Transaction,
        plan: CarePlanRow,
        resident: Resident,
        kind: ServiceKind,
        pauses: list[PauseRow],
        now: datetime,
    ) -> tuple[dict[date, _Wanted], dict[date, PauseRow | None]]:
        """By occurrence: what is to be done; and those left out, with the pause that is the cause (None: a holiday)."""
        if not plan.active:
            return {}, {}
        found = self.days(plan, pauses, tx.rota.calendar(), self.today(now) - _BACK, self.horizon(now))
        wanted: dict[date, _Wanted] = {}
        resting: dict[date, PauseRow | None] = {}
        for one in found:
            if one.day is None:
                resting[one.on] = _pause_over(pauses, one.on) if one.left_out == "paused" else None
                continue
            begin, end = self.window(plan, one.day)
            if end > now and resident.status not in ABSENT_STATUSES:
                minutes = plan.duration_min or kind.duration_min
                wanted[one.on] = _Wanted(kind.id, begin, end, minutes, kind.carers)
        return wanted, resting

    @staticmethod
    def _cause(plan: CarePlanRow, resident: Resident, pause: PauseRow | None) -> tuple[CancelledBy, str]:
        if resident.status in ABSENT_STATUSES:
            return "status", f"resident {resident.status}"
        if pause is not None:
            return "pause", f"the care plan rests: {pause.reason}"
        return "plan", "the care plan was changed" if plan.active else "the care plan has ended"

    def _make(self, tx: Transaction, plan: CarePlanRow, on: date, want: _Wanted, now: datetime, actor: Actor) -> None:
        blank = OrderRow(
            id=self._new_id(),
            kind=want.kind,
            resident_id=plan.resident_id,
            state="requested",
            wanted_from=want.wanted_from,
            wanted_to=want.wanted_to,
            duration_min=want.duration_min,
            carers=want.carers,
            source="plan",
            created_at=now,
            created_by=actor.user_id,
            care_plan_id=plan.id,
            occurrence_on=on,
        )
        place(tx, want.of(blank, plan), self._new_id, actor, now, care_plan_id=plan.id, on=on.isoformat())

    @staticmethod
    def _change(tx: Transaction, after: OrderRow, visit: VisitRow, now: datetime, actor: Actor) -> None:
        tx.orders.save(
            replace(after, version=after.version + 1),
            replace(visit, planned_start=after.wanted_from, version=visit.version + 1),
        )
        body = {"reason": "the care plan was changed", "wanted_from": after.wanted_from.isoformat()}
        tx.timeline.add(order_entry(now, after, "changed", actor, body))

    @staticmethod
    def _again(tx: Transaction, after: OrderRow) -> tuple[OrderRow, VisitRow]:
        found = tx.orders.get(after.id, lock=True)
        assert found is not None
        order, visit = found
        return replace(after, version=order.version), visit


def _pause_over(pauses: list[PauseRow], day: date) -> PauseRow:
    """The pause that covers a day; a holiday may have moved the occurrence into it, then the nearest."""
    for pause in pauses:
        if pause.from_on <= day and (pause.to_on is None or day <= pause.to_on):
            return pause
    return min(pauses, key=lambda pause: abs((pause.from_on - day).days))
