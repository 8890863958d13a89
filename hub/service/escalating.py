"""What happens when something did not: due rows whose time has come."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hub.alarms import LEASE, VOICE, DueStep, fall_due
from hub.clock import Clock
from hub.errors import UnavailableError
from hub.ports import Database, DueRow, Transaction
from hub.service.writing import Writer

__all__ = ["Escalating"]

_TRY_AGAIN_AFTER = timedelta(minutes=1)
_LONGEST_CALL = timedelta(minutes=30)
"""A call that nobody ended for longer was forgotten: it renews no claim."""


class Escalating:
    """Carries out due steps. Rows are claimed with SKIP LOCKED: any number of jobs may run beside each other."""

    def __init__(self, database: Database, clock: Clock, writer: Writer) -> None:
        self._database = database
        self._clock = clock
        self._writer = writer

    def run_due(self, limit: int = 50) -> int:
        """Carries out up to `limit` due steps in one transaction; gives how many it took."""
        return len(self._carry_out(self._clock(), limit, []))

    def run_singly(self, limit: int = 50) -> list[tuple[DueRow, Exception]]:
        """The same, each step in its own transaction, after `run_due` has failed: one bad row must not stand in front
        of everybody's escalation. Gives the rows that failed with the error; they are tried again after a minute.
        UnavailableError where the database is away.
        """
        now = self._clock()
        failed: list[tuple[DueRow, Exception]] = []
        for _ in range(limit):
            claimed: list[DueRow] = []
            try:
                if not self._carry_out(now, 1, claimed):
                    break
            except UnavailableError:
                raise
            except Exception as error:
                if not claimed:
                    raise
                failed.append((claimed[0], error))
                with self._database.begin() as tx:
                    tx.due.set(replace(claimed[0], due_at=now + _TRY_AGAIN_AFTER))
        return failed

    def _carry_out(self, now: datetime, limit: int, claimed: list[DueRow]) -> list[DueRow]:
        with self._database.begin() as tx:
            claimed += tx.due.claim(now, limit)
            if claimed:
                operators = tx.users.operators_on_duty(now)
                # In the order of subjects, as everywhere: two transactions then never wait for one another in a ring.
                for row in sorted(claimed, key=lambda row: (_incident_id(row), row.due_at, row.step)):
                    self._fall_due(tx, row, now, operators)
        return claimed

    def next_at(self) -> datetime | None:
        """When the next step is due."""
        with self._database.begin() as tx:
            return tx.due.next_at()

    def _fall_due(self, tx: Transaction, row: DueRow, now: datetime, operators: int) -> None:
        incident = tx.incidents.get(_incident_id(row), lock=True)
        if incident is None:
            return
        about = row.subject_id if row.subject_kind == "assignment" else ""
        on_call = row.step in (LEASE, VOICE) and tx.desk.on_call(incident.id, now - _LONGEST_CALL)
        step = DueStep(row.step, row.due_at, about)
        change = fall_due(incident, step, now=now, operators_signed_in=operators, on_call=on_call)
        self._writer.write(tx, change, now=now, saved=change.incident == incident)


def _incident_id(row: DueRow) -> str:
    return row.subject_id if row.subject_kind == "incident" else str(row.body.get("incident_id", ""))
