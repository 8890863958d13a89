"""Devices as ingest needs them. What was heard of them is buffered: their rows are locked late and briefly."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from hub.errors import ConflictError
from hub.ports.commands import SensorRow
from hub.ports.records import DeviceRow, DeviceSeen, Json
from hub.store.session import Session, as_json

__all__ = ["DevicesDrawer"]


def _latest(seen: Sequence[DeviceSeen]) -> list[Json]:
    """One row a device: the latest word on each column, and the latest sign of life."""
    rows: dict[str, Json] = {}
    for one in sorted(seen, key=lambda heard: heard.at):
        row = rows.setdefault(one.device_id, {"id": one.device_id, "alive": None})
        row["at"] = one.at
        if one.online:
            row["alive"] = one.at
        if one.online is not None:
            row["online"] = one.online
        if one.battery_pct is not None:
            row["battery"] = one.battery_pct
        if one.last_fix is not None:
            row["fix"] = one.last_fix
        if one.charging is not None:
            row["charging"] = one.charging
        if one.clock is not None:
            row["clock"], row["clock_at"] = one.clock, one.at
    return list(rows.values())


class DevicesDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._seen: list[DeviceSeen] = []

    def get_many(self, ids: Collection[str]) -> dict[str, DeviceRow]:
        if not ids:
            return {}
        return {row["id"]: DeviceRow(**row) for row in self._session.all("devices_get", ids=list(ids))}

    def adopt_unknown(self, ids: Mapping[str, str], at: datetime) -> None:
        if ids:
            self._session.run("devices_adopt_unknown", ids=list(ids), families=list(ids.values()), at=at)

    def describe(self, family: str, upstream: str, rows: Sequence[SensorRow], at: datetime) -> None:
        listed = [row._asdict() for row in sorted(rows, key=lambda row: row.id)]
        if listed:
            self._session.run("devices_describe", family=family, upstream=upstream, rows=as_json(listed), at=at)

    def seen(self, seen: Sequence[DeviceSeen]) -> None:
        self._seen.extend(seen)

    def write(self) -> None:
        """What was heard, at the end of the transaction."""
        if self._seen:
            seen, self._seen = self._seen, []
            self._session.queue("devices_seen", rows=as_json(_latest(seen)))

    def add(self, row: DeviceRow, *, name: str | None, secret_hash: str | None) -> None:
        added = self._session.one(
            "devices_add",
            id=row.id,
            family=row.family,
            name=name,
            resident_id=row.resident_id,
            area_id=row.area_id,
            profile=as_json(row.profile),
            secret_hash=secret_hash,
        )
        if added is None:
            raise ConflictError(f"device {row.id} is there already", field="id", value=row.id)

    def secret_hash(self, device_id: str) -> str | None:
        """None too for a device that is revoked: it may not sign in."""
        found: str | None = self._session.value("devices_secret", id=device_id)
        return found
