"""Telling devices to do something, and what becomes of it.

A command is a row from the moment it is given until it is answered, has failed or has expired; the outbox carries it.
Where a device's wire only says that it has the command, its next position or measurement is the answer to `locate` and
`measure`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from devices import Decoded, Event
from devices.dialects import DIALECTS, Order, answer_of, commands_of, token_of
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import (
    SYSTEM,
    Actor,
    CommandRow,
    Database,
    DeviceConflict,
    DeviceRow,
    EntryRow,
    Incoming,
    Json,
    OutboxRow,
    Transaction,
)
from hub.service.asking import UNSUPPORTED, no_voice
from hub.service.raising import NewAlarm
from hub.service.series import fix_json

__all__ = ["CommandDesk", "Said", "tell_command"]

_DAY = timedelta(hours=24)
_LIVES: Mapping[str, timedelta] = {
    "locate": timedelta(hours=1),
    "measure": timedelta(hours=1),
    "speak": timedelta(hours=1),
    "reboot": timedelta(hours=1),
    # Ringing or calling somebody later than this would frighten more than help.
    "find": timedelta(minutes=10),
    "call": timedelta(minutes=10),
    "set_interval": timedelta(days=7),
}
_LONGEST = timedelta(days=30)
_HEAR_WITHIN = timedelta(seconds=60)
_MOST_SENT = 3
_NEEDS_A_PLACE = frozenset({"sos", "fall", "voice_help", "assistance", "wandering"})
_LOOK_AGAIN = timedelta(seconds=1)
_AFTER_THE_ANSWER = timedelta(seconds=1)


class Said(Protocol):
    """What a device said, decoded, as the ingest path has it."""

    @property
    def incoming(self) -> Incoming: ...

    @property
    def decoded(self) -> Decoded: ...


class CommandDesk:
    """Gives commands, and takes what is heard of them. Thread-safe."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._awaited: tuple[datetime, frozenset[str]] | None = None

    # --- giving -------------------------------------------------------------------------------------------------------

    def give(
        self,
        device_id: str,
        command: str,
        fields: Mapping[str, Any],
        actor: Actor,
        *,
        incident_id: str | None = None,
        lives: timedelta | None = None,
    ) -> str:
        """Keeps a command for a device until it is delivered; gives its id.

        NotFoundError: no such device or incident. ConflictError: the device's family cannot do it (code `cannot`), the
        device was revoked, or the incident is about somebody else. BadRequestError: a field is wrong.
        """
        now = self._clock()
        with self._database.begin() as tx:
            device = tx.devices.get_many([device_id]).get(device_id)
            if device is None:
                raise NotFoundError(f"no device {device_id}")
            if device.revoked:
                raise ConflictError(f"device {device_id} was revoked", code="revoked")
            if incident_id is not None:
                _check_incident(tx, incident_id, device)
            return self.give_in(tx, device, command, fields, actor, now, incident_id=incident_id, lives=lives)

    def give_in(
        self,
        tx: Transaction,
        device: DeviceRow,
        command: str,
        fields: Mapping[str, Any],
        actor: Actor,
        now: datetime,
        *,
        incident_id: str | None,
        lives: timedelta | None = None,
        after: timedelta = timedelta(0),
    ) -> str:
        """As `give`, inside the caller's transaction; nothing is written where it raises."""
        if command not in commands_of(device.family) and not _open(device.family):
            can = ", ".join(commands_of(device.family))
            raise ConflictError(
                f"a device of family {device.family} cannot {command}; "
                + (f"it can {can}" if can else "it only reports"),
                code="cannot",
                capabilities=list(commands_of(device.family)),
            )
        command_id = self._new_id()
        try:
            token = token_of(device.family, Order(device.id, command_id, command, fields, at=now))
        except ValueError as error:
            named = str(error).partition(":")[0]
            raise BadRequestError(str(error), field=named if named.isidentifier() else "command") from None
        row = CommandRow(
            id=command_id,
            device_id=device.id,
            family=device.family,
            command=command,
            token=token,
            created_at=now,
            expires_at=now + min(lives or _LIVES.get(command, _DAY), _LONGEST),
            fields=dict(fields),
            created_by=actor.user_id,
            incident_id=incident_id,
        )
        tx.commands.add(row)
        tx.outbox.add(_outbox_row(row, now, now + after))
        tell_command(tx, row, "commanded", actor, now)
        tx.audit.add(actor, "device.command", f"device:{device.id}", {"command": command, "incident": incident_id}, now)
        return command_id

    def locate(self, tx: Transaction, device_id: str, family: str, incident_id: str | None, now: datetime) -> None:
        """Asks a tracker where it is, by itself, where nobody has asked it already."""
        dialect = DIALECTS.get(family)
        if dialect is None or dialect.via != "tcp" or "locate" not in dialect.names:
            return
        if not tx.commands.waiting(device_id, "locate"):
            device = DeviceRow(id=device_id, family=family, resident_id=None, area_id=None)
            # The answer to the alarm goes first: it is what the device waits for.
            self.give_in(tx, device, "locate", {}, SYSTEM, now, incident_id=incident_id, after=_AFTER_THE_ANSWER)

    def locate_where_needed(self, tx: Transaction, alarms: Sequence[NewAlarm], now: datetime) -> None:
        """Calls for help that say not where: their devices are asked, in the transaction that raises them."""
        for new in alarms:
            alarm = new.alarm
            if (
                alarm.device_id is not None
                and alarm.type in _NEEDS_A_PLACE
                and alarm.fix is None
                and not alarm.test
                and not alarm.buffered
            ):
                self.locate(tx, alarm.device_id, new.family, new.incident_id, now)

    # --- what is heard ------------------------------------------------------------------------------------------------

    def heard(self, tx: Transaction, said: Iterable[Said], now: datetime) -> None:
        """Finds in what devices said the answers to commands, and writes them. A question a second where none waits."""
        awaited = self._awaited_now(tx, now)
        for one in said:
            for event in one.decoded.events:
                if event.kind == "reply":
                    self._answered(tx, event, one.incoming.family, one.incoming.uplink.received_at)
                elif awaited and event.device_id in awaited and not event.buffered:
                    self._measured(tx, event, one.incoming.uplink.received_at)

    def _answered(self, tx: Transaction, event: Event, family: str, at: datetime) -> None:
        answer = answer_of(family, event)
        if answer is None:
            return
        row = tx.commands.heard(event.device_id, answer.token, answer.state, answer.reason, at)
        if row is None:
            return
        self._awaited = None
        actor = Actor("device", event.device_id)
        if row.state == "failed" and _of_step_0(row) and row.incident_id and (row.reason or "").startswith(UNSUPPORTED):
            # The hub asked by itself, and the device has no voice: a fact about the device, no failure of the incident.
            tell_command(tx, replace(row, incident_id=None), "command_failed", actor, at)
            no_voice(tx, row.incident_id, at, {row.device_id: UNSUPPORTED})
            return
        tell_command(tx, row, f"command_{row.state}", actor, at)

    def _measured(self, tx: Transaction, event: Event, at: datetime) -> None:
        if event.fix is not None and event.fix.source != "last_known":
            for row in tx.commands.measured(event.device_id, "locate", {"fix": fix_json(event.fix)}, at):
                tell_command(tx, row, "command_answered", Actor("device", event.device_id), at, fix=fix_json(event.fix))
        if event.vitals:
            for row in tx.commands.measured(event.device_id, "measure", {"vitals": dict(event.vitals)}, at):
                tell_command(
                    tx, row, "command_answered", Actor("device", event.device_id), at, vitals=dict(event.vitals)
                )

    def _awaited_now(self, tx: Transaction, now: datetime) -> frozenset[str]:
        kept = self._awaited
        if kept is None or now - kept[0] >= _LOOK_AGAIN:
            kept = self._awaited = (now, frozenset(tx.commands.awaited()))
        return kept[1]

    # --- the way down -------------------------------------------------------------------------------------------------

    def left(self, outbox_ids: Sequence[int]) -> None:
        """These rows of the outbox have reached the broker, or the device's connection."""
        now = self._clock()
        with self._database.begin() as tx:
            tx.outbox.sent(outbox_ids, now)
            tx.commands.sent(outbox_ids, now)
        self._awaited = None

    def put_off(self, outbox_id: int, reason: str, *, final: bool) -> None:
        """This row could not be delivered; `final`: it never can."""
        now = self._clock()
        with self._database.begin() as tx:
            tx.outbox.failed(outbox_id, reason, now, final=final)
            if final:
                for row in tx.commands.refused(outbox_id, reason, now):
                    tell_command(tx, row, "command_failed", SYSTEM, now, reason=reason)

    def hasten(self, device_ids: Sequence[str]) -> None:
        """These devices have just connected: what waits for them is due."""
        with self._database.begin() as tx:
            tx.outbox.hasten(device_ids, self._clock())

    def tidy(self) -> None:
        """Ends what was not answered in time; sends again what no device has spoken of, where that does no harm."""
        now = self._clock()
        with self._database.begin() as tx:
            for row in tx.commands.expire(now):
                tell_command(tx, row, "command_expired", SYSTEM, now)
            again = [
                row
                for row in tx.commands.unheard(now - _HEAR_WITHIN, _MOST_SENT)
                if row.family in DIALECTS and row.command in DIALECTS[row.family].again
            ]
            if again:
                tx.commands.again([row.id for row in again])
                tx.outbox.add(*(_outbox_row(row, now, now) for row in again))

    def conflict(self, found: DeviceConflict) -> None:
        """Keeps, and tells once an hour, that an id is used from two places."""
        with self._database.begin() as tx:
            if tx.commands.conflict(found):
                tx.timeline.add(
                    EntryRow(
                        at=found.at,
                        subject_kind="device",
                        subject_id=found.device_id,
                        kind="conflict",
                        body={"kind": found.kind, "addresses": list(found.addresses), "family": found.family},
                    )
                )


def _of_step_0(row: CommandRow) -> bool:
    """Whether the hub gave it by itself for step 0 of a plan."""
    return row.command in ("speak", "call") and row.created_by is None


def _open(family: str) -> bool:
    return family in DIALECTS and DIALECTS[family].open


def _check_incident(tx: Transaction, incident_id: str, device: DeviceRow) -> None:
    incident = tx.incidents.get(incident_id)
    if incident is None:
        raise NotFoundError(f"no incident {incident_id}", field="incident_id")
    theirs = incident.resident_id is not None and incident.resident_id == device.resident_id
    if incident.device_id != device.id and not theirs:
        raise ConflictError(f"incident {incident_id} is not about device {device.id}", code="other-incident")


def _outbox_row(row: CommandRow, now: datetime, due_at: datetime) -> OutboxRow:
    # Without the incident: newer words of an incident take older ones back, and this is none of them.
    return OutboxRow(
        channel="device",
        target=row.device_id,
        body={"kind": "command", "id": row.id, "command": row.command, "fields": dict(row.fields)},
        created_at=now,
        due_at=due_at,
        expires_at=row.expires_at,
    )


_Kind = Literal["device", "incident"]


def tell_command(tx: Transaction, row: CommandRow, kind: str, actor: Actor, at: datetime, **more: Any) -> None:
    """A line on the device's timeline, and on the incident's where the command belongs to one."""
    body: Json = {"command_id": row.id, "command": row.command, "device_id": row.device_id, **more}
    if row.reason and "reason" not in body:
        body["reason"] = row.reason
    subjects: list[tuple[_Kind, str]] = [("device", row.device_id)]
    if row.incident_id is not None:
        subjects.append(("incident", row.incident_id))
    for subject_kind, subject_id in subjects:
        tx.timeline.add(
            EntryRow(at=at, subject_kind=subject_kind, subject_id=subject_id, kind=kind, actor=actor, body=body)
        )
