"""Alarms raised by people: a phone call, a walk-in, the app, a page of an area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.alarms import ALARM_TYPES
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, NotFoundError
from hub.ports import Actor, Database
from hub.service.raising import NewAlarm, Raising, again_where_raced, alarm_of_person

__all__ = ["Intake"]


class Intake:
    """Takes what a person says and raises it by the same rules as a device's press."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, raising: Raising) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._raising = raising

    def raise_from_person(self, fields: Mapping[str, Any], actor: Actor) -> tuple[str, str | None]:
        """Gives (alarm id, incident id or None where it is only recorded).

        `fields`: type, resident_id or area_id, optionally note, phone, fix, test, channel.
        """
        alarm_type = str(fields["type"])
        if alarm_type == "cancel" or alarm_type not in set[str](ALARM_TYPES):
            raise BadRequestError(f"there is no alarm type {alarm_type!r}", field="type")
        if not fields.get("resident_id") and not fields.get("area_id"):
            raise BadRequestError("say whom or where it is about: resident_id or area_id", field="resident_id")
        return again_where_raced(lambda: self._raise(alarm_type, fields, actor))

    def _raise(self, alarm_type: str, fields: Mapping[str, Any], actor: Actor) -> tuple[str, str | None]:
        now = self._clock()
        attributes = {name: fields[name] for name in ("phone", "channel", "caller") if fields.get(name)}
        with self._database.begin() as tx:
            resident_id = fields.get("resident_id")
            if resident_id is not None and tx.residents.get(resident_id) is None:
                raise NotFoundError(f"no resident {resident_id}", field="resident_id")
            area_id = fields.get("area_id")
            if area_id is not None and tx.reference.get("areas", area_id) is None:
                raise NotFoundError(f"no area {area_id}", field="area_id")
            alarm = alarm_of_person(
                self._new_id(),
                alarm_type,
                now,
                resident_id=resident_id,
                area_id=area_id,
                fix=fields.get("fix"),
                test=bool(fields.get("test")),
                note=fields.get("note"),
                attributes=attributes,
            )
            new = NewAlarm(alarm, actor=actor, area_id=area_id)
            self._raising.raise_alarms(tx, [new], now)
        return alarm.id, new.incident_id
