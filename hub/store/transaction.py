"""One transaction and its drawers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from hub.alarms.model import Alarm, AlarmClass, Incident
from hub.errors import ConflictError, RaceLostError
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
    Series,
    Timeline,
    Users,
)
from hub.ports.day_plans import DayPlans
from hub.ports.desk import Desk
from hub.ports.everyday import Everyday
from hub.ports.home import Home
from hub.ports.integrations import Integrations
from hub.ports.load import Load
from hub.ports.matters import Matters
from hub.ports.meals import Meals
from hub.ports.medical import Medical
from hub.ports.notices import Notices
from hub.ports.path_tests import PathTests
from hub.ports.plans import Plans
from hub.ports.proof import Proof
from hub.ports.provisioning import Provisioning
from hub.ports.quarantine import Quarantine
from hub.ports.records import Json
from hub.ports.register import Register
from hub.ports.responders import Responders
from hub.ports.rota import Rota
from hub.ports.rules import Rules
from hub.ports.settlement import Settlement
from hub.ports.situation import Situation
from hub.ports.supervision import Supervision
from hub.ports.time_bank import TimeBank
from hub.ports.windows import Windows
from hub.store.alarms import AlarmsDrawer
from hub.store.assignments import AssignmentsDrawer
from hub.store.audit import AuditDrawer
from hub.store.calls import CallsDrawer
from hub.store.commands import CommandsDrawer
from hub.store.day_plans import DayPlansDrawer
from hub.store.desk import DeskDrawer
from hub.store.devices import DevicesDrawer
from hub.store.due import DueDrawer
from hub.store.everyday import EverydayDrawers
from hub.store.home import HomeDrawer
from hub.store.incidents import IncidentsDrawer
from hub.store.integrations import IntegrationsDrawer
from hub.store.judged import judged_later
from hub.store.ledger import LedgerDrawer
from hub.store.load import LoadDrawer
from hub.store.matters import MattersDrawer
from hub.store.meals import MealsDrawer
from hub.store.medical import MedicalDrawer
from hub.store.notices import NoticesDrawer
from hub.store.orders import OrdersDrawer
from hub.store.outbox import OutboxDrawer
from hub.store.path_tests import PathTestsDrawer
from hub.store.plans import PlansDrawer
from hub.store.proof import ProofDrawer
from hub.store.provisioning import ProvisioningDrawer
from hub.store.quarantine import QuarantineDrawer
from hub.store.reference import ReferenceDrawer
from hub.store.register import RegisterDrawer
from hub.store.residents import ResidentsDrawer
from hub.store.responders import RespondersDrawer
from hub.store.rota import RotaDrawer
from hub.store.rules import RulesDrawer
from hub.store.series import SeriesDrawer
from hub.store.session import Connection, Session, as_json
from hub.store.settlement import SettlementDrawer
from hub.store.supervision import SupervisionDrawer
from hub.store.time_bank import TimeBankDrawer
from hub.store.timeline import TimelineDrawer
from hub.store.users import UsersDrawer
from hub.store.windows import WindowsDrawer

__all__ = ["IDEMPOTENCY_ABANDONED", "IDEMPOTENCY_KEPT", "PostgresTransaction"]

IDEMPOTENCY_KEPT = timedelta(hours=24)
IDEMPOTENCY_ABANDONED = timedelta(minutes=1)
"""A request still "under way" after this was cut off with its hub."""


class PostgresTransaction:
    """`hub.ports.Transaction` on one connection. Made by `PostgresDatabase.begin`."""

    def __init__(self, connection: Connection, opening: bytes | None = None, kept: set[bytes] | None = None) -> None:
        session = Session(connection, opening, kept)
        series, devices = SeriesDrawer(session), DevicesDrawer(session)
        due, outbox, timeline = DueDrawer(session), OutboxDrawer(session), TimelineDrawer(session)
        # The timeline is the last: whoever holds its counter waits for nobody.
        for write in (series.flush, devices.write, due.write, outbox.write, timeline.write):
            session.buffer(write)
        self.session = session
        ledger, alarms, incidents = LedgerDrawer(session), AlarmsDrawer(session), IncidentsDrawer(session)
        residents, users = ResidentsDrawer(session), UsersDrawer(session)
        windows = WindowsDrawer(session)
        self._presses = alarms, incidents
        self._held = windows, ledger, incidents
        self.ledger: Ledger = ledger
        self.series: Series = series
        self.devices: Devices = devices
        self.residents: Residents = residents
        self.alarms: Alarms = alarms
        self.incidents: Incidents = incidents
        self.timeline: Timeline = timeline
        self.due: Due = due
        self.responders: Responders = RespondersDrawer(session)
        self.assignments: Assignments = AssignmentsDrawer(session)
        self.orders: Orders = OrdersDrawer(session)
        self.calls: Calls = CallsDrawer(session)
        self.outbox: Outbox = outbox
        self.users: Users = users
        self.audit: Audit = AuditDrawer(session)
        self.integrations: Integrations = IntegrationsDrawer(session)
        self.notices: Notices = NoticesDrawer(session)
        self.commands: Commands = CommandsDrawer(session)
        self.quarantine: Quarantine = QuarantineDrawer(session)
        self.reference: Reference = ReferenceDrawer(session)
        self.register: Register = RegisterDrawer(session)
        self.matters: Matters = MattersDrawer(session)
        self.meals: Meals = MealsDrawer(session)
        self.medical: Medical = MedicalDrawer(session)
        self.rota: Rota = RotaDrawer(session)
        self.rules: Rules = RulesDrawer(session)
        self.supervision: Supervision = SupervisionDrawer(session)
        self.windows: Windows = windows
        self.settlement: Settlement = SettlementDrawer(session)
        self.time_bank: TimeBank = TimeBankDrawer(session)
        self.load: Load = LoadDrawer(session)
        self.path_tests: PathTests = PathTestsDrawer(session)
        self.plans: Plans = PlansDrawer(session)
        self.proof: Proof = ProofDrawer(session)
        self.day_plans: DayPlans = DayPlansDrawer(session)
        self.provisioning: Provisioning = ProvisioningDrawer(session)
        self.desk: Desk = DeskDrawer(session)
        self.home: Home = HomeDrawer(session)
        self.everyday: Everyday = EverydayDrawers(session)

    def look(
        self,
        *,
        devices: Collection[str],
        keys: Sequence[tuple[bytes, datetime]],
        presses: Collection[bytes],
        residents: Collection[str],
        slots: Collection[tuple[str, AlarmClass]],
        now: datetime,
        pairs: Collection[tuple[str, str]] = (),
        stretches: Sequence[int | None] = (),
    ) -> Situation:
        """All of it in one exchange with the server; the answers are taken when the last question is out."""
        quieting, ledger, incidents = self._held
        with self.session.together():
            # Before any incident is locked: whoever settles a window locks it first, and incidents after it.
            windows = quieting.in_force_later(now)
            fresh = ledger.take_later(keys, stretches) if keys else set[bytes]
            live = incidents.lock_live_later(slots) if slots else dict[tuple[str, AlarmClass], Incident]
            # The last: whoever waited for another one's keys or locks sees what that one wrote.
            judged = judged_later(
                self.session, devices=devices, presses=presses, residents=residents, pairs=pairs, now=now
            )
        by = judged()
        return Situation(
            by.devices, fresh() - by.stored, by.residents, live(), by.operators, windows(), by.recent, by.plans_stamp
        )

    def store_presses(
        self,
        opened: Sequence[tuple[Incident, Json | None, Sequence[str]]],
        folded: Sequence[tuple[Incident, Json | None]],
        alarms: Sequence[tuple[Alarm, bytes | None, str | None]],
    ) -> None:
        """With the COMMIT, or in one exchange with the server.

        Where incidents only open, errors say all there is to know, and it can be put off: one that was not opened
        leaves its press without what it points at.
        """
        presses, incidents = self._presses

        def write() -> None:
            if opened:
                incidents.insert_later(opened)
            if alarms:
                presses.queue(alarms)

        if not folded and {incident.id for incident, _, _ in opened} <= {pointed for _, _, pointed in alarms}:
            self.session.put_off(write)
            return
        with self.session.together():
            inserted = incidents.insert_later(opened) if opened else set[str]
            saved = incidents.save_later(incidents.rows(folded)) if folded else lambda: None
            if alarms:
                presses.queue(alarms)
        if len(inserted()) < len(opened):
            raise RaceLostError("another transaction opened an incident for the same subject")
        saved()

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
