"""What follows a try: the next channel, the alert where there is none, how a call went, a call that rings in vain."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from hub.clock import Clock, IdSource
from hub.notices import LATE_AFTER, TEMPLATES, Channel, stands
from hub.ports import Database, EntryRow, Json, Transaction
from hub.ports.notices import NoticeRow, Outlet, SendFailedError

__all__ = ["Following", "entry"]

log = logging.getLogger(__name__)

_AT_ONCE = 50
_UNREACHED = frozenset({"busy", "no_answer", "failed"})


def entry(
    row: NoticeRow,
    result: str,
    now: datetime,
    *,
    reason: str | None = None,
    name: str = "",
    note: str | None = None,
    again_at: datetime | None = None,
    following: str | None = None,
) -> list[EntryRow]:
    """The line of a try on the incident's timeline; none where it is about no incident."""
    if row.incident_id is None or row.channel == "webhook":
        return []
    body: Json = {
        "notice_id": row.id,
        "channel": row.channel,
        "to": row.party,
        "name": name or None,
        "template": row.template,
        "assignment_id": row.assignment_id,
        "attempt": row.attempts or None,
        "result": result,
        "reason": reason,
        "note": note,
        "again_at": again_at.isoformat() if again_at else None,
        "next": following,
    }
    body = {key: value for key, value in body.items() if value is not None}
    return [EntryRow(at=now, subject_kind="incident", subject_id=row.incident_id, kind="notified", body=body)]


class Following:
    """Thread-safe. What takes a transaction is part of the caller's."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, outlets: Mapping[Channel, Outlet]) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._outlets = outlets

    def give_up(self, tx: Transaction, row: NoticeRow, reason: str, now: datetime) -> None:
        """One that waits cannot be sent by its channel at all."""
        if tx.notices.end(row.id, "failed", reason, now):
            self.over(tx, row, reason, now)

    def over(self, tx: Transaction, row: NoticeRow, reason: str, now: datetime, *, name: str = "") -> None:
        """It has failed for good: the next channel, or an alert."""
        following = self._next(tx, row, now)
        tx.timeline.add(*entry(row, "failed", now, reason=reason, name=name, following=following))
        if following is None:
            self._alert(tx, row, reason, now)

    def placed(self, tx: Transaction, row: NoticeRow, number: str, now: datetime) -> None:
        """A call was placed: it is in the call log."""
        call: Json = {
            "id": self._new_id(),
            "direction": "out",
            "number": number,
            "incident_id": row.incident_id,
            "party": row.party,
            "started_at": now,
            "notice_id": row.id,
        }
        tx.calls.insert(call)
        _tell_call(tx, call["id"], row, None, now)

    def ended(self, tx: Transaction, row: NoticeRow, outcome: str, now: datetime) -> bool:
        """How a call went, told once: `answered`, or why nobody was reached; then the next channel begins.

        False: it was known.
        """
        if not tx.notices.settle(row.id, outcome, now):
            return False
        call = tx.notices.call_of(row.id)
        if call is not None and call["outcome"] is None:
            changes: Json = {"outcome": outcome}
            if outcome == "answered":
                changes["answered_at"] = max(now, call["started_at"])
            else:
                changes["ended_at"] = max(now, call["started_at"])
            tx.calls.update(call["id"], changes)
            _tell_call(tx, call["id"], row, outcome, now)
        following = None
        if outcome in _UNREACHED and self._worth(tx, row):
            following = self._next(tx, row, now)
            if following is None:
                self._alert(tx, row, f"the call: {outcome}", now)
        tx.timeline.add(*entry(row, outcome, now, following=following))
        return True

    def hung_up(self, tx: Transaction, row: NoticeRow, now: datetime, *, answer: str | None) -> None:
        """An answered call is over. `answer`: what the person decided; who only picked up is asked again."""
        call = tx.notices.call_of(row.id)
        if call is not None and call["ended_at"] is None:
            tx.calls.update(call["id"], {"ended_at": max(now, call["answered_at"] or call["started_at"])})
        asked = TEMPLATES[row.template].asks and row.assignment_id is not None
        if (
            asked
            and answer is None
            and row.state == "sent"
            and self._worth(tx, row)
            and not tx.notices.followed(row.id)
        ):
            following = self._next(tx, row, now)
            tx.timeline.add(*entry(row, "late", now, reason="no key was pressed", following=following))
            if following is None:
                self._alert(tx, row, "no key was pressed", now)

    def tidy(self, before: datetime) -> int:
        """Forgets notices that ended and were made before; what the timeline says of them stays."""
        with self._database.begin() as tx:
            return tx.notices.prune(before)

    # --- what time brings

    def tend(self) -> int:
        """Late and expired notices, calls under way; a bounded number. Gives how many there were."""
        now = self._clock()
        with self._database.begin() as tx:
            late = tx.notices.late(now, _AT_ONCE)
            for row in late:
                self._late(tx, row, now)
            expired = tx.notices.expired(now, _AT_ONCE)
            for row in expired:
                tx.timeline.add(*entry(row, "expired", now, reason=row.reason))
                if row.lane == "alarm":
                    self._alert(tx, row, row.reason or "expired", now)
            ringing = tx.notices.ringing(_AT_ONCE, now)
        for row in ringing:
            self._listen(row)
        return len(late) + len(expired)

    def _late(self, tx: Transaction, row: NoticeRow, now: datetime) -> None:
        if not self._worth(tx, row):
            return  # its own claim withdraws it
        following = self._next(tx, row, now)
        reason = "not answered in time" if row.state == "sent" else "not sent in time"
        tx.timeline.add(*entry(row, "late", now, reason=reason, following=following))
        if row.state == "waiting" or following is None:
            self._alert(tx, row, reason, now)

    def _listen(self, row: NoticeRow) -> None:
        outlet = self._outlets.get(row.channel)
        if outlet is None or row.provider_ref is None:
            return
        try:
            if row.state == "withdrawn":
                outlet.hang_up(row.provider_ref)
                with self._database.begin() as tx:
                    now = self._clock()
                    tx.notices.hung_up(row.id, now)
                    call = tx.notices.call_of(row.id)
                    if call is not None and call["outcome"] is None:
                        ended = max(now, call["started_at"])
                        tx.calls.update(call["id"], {"outcome": "failed", "ended_at": ended, "note": row.reason})
                return
            outcome = outlet.look(row.provider_ref)
        except SendFailedError as error:
            log.warning("a call cannot be looked after: %s", error.detail)
            return
        if outcome is not None:
            with self._database.begin() as tx:
                self.ended(tx, row, outcome, self._clock())

    def _worth(self, tx: Transaction, row: NoticeRow) -> bool:
        """Whether anybody need be told still. Where the incident is in somebody's hands: yes, and judged again."""
        if row.until == "sent":
            return True
        incidents, assignments = tx.notices.standing(
            [row.incident_id] if row.incident_id else [], [row.assignment_id] if row.assignment_id else []
        )
        if row.incident_id is not None and row.incident_id not in incidents:
            return True
        state, shelved = incidents.get(row.incident_id or "", (None, False))
        asks = TEMPLATES[row.template].asks and row.assignment_id is not None
        assignment = assignments.get(row.assignment_id or "", "gone") if asks else None
        return stands(row.until, incident=state, assignment=assignment, shelved=shelved) is None

    def _next(self, tx: Transaction, row: NoticeRow, now: datetime) -> str | None:
        """Begins the next channel that is set up; None: there is none. One that has begun already is named."""
        ways = [channel for channel in row.next_channels if channel in self._outlets]
        if not ways:
            return None
        if tx.notices.followed(row.id):
            return ways[0]
        channel = ways[0]
        following = replace(
            row,
            id=self._new_id(),
            channel=channel,
            next_channels=tuple(ways[1:]),
            before_id=row.id,
            key=None,
            created_at=now,
            due_at=now,
            late_at=now + LATE_AFTER[channel] if row.lane == "alarm" else None,
            state="waiting",
            attempts=0,
            claimed_by=None,
        )
        if following.expires_at <= now:
            return None
        tx.notices.add(following)
        return channel

    def _alert(self, tx: Transaction, row: NoticeRow, reason: str, now: datetime) -> None:
        """Nobody was reached: the desk must telephone. On the timeline, so that every console shows it."""
        if row.lane != "alarm" or not set(self._outlets) - {"webhook"}:
            return  # a hub without any channel to people: its desk telephones anyway
        log.error("nobody was reached by %s for notice %s: %s", row.channel, row.id, reason)
        if row.incident_id is None:
            return
        person = tx.notices.people([row.party]).get(row.party)
        who = person.name if person is not None and person.name else row.party
        body: dict[str, Any] = {
            "step": "notify",
            "to": ["operators"],
            "reason": f"{who} was not reached by {row.channel}: {reason}",
            "note": who,
            "notice_id": row.id,
        }
        tx.timeline.add(
            EntryRow(at=now, subject_kind="incident", subject_id=row.incident_id, kind="escalated", body=body)
        )


def _tell_call(tx: Transaction, call_id: str, row: NoticeRow, outcome: str | None, now: datetime) -> None:
    body: Json = {"call_id": call_id, "direction": "out", "party": row.party, "outcome": outcome, "notice_id": row.id}
    tx.timeline.add(EntryRow(at=now, subject_kind="call", subject_id=call_id, kind="called", body=body))
