"""Meal rounds, the courier's trips, the three taps at a door."""

from __future__ import annotations

from fastapi import Response

from hub.api.answers import JsonAnswer, one
from hub.api.deps import Hub, HubDep, Reader, Who
from hub.api.provider_days import own_round
from hub.api.routes_meals import DayParam, day_of
from hub.api.routing import Filter, Uid, api_router
from hub.api.schemas_meals import MealLeft, MealTap, RoundsAsked
from hub.api.scope import person_of
from hub.api.views import Assignment
from hub.api.views_meals import MealRound, MealRounds, MyMeals
from hub.api.writes import Write
from hub.errors import NotFoundError
from hub.ports import Json
from hub.wording import Language, worded

__all__ = ["meal_stops", "router"]

router = api_router("meals")
_MEALS = ("breakfast", "lunch", "dinner")


@router.get("/meals/rounds", response_model=MealRounds, summary="Rounds of a day")
def list_rounds(hub: HubDep, who: Who, day: DayParam = None, meal: Filter = None, station: Filter = None) -> Response:
    asked = next((known for known in _MEALS if known == meal), None)
    if meal is not None and asked is None:
        raise NotFoundError(f"there is no meal {meal}", field="meal")
    items = hub.reads.meal_rounds(day_of(hub, day), asked, station, who.provider_id)  # type: ignore[arg-type]
    return JsonAnswer({"items": items, "next": None})


@router.post("/meals/rounds", response_model=MealRound, status_code=202, summary="Plan the rounds of a meal")
def post_rounds(hub: HubDep, who: Who, write: Write, reader: Reader, body: RoundsAsked) -> Response:
    """Planned in the background; look again under its id until it is `ready` or `failed`. Nothing is given to anybody
    before it is published.
    """
    return write.once(
        lambda: hub.services.meals.rounds.ask(
            body.station_id, body.day, body.meal, who.actor, seconds=body.seconds, couriers=body.couriers
        ),
        lambda round_id: _round(hub, round_id, reader),
        status=202,
        headers=lambda view: {"Location": f"/api/v1/meals/rounds/{view['id']}"},
    )


def _round(hub: Hub, round_id: str, language: Language | None) -> Json:
    found = hub.reads.meal_round(round_id)
    if found is None:
        raise NotFoundError(f"no meal round {round_id}")
    return {**worded(found, language, "error"), "trips": hub.reads.meal_trips_of_round(round_id)}


@router.get("/meals/rounds/{round_id}", response_model=MealRound, summary="One plan, with its trips as they stand")
def show_round(hub: HubDep, who: Who, reader: Reader, round_id: Uid) -> Response:
    return one(own_round(hub, who, _round(hub, round_id, reader)))


@router.post("/meals/rounds/{round_id}/publish", response_model=MealRound, summary="Give the stops to the couriers")
def publish_round(hub: HubDep, who: Who, write: Write, reader: Reader, round_id: Uid) -> Response:
    """Replaces what was published for the same meal and has not left the kitchen."""
    return write.once(
        lambda: hub.services.meals.rounds.publish(round_id, who.actor), lambda _done: _round(hub, round_id, reader)
    )


@router.post("/meals/trips/{trip_id}/leave", response_model=MyMeals, summary="Out of the kitchen: the meals cool now")
def leave_kitchen(hub: HubDep, who: Who, write: Write, trip_id: Uid, body: MealLeft | None = None) -> Response:
    """Accepts all stops of the trip. Said twice, the first counts."""

    def view(_done: None) -> Json:
        items = _mine(hub, person_of(who)) if who.role == "staff" else []
        return {"items": items, "server_time": hub.clock()}

    return write.once(lambda: hub.services.meals.rounds.leave(trip_id, who.actor, at=body.at if body else None), view)


@router.get("/my/meals", response_model=MyMeals, summary="My trips of today, their stops in order")
def my_meals(hub: HubDep, who: Who) -> Response:
    return JsonAnswer({"items": _mine(hub, person_of(who)), "server_time": hub.clock()})


def _mine(hub: Hub, courier_id: str) -> list[Json]:
    return hub.reads.meal_trips(courier_id, hub.clock().astimezone(hub.zone).date())


def meal_stops(hub: Hub, courier_id: str, tasks: list[Json]) -> dict[str, Json]:
    """Of the tasks that are stops of a trip: by order what the courier must know beside the order itself."""
    if not any((task["order"] or {}).get("kind") == "meal_delivery" for task in tasks):
        return {}
    return {
        stop["order_id"]: {
            **{name: trip[name] for name in ("meal", "number", "leave_at", "left_at", "hot_min", "station")},
            "trip_id": trip["id"],
            "of": len(trip["stops"]),
            **{name: stop[name] for name in ("stop", "dish", "diets", "allergies", "due_at")},
            "door": stop["resident"]["door"],
        }
        for trip in _mine(hub, courier_id)
        for stop in trip["stops"]
    }


@router.post("/visits/{visit_id}/meal", response_model=Assignment, summary="Handed over, left with whom, or no answer")
def tap_meal(hub: HubDep, who: Who, write: Write, visit_id: Uid, body: MealTap) -> Response:
    """No answer is an alarm at once, with what the home's sensors know, in the person's one open incident.

    `at`: when it was tapped. After "no answer" it may still become "handed over"; the incident stays.
    """
    fix = body.fix.model_dump(exclude_none=True) if body.fix else None

    def act() -> str | None:
        return hub.services.meals.door.tap(
            visit_id, body.result, who.actor, at=body.at, left_with=body.left_with, note=body.note, fix=fix
        )

    def view(assignment_id: str | None) -> Json:
        found = hub.reads.assignments_by_id([assignment_id]) if assignment_id else {}
        order = hub.reads.order_of_visit(visit_id) or {}
        return {**found.get(assignment_id or "", {}), "order_state": order.get("state"), "result": body.result}

    return write.once(act, view)
