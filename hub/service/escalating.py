"""What happens when something did not: due rows whose time has come."""

from __future__ import annotations

from datetime import datetime

from hub.alarms import DueStep, fall_due
from hub.clock import Clock
from hub.ports import Database, DueRow, Transaction
from hub.service.writing import Writer

__all__ = ["Escalating"]


class Escalating:
    """Carries out due steps. Rows are claimed with SKIP LOCKED: any number of jobs may run beside each other."""

    def __init__(self, database: Database, clock: Clock, writer: Writer) -> None:
        self._database = database
        self._clock = clock
        self._writer = writer

    def run_due(self, limit: int = 50) -> int:
        """Carries out up to `limit` due steps in one transaction; gives how many it took."""
        now = self._clock()
        with self._database.begin() as tx:
            rows = tx.due.claim(now, limit)
            if rows:
                operators = tx.users.operators_on_duty(now)
                # In the order of subjects, as everywhere: two transactions then never wait for one another in a ring.
                for row in sorted(rows, key=lambda row: (_incident_id(row), row.due_at, row.step)):
                    self._fall_due(tx, row, now, operators)
        return len(rows)

    def next_at(self) -> datetime | None:
        """When the next step is due."""
        with self._database.begin() as tx:
            return tx.due.next_at()

    def _fall_due(self, tx: Transaction, row: DueRow, now: datetime, operators: int) -> None:
        incident = tx.incidents.get(_incident_id(row), lock=True)
        if incident is None:
            return
        about = row.subject_id if row.subject_kind == "assignment" else ""
        change = fall_due(incident, DueStep(row.step, row.due_at, about), now=now, operators_signed_in=operators)
        self._writer.write(tx, change, now=now, saved=change.incident == incident)


def _incident_id(row: DueRow) -> str:
    return row.subject_id if row.subject_kind == "incident" else str(row.body.get("incident_id", ""))
