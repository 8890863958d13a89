"""Meals: points, dishes, menus, the kitchen's day, orders until the cut-off, the canteen's desk."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import Query, Response

from dispatch.meals import ALLERGENS, DIETS, Meal, hours_of
from hub.api.answers import JsonAnswer, one
from hub.api.deps import Hub, HubDep, Who
from hub.api.fields import no_controls
from hub.api.provider_days import own_meal, own_station
from hub.api.records import add_record, change_record, list_answer, record_view
from hub.api.routing import Cursor, Filter, Limit, RecordId, Uid, api_router
from hub.api.schemas_meals import (
    DishChange,
    DishNew,
    MealCard,
    MealChange,
    MealNew,
    MealPointChange,
    MenuSet,
    ServeNow,
)
from hub.api.scope import own_resident, provider_record
from hub.api.sheets import csv_answer
from hub.api.views import ListOf
from hub.api.views_meals import MealDay, MealDeskList, MealList, MealMenus, MealOrder, MealServed, MealUnanswered
from hub.api.views_records import MealDish
from hub.api.writes import Write
from hub.errors import BadRequestError, ForbiddenError, NotFoundError
from hub.ports import Json

__all__ = ["DayParam", "MealParam", "day_of", "router"]

router = api_router("meals")
_HOME = frozenset({"family", "resident"})
_COLUMNS = (
    "station_id", "meal", "mode", "dish", "name", "address", "diets", "allergies", "note", "courier", "stop", "result",
    "minutes", "late", "problem", "state",
)  # fmt: skip

DayParam = Annotated[date | None, Query(alias="date", description="Local day of the hub; today where absent")]
MealParam = Annotated[Meal, Query(description="breakfast, lunch or dinner")]


def day_of(hub: Hub, day: date | None) -> date:
    """The day that is meant. BadRequestError beyond a year."""
    today = hub.clock().astimezone(hub.zone).date()
    if day is not None and abs(day - today) > timedelta(days=366):
        raise BadRequestError("date: within a year of today", field="date")
    return day or today


# --- dishes and menus


@router.get("/meal-dishes", response_model=ListOf[MealDish], summary="Dishes")
def list_dishes(
    hub: HubDep, who: Who, q: Filter = None, station_id: Filter = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    return list_answer(hub, "meal_dishes", limit, cursor, q=q, station_id=station_id, provider=who.provider_id)


@router.post("/meal-dishes", response_model=MealDish, status_code=201, summary="Add a dish")
def post_dish(write: Write, body: DishNew) -> Response:
    _check_diets(body.diets)
    return add_record(write, "meal_dishes", body, ("name",))


@router.get("/meal-dishes/{record_id}", response_model=MealDish, summary="One dish")
def show_dish(hub: HubDep, who: Who, record_id: RecordId) -> Response:
    provider_record(hub, who, "meal_dishes", record_id)
    return one(record_view(hub, "meal_dishes", record_id))


@router.patch("/meal-dishes/{record_id}", response_model=MealDish, summary="Change a dish")
def patch_dish(write: Write, record_id: RecordId, body: DishChange) -> Response:
    _check_diets(body.diets)
    return change_record(write, "meal_dishes", record_id, body)


def _check_diets(diets: list[str]) -> None:
    unknown = [one for one in diets if one not in DIETS]
    if unknown:
        raise BadRequestError(f"there is no diet {unknown[0]}; known: {', '.join(DIETS)}", field="diets")


@router.get("/meals/menus", response_model=MealMenus, summary="Menus of a point by day and meal")
def list_menus(
    hub: HubDep,
    who: Who,
    station: Annotated[str, Query(max_length=64)],
    start: Annotated[date | None, Query(alias="from")] = None,
    end: Annotated[date | None, Query(alias="to", description="At most 62 days after `from`")] = None,
) -> Response:
    own_station(hub, who, station)
    begin = day_of(hub, start)
    until = end or begin + timedelta(days=6)
    if not begin <= until <= begin + timedelta(days=62):
        raise BadRequestError("to: from `from` to 62 days after it", field="to")
    body = {
        "items": hub.reads.meal_menus(no_controls(station), begin, until),
        "diets": {code: list(names) for code, names in DIETS.items()},
        "allergens": list(ALLERGENS),
    }
    return JsonAnswer(body)


@router.post("/meals/menus", response_model=MealMenus, summary="Set the menu of one meal")
def post_menu(hub: HubDep, who: Who, write: Write, body: MenuSet) -> Response:
    dishes = [one.model_dump() for one in body.dishes]
    return write.once(
        lambda: hub.services.meals.kitchen.set_menu(body.station_id, body.day, body.meal, dishes, who.actor),
        lambda _done: {
            "items": hub.reads.meal_menus(body.station_id, body.day, body.day),
            "diets": {code: list(names) for code, names in DIETS.items()},
            "allergens": list(ALLERGENS),
        },
    )


# --- the kitchen's day


@router.get("/meals/day", response_model=MealDay, summary="The points' numbers of one meal, and the cut-off")
def show_day(hub: HubDep, who: Who, meal: MealParam, day: DayParam = None, area: Filter = None) -> Response:
    return JsonAnswer(_day(hub, day_of(hub, day), meal, area, who.provider_id))


def _day(hub: Hub, day: date, meal: Meal, area: str | None, provider: str | None = None) -> Json:
    now = hub.clock()
    items: list[Json] = []
    totals: Counter[str] = Counter()
    for row in hub.reads.meal_day(day, meal, area, provider):
        hours = hours_of(row["hours"])[meal]
        begin, end = hours.window(day, hub.zone) if hours else (None, None)
        until = hours.cutoff_at(day, hub.zone) if hours else None
        totals.update(row["counts"])
        items.append(
            {
                **row,
                "offered": hours is not None,
                "cutoff_at": until,
                "closed": until is not None and now > until,
                "begins_at": begin,
                "ends_at": end,
                "capacity": hours.capacity if hours and row["kept"] else None,
            }
        )
    return {"day": day, "meal": meal, "server_time": now, "items": items, "totals": dict(totals)}


@router.patch("/meals/points/{station_id}", response_model=MealDay, summary="Set what a point keeps to")
def patch_point(hub: HubDep, who: Who, write: Write, station_id: RecordId, body: MealPointChange) -> Response:
    """From then on its cut-offs and numbers are promised: what is against them is refused."""
    fields = body.model_dump(exclude_unset=True)

    def view(_done: None) -> Json:
        found = _day(hub, day_of(hub, None), "lunch", None)
        return {**found, "items": [one for one in found["items"] if one["station_id"] == station_id]}

    return write.once(lambda: hub.services.meals.kitchen.set_point(station_id, fields, who.actor, write.version), view)


@router.get("/meals/list", response_model=MealList, summary="The kitchen's list of one point and meal")
def show_list(
    hub: HubDep,
    who: Who,
    meal: MealParam,
    station: Annotated[str, Query(max_length=64, description="Empty: orders for which no point was found")],
    day: DayParam = None,
    form: Annotated[Literal["json", "csv"], Query(alias="format", description="csv: UTF-8 with a mark")] = "json",
) -> Response:
    """By dish, then name; cancelled ones last."""
    own_station(hub, who, station)
    on = day_of(hub, day)
    items = [own_meal(who, one) for one in hub.reads.meal_list(no_controls(station), on, meal)]
    if form == "csv":
        return csv_answer(f"meals-{on.isoformat()}-{meal}", _COLUMNS, map(_line, items))
    return JsonAnswer({"items": items, "next": None})


def _line(item: Json) -> Json:
    return {
        **item,
        "name": item["resident"]["name"],
        "address": item["resident"]["address"],
        "diets": " ".join(item["diets"]),
        "allergies": " ".join(item["allergies"]),
        "courier": (item["courier"] or {}).get("name"),
    }


@router.get("/meals/unanswered", response_model=MealUnanswered, summary="Doors where nobody answered; who was refused")
def list_unanswered(hub: HubDep, who: Who, day: DayParam = None) -> Response:
    """An account of a provider sees the doors, not what the district's desk makes of them."""
    on, provider = day_of(hub, day), who.provider_id
    items = [own_meal(who, one) for one in hub.reads.meal_unanswered(on, provider)]
    return JsonAnswer({"items": items, "refusals": hub.reads.meal_refusals(on, provider), "next": None})


# --- orders


@router.post("/meals/orders", response_model=MealOrder, status_code=201, summary="Order a meal")
def post_meal(hub: HubDep, who: Who, write: Write, body: MealNew) -> Response:
    """409 `meal-refused` with `objections` [{code, zh, en}] after the cut-off, where all meals are ordered, or where
    the dish is not right for the person; a coordinator may send it again with `override_reason`.
    """
    if who.role in _HOME and body.resident_id != own_resident(hub, who):
        raise ForbiddenError("an order for your own resident only")
    fields = body.model_dump(exclude_none=True)
    return write.once(
        lambda: hub.services.meals.desk.order(fields, who.actor),
        lambda order_id: _order(hub, order_id),
        status=201,
        headers=lambda view: {"Location": f"/api/v1/orders/{view['order_id']}"},
    )


def _order(hub: Hub, order_id: str) -> Json:
    found = hub.reads.meal_order(order_id)
    if found is None:
        raise NotFoundError(f"no meal order {order_id}")
    return found


@router.post("/meals/orders/{order_id}/change", response_model=MealOrder, summary="Another dish or point")
def change_meal(hub: HubDep, who: Who, write: Write, order_id: Uid, body: MealChange) -> Response:
    """Refused as an order is; after the cut-off only a coordinator with `override_reason`."""
    if who.role in _HOME and _order(hub, order_id)["resident"]["id"] != own_resident(hub, who):
        raise NotFoundError(f"no meal order {order_id}")
    fields = body.model_dump(exclude_unset=True)
    return write.once(
        lambda: hub.services.meals.kitchen.change(order_id, fields, who.actor), lambda _done: _order(hub, order_id)
    )


# --- the canteen's desk


@router.get("/meals/desk", response_model=MealDeskList, summary="Find who stands at the desk")
def show_desk(
    hub: HubDep, q: Annotated[str, Query(min_length=1, max_length=64)], meal: MealParam, day: DayParam = None
) -> Response:
    """By name, number, card or telephone; with this meal's order, and whether it was had."""
    on = day_of(hub, day)
    return JsonAnswer({"day": on, "meal": meal, "items": hub.reads.meal_desk(no_controls(q.strip()), on, meal, 20)})


@router.post("/meals/serve", response_model=MealServed, status_code=201, summary="Tick served")
def post_serve(hub: HubDep, who: Who, write: Write, body: ServeNow) -> Response:
    """409 `meal-served-twice` with `served` (at, station, by): one meal a person, wherever and by whatever card."""
    fields = body.model_dump(exclude_none=True)
    return write.once(
        lambda: hub.services.meals.desk.serve(body.station_id, fields, who.actor),
        lambda row: row._asdict(),
        status=201,
    )


@router.post("/meals/cards", response_model=MealCard, status_code=201, summary="Give somebody a card")
def post_card(hub: HubDep, who: Who, write: Write, body: MealCard) -> Response:
    """Cards the person had before are worth nothing from now on."""
    return write.once(
        lambda: hub.services.meals.desk.give_card(body.resident_id, body.card, who.actor),
        lambda _done: body.model_dump(),
        status=201,
    )
