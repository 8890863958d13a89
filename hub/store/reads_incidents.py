"""Incidents, alarms and the timeline as pages and programs see them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from hub.alarms.model import LIVE_STATES
from hub.alarms.policy import StepTo, policy_from_json
from hub.ports.reads import AlarmFilter, Cursor, IncidentFilter, Page
from hub.ports.records import Json
from hub.store.placed import placed
from hub.store.reads_base import FIRST_ID, LAST_ID, ONE_PLAN, ReadsBase, bounded, cursor_values, given, page
from hub.store.session import is_uuid, statement

__all__ = ["IncidentReads"]

_STEP_WORDS: dict[StepTo, tuple[str, str]] = {
    "operators": ("再次提醒值班员", "Operators are alerted again"),
    "plan": ("响应预案自动执行", "The response plan goes on by itself"),
    "supervisors": ("通知班长", "Supervisors are told"),
}
_BEGIN, _END = "-infinity", "infinity"


def _like(q: str | None) -> str | None:
    """A search word as a pattern: what it contains is meant literally."""
    if q is None:
        return None
    return "%" + q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def _states(states: Collection[str]) -> set[str]:
    """`live` stands for the three live states."""
    return {one for state in states for one in (LIVE_STATES if state == "live" else (state,))}


class IncidentReads(ReadsBase):
    def cursor(self) -> Cursor:
        with self._session() as session:
            row = session.one("cursor_now") or {}
            return Cursor(row["epoch"], row["seq"])

    def incidents(self, where: IncidentFilter, limit: int, cursor: str | None) -> Page:
        """Only live states asked for: the queue (urgent first, then oldest first); else the newest first."""
        states = _states(where.states)
        params: dict[str, Any] = {
            "states": given(states),
            "classes": given(where.classes),
            "priorities": given(where.priorities),
            "area_id": where.area_id,
            "resident_id": where.resident_id,
            "supervision": where.supervision,
            "assignee": where.assignee,
            "q": where.q,
            "like": _like(where.q),
            "limit": bounded(limit) + 1,
        }
        queue = bool(states) and states <= LIVE_STATES
        if queue:
            key: tuple[str, ...] = ("urgency", "opened_at", "id")
            block = "incidents_live_page"
            params.update(zip(key, cursor_values(cursor, (int, datetime, bytes), (-1, _BEGIN, FIRST_ID)), strict=True))
        else:
            key = ("opened_at", "id")
            block = "incidents_page"
            params.update(zip(key, cursor_values(cursor, (datetime, bytes), (_END, LAST_ID)), strict=True))
        with self._session() as session:
            rows = session.all(block, **params)
            views = self._views(session, "incident_views", [row["id"] for row in rows[:limit]])
        return page(rows, limit, key, lambda row: views[row["id"]])

    def incidents_by_id(self, ids: Collection[str]) -> dict[str, Json]:
        return self._views_alone("incident_views", ids)

    def incident_detail(self, incident_id: str) -> Json | None:
        with self._session() as session:
            view = self._views(session, "incident_views", [incident_id]).get(incident_id)
            extras = session.one("incident_extras", id=incident_id) if view else None
        if view is None or extras is None:
            return None
        clocks = policy_from_json(extras["policy"]).clocks(extras["class"], extras["priority"])
        steps = [
            {"code": step.code, "after_s": step.after_s, "zh": _STEP_WORDS[step.to][0], "en": _STEP_WORDS[step.to][1]}
            for step in clocks.unclaimed
        ]
        return {
            **view,
            "alarm_rows": extras["alarm_rows"],
            "contacts": extras["contacts"],
            "plan": {"steps": steps},
            "resident_detail": extras["resident_detail"],
            "calls": extras["calls"],
        }

    def timeline(self, subject_kind: str, subject_id: str, limit: int, cursor: str | None) -> Page:
        (seq,) = cursor_values(cursor, (int,), (2**62,))
        with self._session() as session:
            rows = session.all(
                "timeline_page", subject_kind=subject_kind, subject_id=subject_id, seq=seq, limit=bounded(limit) + 1
            )
        return page(rows, limit, ("seq",), _view)

    def entries_since(self, seq: int, limit: int) -> list[Json]:
        return [row["view"] for row in self._ask("entries_since", seq=seq, limit=limit)]

    def news_since(self, seq: int, limit: int) -> tuple[list[Json], dict[str, Json]]:
        place = {"seq": seq, "limit": limit}
        entries, views = self._database.ask(
            self._lane, (ONE_PLAN, None), statement("entries_since", **place), statement("critical_news_views", **place)
        )
        return [row["view"] for row in entries], {row["view"]["id"]: placed(row["view"]) for row in views}

    def alarms(self, where: AlarmFilter, limit: int, cursor: str | None) -> Page:
        """The newest first; `states` are those of the incident a press joined."""
        received_at, ident = cursor_values(cursor, (datetime, bytes), (_END, LAST_ID))
        with self._session() as session:
            rows = session.all(
                "alarms_page",
                received_at=received_at,
                id=ident,
                states=given(_states(where.states)),
                types=given(where.types),
                resident_id=where.resident_id,
                area_id=where.area_id,
                since=where.since,
                q=where.q,
                like=_like(where.q),
                limit=bounded(limit) + 1,
            )
        return page(rows, limit, ("received_at", "id"), _view)

    def calls(self, incident_id: str | None, limit: int, cursor: str | None) -> Page:
        """The newest first."""
        if incident_id is not None and not is_uuid(incident_id):
            return Page([])
        started_at, ident = cursor_values(cursor, (datetime, bytes), (_END, LAST_ID))
        with self._session() as session:
            rows = session.all(
                "calls_page", started_at=started_at, id=ident, incident_id=incident_id, limit=bounded(limit) + 1
            )
        return page(rows, limit, ("started_at", "id"), _view)

    def calls_incoming(self, rang_since: datetime, spoke_since: datetime) -> list[Json]:
        """Calls that ring since then or later, or are spoken on since; the longest waiting first."""
        with self._session() as session:
            rows = session.all("calls_incoming", rang_since=rang_since, spoke_since=spoke_since)
        return [row["view"] for row in rows]

    def assignments_by_id(self, ids: Collection[str]) -> dict[str, Json]:
        return self._views_alone("assignments_by_id", ids)


def _view(row: Json) -> Json:
    view: Json = row["view"]
    return view
