"""Silences, maintenance and test windows: set, ended early, settled when they are over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.alarms import SYSTEM, Alarm
from hub.alarms.model import Reason
from hub.alarms.windows import Window, check_window, stands_after
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from hub.ports import Actor, Database, EntryRow, HeldBack, Json, Transaction, WindowRow
from hub.service.prepared import key_digest
from hub.service.raising import NewAlarm, Raising, again_where_raced

__all__ = ["WindowDesk"]


class WindowDesk:
    """Each call is one transaction. Whoever sets or ends a window is on record, with the reason."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, raising: Raising) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._raising = raising

    def set(self, fields: Mapping[str, Any], actor: Actor) -> str:
        """Sets one; gives its id. `starts_at` absent: now. BadRequestError names every fault; a silence over an area or
        over a type everywhere needs a supervisor (ForbiddenError).
        """
        now = self._clock()
        window = Window(
            id=self._new_id(),
            kind=fields["kind"],
            starts_at=max(fields.get("starts_at") or now, now),
            ends_at=fields["ends_at"],
            reason=str(fields["reason"]).strip(),
            set_by=actor.name,
            device_id=fields.get("device_id"),
            area_id=fields.get("area_id"),
            type=fields.get("type"),
        )
        wrong = check_window(window)
        if wrong:
            raise BadRequestError("; ".join(f"{field}: {words}" for field, words in wrong), field=wrong[0][0])
        if window.device_id is None and not actor.supervises:
            raise ForbiddenError("a silence over an area or over a type everywhere is set by a supervisor")
        with self._database.begin() as tx:
            if window.device_id is not None and window.device_id not in tx.devices.get_many({window.device_id}):
                raise NotFoundError(f"no device {window.device_id}", field="device_id")
            if window.area_id is not None and tx.reference.get("areas", window.area_id) is None:
                raise NotFoundError(f"no area {window.area_id}", field="area_id")
            tx.windows.add(window, actor.user_id, now)
            tx.audit.add(actor, "windows.set", f"windows:{window.id}", _detail(window), now)
            self._noted(tx, window, actor, now, "silenced", {"until": window.ends_at.isoformat()})
        return window.id

    def end(self, window_id: str, reason: str, actor: Actor, *, version: int | None = None) -> None:
        """Ends it now; what stands is raised within seconds. ConflictError where it is over already."""
        now = self._clock()
        with self._database.begin() as tx:
            row = tx.windows.get(window_id, lock=True)
            if row is None:
                raise NotFoundError(f"no window {window_id}")
            if version is not None and version != row.version:
                raise ConflictError("it was changed meanwhile", code="version", version=row.version)
            if row.window.ends_at <= now:
                by = row.ended_by or "it ran out"
                raise ConflictError(f"it is over: {by}", code="over", at=row.window.ends_at.isoformat())
            if row.window.device_id is None and not actor.supervises:
                raise ForbiddenError("a silence over an area or over a type everywhere is ended by a supervisor")
            tx.windows.end(window_id, now, actor.name, reason)
            tx.audit.add(actor, "windows.end", f"windows:{window_id}", {"reason": reason}, now)
            self._noted(tx, row.window, actor, now, "unsilenced", {"reason": reason})

    def view(self, window_id: str) -> Json:
        """One as pages see it. NotFoundError."""
        with self._database.begin() as tx:
            row = tx.windows.get(window_id)
            held = [] if row is None else tx.windows.held_back(window_id)
        if row is None:
            raise NotFoundError(f"no window {window_id}")
        return _view(row, held, self._clock())

    def settle_next(self) -> bool:
        """Settles one window that is over: what stands is raised, once, and nothing else. False: there is none.

        What another window still covers goes on being silenced, by that one.
        """

        def act() -> bool:
            with self._database.begin() as tx:
                return self._settle(tx, self._clock())

        return again_where_raced(act)

    def _settle(self, tx: Transaction, now: datetime) -> bool:
        row = tx.windows.over(now)
        if row is None:
            return False
        held = tx.windows.held_back(row.window.id)
        standing = [(one, reason) for one in held if (reason := stands_after(one.silenced, one.known)) is not None]
        raised = [self._again(row.window, one, reason, now) for one, reason in standing]
        if raised:
            keys = [(new.key, now) for new in raised if new.key is not None]
            fresh = tx.ledger.take(keys)
            raised = [new for new in raised if new.key in fresh]
            self._raising.raise_alarms(tx, raised, now)
        looked = tx.windows.look_again(row.window, now)
        count = sum(one.silenced.count for one in held)
        tx.windows.settle(row.window.id, now, count, len(raised))
        detail = {"silenced": count, "raised": len(raised), "looked_again": looked, "ran_out": row.ended_by is None}
        tx.audit.add(SYSTEM, "windows.settle", f"windows:{row.window.id}", detail, now)
        self._noted(tx, row.window, SYSTEM, now, "silence_over", detail)
        return True

    def _again(self, window: Window, held: HeldBack, reason: Reason, now: datetime) -> NewAlarm:
        one = held.silenced
        alarm = Alarm(
            id=self._new_id(),
            device_id=one.device_id,
            resident_id=one.resident_id,
            type=one.type,
            alarm_class=one.alarm_class,
            priority=one.priority,
            received_at=now,
            observed_at=one.last_at,
            note=f"{window.kind} over: {reason.text}",
            source="system",
            attributes={"after_window": window.id} | ({} if one.rule is None else {"rule": one.rule}),
            reasons=(reason,),
        )
        about = f"{window.id}|{one.device_id}|{one.resident_id}|{one.type}|{one.rule}"
        return NewAlarm(alarm, key_digest("window", about), family="window", actor=SYSTEM, area_id=one.area_id)

    @staticmethod
    def _noted(tx: Transaction, window: Window, actor: Actor, now: datetime, kind: str, body: Json) -> None:
        if window.device_id is None:
            return
        about = {"window": window.id, "kind": window.kind, "type": window.type, "reason": window.reason}
        tx.timeline.add(
            EntryRow(
                at=now,
                subject_kind="device",
                subject_id=window.device_id,
                kind=kind,
                actor=actor,
                body=about | body,
            )
        )


def _detail(window: Window) -> Json:
    return {
        "kind": window.kind,
        "device_id": window.device_id,
        "area_id": window.area_id,
        "type": window.type,
        "starts_at": window.starts_at.isoformat(),
        "ends_at": window.ends_at.isoformat(),
        "reason": window.reason,
    }


def _view(row: WindowRow, held: list[HeldBack], now: datetime) -> Json:
    window = row.window
    state = "over" if window.ends_at <= now else "coming" if window.starts_at > now else "in_force"
    return {
        "id": window.id,
        **_detail(window),
        "planned_end": row.planned_end.isoformat(),
        "set_by": window.set_by,
        "set_at": row.set_at.isoformat(),
        "ended_by": row.ended_by,
        "end_reason": row.end_reason,
        "settled_at": row.settled_at.isoformat() if row.settled_at else None,
        "state": state,
        "version": row.version,
        "held_back": [
            {
                "device_id": one.silenced.device_id,
                "resident_id": one.silenced.resident_id,
                "type": one.silenced.type,
                "count": one.silenced.count,
                "first_at": one.silenced.first_at.isoformat(),
                "last_at": one.silenced.last_at.isoformat(),
            }
            for one in held
        ],
    }
