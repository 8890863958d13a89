"""Presence, hand-overs, baselines and reports as pages see them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hub.errors import BadRequestError
from hub.ports.desk import ReportSpan
from hub.ports.records import Json
from hub.store.reads_base import LAST_ID, ReadsBase, bounded, cursor_values, page
from hub.store.session import is_uuid

__all__ = ["LOOKS_FOR", "DeskReadsPostgres"]

LOOKS_FOR = timedelta(seconds=30)
"""A page says every ten seconds what it looks at; after three it did not say, nobody looks."""

_AREA_KINDS = frozenset({"district", "street", "community", "grid", "micro_grid"})
_GROUPS = {
    "all": "report_responses_all",
    "priority": "report_responses_priority",
    "type": "report_responses_type",
}


def _params(span: ReportSpan) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "area_id": span.area_id, "priority": span.priority}


class DeskReadsPostgres(ReadsBase):
    def presence(self, now: datetime) -> list[Json]:
        return [row["view"] for row in self._ask("presence_now", seen_since=now - LOOKS_FOR)]

    def handover_view(self, row_id: str) -> Json | None:
        rows = self._ask("handover_one", id=row_id) if is_uuid(row_id) else []
        return rows[0]["view"] if rows else None

    def handover_list(self, limit: int, cursor: str | None) -> tuple[list[Json], str | None]:
        made_at, ident = cursor_values(cursor, (datetime, bytes), ("infinity", LAST_ID))
        rows = self._ask("handovers_page", made_at=made_at, id=ident, limit=bounded(limit) + 1)
        found = page(rows, limit, ("made_at", "id"), lambda row: row["view"])
        return found.items, found.next_cursor

    def baseline(self, resident_id: str, metric: str, end: datetime, days: int, zone: str) -> list[Json]:
        start = end - timedelta(days=days)
        rows = self._ask("baseline", resident_id=resident_id, metric=metric, start=start, end=end, zone=zone)
        return [row["view"] for row in rows]

    def report_responses(self, span: ReportSpan, by: str) -> list[Json]:
        """BadRequestError for a grouping there is not."""
        if by in _GROUPS:
            rows = self._ask(_GROUPS[by], **_params(span))
        elif by in _AREA_KINDS:
            rows = self._ask("report_responses_area", kind=by, **_params(span))
        else:
            raise BadRequestError(f"by: one of {', '.join(sorted({*_GROUPS, *_AREA_KINDS}))}, not {by}", field="by")
        return [row["view"] for row in rows]

    def report_loop(self, span: ReportSpan, by: str) -> list[Json]:
        if by not in _AREA_KINDS:
            raise BadRequestError(f"by: one of {', '.join(sorted(_AREA_KINDS))}, not {by}", field="by")
        return [row["view"] for row in self._ask("report_loop", kind=by, **_params(span))]

    def report_load(self, span: ReportSpan) -> list[Json]:
        return [row["view"] for row in self._ask("report_load", **_params(span))]

    def report_devices(self, span: ReportSpan) -> list[Json]:
        return [row["view"] for row in self._ask("report_devices", **_params(span))]

    def report_counts(self, span: ReportSpan, now: datetime) -> Json:
        params = _params(span)
        with self._session() as session:
            counts = session.value("report_counts", now=now, **params) or {}
            shelved = session.value("report_shelved", now=now, area_id=span.area_id, priority=span.priority)
            orders = session.value("report_orders", start=span.start, end=span.end, area_id=span.area_id) or {}
        return {**counts, "shelved": shelved, **orders}
