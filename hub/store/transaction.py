"""One transaction and its drawers."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.errors import ConflictError
from hub.ports.commands import Commands
from hub.ports.database import (
    Alarms,
    Assignments,
    Audit,
    Calls,
    Devices,
    Due,
    Incidents,
    Ledger,
    Orders,
    Outbox,
    Reference,
    Residents,
    Responders,
    Series,
    Timeline,
    Users,
)
from hub.ports.desk import Desk
from hub.ports.integrations import Integrations
from hub.ports.quarantine import Quarantine
from hub.ports.records import Json
from hub.ports.supervision import Supervision
from hub.store.alarms import AlarmsDrawer
from hub.store.assignments import AssignmentsDrawer
from hub.store.audit import AuditDrawer
from hub.store.calls import CallsDrawer
from hub.store.commands import CommandsDrawer
from hub.store.desk import DeskDrawer
from hub.store.devices import DevicesDrawer
from hub.store.due import DueDrawer
from hub.store.incidents import IncidentsDrawer
from hub.store.integrations import IntegrationsDrawer
from hub.store.ledger import LedgerDrawer
from hub.store.orders import OrdersDrawer
from hub.store.outbox import OutboxDrawer
from hub.store.quarantine import QuarantineDrawer
from hub.store.reference import ReferenceDrawer
from hub.store.residents import ResidentsDrawer
from hub.store.responders import RespondersDrawer
from hub.store.series import SeriesDrawer
from hub.store.session import Connection, Session, as_json
from hub.store.supervision import SupervisionDrawer
from hub.store.timeline import TimelineDrawer
from hub.store.users import UsersDrawer

__all__ = ["IDEMPOTENCY_ABANDONED", "IDEMPOTENCY_KEPT", "PostgresTransaction"]

IDEMPOTENCY_KEPT = timedelta(hours=24)
IDEMPOTENCY_ABANDONED = timedelta(minutes=1)
"""A request still "under way" after this was cut off with its hub."""


class PostgresTransaction:
    """`hub.ports.Transaction` on one connection. Made by `PostgresDatabase.begin`."""

    def __init__(self, connection: Connection) -> None:
        session = Session(connection)
        series, devices = SeriesDrawer(session), DevicesDrawer(session)
        due, outbox, timeline = DueDrawer(session), OutboxDrawer(session), TimelineDrawer(session)
        # The timeline is the last: whoever holds its counter waits for nobody.
        for write in (series.flush, devices.write, due.write, outbox.write, timeline.write):
            session.buffer(write)
        self.session = session
        self.ledger: Ledger = LedgerDrawer(session)
        self.series: Series = series
        self.devices: Devices = devices
        self.residents: Residents = ResidentsDrawer(session)
        self.alarms: Alarms = AlarmsDrawer(session)
        self.incidents: Incidents = IncidentsDrawer(session)
        self.timeline: Timeline = timeline
        self.due: Due = due
        self.responders: Responders = RespondersDrawer(session)
        self.assignments: Assignments = AssignmentsDrawer(session)
        self.orders: Orders = OrdersDrawer(session)
        self.calls: Calls = CallsDrawer(session)
        self.outbox: Outbox = outbox
        self.users: Users = UsersDrawer(session)
        self.audit: Audit = AuditDrawer(session)
        self.integrations: Integrations = IntegrationsDrawer(session)
        self.commands: Commands = CommandsDrawer(session)
        self.quarantine: Quarantine = QuarantineDrawer(session)
        self.reference: Reference = ReferenceDrawer(session)
        self.supervision: Supervision = SupervisionDrawer(session)
        self.desk: Desk = DeskDrawer(session)

    def idempotent(self, user_id: str, key: str, request: bytes, now: datetime) -> Json | None:
        claimed = self.session.one(
            "idempotency_claim",
            user_id=user_id,
            key=key,
            request=request,
            now=now,
            expired=now - IDEMPOTENCY_KEPT,
            abandoned=now - IDEMPOTENCY_ABANDONED,
        )
        if claimed is not None:
            return None
        first = self.session.one("idempotency_get", user_id=user_id, key=key)
        if first is None or first["status"] is None:
            raise ConflictError("the first request with this Idempotency-Key is still under way", code="in-progress")
        if first["request"] != request:
            raise ConflictError(
                "this Idempotency-Key was used for another request", code="key-reused", field="Idempotency-Key"
            )
        return {"status": first["status"], "answer": first["answer"]}

    def remember(self, user_id: str, key: str, status: int, answer: Json) -> None:
        self.session.run("idempotency_remember", user_id=user_id, key=key, status=status, answer=as_json(answer))

    def forget(self, user_id: str, key: str) -> None:
        self.session.run("idempotency_forget", user_id=user_id, key=key)
