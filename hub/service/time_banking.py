"""The time bank: volunteers' hours banked, given away, spent, taken back and, where the site wants it, expired."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from hub.accounts import AccountsError, Entry, reversal
from hub.accounts.time_bank import (
    EXPIRED,
    HolderKind,
    account_of,
    banked_minutes,
    earned,
    expired,
    expiring,
    gift,
    spent,
)
from hub.alarms import SYSTEM
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Actor, BankedVisit, Database, TimeEntry, Transaction

__all__ = ["TimeBanking"]

_BATCH = 200
_HOLDERS = {"volunteer": "responders", "resident": "residents", "contact": "contacts"}


class TimeBanking:
    """Each call is one transaction. No account of a person ever runs below nothing: the database refuses it, also where
    two spend the same hour at once.
    """

    def __init__(
        self, database: Database, clock: Clock, new_id: IdSource, expire_after: timedelta | None = None
    ) -> None:
        """`expire_after`: hours that lie longer are taken back by `expire`; None: they never are."""
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._expire_after = expire_after

    # ---- banking ----------------------------------------------------------------------------------------------------

    def bank(self, limit: int = _BATCH, responder_id: str | None = None) -> int:
        """Banks completed visits of volunteers, each once; gives how many. What is flagged waits for `review`."""
        with self._database.begin() as tx:
            visits = tx.time_bank.to_bank(limit, responder_id)
            rows = [row for row in (self._earned(tx, one) for one in visits) if row is not None]
            tx.time_bank.post(rows, SYSTEM)
        return len(rows)

    def _earned(self, tx: Transaction, visit: BankedVisit) -> TimeEntry | None:
        if visit.started_at is None or visit.ended_at is None:
            return None
        minutes = banked_minutes(visit.started_at, visit.ended_at, visit.ordered_min)
        if minutes <= 0:
            return None
        account = account_of("volunteer", visit.responder_id)
        tx.time_bank.open_account(account, "volunteer", visit.responder_id)
        about = f"{visit.visit_id}|{visit.responder_id}"
        entry = earned(self._new_id(), self._clock(), account, minutes, about)
        return TimeEntry(entry, self._clock(), visit.visit_id, visit.responder_id, visit.order_id)

    def review(self, visit_id: str, responder_id: str, accepted: bool, reason: str, actor: Actor) -> None:
        """Somebody has looked at a visit whose proof was flagged: its hours are banked, or not."""
        if not reason.strip():
            raise BadRequestError("say why", field="reason")
        now = self._clock()
        with self._database.begin() as tx:
            visit = tx.time_bank.visit_to_bank(visit_id, responder_id)
            if visit is None:
                raise NotFoundError("no hours of this visit wait for a second look")
            if visit.reviewed is not None:
                raise ConflictError("somebody has decided about it already", code="decided")
            tx.time_bank.review(visit_id, responder_id, accepted, reason.strip(), actor, now)
            detail = {"responder_id": responder_id, "accepted": accepted, "reason": reason.strip()}
            tx.audit.add(actor, "time_bank.review", f"visits:{visit_id}", detail, now)
            if accepted and (row := self._earned(tx, visit)) is not None:
                tx.time_bank.post([row], actor)

    # ---- giving and spending ----------------------------------------------------------------------------------------

    def give(self, source: str, kind: HolderKind, person_id: str, minutes: int, note: str | None, actor: Actor) -> str:
        """Gives minutes to a named resident, relative or volunteer; gives the entry's id. ConflictError where there
        are not enough.
        """
        now = self._clock()
        with self._database.begin() as tx:
            if tx.reference.get(_HOLDERS[kind], person_id) is None:
                raise NotFoundError(f"no {kind} {person_id}", field="to_id")
            target = account_of(kind, person_id)
            entry = self._made(lambda: gift(self._new_id(), now, source, target, minutes, note))
            tx.time_bank.open_account(target, kind, person_id)
            self._post(tx, entry, source, minutes, actor, now, None)
        return entry.id

    def spend(self, account: str, minutes: int | None, order_id: str | None, note: str | None, actor: Actor) -> str:
        """Pays for a service with minutes: those of the order where none are named; gives the entry's id."""
        now = self._clock()
        with self._database.begin() as tx:
            if order_id is not None:
                found = tx.orders.get(order_id)
                if found is None:
                    raise NotFoundError(f"no order {order_id}", field="order_id")
                order, _visit = found
                if order.state in ("cancelled", "missed", "aborted"):
                    raise ConflictError(f"the order is {order.state}: nothing is paid for it", state=order.state)
                minutes = minutes or order.duration_min
            elif not (note or "").strip():
                raise BadRequestError("name the order, or say what for", field="note")
            wanted = minutes or 0
            entry = self._made(lambda: spent(self._new_id(), now, account, wanted, order_id, note))
            try:
                self._post(tx, entry, account, wanted, actor, now, order_id)
            except ConflictError as error:
                if error.extra.get("constraint") == "time_entries_spent_once":
                    raise ConflictError("this order is paid with hours already", code="twice") from error
                raise
        return entry.id

    @staticmethod
    def _made(make: Callable[[], Entry]) -> Entry:
        try:
            return make()
        except AccountsError as error:
            raise BadRequestError(str(error), field="minutes" if error.code == "minutes" else "to_id") from error

    def _post(
        self,
        tx: Transaction,
        entry: Entry,
        source: str,
        minutes: int,
        actor: Actor,
        now: datetime,
        order_id: str | None,
    ) -> None:
        there = tx.time_bank.balances([one.account for one in entry.postings]).get(source, 0)
        if there < minutes:
            raise ConflictError(
                f"there are {there} minutes on this account, not {minutes}", code="not-enough-hours", balance_min=there
            )
        tx.time_bank.post([TimeEntry(entry, now, order_id=order_id)], actor)
        tx.audit.add(actor, f"time_bank.{entry.kind}", f"time_accounts:{source}", {"minutes": minutes}, now)

    def take_back(self, entry_id: str, reason: str, actor: Actor) -> None:
        """Undoes an entry by its reversal. ConflictError where the minutes have moved on, or it is undone already."""
        if not reason.strip():
            raise BadRequestError("say why", field="reason")
        now = self._clock()
        with self._database.begin() as tx:
            row = tx.time_bank.entry(entry_id)
            if row is None:
                raise NotFoundError(f"no entry {entry_id}")
            if tx.time_bank.reversed(entry_id):
                raise ConflictError("it was taken back already", code="twice")
            try:
                undone = reversal(row.entry, self._new_id(), now.strftime("%Y-%m"), reason.strip())
            except AccountsError as error:
                raise ConflictError(str(error), code=error.code) from error
            tx.time_bank.balances([one.account for one in undone.postings])
            tx.time_bank.post([TimeEntry(undone, now)], actor)
            tx.audit.add(actor, "time_bank.reversal", f"time_entries:{entry_id}", {"reason": reason.strip()}, now)

    def expire(self) -> int:
        """Takes back what lay longer than the site allows; gives how many minutes. Off: 0."""
        if self._expire_after is None:
            return 0
        now = self._clock()
        total = 0
        with self._database.begin() as tx:
            holders = tx.time_bank.holders()
        for account in holders:
            with self._database.begin() as tx:
                tx.time_bank.balances([account, EXPIRED])
                minutes = expiring(tx.time_bank.movements(account), now - self._expire_after)
                if minutes > 0:
                    tx.time_bank.post([TimeEntry(expired(self._new_id(), now, account, minutes), now)], SYSTEM)
                    total += minutes
        return total
