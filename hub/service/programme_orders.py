"""From a visit programme to its orders: for each participant one a part of the month, exactly once.

A hundred people a transaction, each behind the lock of the programme's row; what people count on is never touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from dispatch import visit_days
from hub.care import ABSENT_STATUSES
from hub.clock import Clock, IdSource
from hub.ports import SYSTEM, Database, OrderRow, ProgrammeRow, Transaction
from hub.service.ordering import cancel, place, promised, revive
from hub.service.programme_people import Participant, participants, seed_of

__all__ = ["ProgrammeOrders"]

_PIECE: Final = 100


class ProgrammeOrders:
    """`zone`: the site's time; `weeks`: how far ahead orders are made."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, zone: tzinfo, weeks: int) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._zone = zone
        self._ahead = timedelta(weeks=weeks)

    def top_up(self) -> int:
        """Makes the orders that have come within reach, once a day and after a change; gives how many were made."""
        now = self._clock()
        today = now.astimezone(self._zone).date()
        horizon = today + self._ahead
        with self._database.begin() as tx:
            due = [one for one in tx.everyday.programmes.all() if one.made_until is None or one.made_until < horizon]
        made = 0
        for programme in due:
            for month in _months(today, horizon):
                with self._database.begin() as tx:
                    everybody = participants(tx, programme, month, today, self._zone)
                people = everybody if programme.active and programme.makes == "orders" else []
                made += self._month(programme, month, people, today, now)
            with self._database.begin() as tx:
                current = tx.everyday.programmes.get(programme.id, lock=True)
                if current is not None and current.version == programme.version:
                    tx.everyday.programmes.made(programme.id, horizon)
        return made

    def _month(
        self, programme: ProgrammeRow, month: date, people: Sequence[Participant], today: date, now: datetime
    ) -> int:
        made = 0
        wanted = {one.person.id: one for one in people}
        with self._database.begin() as tx:
            there = tx.everyday.programmes.holders(programme.id, month)
        ids = sorted({*wanted, *there})
        for at in range(0, len(ids), _PIECE):
            piece = ids[at : at + _PIECE]
            with self._database.begin() as tx:
                current = tx.everyday.programmes.get(programme.id, lock=True)
                if current is None or current.version != programme.version:
                    return made  # changed meanwhile: it is looked at again
                made += self._piece(tx, programme, month, {ident: wanted.get(ident) for ident in piece}, today, now)
        return made

    def _piece(
        self,
        tx: Transaction,
        programme: ProgrammeRow,
        month: date,
        people: dict[str, Participant | None],
        today: date,
        now: datetime,
    ) -> int:
        kind = tx.everyday.kinds.get(programme.kind)
        residents = tx.residents.get_many(list(people))
        works, horizon = tx.rota.calendar().works, today + self._ahead
        wanted: dict[tuple[str, date], tuple[datetime, datetime]] = {}
        for ident, one in people.items():
            if one is None or residents[ident].status in ABSENT_STATUSES:
                continue
            for turn in visit_days(month, one.target, seed_of(ident), works):
                begin = datetime.combine(turn.day, programme.begins, tzinfo=self._zone).astimezone(UTC)
                end = datetime.combine(turn.day, programme.ends, tzinfo=self._zone).astimezone(UTC)
                if turn.day <= horizon and end > now:
                    wanted[ident, turn.on] = begin, end
        for order, visit in tx.everyday.programmes.orders(programme.id, month, list(people)):
            assert order.occurrence_on is not None
            if (order.occurrence_on.year, order.occurrence_on.month) != (month.year, month.month):
                continue
            want = wanted.pop((order.person, order.occurrence_on), None)
            if want is None:
                # Who is away is settled where the status is set; here only what nobody counts on goes.
                if order.state == "requested" and order.wanted_to > now and not promised(order, visit):
                    cancel(tx, order, visit, now, SYSTEM, "the visit programme was changed", "plan")
            elif order.state == "cancelled" and order.cancelled_by in ("plan", "status"):
                moved = replace(order, wanted_from=want[0], wanted_to=want[1])
                revive(tx, moved, visit, now, SYSTEM, "its cause is gone")
            elif (order.wanted_from, order.wanted_to) != want and not promised(order, visit):
                tx.orders.save(
                    replace(order, wanted_from=want[0], wanted_to=want[1], version=order.version + 1),
                    replace(visit, planned_start=want[0], version=visit.version + 1),
                )
        if kind is None or not kind.active:
            return 0
        for (ident, on), (begin, end) in wanted.items():
            order = OrderRow(
                id=self._new_id(),
                kind=kind.id,
                resident_id=ident,
                state="requested",
                wanted_from=begin,
                wanted_to=end,
                duration_min=kind.duration_min,
                carers=kind.carers,
                source="plan",
                created_at=now,
                programme_id=programme.id,
                occurrence_on=on,
            )
            place(tx, order, self._new_id, SYSTEM, now, programme_id=programme.id, on=on.isoformat())
        return len(wanted)


def _months(first: date, last: date) -> list[date]:
    months = [first.replace(day=1)]
    while (after := (months[-1] + timedelta(days=32)).replace(day=1)) <= last:
        months.append(after)
    return months
