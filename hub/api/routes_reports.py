"""What supervisors count: distributions, not only averages; by area, never by person. JSON, or CSV for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import Depends, Query, Response

from hub.api.answers import JsonAnswer
from hub.api.deps import Hub, HubDep, hub_of
from hub.api.fields import Time
from hub.api.routing import Filter, api_router
from hub.api.sheets import csv_answer
from hub.api.views import ListOf
from hub.api.views_desk import Counts, ReportRow
from hub.errors import BadRequestError
from hub.ports import Json, ReportSpan

__all__ = ["NUMBERS", "AreaKind", "Format", "Number", "Span", "report_answer", "router"]

router = api_router("reports")
_LONGEST = timedelta(days=400)
Format = Annotated[Literal["json", "csv"], Query(description="csv: UTF-8 with a mark, as spreadsheets want it")]
AreaKind = Literal["district", "street", "community", "grid", "micro_grid"]
Number = Literal[
    "all",
    "claimed",
    "dispatched",
    "unclaimed",
    "within_15",
    "within_60",
    "within_180",
    "late_60",
    "arrived",
    "late_arrival",
    "resolved",
    "genuine",
    "false",
    "no_contact",
    "judged",
    "unfounded",
    "review_wanted",
    "review_done",
    "review",
    "stale",
    "looped",
]
NUMBERS: tuple[str, ...] = Number.__args__  # type: ignore[attr-defined]
"""Every number of `/reports/counts` has its list at `/reports/incidents?number=`."""


def _span(
    hub: Annotated[Hub, Depends(hub_of)],
    start: Annotated[Time | None, Query(alias="from")] = None,
    end: Annotated[Time | None, Query(alias="to")] = None,
    area: Filter = None,
    priority: Annotated[Literal["critical", "high", "medium", "low"] | None, Query()] = None,
) -> ReportSpan:
    """The last 30 days where no span is given."""
    until = end or hub.clock()
    since = start or until - timedelta(days=30)
    if since >= until:
        raise BadRequestError("from must be earlier than to", field="from")
    if until - since > _LONGEST:
        raise BadRequestError(f"at most {_LONGEST.days} days at once", field="from")
    return ReportSpan(since, until, area, priority)


Span = Annotated[ReportSpan, Depends(_span)]


def _flat(row: Json) -> dict[str, object]:
    """`{"claim": {"p50": 1}}` as `{"claim_p50": 1}`: one level, as a table has."""
    flat: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name}_{inner}": one for inner, one in value.items()}
        else:
            flat[name] = " ".join(map(str, value)) if isinstance(value, list) else value
    return flat


def report_answer(rows: Iterable[Json], kind: str, name: str) -> Response:
    found = list(rows)
    if kind == "json":
        return JsonAnswer({"items": found, "next": None})
    flat = [_flat(row) for row in found]
    return csv_answer(name, list(dict.fromkeys(key for row in flat for key in row)), flat)


@router.get("/reports/responses", response_model=ListOf[ReportRow], summary="Times of the chain: p50, p90, p95, p99")
def report_responses(
    hub: HubDep, span: Span, by: Literal["all", "priority", "type"] | AreaKind = "all", format: Format = "json"
) -> Response:
    """Seconds from the opening to the claim, the first dispatch, the first arrival, the close."""
    return report_answer(hub.reads.report_responses(span, by), format, f"responses-{by}")


@router.get("/reports/closed-loop", response_model=ListOf[ReportRow], summary="How many went all the way round")
def report_loop(hub: HubDep, span: Span, by: AreaKind = "community", format: Format = "json") -> Response:
    """`looped`: claimed by a person, resolved with a disposition, and supervised where that was required."""
    return report_answer(hub.reads.report_loop(span, by), format, f"closed-loop-{by}")


@router.get("/reports/load", response_model=ListOf[ReportRow], summary="Alarms an hour, and minutes in flood")
def report_load(
    hub: HubDep,
    span: Span,
    flooded: Annotated[bool, Query(description="Only hours with a flood in them")] = False,
    format: Format = "json",
) -> Response:
    """A flood is ten alarms or more in ten minutes (ISA-18.2)."""
    rows = (row for row in hub.reads.report_load(span) if row["flood_min"] or not flooded)
    return report_answer(rows, format, "load")


@router.get("/reports/devices", response_model=ListOf[ReportRow], summary="False alarms by device model")
def report_devices(hub: HubDep, span: Span, format: Format = "json") -> Response:
    return report_answer(hub.reads.report_devices(span), format, "devices")


@router.get("/reports/counts", response_model=Counts, summary="The numbers of the supervisor's page")
def report_counts(hub: HubDep, span: Span) -> Response:
    """Every number opens its list: `/reports/incidents?number=`, orders `/reports/orders?number=`."""
    counts = hub.reads.report_counts(span, hub.clock())
    return JsonAnswer({**dict.fromkeys(NUMBERS, 0), **counts, "from": span.start, "to": span.end})
