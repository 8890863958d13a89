"""After a service: what the resident or the family thinks of it, complaints, and the return visit (回访).

A complaint is a matter of its own, in the area of the resident: it must not disappear in an emergency that is open
there and is closed for other reasons.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Actor, Database, Json, OrderRow, ReturnVisitRow, SatisfactionRow, Transaction
from hub.service.guards import check_version
from hub.service.ordering import order_entry
from hub.service.raising import Raising, again_where_raced
from hub.service.reporting import report

__all__ = ["ReturnVisitTimes", "SatisfactionDesk"]

_ENDED: Final = frozenset({"completed", "aborted", "missed"})
_LOW: Final = 2
_TRIES: Final = 3
_BACK: Final = timedelta(days=3)
"""So far back orders that ended are looked at: a hub that was off over a weekend forgets nobody."""
_LATEST_WORD: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class ReturnVisitTimes:
    """`share` (0 to 1) of the services that were done is asked about, `within` a time after their end."""

    share: float = 0.1
    within: timedelta = timedelta(days=2)


class SatisfactionDesk:
    """Takes words about services, and keeps the list of those to be asked about."""

    def __init__(
        self, database: Database, clock: Clock, new_id: IdSource, raising: Raising, times: ReturnVisitTimes
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._raising = raising
        self._times = times

    def rate(
        self,
        order_id: str,
        score: int,
        words: str | None,
        given_by: Literal["resident", "family", "phone"],
        actor: Actor,
        *,
        complaint: bool = False,
    ) -> None:
        """The last word counts. A complaint opens a matter, once an order; a low score asks for a return visit.

        ConflictError before the service has ended, and 90 days after. BadRequestError: a complaint without words.
        """
        if complaint and not (words or "").strip():
            raise BadRequestError("words: say what it is about", field="words")
        again_where_raced(lambda: self._rate(order_id, score, words, given_by, actor, complaint))

    def _rate(
        self,
        order_id: str,
        score: int,
        words: str | None,
        given_by: Literal["resident", "family", "phone"],
        actor: Actor,
        complaint: bool,
    ) -> None:
        now = self._clock()
        with self._database.begin() as tx:
            order = _ended_order(tx, order_id, now)
            was = tx.everyday.aftercare.satisfaction(order_id)
            incident_id = was.incident_id if was else None
            if complaint and incident_id is None:
                incident_id = self._complain(tx, order, str(words), actor, now)
            tx.everyday.aftercare.put_satisfaction(
                SatisfactionRow(
                    order_id=order_id,
                    score=score,
                    given_by=given_by,
                    at=now,
                    words=words,
                    complaint=complaint or bool(was and was.complaint),
                    incident_id=incident_id,
                    recorded_by=actor.user_id,
                    version=was.version + 1 if was else 1,
                )
            )
            body = {"score": score, "given_by": given_by, "complaint": complaint, "incident_id": incident_id}
            tx.timeline.add(order_entry(now, order, "rated", actor, body))
            if complaint or score <= _LOW:
                self._want(tx, order, "complaint" if complaint else "low_score", now)

    def _complain(self, tx: Transaction, order: OrderRow, words: str, actor: Actor, now: datetime) -> str | None:
        resident = tx.residents.get(order.person)
        kind = tx.everyday.kinds.get(order.kind)
        name = resident.name if resident else order.person
        area = resident.area_id if resident else None
        return report(
            tx,
            self._raising,
            self._new_id,
            now,
            actor,
            note=f"服务投诉 complaint · {kind.zh if kind else order.kind} · {name} · {words}",
            priority="medium",
            attributes={
                "channel": "complaint",
                "matter": "complaint",
                "order_id": order.id,
                "about": order.person,
            },
            # Where no area is known it can only be told with the resident, whatever else is open there.
            resident_id=None if area else order.person,
            area_id=area,
        )

    def _want(
        self, tx: Transaction, order: OrderRow, why: Literal["low_score", "complaint", "asked"], now: datetime
    ) -> None:
        found = tx.everyday.aftercare.return_visit(order.id)
        if found is None:
            row = ReturnVisitRow(order.id, why, now + self._times.within, now)
        elif found.done_at is None:
            row = replace(found, why=why, due_at=min(found.due_at, now + self._times.within), version=found.version + 1)
        else:
            return  # somebody has asked; what is said after that is in the rating
        tx.everyday.aftercare.put_return_visit(row)

    # ---- return visits ----------------------------------------------------------------------------------------------

    def draw(self) -> int:
        """Puts on the list what of the services that ended must be asked about; gives how many. For the jobs."""
        now = self._clock()
        with self._database.begin() as tx:
            return tx.everyday.aftercare.draw(now - _BACK, now, self._times.within, self._times.share)

    def due(self, until: datetime | None, limit: int, after: tuple[datetime, str] | None) -> list[Json]:
        """What is to be asked about: `order_id`, `due_at`; `until` None: also what is not due yet."""
        with self._database.begin() as tx:
            return tx.everyday.aftercare.due(until or self._clock() + _LATEST_WORD, limit, after)

    def ask_for(self, order_id: str, actor: Actor) -> None:
        """Somebody wants this order to be asked about."""
        now = self._clock()
        with self._database.begin() as tx:
            order = _ended_order(tx, order_id, now)
            self._want(tx, order, "asked", now)
            tx.timeline.add(order_entry(now, order, "return_visit_wanted", actor, {}))

    def visited(
        self,
        order_id: str,
        way: Literal["phone", "door"],
        outcome: Literal["content", "not_content", "not_given", "unreachable"],
        note: str | None,
        actor: Actor,
        *,
        version: int | None = None,
    ) -> None:
        """What came of asking. Unreachable: tried again the next day, three times in all.

        `not_given`: the service was not given, whatever the carer said. That and `not_content` need words. A return
        visit nobody asked for is taken all the same. ConflictError: it is done already.
        """
        if outcome in ("not_content", "not_given") and not (note or "").strip():
            raise BadRequestError("note: say what was wrong", field="note")
        now = self._clock()
        with self._database.begin() as tx:
            order = _ended_order(tx, order_id, now)
            found = tx.everyday.aftercare.return_visit(order_id) or ReturnVisitRow(order_id, "asked", now, now)
            check_version(found.version, version)
            if found.done_at is not None:
                raise ConflictError("this return visit is done", code="over", outcome=found.outcome)
            tries = found.tries + 1
            again = outcome == "unreachable" and tries < _TRIES
            tx.everyday.aftercare.put_return_visit(
                replace(
                    found,
                    tries=tries,
                    due_at=now + timedelta(days=1) if again else found.due_at,
                    done_at=None if again else now,
                    way=way,
                    outcome=None if again else outcome,
                    note=note,
                    done_by=actor.user_id,
                    version=found.version + 1,
                )
            )
            body = {"way": way, "outcome": outcome, "try": tries, "done": not again}
            tx.timeline.add(order_entry(now, order, "return_visit", actor, body))


def _ended_order(tx: Transaction, order_id: str, now: datetime) -> OrderRow:
    found = tx.orders.get(order_id, lock=True)
    if found is None:
        raise NotFoundError(f"no order {order_id}")
    order, visit = found
    if order.state not in _ENDED:
        raise ConflictError(f"the order is {order.state}: the service has not ended", state=order.state)
    if (visit.ended_at or order.wanted_to) < now - _LATEST_WORD:
        raise ConflictError(f"it is more than {_LATEST_WORD.days} days ago", code="over")
    return order
