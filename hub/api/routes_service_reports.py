"""Reports on services: coverage, punctuality, continuity, travel, satisfaction; by area and provider, never by person.

Every number has its meaning (`/reports/services/definitions`) and opens its list. An account of a provider sees that
provider alone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Response

from hub.api.answers import JsonAnswer
from hub.api.deps import HubDep, Who
from hub.api.fields import Time
from hub.api.routes_programmes import Month
from hub.api.routes_report_lists import named_line, rows_answer
from hub.api.routes_reports import Format, report_answer
from hub.api.routing import Cursor, Filter, Limit, api_router
from hub.api.scope import provider_wanted
from hub.api.service_numbers import MEANINGS
from hub.api.views import ListOf, View
from hub.api.views_desk import ReportRow
from hub.errors import BadRequestError
from hub.ports import Json, RowsWanted, ServiceSpan

__all__ = ["router"]

router = api_router("reports")
_LONGEST = timedelta(days=400)
_LATEST = timedelta(microseconds=1)

AreaKind = Literal["district", "street", "community", "grid", "micro_grid"]
By = Annotated[Literal["all", "provider"] | AreaKind, Query(description="A row for each of these")]
ByKind = Annotated[Literal["all", "kind", "provider"] | AreaKind, Query(description="A row for each of these")]
OrderNumber = Literal[
    "orders",
    "cancelled",
    "due",
    "served",
    "aborted",
    "begun",
    "early",
    "on_time",
    "late_15",
    "late_30",
    "late_60",
    "missed",
    "waiting",
    "rated",
    "content",
    "discontent",
    "complaints",
]
CoverNumber = Literal["entitled", "planned", "wanted", "covered", "uncovered", "besides"]
FaceNumber = Literal["repeated", "many", "by_others"]


class Definition(View):
    name: str
    report: str
    zh: str
    en: str
    zh_means: str
    en_means: str
    list: bool


class Definitions(View):
    items: list[Definition]
    providers: list[dict[str, Any]]


def _span(
    hub: HubDep,
    who: Who,
    start: Annotated[Time | None, Query(alias="from")] = None,
    end: Annotated[Time | None, Query(alias="to")] = None,
    area: Filter = None,
    provider: Filter = None,
    kind: Filter = None,
) -> ServiceSpan:
    """The last 30 days where no span is given; `to` is not part of it."""
    now = hub.clock()
    until = end or now
    since = start or until - timedelta(days=30)
    if since >= until:
        raise BadRequestError("from must be earlier than to", field="from")
    if until - since > _LONGEST:
        raise BadRequestError(f"at most {_LONGEST.days} days at once", field="from")
    return ServiceSpan(
        start=since,
        end=until,
        first_day=since.astimezone(hub.zone).date(),
        last_day=(until - _LATEST).astimezone(hub.zone).date(),
        now=now,
        area_id=area,
        provider_id=provider_wanted(who, provider),
        kind=kind,
    )


Span = Annotated[ServiceSpan, Depends(_span)]


def _of(
    by: ByKind = "all",
    group: Annotated[str | None, Query(max_length=120, description="`group` of the report's row")] = None,
    limit: Limit = 200,
    cursor: Cursor = None,
) -> RowsWanted:
    return RowsWanted(limit, cursor, by, group or "")


Of = Annotated[RowsWanted, Depends(_of)]


@router.get("/reports/services/definitions", response_model=Definitions, summary="What each number means")
def show_definitions(hub: HubDep, who: Who, format: Format = "json") -> Response:
    """In both languages; and the provider organisations one may ask for."""
    rows: list[Json] = [{"name": name, **meaning._asdict()} for name, meaning in MEANINGS.items()]
    if format == "csv":
        return report_answer(rows, "csv", "definitions")
    own = who.provider_id
    providers = [one for one in hub.reads.providers_named() if own in (None, one["id"])]
    return JsonAnswer({"items": rows, "providers": providers})


@router.get("/reports/services", response_model=ListOf[ReportRow], summary="Served, on time, late, missed, liked")
def report_services(hub: HubDep, span: Span, by: ByKind = "all", format: Format = "json") -> Response:
    """Orders wanted in the span: `early`, `on_time` and the three of lateness are all that were begun, each once."""
    return report_answer(hub.reads.service_report(span, by), format, f"services-{by}")


@router.get("/reports/services/orders", response_model=ListOf[ReportRow], summary="The orders behind a number")
def report_service_orders(
    hub: HubDep, span: Span, number: OrderNumber, wanted: Of, format: Format = "json"
) -> Response:
    """The newest first; `by` and `group` as in the row of the report whose number it is."""
    return rows_answer(
        lambda page: hub.reads.service_list(span, number, page), wanted, format, f"services-{number}", named_line
    )


@router.get("/reports/services/coverage", response_model=ListOf[ReportRow], summary="Who should be served, who was")
def report_coverage(hub: HubDep, span: Span, by: By = "all", format: Format = "json") -> Response:
    """Residents. A resident of two providers counts with both."""
    return report_answer(hub.reads.cover_report(span, by), format, f"coverage-{by}")


@router.get("/reports/services/residents", response_model=ListOf[ReportRow], summary="The residents behind a number")
def report_service_residents(
    hub: HubDep, span: Span, number: CoverNumber | FaceNumber, wanted: Of, format: Format = "json"
) -> Response:
    """By name; where it is about many faces, those with the most first. Nobody who came is named."""
    faces = number in ("repeated", "many", "by_others")
    read = hub.reads.continuity_list if faces else hub.reads.cover_list
    return rows_answer(lambda page: read(span, number, page), wanted, format, f"residents-{number}", named_line)


@router.get("/reports/services/continuity", response_model=ListOf[ReportRow], summary="How many faces, how regular")
def report_continuity(hub: HubDep, span: Span, by: ByKind = "all", format: Format = "json") -> Response:
    """Of residents with two visits or more; `by_regular` of `visits` is the continuity."""
    return report_answer(hub.reads.continuity_report(span, by), format, f"continuity-{by}")


@router.get("/reports/services/travel", response_model=ListOf[ReportRow], summary="The share of time on the way")
def report_travel(hub: HubDep, span: Span, by: By = "all", format: Format = "json") -> Response:
    """Of published plans of the span's days; a route's time is divided among areas by its stops."""
    return report_answer(hub.reads.travel_report(span, by), format, f"travel-{by}")


@router.get("/reports/services/routes", response_model=ListOf[ReportRow], summary="The routes behind the travel share")
def report_routes(hub: HubDep, span: Span, wanted: Of, format: Format = "json") -> Response:
    """By day, without names: there is no league of persons."""
    return rows_answer(lambda page: hub.reads.travel_list(span, page), wanted, format, "routes")


@router.get("/reports/services/programmes", response_model=ListOf[ReportRow], summary="Monthly visits: seen, not yet")
def report_programmes(hub: HubDep, month: Month = None, area: Filter = None, format: Format = "json") -> Response:
    """Every programme in force, by grid; the lists are those of `/programmes/{id}/people?only=pending`."""
    desk = hub.services.everyday.programmes
    with hub.database.begin() as tx:
        programmes = tx.everyday.programmes.all(active=True)
    rows: list[Json] = [
        {"programme_id": one.id, "programme": one.zh, "programme_en": one.en, **row}
        for one in programmes
        for row in desk.coverage(one.id, month, area)  # type: ignore[arg-type]
    ]
    return report_answer(rows, format, f"programmes-{month or desk.today():%Y-%m}")
