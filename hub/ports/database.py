"""The store as use cases see it: one `Transaction` with a drawer a noun. Protocols only.

A use case opens `with database.begin() as tx:`; leaving the block commits, an exception rolls everything back. Rows are
locked in the order of their subjects. Timeline entries are buffered and written by the last statements of the
transaction, so that the order of sequence numbers is the order of visibility.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Protocol

from hub.alarms.model import Alarm, AlarmClass, Incident
from hub.care import Resident
from hub.ports.commands import Commands, SensorRow
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
from hub.ports.records import (
    AssignmentRow,
    DeviceRow,
    DeviceSeen,
    DueRow,
    EncodedRows,
    EndedToken,
    EntryRow,
    FixRow,
    Json,
    Meanwhile,
    MeasuredRow,
    ObservationRow,
    OrderRow,
    OutboxRow,
    SessionRow,
    UplinkRow,
    UserRow,
    VisitRow,
)
from hub.ports.reference import Audit, Reference
from hub.ports.register import Register
from hub.ports.responders import Responders
from hub.ports.rota import Rota
from hub.ports.rules import Rules
from hub.ports.settlement import Settlement
from hub.ports.situation import Situation
from hub.ports.supervision import Supervision
from hub.ports.time_bank import TimeBank
from hub.ports.windows import Windows

__all__ = [
    "Alarms",
    "Assignments",
    "Audit",
    "Calls",
    "Database",
    "Devices",
    "Due",
    "Incidents",
    "Ledger",
    "Orders",
    "Outbox",
    "Reference",
    "Residents",
    "Series",
    "Timeline",
    "Transaction",
    "Users",
]


class Ledger(Protocol):
    """`uplink_seen`: what was taken already."""

    def take(self, keys: Sequence[tuple[bytes, datetime]], stretches: Sequence[int | None] = ()) -> set[bytes]:
        """Claims keys (digest, received_at); gives those that were fresh. A key twice in one call is fresh once.
        `stretches`: of each key the ten seconds since 1970 it was observed in, by which it is found when packed.
        """

    def prune(self, before: datetime) -> int:
        """Forgets keys received before; gives how many."""


class Series(Protocol):
    """Uplink log, observations and fixes; written by COPY."""

    def write(
        self,
        uplinks: Sequence[UplinkRow],
        observations: Sequence[ObservationRow],
        fixes: Sequence[FixRow],
        ready: Sequence[EncodedRows] = (),
    ) -> None:
        """Appends; `ready`: further uplinks with their observations, from `Database.encoded`."""


class Devices(Protocol):
    def get_many(self, ids: Collection[str]) -> dict[str, DeviceRow]: ...

    def adopt_unknown(self, ids: Mapping[str, str], at: datetime) -> None:
        """Makes rows for devices that reported without having been added (id -> family), marked as not adopted."""

    def describe(self, family: str, upstream: str, rows: Sequence[SensorRow], at: datetime) -> None:
        """What a gateway says of its sensors: rows not adopted where there are none, else only what is not set yet."""

    def seen(self, seen: Sequence[DeviceSeen]) -> None:
        """Moves last_seen_at forward (never back), online, battery, last fix; several of a device: the latest wins."""

    def add(self, row: DeviceRow, *, name: str | None, secret_hash: str | None) -> None:
        """Adds or adopts; ConflictError where an adopted device of that id exists."""

    def secret_hash(self, device_id: str) -> str | None: ...


class Residents(Protocol):
    def get(self, resident_id: str) -> Resident | None: ...

    def get_many(self, ids: Collection[str]) -> dict[str, Resident]: ...

    def set_status(
        self, resident_id: str, status: str, reason: str | None, at: datetime, *, until: date | None = None
    ) -> None:
        """`at`: since when; `until`: the day on which the resident is expected back."""


class Alarms(Protocol):
    def add_many(self, rows: Sequence[tuple[Alarm, bytes | None, str | None]]) -> None:
        """(alarm, key digest, incident id) each."""

    def count_repeat(self, keys: Collection[bytes]) -> dict[bytes, tuple[str | None, str | None]]:
        """Counts a repeat of stored presses; key -> (ref, state of its incident or None)."""

    def incident_of_ref(self, device_id: str, ref: str) -> str | None:
        """The incident that the press with this ref joined."""

    def refs_of(self, incident_id: str) -> list[tuple[str, str, str | None, str]]:
        """(device id, family, ref, alarm type) of the presses of an incident: who must be told hold or handled."""


class Incidents(Protocol):
    def lock_live(self, subjects: Collection[tuple[str, AlarmClass]]) -> dict[tuple[str, AlarmClass], Incident]:
        """Live incidents of these subjects and classes, locked in subject order."""

    def insert(self, incident: Incident, *, fix: Json | None, area_path: Sequence[str]) -> bool:
        """False where another transaction opened one for the subject and class meanwhile: lock_live again."""

    def insert_many(self, rows: Sequence[tuple[Incident, Json | None, Sequence[str]]]) -> set[str]:
        """(incident, fix, area path) each, in one statement; the ids inserted. A missing one: as False of `insert`."""

    def get(self, incident_id: str, *, lock: bool = False) -> Incident | None: ...

    def save(self, incident: Incident, *, fix: Json | None = None) -> None:
        """Writes every field of the value (policy excepted: it is a copy of the day it opened); `fix` where given.

        The first acknowledgement's time is kept beside (first_acknowledged_at), for the answering times.
        """

    def save_many(self, rows: Sequence[tuple[Incident, Json | None]]) -> None: ...

    def devices_about(self) -> list[str]:
        """Devices of people with an open matter (no technical one), and devices that have one themselves."""

    def lock_about(self, device_ids: Collection[str]) -> list[tuple[str, Json | None, list[str]]]:
        """Such matters of these devices, locked in subject order: (id, the fix it holds, which of the devices)."""

    def set_fix(self, incident_id: str, fix: Json) -> None:
        """The position it holds from now on. Its version stays as it is."""

    def supervise(self, incident_id: str, user_id: str, at: datetime) -> None: ...

    def shelve_reason(self, incident_id: str, reason: str | None) -> None: ...


class Timeline(Protocol):
    def add(self, *entries: EntryRow) -> None:
        """Buffers; written with sequence numbers when the transaction ends."""

    def beside(self, event: str, body: Json, responders: Iterable[str] = ()) -> None:
        """Tells the open pages of every process once this is committed, and writes nothing: no number, no replay.

        `responders`: whose matter it is. More than a notification carries (7,900 bytes) is told as an empty `body`.
        """


class Due(Protocol):
    def set(self, *rows: DueRow) -> None: ...

    def clear(self, subject_kind: str, subject_id: str, steps: Collection[str] | None = None) -> None:
        """Takes away the given steps, or all."""

    def claim(self, now: datetime, limit: int) -> list[DueRow]:
        """Takes rows whose time has come (SKIP LOCKED) and deletes them: the outcome sets the next ones."""

    def next_at(self) -> datetime | None: ...


class Assignments(Protocol):
    def insert(self, row: AssignmentRow) -> None:
        """ConflictError where the responder has a live assignment to the same matter."""

    def get(self, assignment_id: str, *, lock: bool = False) -> AssignmentRow | None: ...

    def save(self, row: AssignmentRow) -> None:
        """ConflictError where the responder is under way elsewhere (extra: incident_id, visit_id)."""

    def of_incident(self, incident_id: str) -> list[AssignmentRow]: ...

    def of_visit(self, visit_id: str) -> list[AssignmentRow]: ...

    def live_of(self, responder_id: str) -> list[AssignmentRow]:
        """All that a responder was offered and has not ended."""

    def arrives(self, assignment_id: str, eta_s: int, eta_at: datetime) -> None:
        """The arrival, reckoned anew; nothing where it is there already, or was reckoned later. The version stays."""

    def under_way(self, responder_id: str) -> AssignmentRow | None:
        """The one en_route or on_scene assignment of a responder."""


class Orders(Protocol):
    def insert(self, order: OrderRow, visit: VisitRow) -> None: ...

    def get(self, order_id: str, *, lock: bool = False) -> tuple[OrderRow, VisitRow] | None: ...

    def get_many(self, order_ids: Collection[str]) -> dict[str, tuple[OrderRow, VisitRow]]:
        """By the order's id; what there is not is left out."""

    def of_visit(self, visit_id: str, *, lock: bool = False) -> tuple[OrderRow, VisitRow] | None: ...

    def save(self, order: OrderRow, visit: VisitRow) -> None: ...

    def open_of_resident(self, resident_id: str) -> list[tuple[OrderRow, VisitRow]]: ...


class Calls(Protocol):
    def insert(self, row: Json) -> None: ...

    def update(self, call_id: str, changes: Json) -> None: ...

    def get(self, call_id: str) -> Json | None: ...


class Outbox(Protocol):
    def add(self, *rows: OutboxRow) -> None: ...

    def claim(self, channel: str, now: datetime, limit: int, *, retry_after: timedelta) -> list[OutboxRow]:
        """Takes due rows (SKIP LOCKED), counts the attempt, moves due_at by `retry_after`: a crash means a retry."""

    def supersede(self, channel: str, incident_id: str, at: datetime) -> None:
        """Gives up what of an incident has not left yet: newer words follow in this transaction."""

    def hasten(self, device_ids: Collection[str], at: datetime) -> None:
        """What waits for these devices becomes due."""

    def sent(self, ids: Iterable[int], at: datetime) -> None: ...

    def failed(self, row_id: int, error: str, at: datetime, *, final: bool) -> None: ...


class Users(Protocol):
    def by_name(self, username: str) -> UserRow | None: ...

    def get(self, user_id: str) -> UserRow | None: ...

    def insert(self, user: UserRow) -> None:
        """ConflictError where the name is taken."""

    def save(self, user: UserRow) -> None: ...

    def attempt(self, username: str, address: str, ok: bool, at: datetime) -> None: ...

    def failures_since(self, username: str, address: str, since: datetime) -> tuple[int, int]:
        """Failed attempts (of the name, from the address) since then and since the last success of that name."""

    def open_session(self, session: SessionRow) -> None: ...

    def session(self, token_hash: bytes, now: datetime) -> tuple[SessionRow, UserRow] | None:
        """Only sessions that have not expired, of active users."""

    def touch_session(self, token_hash: bytes, at: datetime, expires_at: datetime) -> None: ...

    def close_session(self, token_hash: bytes) -> None: ...

    def end_token(self, token_id: str, now: datetime) -> EndedToken | None:
        """Ends one bearer token by its id; None where there is none that is still good."""

    def close_sessions_of(self, user_id: str, *, keep: bytes | None = None) -> int:
        """Ends every session and token of a user except `keep`; gives how many."""

    def set_seat_on_duty(self, token_hash: bytes, on_duty: bool) -> None: ...

    def operators_on_duty(self, now: datetime) -> int:
        """Console sessions of operators that are on duty and were seen lately."""


class Transaction(Protocol):
    """One transaction. `now` is the time the use case works with."""

    ledger: Ledger
    series: Series
    devices: Devices
    residents: Residents
    alarms: Alarms
    incidents: Incidents
    timeline: Timeline
    due: Due
    responders: Responders
    assignments: Assignments
    orders: Orders
    calls: Calls
    outbox: Outbox
    users: Users
    audit: Audit
    integrations: Integrations
    notices: Notices
    commands: Commands
    quarantine: Quarantine
    reference: Reference
    register: Register
    matters: Matters
    meals: Meals
    medical: Medical
    rota: Rota
    rules: Rules
    settlement: Settlement
    supervision: Supervision
    time_bank: TimeBank
    windows: Windows
    load: Load
    path_tests: PathTests
    plans: Plans
    proof: Proof
    day_plans: DayPlans
    provisioning: Provisioning
    desk: Desk
    home: Home
    everyday: Everyday

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
        """Claims `keys` as `Ledger.take` does, locks the live incidents of `slots` (subject, class), reads the rest.

        `presses` are the keys of alarms among `keys`: one that is stored as an alarm is a repeat, however long ago the
        ledger forgot it. `pairs`: device and type of what may chatter.
        """

    def store_presses(
        self,
        opened: Sequence[tuple[Incident, Json | None, Sequence[str]]],
        folded: Sequence[tuple[Incident, Json | None]],
        alarms: Sequence[tuple[Alarm, bytes | None, str | None]],
    ) -> None:
        """`Incidents.insert_many`, `Incidents.save_many` and `Alarms.add_many` in one exchange.

        It may be put off until something is asked that could depend on it, or until the COMMIT; its errors come then:
        RaceLostError where another transaction opened one of the incidents meanwhile, ConflictError for a press that
        is stored already.
        """

    def idempotent(self, user_id: str, key: str, request: bytes, now: datetime) -> Json | None:
        """Claims an idempotency key: None where fresh, else `{"status", "answer"}` of the first time.

        ConflictError where the key was used for another request or its first request is still under way.
        """

    def remember(self, user_id: str, key: str, status: int, answer: Json) -> None: ...

    def forget(self, user_id: str, key: str) -> None:
        """Gives a claimed key free: its request failed and did nothing."""


class Database(Protocol):
    def encoded(self, uplink: UplinkRow, measured: MeasuredRow) -> EncodedRows:
        """Rows as `Series.write` takes them ready made. Pure: it can be done before there is a transaction."""

    def begin(self, lane: str = "main", meanwhile: Meanwhile | None = None) -> AbstractContextManager[Transaction]:
        """Opens a transaction on a connection of the lane ("alarm" has its own). UnavailableError where it is away.

        Lane "brief" is "main" for what must not wait: a database that is silent for seconds counts as away there.

        `meanwhile` gets its turns while the transaction waits for the database.
        """
