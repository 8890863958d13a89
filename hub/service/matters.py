"""The closed loop: who has which part in an incident, by when a reported matter must be resolved, the return visit.

有人巡查、有人报告、有人负责、有人解决、有人督查. Whatever way a person reports by (telephone, walk-in, patrol, the
staff's app, the residents' page, the code of an area), it becomes an incident, and here it gets its deadline by its
colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final

from hub.alarms import PRIORITIES, Alert, Incident, Priority, Reason
from hub.care import ABSENT_STATUSES
from hub.clock import Clock, IdSource
from hub.errors import NotFoundError
from hub.ports import SYSTEM, Actor, Database, EntryRow, Json, MatterRow, OrderRow, Transaction, VisitRow
from hub.service.oncall import on_call
from hub.service.ordering import kind_of
from hub.service.planning_steps_notices import tell_alerts

__all__ = ["COLOURS", "LoopTimes", "MatterDesk"]

COLOURS: Final[Mapping[Priority, str]] = {"critical": "red", "high": "orange", "medium": "yellow", "low": "blue"}
"""Levels of grid matters are the levels of incidents."""
_VISITS_FROM, _VISITS_TO = 9, 17
_PATROL: Final = "grid_officer"


@dataclass(frozen=True, slots=True)
class LoopTimes:
    """By when a matter of each level must be resolved; within how many days somebody goes again (0: nobody)."""

    resolve: Mapping[Priority, timedelta] = field(
        default_factory=lambda: {
            "critical": timedelta(hours=2),
            "high": timedelta(hours=24),
            "medium": timedelta(hours=72),
            "low": timedelta(days=7),
        }
    )
    return_visit_days: int = 3


class MatterDesk:
    """`zone`: the place's time, for the hours of a return visit."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, times: LoopTimes, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._times = times
        self._zone = zone

    @property
    def times(self) -> LoopTimes:
        """The deadlines in force."""
        return self._times

    def tend(self, limit: int = 50) -> int:
        """Gives reported matters their deadline, and raises what is overdue by one level; gives how many rose."""
        now = self._clock()
        with self._database.begin() as tx:
            tx.matters.follow(self._times.resolve)
            overdue = tx.matters.due(now, limit)
        rose = 0
        for incident_id in overdue:  # each its own transaction: one that fails stands in nobody's way
            with self._database.begin() as tx:
                rose += self._raise(tx, incident_id, now)
        return rose

    def _raise(self, tx: Transaction, incident_id: str, now: datetime) -> bool:
        incident = tx.incidents.get(incident_id, lock=True)
        row = tx.matters.get(incident_id)
        if incident is None or row is None or not incident.live or row.due_at > now:
            return False
        level = PRIORITIES[max(0, PRIORITIES.index(incident.priority) - 1)]
        values: dict[str, str | int | float | bool | None] = {
            "from": incident.priority,
            "to": level,
            "due_at": row.due_at.isoformat(),
            "times": row.raised + 1,
        }
        text = f"not resolved by {row.due_at.isoformat(timespec='minutes')}"
        reason = Reason("matter_overdue", text, values)
        kept = tuple(one for one in incident.reasons if one.code != reason.code)
        after = replace(incident, priority=level, reasons=(*kept, reason), version=incident.version + 1)
        tx.incidents.save(after)
        tx.matters.put(MatterRow(incident_id, level, now + self._times.resolve[level], row.raised + 1))
        lines: list[tuple[str, Json]] = [("escalated", {"step": "overdue", "to": ["supervisors"], "reason": text})]
        if level != incident.priority:
            lines.insert(0, ("priority_raised", {"from": incident.priority, "to": level}))
        tx.timeline.add(
            *(
                EntryRow(at=now, subject_kind="incident", subject_id=incident_id, kind=kind, actor=SYSTEM, body=body)
                for kind, body in lines
            )
        )
        tell_alerts(tx, after, (Alert("supervisors", "escalated"),), now)
        return True

    def return_visit(self, tx: Transaction, incident: Incident, actor: Actor, now: datetime) -> str | None:
        """After a supervised closing somebody goes again: a safety visit due within days, once; gives the order's id.

        None: it was no genuine matter of a resident who is at home, or none is wanted, or one is there.
        """
        days = self._times.return_visit_days
        resident = tx.residents.get(incident.resident_id) if incident.resident_id else None
        wanted = days > 0 and incident.disposition in ("genuine", "no_contact")
        if not wanted or resident is None or resident.status in ABSENT_STATUSES:
            return None
        if tx.matters.has_return_visit(incident.id):
            return None
        kind = kind_of(tx, "safety_visit", active=False)
        today = now.astimezone(self._zone)
        begin = (today + timedelta(days=1)).replace(hour=_VISITS_FROM, minute=0, second=0, microsecond=0)
        end = (today + timedelta(days=days)).replace(hour=_VISITS_TO, minute=0, second=0, microsecond=0)
        order = OrderRow(
            id=self._new_id(),
            kind=kind.id,
            resident_id=resident.id,
            state="requested",
            wanted_from=begin,
            wanted_to=end,
            duration_min=kind.duration_min,
            carers=kind.carers,
            source=actor.kind,
            created_at=now,
            created_by=actor.user_id,
            incident_id=incident.id,
            attributes={"return_visit": True},
        )
        tx.orders.insert(order, VisitRow(id=self._new_id(), order_id=order.id, state="planned", planned_start=begin))
        body = {"order_id": order.id, "kind": kind.id, "return_visit": True, "due_at": end.isoformat()}
        tx.timeline.add(
            EntryRow(at=now, subject_kind="order", subject_id=order.id, kind="requested", actor=actor, body=body),
            EntryRow(at=now, subject_kind="incident", subject_id=incident.id, kind="noted", actor=actor, body=body),
        )
        return order.id

    def loop(self, incident_id: str) -> Json:
        """Who has which part, by when, and the return visit. NotFoundError.

        `patroller` is whoever of the grid's officers is on call for the area (by the rota of the time it opened);
        `responsible` the responder who took it, else the operator who holds it.
        """
        now = self._clock()
        with self._database.begin() as tx:
            found = tx.matters.parts(incident_id)
            if found is None:
                raise NotFoundError(f"no incident {incident_id}")
            opened = datetime.fromisoformat(str(found["opened_at"]))
            officers = on_call(tx, _PATROL, found["area_id"], opened) if found["area_id"] else []
        matter = found["matter"]
        first = officers[0] if officers else None
        return {
            "reporter": found["report"],
            "patroller": None if first is None else {"id": first.responder_id, "name": first.name},
            "responsible": found["responder"] or found["holder"],
            "resolver": found["resolver"],
            "supervisor": found["supervisor"],
            "supervision": found["supervision"],
            "level": None if matter is None else COLOURS[matter["priority"]],
            "due_at": None if matter is None else matter["due_at"],
            "overdue": 0 if matter is None else matter["raised"],
            "photos": found["photos"],
            "return_visit": found["return_visit"],
            "server_time": now,
        }
