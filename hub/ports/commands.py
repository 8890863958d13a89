"""What devices are told to do, and ids that two use: rows and drawer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, get_args

from hub.ports.records import DeviceRow, Json

__all__ = ["COMMAND_STATES", "CommandRow", "CommandState", "Commands", "DeviceConflict", "SensorRow"]

CommandState = Literal["queued", "sent", "delivered", "answered", "expired", "failed"]
COMMAND_STATES: tuple[CommandState, ...] = get_args(CommandState)


@dataclass(frozen=True, slots=True)
class CommandRow:
    """One command for one device.

    `queued`: kept for the device; `sent`: on its way (the broker or the device's connection has it); `delivered`: the
    device has said so; `answered`: it was done; `expired`, `failed`: it was not, with the reason. `token`: by what the
    device's answer names it. `incident_id`: the matter it belongs to.
    """

    id: str
    device_id: str
    family: str
    command: str
    token: str
    created_at: datetime
    expires_at: datetime
    state: CommandState = "queued"
    fields: Mapping[str, Any] = field(default_factory=dict)
    created_by: str | None = None
    incident_id: str | None = None
    attempts: int = 0
    sent_at: datetime | None = None
    reason: str | None = None


class DeviceConflict(NamedTuple):
    """An id that two use: `two_addresses` at the same time, or `second_id` on another device's connection."""

    device_id: str
    at: datetime
    family: str
    kind: Literal["two_addresses", "second_id"]
    addresses: tuple[str, ...]


class SensorRow(NamedTuple):
    """A sensor as its gateway describes it."""

    id: str
    model: str | None
    name: str
    profile: Json


class Commands(Protocol):
    def add(self, row: CommandRow) -> None: ...

    def waiting(self, device_id: str, command: str) -> bool:
        """Whether such a command is on its way to the device already."""

    def asked(self, incident_id: str, since: datetime) -> bool:
        """Whether a device was told to speak or to ring because of the incident since then."""

    def voiceless_said(self, incident_id: str) -> bool:
        """Whether the incident's timeline says already that no device has a voice."""

    def devices_near(self, incident_id: str, since: datetime) -> list[tuple[DeviceRow, frozenset[str]]]:
        """The devices of the resident of an incident: the alarm's own first, then those that are there.

        Beside each the commands to speak or ring that it said since then it does not know.
        """

    def sent(self, outbox_ids: Iterable[int], at: datetime) -> None:
        """These rows of the outbox have left: their commands are `sent`."""

    def refused(self, outbox_id: int, reason: str, at: datetime) -> list[CommandRow]:
        """This row of the outbox cannot be delivered at all: its command has `failed`."""

    def heard(
        self, device_id: str, token: str, state: Literal["done", "taken", "failed"], reason: str | None, at: datetime
    ) -> CommandRow | None:
        """The device's word on the oldest command that waits under this token; None where none does.

        `taken` is the last word on a command from which nothing more follows than that it was done.
        """

    def awaited(self) -> set[str]:
        """Devices of which a position or a measurement is awaited that a command asked for."""

    def measured(self, device_id: str, command: str, answer: Json, at: datetime) -> list[CommandRow]:
        """What a command asked for has come: those that have left are `answered`."""

    def expire(self, at: datetime) -> list[CommandRow]:
        """Ends what was not answered in time; gives those."""

    def withdraw(self, device_id: str, reason: str, at: datetime) -> list[CommandRow]:
        """Ends what waits for the device, and drops what was to be told to it; gives the commands."""

    def unheard(self, sent_before: datetime, most: int) -> Sequence[CommandRow]:
        """Commands that left before and of which nothing was heard, sent less than `most` times."""

    def again(self, command_ids: Collection[str]) -> None:
        """They are `queued` once more."""

    def conflict(self, found: DeviceConflict) -> bool:
        """Keeps that an id is used by two. True: nothing of the kind was known for the last hour."""
