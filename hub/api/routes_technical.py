"""The work list of devices: what somebody must see to, by station and day; repair orders made of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Literal

from fastapi import Query, Response
from pydantic import Field

from hub.api.answers import JsonAnswer
from hub.api.deps import HubDep, Reader, Who
from hub.api.fields import Request, Text, Time, Word
from hub.api.routing import Filter, Uid, api_router
from hub.api.scope import order_view
from hub.api.sheets import csv_answer
from hub.api.views_services import Order
from hub.api.views_technical import RepairOutcomes, TechnicalList
from hub.api.writes import Write
from hub.errors import BadRequestError
from hub.ports import Json
from hub.service import RepairOutcome
from hub.wording import Language, worded

__all__ = ["RepairNew", "RepairsNew", "router"]

router = api_router("technical work")
_COLUMNS = (
    "rank", "station", "area", "device", "family", "resident", "phone", "address", "cause", "types", "opened_at",
    "last_seen_at", "battery_pct", "silent", "alarms_30d", "bad_actor", "state", "order",
)  # fmt: skip


class RepairNew(Request):
    """A repair order. Without a time: within two working days from now."""

    wanted_from: Time | None = None
    wanted_to: Time | None = None
    note: Text | None = None
    area_id: Word | None = Field(default=None, description="Where it is, if nobody knows and no resident has it")


class RepairsNew(RepairNew):
    """Repair orders for several matters at once. A preview writes nothing."""

    incident_ids: list[Word] = Field(min_length=1, max_length=200)
    preview: bool = False


@router.get("/technical-work", response_model=TechnicalList, summary="Devices somebody must see to, bad actors first")
def list_technical_work(
    hub: HubDep,
    station: Filter = None,
    day: Annotated[date | None, Query(description="Local day of the hub; today where absent")] = None,
    form: Annotated[Literal["json", "csv"], Query(alias="format", description="csv: UTF-8 with a mark")] = "json",
) -> Response:
    """What was open at some time of the day. `station`: its id, or `none` for places no station serves.

    These never stand in the queue of emergencies.
    """
    now = hub.clock()
    on = day or now.astimezone(hub.zone).date()
    start = datetime.combine(on, time.min, tzinfo=hub.zone)
    if not timedelta(days=-400) < start - now < timedelta(days=2):
        raise BadRequestError("day: from 400 days ago to tomorrow", field="day")
    found = hub.reads.technical_work(start, start + timedelta(days=1), now, station)
    if form == "csv":
        return csv_answer(f"technical-work-{on.isoformat()}", _COLUMNS, map(_line, found.items))
    body = {"day": on, "items": found.items, "stations": found.stations, "more": found.more, "next": None}
    return JsonAnswer(body)


def _line(item: Json) -> Json:
    device, resident, incident = item["device"] or {}, item["resident"] or {}, item["incident"]
    return {
        **{name: item[name] for name in ("rank", "silent", "alarms_30d", "bad_actor")},
        **{name: (item[name] or {}).get("name") for name in ("station", "area")},
        **{name: device.get(name) for name in ("family", "last_seen_at", "battery_pct")},
        "device": device.get("id"),
        "resident": resident.get("name"),
        **{name: resident.get(name) for name in ("phone", "address")},
        "cause": ":".join((item["cause"] or {}).values()),
        "types": " ".join(incident["types"]),
        "opened_at": incident["opened_at"],
        "state": incident["state"],
        "order": (item["order"] or {}).get("number"),
    }


@router.post(
    "/technical-work/{incident_id}/repair", response_model=Order, status_code=201, summary="Make a repair order of it"
)
def post_repair(hub: HubDep, who: Who, write: Write, incident_id: Uid, body: RepairNew) -> Response:
    """One repair order a matter: a second answers 409 `order-exists` with the first. What no resident has (a gateway, a
    relay, a shared cause) is repaired where it is: 409 `no-place` where nobody knows, then `area_id` says.
    """
    return write.once(
        lambda: hub.services.repairs.order(incident_id, body.model_dump(exclude_none=True), who.actor),
        lambda order_id: order_view(hub, who, order_id),
        status=201,
        headers=lambda view: {"Location": f"/api/v1/orders/{view['id']}"},
    )


@router.post("/technical-work/repairs", response_model=RepairOutcomes, summary="Make repair orders of several")
def post_repairs(hub: HubDep, who: Who, write: Write, reader: Reader, body: RepairsNew) -> Response:
    """One order a matter that has none, each by itself; what has one says which. `preview` says what would be made."""
    fields = body.model_dump(exclude_none=True, exclude={"incident_ids", "preview"})
    ask = partial(hub.services.repairs.order_many, body.incident_ids, fields, who.actor)
    if body.preview:
        return JsonAnswer(_outcomes(ask(preview=True), reader))
    return write.once(ask, lambda found: _outcomes(found, reader))


def _outcomes(found: list[RepairOutcome], language: Language | None) -> Json:
    items = [worded(asdict(one), language, "detail") for one in found]
    return {"items": items, "counts": dict(Counter(one.outcome for one in found))}
