"""Commands to devices, and ids that two use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal

from hub.ports.commands import CommandRow, DeviceConflict
from hub.ports.records import DeviceRow, Json
from hub.store.session import Session, as_json

__all__ = ["CommandsDrawer"]


class CommandsDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, row: CommandRow) -> None:
        self._session.run(
            "commands_add",
            id=row.id,
            device_id=row.device_id,
            family=row.family,
            command=row.command,
            fields=as_json(row.fields),
            token=row.token,
            incident_id=row.incident_id,
            created_at=row.created_at,
            created_by=row.created_by,
            expires_at=row.expires_at,
        )

    def waiting(self, device_id: str, command: str) -> bool:
        return bool(self._session.value("commands_are_waiting", device_id=device_id, command=command))

    def asked(self, incident_id: str, since: datetime) -> bool:
        return bool(self._session.value("commands_asked", incident_id=incident_id, since=since))

    def voiceless_said(self, incident_id: str) -> bool:
        return bool(self._session.value("commands_voiceless_said", incident_id=incident_id))

    def devices_near(self, incident_id: str, since: datetime) -> list[tuple[DeviceRow, frozenset[str]]]:
        rows = self._session.all("commands_devices_near", incident_id=incident_id, since=since)
        return [
            (DeviceRow(**{name: value for name, value in row.items() if name != "cannot"}), frozenset(row["cannot"]))
            for row in rows
        ]

    def sent(self, outbox_ids: Iterable[int], at: datetime) -> None:
        self._session.run("commands_sent", ids=list(outbox_ids), at=at)

    def refused(self, outbox_id: int, reason: str, at: datetime) -> list[CommandRow]:
        return self._rows(self._session.all("commands_refused", outbox_id=outbox_id, reason=reason[:1000], at=at))

    def heard(
        self, device_id: str, token: str, state: Literal["done", "taken", "failed"], reason: str | None, at: datetime
    ) -> CommandRow | None:
        rows = self._session.all("commands_heard", device_id=device_id, token=token, state=state, reason=reason, at=at)
        return self._rows(rows)[0] if rows else None

    def awaited(self) -> set[str]:
        return {row["device_id"] for row in self._session.all("commands_awaited")}

    def measured(self, device_id: str, command: str, answer: Json, at: datetime) -> list[CommandRow]:
        return self._rows(
            self._session.all("commands_measured", device_id=device_id, command=command, answer=as_json(answer), at=at)
        )

    def expire(self, at: datetime) -> list[CommandRow]:
        return self._rows(self._session.all("commands_expire", at=at))

    def withdraw(self, device_id: str, reason: str, at: datetime) -> list[CommandRow]:
        self._session.run("outbox_withdraw", device_id=device_id, reason=reason, at=at)
        return self._rows(self._session.all("commands_withdraw", device_id=device_id, reason=reason, at=at))

    def unheard(self, sent_before: datetime, most: int) -> Sequence[CommandRow]:
        return self._rows(self._session.all("commands_unheard", before=sent_before, most=most))

    def again(self, command_ids: Collection[str]) -> None:
        self._session.run("commands_again", ids=list(command_ids))

    def conflict(self, found: DeviceConflict) -> bool:
        return bool(
            self._session.value(
                "device_conflict",
                device_id=found.device_id,
                family=found.family,
                kind=found.kind,
                addresses=list(found.addresses),
                at=found.at,
            )
        )

    @staticmethod
    def _rows(found: Sequence[Json]) -> list[CommandRow]:
        return [CommandRow(**row) for row in found]
