"""Orders open to claim (抢单): qualified staff see those near them, and the first to claim has it.

Before it is claimed nobody is told whose order it is: what is wanted, when, in which area, and how far. Who claims it
must be qualified, of its provider where it has one, and have the time: on shift, beside the visits they have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from dispatch import LIVE_ASSIGNMENT_STATES, Responder, Travel, propose
from hub.clock import Clock, IdSource
from hub.errors import ConflictError, NotFoundError
from hub.ports import Actor, AssignmentRow, Database, Json, OrderRow, Transaction, VisitRow
from hub.service.ordering import order_entry
from hub.service.requests import request_of_order
from hub.service.spare_time import SpareTime, spare_time
from hub.service.visit_states import settle_visit
from hub.service.whose import may_have

__all__ = ["OpenOrders"]

_LOOKED_AT: Final = 100
_SHOWN: Final = 30


class OpenOrders:
    """Shows and gives away what is open to claim."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, travel: Travel, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._travel = travel
        self._zone = zone

    def near(self, responder_id: str) -> list[Json]:
        """What this responder may claim: in the areas served, with the skills that hold on the day, of the own provider
        or nobody's, at a time they have; nearest first.

        `id`, `kind`, `kind_zh`, `kind_en`, `wanted_from`, `wanted_to`, `duration_min`, `carers`, `area`, `distance_m`,
        `known`: whether the resident was served before.
        """
        now = self._clock()
        with self._database.begin() as tx:
            me = tx.responders.get(responder_id)
            if me is None:
                raise NotFoundError(f"no responder {responder_id}")
            mine = tx.responders.provider_of(responder_id)
            time_of = self._times(tx, me, now)
            kinds = tx.everyday.kinds.all()
            found: list[Json] = []
            areas: set[str] = set()
            for order, visit in tx.everyday.aftercare.open_to_claim(now, me.area_ids, responder_id, _LOOKED_AT):
                if not may_have(order.provider_id, mine):
                    continue
                request = request_of_order(tx, order)
                judged = propose(request, [me], now=now.astimezone(self._zone), travel=self._travel)[0]
                if not judged.eligible or not _fits(time_of(order), order, visit):
                    continue
                area = request.area_path[-1] if request.area_path else None
                areas |= {area} if area else set()
                kind = kinds[order.kind]
                found.append(
                    {
                        "id": order.id,
                        "kind": order.kind,
                        "kind_zh": kind.zh,
                        "kind_en": kind.en,
                        "wanted_from": order.wanted_from,
                        "wanted_to": order.wanted_to,
                        "duration_min": order.duration_min,
                        "carers": order.carers,
                        "area": area,
                        "distance_m": None if judged.distance_m is None else round(judged.distance_m),
                        "known": order.resident_id in me.known_to,
                    }
                )
            names = tx.rota.area_names(areas)
        found.sort(key=lambda one: (one["distance_m"] is None, one["distance_m"] or 0, one["wanted_from"]))
        return [{**one, "area": names.get(one["area"] or "")} for one in found[:_SHOWN]]

    def claim(self, order_id: str, responder_id: str, actor: Actor) -> str:
        """Takes it; gives the assignment's id. Claimed twice by the same person it is theirs once.

        Where the time it is planned at is taken and its window leaves another, it is planned there.

        ConflictError: `already-claimed` with `by`, who has it and since when; `not-eligible` with the reasons;
        `other-provider`; `overlap` with `visit`, which of theirs and when; `off-shift`, `off-duty`, `absent`; `over`.
        NotFoundError: it was never open.
        """
        now = self._clock()
        with self._database.begin() as tx:
            # Behind this lock, so that of two claims by one person at once the second sees the first.
            tx.responders.hold(responder_id)
            found = tx.orders.get(order_id, lock=True)
            if found is None or found[0].open_to != "claim":
                raise NotFoundError(f"no order {order_id} is open to claim")
            order, visit = found
            rows = tx.assignments.of_visit(visit.id)
            live = [row for row in rows if row.state in LIVE_ASSIGNMENT_STATES]
            mine = next((row for row in live if row.responder_id == responder_id), None)
            if mine is not None and mine.state != "offered":
                return mine.id
            self._still_open(tx, order, [row for row in live if row is not mine], now)
            fixed = len(live) > (mine is not None)
            return self._take(tx, order, visit, responder_id, mine, actor, now, fixed=fixed)

    def _still_open(self, tx: Transaction, order: OrderRow, others: list[AssignmentRow], now: datetime) -> None:
        if len(others) >= order.carers:
            by = [
                {
                    "responder_id": row.responder_id,
                    "name": found.name if (found := tx.responders.get(row.responder_id)) else row.responder_id,
                    "at": (row.accepted_at or row.offered_at).isoformat(),
                }
                for row in others
            ]
            names = "、".join(one["name"] for one in by)
            raise ConflictError(f"{names} has it already", code="already-claimed", by=by)
        if order.state not in ("requested", "assigned"):
            raise ConflictError(f"the order is {order.state}", code="over", state=order.state, reason=order.reason)
        if order.wanted_to <= now:
            raise ConflictError("its time is past", code="over", state=order.state)

    def _take(
        self,
        tx: Transaction,
        order: OrderRow,
        visit: VisitRow,
        responder_id: str,
        mine: AssignmentRow | None,
        actor: Actor,
        now: datetime,
        *,
        fixed: bool,
    ) -> str:
        me = tx.responders.get(responder_id)
        if me is None:
            raise NotFoundError(f"no responder {responder_id}")
        if not may_have(order.provider_id, tx.responders.provider_of(responder_id)):
            raise ConflictError(f"{me.name} is not of the provider who has it", code="other-provider")
        judged = propose(request_of_order(tx, order), [me], now=now.astimezone(self._zone), travel=self._travel)[0]
        if not judged.eligible:
            against = "; ".join(reason.text for reason in judged.reasons if reason.weight < 0) or "not eligible"
            reasons = [asdict(reason) for reason in judged.reasons]
            raise ConflictError(f"{me.name} cannot take this: {against}", code="not-eligible", reasons=reasons)
        visit = self._timed(tx, order, visit, me, now, fixed=fixed)
        row = AssignmentRow(
            id=mine.id if mine else self._new_id(),
            responder_id=responder_id,
            state="accepted",
            offered_at=mine.offered_at if mine else now,
            offered_by=mine.offered_by if mine else actor.user_id,
            visit_id=visit.id,
            accepted_at=now,
            reasons=tuple(asdict(reason) for reason in judged.reasons),
            eta_s=None if judged.eta_s is None else round(judged.eta_s),
            version=mine.version + 1 if mine else 1,
        )
        if mine:
            tx.assignments.save(row)
        else:
            tx.assignments.insert(row)
        body = {"assignment_id": row.id, "responder_id": responder_id, "responder_name": me.name}
        tx.timeline.add(order_entry(now, order, "claimed", actor, {**body, "at": visit.planned_start.isoformat()}))
        settle_visit(tx, order, visit, now)
        return row.id

    def _timed(
        self, tx: Transaction, order: OrderRow, visit: VisitRow, me: Responder, now: datetime, *, fixed: bool
    ) -> VisitRow:
        """The visit at a time that this person has."""
        low, high = _window(order, visit, fixed=fixed)
        start = self._times(tx, me, now, without=visit.id)(order).start(low, high, _length(order))
        if start <= max(low, now):
            return visit
        return replace(visit, planned_start=start, planned_end=start + _length(order))

    def _times(
        self, tx: Transaction, me: Responder, now: datetime, *, without: str | None = None
    ) -> Callable[[OrderRow], SpareTime]:
        """The person's time around an order; each span of days is read once."""
        visits = [one for one in tx.responders.visits(me.id, now) if one.visit_id != without]
        known: dict[tuple[date, date], SpareTime] = {}

        def around(order: OrderRow) -> SpareTime:
            first = order.wanted_from.astimezone(self._zone).date()
            last = (order.wanted_to + _length(order)).astimezone(self._zone).date()
            if (first, last) not in known:
                start, end = order.wanted_from - timedelta(days=1), order.wanted_to + timedelta(days=2)
                known[first, last] = spare_time(tx, me, visits, start, end, now=now, zone=self._zone)
            return known[first, last]

        return around


def _length(order: OrderRow) -> timedelta:
    return timedelta(minutes=order.duration_min)


def _window(order: OrderRow, visit: VisitRow, *, fixed: bool) -> tuple[datetime, datetime]:
    """When it may begin. What somebody else counts on (the second carer, whoever was told or nailed it down) stays."""
    if fixed or visit.pinned:
        return visit.planned_start, visit.planned_start
    if visit.promised_from is not None and visit.promised_to is not None:
        return max(visit.planned_start, visit.promised_from), max(visit.planned_start, visit.promised_to)
    return visit.planned_start, max(visit.planned_start, order.wanted_to)


def _fits(time: SpareTime, order: OrderRow, visit: VisitRow) -> bool:
    try:
        time.start(*_window(order, visit, fixed=visit.state != "planned"), _length(order))
    except ConflictError:
        return False
    return True
