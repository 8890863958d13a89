"""A matter that somebody at work reports: it becomes an alarm of a person, and by the ordinary way an incident."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from hub.alarms import Priority
from hub.clock import IdSource
from hub.ports import Actor, Transaction
from hub.service.raising import NewAlarm, Raising, alarm_of_person

__all__ = ["report"]


def report(
    tx: Transaction,
    raising: Raising,
    new_id: IdSource,
    now: datetime,
    actor: Actor,
    *,
    note: str,
    priority: Priority,
    attributes: Mapping[str, str],
    resident_id: str | None = None,
    area_id: str | None = None,
) -> str | None:
    """Raises `assistance` with these words; gives the incident it opened or joined, None where it is only recorded.

    With `resident_id` it joins what is live of the resident. Without, it stands alone, in `area_id`. RaceLostError as
    `Raising.raise_alarms`: see `raising.again_where_raced`.
    """
    alarm = alarm_of_person(
        new_id(),
        "assistance",
        now,
        resident_id=resident_id,
        area_id=area_id,
        priority=priority,
        note=note,
        attributes=attributes,
    )
    new = NewAlarm(alarm, actor=actor, area_id=area_id)
    raising.raise_alarms(tx, [new], now)
    return new.incident_id
