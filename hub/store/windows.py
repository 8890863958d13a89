"""Silences, maintenance and test windows as rows."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from hub.alarms.windows import AfterWindow, Silenced, Window
from hub.ports.records import Json
from hub.ports.windows import HeldBack, Recent, WindowRow
from hub.store.session import Session, is_uuid

__all__ = ["WindowsDrawer"]


class WindowsDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def in_force(self, now: datetime) -> tuple[Window, ...]:
        with self._session.together():
            found = self.in_force_later(now)
        return found()

    def in_force_later(self, now: datetime) -> Callable[[], tuple[Window, ...]]:
        """As `in_force`, inside `Session.together`: the answer is to be had once that has ended."""
        cursor = self._session.later("windows_in_force", now=now)
        return lambda: tuple(_window(row) for row in cursor.fetchall())

    def recent(self, pairs: Collection[tuple[str, str]], since: datetime) -> Recent:
        if not pairs:
            return {}
        wanted = sorted(set(pairs))
        devices, types = [device for device, _ in wanted], [kind for _, kind in wanted]
        rows = self._session.all("windows_recent", pair_devices=devices, pair_types=types, since=since)
        return {(row["device_id"], row["type"]): row["times"] for row in rows}

    def add(self, window: Window, user_id: str | None, at: datetime) -> None:
        self._session.run(
            "windows_add",
            id=window.id,
            kind=window.kind,
            device_id=window.device_id,
            area_id=window.area_id,
            type=window.type,
            starts_at=window.starts_at,
            ends_at=window.ends_at,
            reason=window.reason,
            user_id=user_id,
            set_by=window.set_by,
            at=at,
        )

    def get(self, window_id: str, *, lock: bool = False) -> WindowRow | None:
        if not is_uuid(window_id):
            return None
        row = self._session.one("window_lock" if lock else "window_get", id=window_id)
        return None if row is None else _row(row)

    def end(self, window_id: str, at: datetime, by: str, reason: str) -> None:
        self._session.run("window_end", id=window_id, at=at, by=by, reason=reason)

    def over(self, now: datetime) -> WindowRow | None:
        row = self._session.one("window_over", now=now)
        return None if row is None else _row(row)

    def held_back(self, window_id: str) -> list[HeldBack]:
        return [_held_back(row) for row in self._session.all("window_held_back", id=window_id)]

    def settle(self, window_id: str, at: datetime, silenced: int, raised: int) -> None:
        self._session.run("window_settle", id=window_id, at=at, silenced=silenced, raised=raised)

    def look_again(self, window: Window, now: datetime) -> int:
        areas = sorted(window.areas | {window.area_id}) if window.area_id is not None else None
        return self._session.run("window_look_again", now=now, device_id=window.device_id, areas=areas)

    def changes(self, device_id: str, since: datetime) -> list[datetime]:
        return [row["at"] for row in self._session.all("windows_changes", device_id=device_id, since=since)]


def _window(row: Json) -> Window:
    return Window(
        id=row["id"],
        kind=row["kind"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        reason=row["reason"],
        set_by=row["set_by"],
        device_id=row["device_id"],
        area_id=row["area_id"],
        type=row["type"],
        areas=frozenset(row["areas"]),
    )


def _row(row: Json) -> WindowRow:
    return WindowRow(
        _window(row),
        row["planned_end"],
        row["set_at"],
        row["user_id"],
        row["ended_by"],
        row["end_reason"],
        row["settled_at"],
        row["version"],
    )


def _held_back(row: Json) -> HeldBack:
    silenced = Silenced(
        type=row["type"],
        alarm_class=row["class"],
        priority=row["priority"],
        count=row["count"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        device_id=row["device_id"],
        resident_id=row["resident_id"],
        area_id=row["area_id"],
        rule=row["rule"],
    )
    return HeldBack(silenced, AfterWindow(row["last_seen_at"], row["battery_pct"], bool(row["rule_stands"])))
