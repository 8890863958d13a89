"""Silences, and how loaded the desk is, as pages see them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from hub.alarms.load import FLOOD_WITHIN, STALE_AFTER, Actor, load_word, priority_mix
from hub.alarms.model import Priority
from hub.ports.desk import ReportSpan
from hub.ports.records import Json
from hub.store.reads_base import LAST_ID, ReadsBase, bounded, cursor_values, page
from hub.store.session import Session
from hub.store.users import SEEN_LATELY

__all__ = ["LoadReadsPostgres"]

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_REPORTS = {"seat": "report_operator_seat", "hour": "report_operator_hour", "day": "report_operator_day"}


class LoadReadsPostgres(ReadsBase):
    def windows_page(self, state: str, now: datetime, limit: int, cursor: str | None) -> tuple[list[Json], str | None]:
        set_at, ident = cursor_values(cursor, (datetime, bytes), ("infinity", LAST_ID))
        rows = self._ask("windows_page", state=state, now=now, set_at=set_at, before=ident, limit=bounded(limit) + 1)
        found = page(rows, limit, ("set_at", "id"), lambda row: row["view"])
        return found.items, found.next_cursor

    def load_now(self, now: datetime) -> Json:
        with self._session() as session:
            seats = session.all("load_seats", now=now, since=now - FLOOD_WITHIN, seen_since=now - SEEN_LATELY)
            rings = session.all("load_rings_by_seat", now=now, since=now - _HOUR, ten_ago=now - FLOOD_WITHIN)
            standing = session.value("load_standing", now=now, stale_before=now - STALE_AFTER) or {}
            mix = _mix(session, now - _DAY, now)
            spilled = [row["view"] for row in session.all("load_spilled", since=now - _HOUR)]
        of_seat = {row["user_id"]: row for row in rings}
        items = []
        for seat in seats:
            found = of_seat.get(seat["user_id"], {"n": 0, "lately": 0})
            word = load_word(found["n"], in_flood=seat["flood_since"] is not None)
            items.append(
                {
                    "user": {"id": seat["user_id"], "name": seat["name"]},
                    "last_10_min": found["lately"],
                    "last_hour": found["n"],
                    "state": word,
                    "flood_since": seat["flood_since"],
                }
            )
        an_hour = sum(row["n"] for row in rings)
        return {
            "at": now,
            "seats": items,
            "seats_in_flood": sum(one["state"] == "flood" for one in items),
            "alarms_last_hour": an_hour,
            "alarms_an_hour_a_seat": round(an_hour / len(items), 2) if items else None,
            "alarms_last_10_min": sum(row["lately"] for row in rings),
            **standing,
            "oldest_stale": standing.get("oldest_stale") or [],
            "mix": priority_mix(mix),
            "spilled": spilled,
        }

    def seated(self) -> list[Json]:
        return [row["view"] for row in self._ask("load_seated")]

    def report_operator_load(self, span: ReportSpan, by: str, zone: str) -> list[Json]:
        return self._ask(_REPORTS[by], start=span.start, end=span.end, zone=zone)

    def report_mix(self, span: ReportSpan) -> dict[Priority, int]:
        with self._session() as session:
            return _mix(session, span.start, span.end)

    def path_tests_report(self, span: ReportSpan) -> list[Json]:
        return [row["view"] for row in self._ask("path_tests_report", start=span.start, end=span.end)]

    def bad_actor_counts(self, span: ReportSpan, classes: Collection[str]) -> tuple[int, list[Actor], dict[str, Json]]:
        rows = self._ask(
            "bad_actor_counts",
            start=span.start,
            end=span.end,
            classes=sorted(classes),
            area_id=span.area_id,
            priority=span.priority,
        )
        total = sum(row["alarms"] for row in rows)
        known = {row["device_id"]: row for row in rows if row["device_id"] is not None}
        return total, [Actor(ident, row["alarms"]) for ident, row in known.items()], known


def _mix(session: Session, start: datetime, end: datetime) -> dict[Priority, int]:
    return {row["priority"]: row["n"] for row in session.all("load_mix", start=start, end=end)}
