"""Presses, each a row of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from hub.alarms.model import Alarm
from hub.ports.records import Json
from hub.store.session import Session, as_json, is_uuid

__all__ = ["AlarmsDrawer"]


def _row(alarm: Alarm, key: bytes | None, incident_id: str | None) -> Json:
    return {
        "id": alarm.id,
        "key": key,
        "device_id": alarm.device_id,
        "resident_id": alarm.resident_id,
        "incident_id": incident_id,
        "ref": alarm.ref,
        "type": alarm.type,
        "class": alarm.alarm_class,
        "priority": alarm.priority,
        "observed_at": alarm.observed_at,
        "received_at": alarm.received_at,
        "fix": alarm.fix,
        "battery_pct": alarm.battery_pct,
        "test": alarm.test,
        "buffered": alarm.buffered,
        "note": alarm.note,
        "cancels": alarm.cancels,
        "source": alarm.source,
        "attributes": alarm.attributes,
    }


class AlarmsDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add_many(self, rows: Sequence[tuple[Alarm, bytes | None, str | None]]) -> None:
        """ConflictError(code="repeat") where a press of that key is stored already: the second fence, for keys the
        ledger has forgotten. RaceLostError where one points at an incident that was not opened.
        """
        if rows:
            with self._session.together():
                self.queue(rows)

    def queue(self, rows: Sequence[tuple[Alarm, bytes | None, str | None]]) -> None:
        """As `add_many`, inside a pipeline without waiting for the outcome."""
        self._session.queue("alarms_add", rows=as_json([_row(*row) for row in rows]))

    def count_repeat(self, keys: Collection[bytes]) -> dict[bytes, tuple[str | None, str | None]]:
        if not keys:
            return {}
        rows = self._session.all("alarms_count_repeat", keys=list(keys))
        return {row["key"]: (row["ref"], row["state"]) for row in rows}

    def incident_of_ref(self, device_id: str, ref: str) -> str | None:
        found: str | None = self._session.value("alarms_incident_of_ref", device_id=device_id, ref=ref)
        return found

    def refs_of(self, incident_id: str) -> list[tuple[str, str, str | None, str]]:
        if not is_uuid(incident_id):
            return []
        rows = self._session.all("alarms_refs_of", incident_id=incident_id)
        return [(row["device_id"], row["family"], row["ref"], row["type"]) for row in rows]
