"""How loaded the desk is: now, and as reports. Seats are counted to share the work, never to rank people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import Field

from hub.alarms.load import FLOOD_SHARE, bad_actors, priority_mix
from hub.api.answers import JsonAnswer
from hub.api.deps import Hub, HubDep, Reader
from hub.api.routes_report_lists import CLASSES
from hub.api.routes_reports import Format, Span, report_answer
from hub.api.routing import api_router
from hub.api.views import ListOf, Named, View
from hub.api.writes import Write
from hub.ports import Json
from hub.wording import worded

__all__ = ["router"]

router = api_router("reports")
_KNOWN = ("family", "model", "area", "types", "incidents", "false", "last_at")


class SeatNow(View):
    user: Named
    last_10_min: int
    last_hour: int
    state: Literal["comfortable", "busy", "over", "flood"] = Field(
        description="Up to 6 an hour, 12, more; ten in 10 min"
    )
    flood_since: str | None


class LoadNow(View):
    at: str
    seats: list[SeatNow]
    seats_in_flood: int
    alarms_last_hour: int
    alarms_an_hour_a_seat: float | None = Field(description="null: nobody is on duty")
    alarms_last_10_min: int
    live: int
    stale: int = Field(description="Standing for more than 24 hours")
    stale_technical: int
    shelved: int
    chattering: int
    silences: int
    oldest_stale: list[dict[str, Any]]
    mix: dict[str, dict[str, Any]] = Field(description="critical, high, rest of a day against 5, 15, 80 %")
    spilled: list[dict[str, Any]] = Field(description="Of the last hour: whose seat, to which, by which rule")


class OperatorLoad(View):
    group: str
    duty_h: float
    rings: int
    per_seat_hour: float | None
    flood_min: float
    flood_share: float | None
    spilled_in: int
    spilled_out: int
    day: str | None = None
    works: bool | None = Field(default=None, description="By day: whether it is a working day, make-up days among them")
    holiday: str | None = None


class Seated(View):
    incident_id: str
    seat: Named | None = Field(description="Whose it is; null: no seat was on duty")
    home: Named | None = Field(description="Whose it would be without a flood")
    rule: Literal["home", "spilled", "all_flooded", "nobody"]


class PathTest(View):
    id: str
    day: str | None = Field(description="null: somebody asked for it")
    state: Literal["wanted", "running", "passed", "failed"]
    told_s: float | None
    recorded_s: float | None
    shown_s: float | None = Field(description="null also where the process with the jobs has no live feed")
    reason: str | None


class Asked(View):
    id: str
    state: Literal["wanted"] = "wanted"


class BadActorRow(View):
    rank: int
    device: str
    alarms: int
    share: float
    together: float
    bad: bool


@router.get("/load", response_model=LoadNow, summary="How loaded the desk is now")
def show_load(hub: HubDep) -> Response:
    """Rings are new incidents, presses after the claim and stronger alarms; not the same one ringing again."""
    return JsonAnswer(hub.reads.load_now(hub.clock()))


@router.get("/load/seats", response_model=ListOf[Seated], summary="At which seat each live incident belongs")
def show_seated(hub: HubDep) -> Response:
    """An alarm rings at every seat; it belongs to one, decided within a second of its opening."""
    return JsonAnswer({"items": hub.reads.seated(), "next": None})


@router.get("/reports/path-tests", response_model=ListOf[PathTest], summary="Tests of the alarm path")
def report_path_tests(hub: HubDep, reader: Reader, span: Span, format: Format = "json") -> Response:
    """Seconds from the publishing until the device was told, the alarm was a row, the live feed had shown it."""
    found = [worded(row, reader, "reason") for row in hub.reads.path_tests_report(span)]
    return report_answer(found, format, "path-tests")


@router.post("/path-tests", response_model=Asked, status_code=202, summary="Test the alarm path now")
def ask_path_test(hub: HubDep, write: Write) -> Response:
    """Made within seconds; see `/reports/path-tests`. Nobody is called."""
    return write.once(
        lambda: hub.services.path_tests.ask(write.actor), lambda row_id: {"id": row_id, "state": "wanted"}, status=202
    )


@router.get("/reports/operator-load", response_model=ListOf[OperatorLoad], summary="Alarms an hour a seat, and floods")
def report_operator_load(
    hub: HubDep, span: Span, by: Literal["seat", "hour", "day", "day_kind"] = "hour", format: Format = "json"
) -> Response:
    """EEMUA 191: 6 an hour a seat are comfortable, 12 can be managed; less than 1 % of the time in flood. `day` says of
    each day whether it is worked and what holiday it is; `day_kind` puts working days against days off. JSON has the
    whole span beside the items: `total`, `mix` and `goals`.
    """
    days = by in ("day", "day_kind")
    found = hub.reads.report_operator_load(span, "day" if days else by, str(hub.zone))
    rows = [_load_row(row) for row in (_day_kinds(hub, found) if by == "day_kind" else found)]
    if by == "day":
        rows = [{**row, **_day(one)} for row, one in zip(rows, _calendar_days(hub, found), strict=True)]
    if format == "csv":
        return report_answer(rows, format, f"operator-load-{by}")
    mix = hub.reads.report_mix(span)
    goals = {"comfortable": 6, "manageable": 12, "flood_share": FLOOD_SHARE}
    body = {"items": rows, "next": None, "total": _total(rows), "mix": priority_mix(mix), "goals": goals}
    return JsonAnswer({**body, "from": span.start, "to": span.end})


def _calendar_days(hub: Hub, rows: Sequence[Json]) -> list[tuple[date, bool, str | None]]:
    """(day, whether it is worked, the holiday's name) of rows by day."""
    days = [row["group"].astimezone(hub.zone).date() for row in rows]
    if not days:
        return []
    with hub.database.begin() as tx:
        calendar = tx.rota.calendar()
        names = {row["id"]: row["name"] for row in tx.rota.holiday_names(min(days), max(days) + timedelta(days=1))}
    return [(day, calendar.works(day), names.get(day.isoformat())) for day in days]


def _day(found: tuple[date, bool, str | None]) -> Json:
    day, works, name = found
    return {"day": day.isoformat(), "works": works, "holiday": name}


def _day_kinds(hub: Hub, rows: Sequence[Json]) -> list[Json]:
    """Rows by day put together: working days, days off. `seats` as on the fullest of these days."""
    found: dict[str, Json] = {}
    for row, (_, works, _) in zip(rows, _calendar_days(hub, rows), strict=True):
        group = "workdays" if works else "days_off"
        so_far = found.setdefault(group, {**dict.fromkeys(_SUMS, 0), "group": group, "seats": 0})
        so_far |= {name: so_far[name] + row[name] for name in _SUMS}
        so_far["seats"] = max(so_far["seats"], row["seats"])
    return [found[name] for name in ("workdays", "days_off") if name in found]


_SUMS = ("duty_s", "flood_s", "rings", "spilled_in", "spilled_out")


def _load_row(row: Json) -> Json:
    duty_h = row["duty_s"] / 3600
    return {
        "group": row["group"],
        "seats": row["seats"],
        "duty_h": round(duty_h, 2),
        "rings": row["rings"],
        "per_seat_hour": round(row["rings"] / duty_h, 2) if duty_h >= 0.1 else None,
        "flood_min": round(row["flood_s"] / 60, 1),
        "flood_share": round(row["flood_s"] / row["duty_s"], 4) if row["duty_s"] else None,
        "spilled_in": row["spilled_in"],
        "spilled_out": row["spilled_out"],
    }


def _total(rows: list[Json]) -> Json:
    duty_h, flood_min = sum(row["duty_h"] for row in rows), sum(row["flood_min"] for row in rows)
    rings = sum(row["rings"] for row in rows)
    return {
        "duty_h": round(duty_h, 2),
        "rings": rings,
        "per_seat_hour": round(rings / duty_h, 2) if duty_h >= 0.1 else None,
        "flood_min": round(flood_min, 1),
        "flood_share": round(flood_min / 60 / duty_h, 4) if duty_h else None,
        "spilled": sum(row["spilled_out"] for row in rows),
    }


@router.get("/reports/bad-actors", response_model=ListOf[BadActorRow], summary="The few devices that make most alarms")
def report_bad_actors(
    hub: HubDep,
    span: Span,
    of: Annotated[Literal["all", "technical", "people"], Query(description="Which classes of alarms")] = "all",
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    format: Format = "json",
) -> Response:
    """`bad`: among the few that make half of all alarms, and more than one a day. Repair or replace it; silence is no
    cure.
    """
    total, actors, known = hub.reads.bad_actor_counts(span, CLASSES[of])
    days = (span.end - span.start).total_seconds() / 86400
    ranked = bad_actors(actors, total, days=days)[:limit]
    rows = [
        {
            "rank": one.rank,
            "device": one.id,
            **{
                name: known[one.id][name]
                for name in ("family", "model", "area", "types", "incidents", "false", "last_at")
            },
            "alarms": one.alarms,
            "share": round(one.share, 4),
            "together": round(one.together, 4),
            "bad": one.bad,
        }
        for one in ranked
    ]
    return report_answer(rows, format, f"bad-actors-{of}")
