"""Alarms raised by people: a phone call, a walk-in, the app, a page of an area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.alarms import ALARM_TYPES, Priority, classify
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, NotFoundError
from hub.ports import Actor, Database
from hub.service.area_codes import Matter
from hub.service.patrols import PATROL_MATTERS
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

        `fields`: type or matter, resident_id or area_id, optionally note, caller, phone, fix, test, channel; priority,
        with priority_reason where it is another than the type's (or the matter's) own.
        """
        alarm_type, matter = _kind(fields)
        if not fields.get("resident_id") and not fields.get("area_id"):
            raise BadRequestError("say whom or where it is about: resident_id or area_id", field="resident_id")
        priority, why = _level(alarm_type, matter, fields)
        return again_where_raced(lambda: self._raise(alarm_type, matter, priority, why, fields, actor))

    def _raise(
        self,
        alarm_type: str,
        matter: Matter | None,
        priority: Priority | None,
        why: Mapping[str, str],
        fields: Mapping[str, Any],
        actor: Actor,
    ) -> tuple[str, str | None]:
        now = self._clock()
        attributes = {name: fields[name] for name in ("phone", "channel", "caller") if fields.get(name)}
        if matter is not None:
            attributes["kind"] = fields["matter"]
        # What is seen on patrol says first what it is; a matter told to the desk reads the same.
        said = [matter.zh if matter else None, fields.get("note")]
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
                priority=priority,
                test=bool(fields.get("test")),
                note=" · ".join(one for one in said if one) or None,
                attributes={**attributes, **why},
            )
            new = NewAlarm(alarm, actor=actor, area_id=area_id)
            self._raising.raise_alarms(tx, [new], now)
        return alarm.id, new.incident_id


def _kind(fields: Mapping[str, Any]) -> tuple[str, Matter | None]:
    """(alarm type, grid matter or None). BadRequestError: neither, both, or an unknown word."""
    word = fields.get("matter")
    if word is None:
        alarm_type = str(fields.get("type") or "")
        if alarm_type == "cancel" or alarm_type not in set[str](ALARM_TYPES):
            raise BadRequestError(f"there is no alarm type {alarm_type!r}", field="type")
        return alarm_type, None
    if fields.get("type") is not None:
        raise BadRequestError("a matter has a type of its own: give one of type and matter", field="type")
    matter = PATROL_MATTERS.get(str(word))
    if matter is None:
        raise BadRequestError(f"matter: one of {', '.join(PATROL_MATTERS)}", field="matter")
    if word == "other" and not (fields.get("note") or "").strip():
        raise BadRequestError("say in a few words what it is", field="note")
    return matter.type, matter


def _level(
    alarm_type: str, matter: Matter | None, fields: Mapping[str, Any]
) -> tuple[Priority | None, Mapping[str, str]]:
    """The level, None for the type's own, and what is kept with the alarm of another one that was chosen."""
    usual = matter.priority if matter else classify(alarm_type)[1]
    chosen: Priority | None = fields.get("priority")
    if chosen is None or chosen == usual:
        return (matter.priority if matter else None), {}
    reason = (fields.get("priority_reason") or "").strip()
    if not reason:
        raise BadRequestError(f"say why it is {chosen} and not {usual}", field="priority_reason")
    return chosen, {"priority_proposed": usual, "priority_reason": reason}
