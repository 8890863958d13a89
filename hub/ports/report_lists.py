"""The rows behind the numbers of reports. Protocols only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.ports.desk import ReportSpan
from hub.ports.records import Json

__all__ = ["ReportLists", "RowsPage", "RowsWanted"]


@dataclass(frozen=True, slots=True)
class RowsWanted:
    """Which rows behind a number: those of one group of a table (`by` as the table was asked for, `group` its code, ""
    for what belongs to none), and which page of them.
    """

    limit: int
    cursor: str | None = None
    by: str = "all"
    group: str = ""


@dataclass(frozen=True, slots=True)
class RowsPage:
    """Rows, or ids with what is known of each; `next_cursor` None: there are no more."""

    items: list[Json]
    next_cursor: str | None = None


class ReportLists(Protocol):
    """Every list has exactly the rows that its number counts: both read the same condition."""

    def report_list(self, span: ReportSpan, number: str, now: datetime, wanted: RowsWanted) -> RowsPage:
        """(id, times) of incidents, the newest first; `times`: claim_s, dispatch_s, arrive_s, close_s, each seconds
        from the opening or None. `number` shelved: what is shelved now, whenever it opened, without times.
        """

    def report_order_list(self, span: ReportSpan, number: str, wanted: RowsWanted) -> RowsPage:
        """Orders behind `orders`, `orders_done`, `orders_begun`, `orders_punctual` of `report_counts`."""

    def report_alarm_list(self, span: ReportSpan, wanted: RowsWanted) -> RowsPage:
        """The alarms that `report_load` counts."""

    def report_device_alarms(
        self, span: ReportSpan, device_id: str, classes: Collection[str], wanted: RowsWanted
    ) -> RowsPage:
        """The alarms of a device that `bad_actor_counts` counts."""

    def report_window_alarms(self, window_id: str, wanted: RowsWanted) -> RowsPage:
        """What a silence or a maintenance window held back."""

    def load_standing_list(self, number: str, now: datetime, wanted: RowsWanted) -> RowsPage:
        """Ids of incidents behind live, stale, stale_technical, shelved, chattering of `load_now`, the oldest first."""

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
        """Ringings in (start, end]; `counted`: those that seats' ten minutes in [start, end) count."""

    def load_spilled_list(self, start: datetime, end: datetime, wanted: RowsWanted) -> RowsPage:
        """What went from one seat to another in [start, end)."""
