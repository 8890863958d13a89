"""The rows behind the numbers of the supervisor's pages: each list has exactly what its number counts.

A list is asked for with the same span, area and level as its number, and with `by` and `group` where the number stands
in a row of a table. CSV is the whole list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Query, Response

from hub.api.answers import JsonAnswer
from hub.api.deps import Hub, HubDep
from hub.api.fields import Time
from hub.api.routes_reports import AreaKind, Format, Number, Span, report_answer
from hub.api.routing import Cursor, Filter, Limit, api_router
from hub.api.views import Incident, ListOf
from hub.api.views_desk import ReportRow
from hub.errors import BadRequestError
from hub.ports import Json, RowsPage, RowsWanted

__all__ = ["CLASSES", "Wanted", "named_line", "router", "rows_answer"]

router = api_router("reports")

_PAGE: Final = 500
_MOST: Final = 50_000
"""So many rows go into a CSV: more than a spreadsheet is read with."""
CLASSES: Final = {
    "all": ("emergency", "health", "whereabouts", "technical"),
    "technical": ("technical",),
    "people": ("emergency", "health", "whereabouts"),
}
"""Which classes of alarms a question about devices is of."""

OrderCount = Literal["orders", "orders_done", "orders_begun", "orders_punctual"]
Standing = Literal["live", "stale", "stale_technical", "shelved", "chattering", "under_way"]
By = Annotated[
    Literal["all", "priority", "type", "model"] | AreaKind, Query(description="As the table was asked for; `model` too")
]
Group = Annotated[str | None, Query(max_length=200, description="`group` of the table's row; empty: of none")]


def _wanted(limit: Limit = 200, cursor: Cursor = None) -> RowsWanted:
    return RowsWanted(limit, cursor)


Wanted = Annotated[RowsWanted, Depends(_wanted)]


def rows_answer(
    read: Callable[[RowsWanted], RowsPage],
    wanted: RowsWanted,
    kind: str,
    name: str,
    line: Callable[[Json], Json] = lambda row: row,
) -> Response:
    """One page as JSON, or every row as CSV; `line` makes a table's row of an item."""
    if kind == "json":
        found = read(wanted)
        return JsonAnswer({"items": found.items, "next": found.next_cursor})
    rows: list[Json] = []
    cursor: str | None = None
    while len(rows) < _MOST:
        found = read(RowsWanted(_PAGE, cursor, wanted.by, wanted.group))
        rows += found.items
        cursor = found.next_cursor
        if cursor is None:
            break
    return report_answer(map(line, rows), "csv", name)


def _incidents(hub: Hub, found: RowsPage) -> RowsPage:
    """Ids as views, each with its `times` where the list has them."""
    views = hub.reads.incidents_by_id([row["id"] for row in found.items])
    items = [
        {**views[row["id"]], "times": row["times"]} if "times" in row else views[row["id"]]
        for row in found.items
        if row["id"] in views
    ]
    return RowsPage(items, found.next_cursor)


def _incident_line(view: Json) -> Json:
    told = ("number", "priority", "class", "type", "state", "opened_at", "acknowledged_at", "resolved_at")
    return {name: view.get(name) for name in told} | {
        "disposition": view["disposition"],
        "alarms": view["alarms"],
        "area": (view.get("area") or {}).get("name"),
        "supervision": view["supervision"],
        **(view.get("times") or {}),
    }


def named_line(row: Json) -> Json:
    """Names where a page has (id, name): of a resident, a device, a seat."""
    flat = {name: value for name, value in row.items() if not isinstance(value, dict)}
    return flat | {name: value.get("name") or value["id"] for name, value in row.items() if isinstance(value, dict)}


@router.get("/reports/incidents", response_model=ListOf[Incident], summary="The incidents behind a number")
def report_incidents(
    hub: HubDep,
    span: Span,
    number: Number | Literal["shelved"],
    wanted: Wanted,
    by: By = "all",
    group: Group = None,
    format: Format = "json",
) -> Response:
    """The newest first; `times` are seconds from the opening to the claim, the first dispatch, the first arrival, the
    close. `shelved` is what is shelved now, whenever it opened.
    """
    now = hub.clock()
    return rows_answer(
        lambda page: _incidents(hub, hub.reads.report_list(span, number, now, page)),
        RowsWanted(wanted.limit, wanted.cursor, by, group or ""),
        format,
        f"incidents-{number}",
        _incident_line,
    )


@router.get("/reports/orders", response_model=ListOf[ReportRow], summary="The orders behind a number")
def report_orders(hub: HubDep, span: Span, number: OrderCount, wanted: Wanted, format: Format = "json") -> Response:
    """Those that `/reports/counts` counts, the latest wanted first."""
    return rows_answer(
        lambda page: hub.reads.report_order_list(span, number, page), wanted, format, f"orders-{number}", named_line
    )


@router.get("/reports/alarms", response_model=ListOf[ReportRow], summary="The single alarms behind a number")
def report_alarms(
    hub: HubDep,
    span: Span,
    wanted: Wanted,
    device: Filter = None,
    of: Annotated[Literal["all", "technical", "people"], Query(description="With `device`: which classes")] = "all",
    window: Annotated[str | None, Query(max_length=64, description="What this silence held back, at any time")] = None,
    format: Format = "json",
) -> Response:
    """Without `device` and `window`: those of `/reports/load`. With `device`: those of `/reports/bad-actors`."""
    if device is not None and window is not None:
        raise BadRequestError("device or window, not both", field="window")

    def read(page: RowsWanted) -> RowsPage:
        if window is not None:
            return hub.reads.report_window_alarms(window, page)
        if device is not None:
            return hub.reads.report_device_alarms(span, device, CLASSES[of], page)
        return hub.reads.report_alarm_list(span, page)

    return rows_answer(read, wanted, format, "alarms", named_line)


@router.get("/load/incidents", response_model=ListOf[Incident], summary="The incidents behind a number of the load")
def list_standing(hub: HubDep, number: Standing, wanted: Wanted, format: Format = "json") -> Response:
    """What stands now, the oldest first. `under_way`: somebody is on the way or there, and it is not shelved."""
    now = hub.clock()
    return rows_answer(
        lambda page: _incidents(hub, hub.reads.load_standing_list(number, now, page)),
        wanted,
        format,
        f"standing-{number}",
        _incident_line,
    )


@router.get("/load/on-duty", response_model=ListOf[ReportRow], summary="The seats on duty now")
def list_on_duty(
    hub: HubDep,
    flooded: Annotated[bool, Query(description="Only those in a flood")] = False,
    format: Format = "json",
) -> Response:
    """What rang at each in the last ten minutes and the last hour."""
    seats = hub.reads.load_now(hub.clock())["seats"]
    return report_answer((one for one in seats if one["state"] == "flood" or not flooded), format, "on-duty")


@router.get("/load/rings", response_model=ListOf[ReportRow], summary="What rang at the desk, and at whose seat")
def list_rings(
    hub: HubDep,
    wanted: Wanted,
    start: Annotated[Time, Query(alias="from")],
    end: Annotated[Time, Query(alias="to")],
    seat: Filter = None,
    priority: Annotated[list[Literal["critical", "high", "medium", "low"]] | None, Query()] = None,
    counted: Annotated[bool, Query(description="By the ten minutes in which seats counted them")] = False,
    format: Format = "json",
) -> Response:
    """The latest first, of the last five weeks. Without `counted`: later than `from` and not later than `to`."""
    if start >= end:
        raise BadRequestError("from must be earlier than to", field="from")
    of: dict[str, Any] = {"counted": counted, "seat": seat, "priorities": priority}
    return rows_answer(lambda page: hub.reads.load_rings(start, end, page, **of), wanted, format, "rings", named_line)


@router.get("/load/spilled", response_model=ListOf[ReportRow], summary="What went to another seat")
def list_spilled(hub: HubDep, wanted: Wanted, span: Span, format: Format = "json") -> Response:
    """Whose seat it would have been, and whose it became."""
    return rows_answer(
        lambda page: hub.reads.load_spilled_list(span.start, span.end, page), wanted, format, "spilled", named_line
    )
