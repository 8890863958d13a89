"""What supervisors count: distributions, not only averages; by area, never by person. JSON, or CSV for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import Depends, Query, Response

from hub.api.answers import JsonAnswer
from hub.api.deps import Hub, HubDep, hub_of
from hub.api.fields import Time
from hub.api.routing import Filter, Limit, api_router
from hub.api.sheets import csv_answer
from hub.api.views import Incident, ListOf
from hub.api.views_desk import Counts, ReportRow
from hub.errors import BadRequestError
from hub.ports import Json, ReportSpan

__all__ = ["NUMBERS", "Format", "Span", "report_answer", "router"]

router = api_router("reports")
_LONGEST = timedelta(days=400)
Format = Annotated[Literal["json", "csv"], Query(description="csv: UTF-8 with a mark, as spreadsheets want it")]
AreaKind = Literal["district", "street", "community", "grid", "micro_grid"]
Number = Literal[
    "all",
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
def report_load(hub: HubDep, span: Span, format: Format = "json") -> Response:
    """A flood is ten alarms or more in ten minutes (ISA-18.2)."""
    return report_answer(hub.reads.report_load(span), format, "load")


@router.get("/reports/devices", response_model=ListOf[ReportRow], summary="False alarms by device model")
def report_devices(hub: HubDep, span: Span, format: Format = "json") -> Response:
    return report_answer(hub.reads.report_devices(span), format, "devices")


@router.get("/reports/counts", response_model=Counts, summary="The numbers of the supervisor's page")
def report_counts(hub: HubDep, span: Span) -> Response:
    """Every number that is not 0; `/reports/incidents?number=` gives its list."""
    counts = hub.reads.report_counts(span, hub.clock())
    return JsonAnswer({**dict.fromkeys(NUMBERS, 0), **counts, "from": span.start, "to": span.end})


@router.get("/reports/incidents", response_model=ListOf[Incident], summary="The incidents behind a number")
def report_incidents(hub: HubDep, span: Span, number: Number, limit: Limit = 200, format: Format = "json") -> Response:
    """The newest first."""
    views = hub.reads.incidents_by_id(hub.reads.report_list(span, number, hub.clock(), limit))
    if format == "json":
        return JsonAnswer({"items": list(views.values()), "next": None})
    return report_answer((_line(view) for view in views.values()), format, f"incidents-{number}")


def _line(view: Json) -> Json:
    area = view.get("area") or {}
    told = (
        "number",
        "priority",
        "class",
        "type",
        "state",
        "opened_at",
        "acknowledged_at",
        "resolved_at",
    )
    return {name: view.get(name) for name in told} | {
        "disposition": view["disposition"],
        "alarms": view["alarms"],
        "area": area.get("name"),
        "supervision": view["supervision"],
    }
