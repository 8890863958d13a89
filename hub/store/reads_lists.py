"""The rows behind the numbers of the supervisor's pages, page by page."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from hub.alarms.load import STALE_AFTER
from hub.errors import BadRequestError
from hub.ports.desk import ReportSpan
from hub.ports.report_lists import RowsPage, RowsWanted
from hub.store.reads_base import ReadsBase, bounded, cursor_text, cursor_values
from hub.store.session import is_uuid

__all__ = ["ReportListsPostgres", "one_page", "skipped"]

_BY: Final = ("all", "priority", "type", "model", "district", "street", "community", "grid", "micro_grid")


def skipped(wanted: RowsWanted) -> dict[str, int]:
    """How many rows come before the page, and how many are asked for: one to spare, which tells that there are more."""
    (skip,) = cursor_values(wanted.cursor, (int,), (0,))
    if not 0 <= skip <= 10_000_000:
        raise BadRequestError("cursor: not one of this list's cursors", field="cursor")
    return {"skip": skip, "limit": bounded(wanted.limit) + 1}


def one_page(rows: list[Any], wanted: RowsWanted) -> RowsPage:
    """Rows with a place in a fixed span hardly move: a page begins after so many rows."""
    (skip,) = cursor_values(wanted.cursor, (int,), (0,))
    more = cursor_text([skip + wanted.limit]) if len(rows) > wanted.limit else None
    return RowsPage(rows[: wanted.limit], more)


def _span(span: ReportSpan) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "area_id": span.area_id, "priority": span.priority}


class ReportListsPostgres(ReadsBase):
    def report_list(self, span: ReportSpan, number: str, now: datetime, wanted: RowsWanted) -> RowsPage:
        """BadRequestError for a grouping there is not."""
        if wanted.by not in _BY:
            raise BadRequestError(f"by: one of {', '.join(_BY)}, not {wanted.by}", field="by")
        if number == "shelved":
            scope = {"area_id": span.area_id, "priority": span.priority}
            return one_page(self._ask("report_shelved_list", now=now, **scope, **skipped(wanted)), wanted)
        group = {"by": wanted.by, "code": wanted.group}
        return one_page(
            self._ask("report_list", number=number, now=now, **group, **_span(span), **skipped(wanted)), wanted
        )

    def report_order_list(self, span: ReportSpan, number: str, wanted: RowsWanted) -> RowsPage:
        scope = {"start": span.start, "end": span.end, "area_id": span.area_id}
        return self._viewed("report_order_list", wanted, number=number, **scope)

    def report_alarm_list(self, span: ReportSpan, wanted: RowsWanted) -> RowsPage:
        return self._viewed("report_alarm_list", wanted, **_span(span))

    def report_device_alarms(
        self, span: ReportSpan, device_id: str, classes: Collection[str], wanted: RowsWanted
    ) -> RowsPage:
        return self._viewed("report_device_alarms", wanted, device_id=device_id, classes=sorted(classes), **_span(span))

    def report_window_alarms(self, window_id: str, wanted: RowsWanted) -> RowsPage:
        return self._viewed("report_window_alarms", wanted, window_id=window_id)

    def load_standing_list(self, number: str, now: datetime, wanted: RowsWanted) -> RowsPage:
        before = now - STALE_AFTER
        rows = self._ask("load_standing_list", number=number, now=now, stale_before=before, **skipped(wanted))
        return one_page(rows, wanted)

    def load_rings(
        self,
        start: datetime,
        end: datetime,
        wanted: RowsWanted,
        *,
        counted: bool = False,
        seat: str | None = None,
        priorities: Collection[str] | None = None,
    ) -> RowsPage:
        if seat is not None and not is_uuid(seat):
            return RowsPage([])
        of = {"seat": seat, "priorities": sorted(priorities) if priorities else None}
        return self._viewed("load_ring_list", wanted, start=start, end=end, counted=counted, **of)

    def load_spilled_list(self, start: datetime, end: datetime, wanted: RowsWanted) -> RowsPage:
        return self._viewed("load_spilled_list", wanted, start=start, end=end)

    def _viewed(self, block: str, wanted: RowsWanted, **params: Any) -> RowsPage:
        rows = self._ask(block, **params, **skipped(wanted))
        return one_page([row["view"] for row in rows], wanted)
