"""A day of two providers: kitchens, meals, rounds, and a published plan in which both have people and orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from hub.clock import new_id
from tests.api.desk import Desk

__all__ = ["DAY", "ProviderDay", "provider_day"]

DAY = "2026-10-06"
_NOON = datetime.fromisoformat(f"{DAY}T11:00:00+08:00")


@dataclass(frozen=True)
class ProviderDay:
    """Ids of the day: what is PA's, what is PB's. `proposal`: a plan with both in it that nobody published."""

    plan: str
    proposal: str
    only_b: str
    visits: dict[str, str]
    orders: dict[str, str]
    meals: dict[str, str]
    rounds: dict[str, str]


def provider_day(desk: Desk) -> ProviderDay:
    """On top of `settle_world`. R1 is served by PA's C1, R2 by PB's C2; each provider has a kitchen with a meal."""
    with desk.database.begin() as tx:
        kitchens = [("KA", "柳岸助餐点", "PA"), ("KB", "东门助餐点", "PB")]
        for ident, name, provider in kitchens:
            station = {"id": ident, "kind": "meal_point", "name": name, "area_id": "C", "provider_id": provider}
            tx.reference.upsert("stations", [station])
        # Nobody says that C3 is PB's: its station does.
        courier = {"id": "C3", "name": "送餐C3", "kind": "courier", "skills": [], "area_ids": ["C"], "station_id": "KB"}
        tx.reference.upsert("responders", [courier])
        for ident, name, station_id in (("DA", "清蒸鲈鱼", "KA"), ("DB", "东坡肉", "KB"), ("DX", "米饭", None)):
            tx.reference.upsert("meal_dishes", [{"id": ident, "name": name, "station_id": station_id}])
    with psycopg.connect(desk.url) as connection:
        return _rows(connection)


def _rows(connection: psycopg.Connection) -> ProviderDay:
    run = connection.execute
    homes = {"PA": ("R1", "C1", "KA", "DA", "清蒸鲈鱼"), "PB": ("R2", "C2", "KB", "DB", "东坡肉")}
    orders, visits, meals, rounds = {}, {}, {}, {}
    for provider, (resident, carer, station, dish_id, dish) in homes.items():
        orders[provider], visits[provider] = _order(run, "companionship", resident, carer)
        meals[provider], _ = _order(run, "meal_delivery", resident, carer, station)
        rounds[provider], trip = new_id(), new_id()
        run(
            "INSERT INTO meal_menus (station_id, day, meal, dish_id) VALUES (%s, %s, 'lunch', %s)",
            (station, DAY, dish_id),
        )
        answer = {"trips": [{"courier_id": carer, "number": 1, "stops": []}], "unplanned": []}
        run(
            "INSERT INTO meal_rounds (id, station_id, day, meal, state, seconds, couriers, asked_at, answer)"
            " VALUES (%s, %s, %s, 'lunch', 'published', 1, %s, %s, %s)",
            (rounds[provider], station, DAY, [carer], _NOON, Jsonb(answer)),
        )
        run(
            "INSERT INTO meal_trips (id, round_id, station_id, day, meal, courier_id, number, leave_at, hot_min)"
            " VALUES (%s, %s, %s, %s, 'lunch', %s, 1, %s, 45)",
            (trip, rounds[provider], station, DAY, carer, _NOON),
        )
        run(
            "INSERT INTO meal_orders (order_id, station_id, day, meal, mode, dish_id, dish, trip_id, stop, done_at,"
            " result) VALUES (%s, %s, %s, 'lunch', 'delivery', %s, %s, %s, 1, %s, 'no_answer')",
            (meals[provider], station, DAY, dish_id, dish, trip, _NOON),
        )
        run(
            "INSERT INTO meal_refusals (id, at, station_id, resident_id, day, meal, code, detail, by_name)"
            " VALUES (%s, %s, %s, %s, %s, 'lunch', 'twice', 'twice', 'desk')",
            (new_id(), _NOON, station, resident, DAY),
        )
    residents = {"PA": {"id": "R1", "name": "陈秀英"}, "PB": {"id": "R2", "name": "赵国华"}}
    changes, unplanned, conflicts, events = [], [], [], []
    for provider, (_, carer, *_rest) in homes.items():
        side = {"responder_id": carer, "responder_ids": [carer], "start": _NOON.isoformat(), "end": _NOON.isoformat()}
        other = {**side, "responder_id": "C3", "responder_ids": ["C3"]}
        names = {"order_id": orders[provider], "visit_id": visits[provider]}
        what: dict[str, Any] = {**names, "kind": "companionship", "resident": residents[provider]}
        changes.append({**what, "was": other, "now": side, "tell": ["responder"]})
        left = {"wanted_from": _NOON.isoformat(), "code": "expired", "reason": "the credential of 送餐C3 has expired"}
        left_meal = {**what, **left, "order_id": meals[provider], "reason_zh": "送餐C3的资质已过期"}
        unplanned.append(left_meal)
        said = {"code": "overlap", "hard": False, "reason": f"送餐{carer}", "reason_zh": f"送餐{carer}"}
        conflicts.append({**names, **said, "responder_id": carer})
        events.append({"kind": "ill", "responder_id": carer, "from": _NOON.isoformat()})
    whole = {"changes": changes, "unplanned": unplanned, "conflicts": conflicts, "events": events}
    plan = _plan(run, "published", whole)
    proposal = _plan(run, "ready", whole)
    mine = {"changes": changes[1:], "unplanned": unplanned[1:], "conflicts": conflicts[1:], "events": events[1:]}
    only_b = _plan(run, "superseded", mine)
    for plan_id, providers in ((plan, ("PA", "PB")), (proposal, ("PA", "PB")), (only_b, ("PB",))):
        for provider in providers:
            carer = homes[provider][1]
            # PA's man has a visit of PB's on his route as well: it was given away by hand since.
            stops = list(visits.values()) if provider == "PA" else [visits["PB"]]
            _route(run, plan_id, carer, stops)
    return ProviderDay(plan, proposal, only_b, visits, orders, meals, rounds)


def _order(run: Any, kind: str, resident: str, carer: str, station: str | None = None) -> tuple[str, str]:
    order_id, visit_id = new_id(), new_id()
    run(
        "INSERT INTO orders (id, kind, resident_id, state, wanted_from, wanted_to, duration_min, source, created_at,"
        " station_id) VALUES (%s, %s, %s, 'assigned', %s, %s, 30, 'operator', %s, %s)",
        (order_id, kind, resident, _NOON, _NOON + timedelta(hours=1), _NOON, station),
    )
    run(
        "INSERT INTO visits (id, order_id, state, planned_start) VALUES (%s, %s, 'accepted', %s)",
        (visit_id, order_id, _NOON),
    )
    run(
        "INSERT INTO assignments (id, visit_id, responder_id, state, offered_at) VALUES (%s, %s, %s, 'accepted', %s)",
        (new_id(), visit_id, carer, _NOON),
    )
    return order_id, visit_id


def _plan(run: Any, state: str, lists: dict[str, Any]) -> str:
    plan_id = new_id()
    run(
        "INSERT INTO day_plans (id, day, state, seconds, created_at, published_at, progress, cost, baseline, counts,"
        " reason, changes, unplanned, conflicts, events)"
        " VALUES (%s, %s, %s, 1, %s, %s, %s, %s, %s, %s, 'by boss', %s, %s, %s, %s)",
        (
            plan_id,
            DAY,
            state,
            _NOON,
            None if state == "ready" else _NOON,
            Jsonb({"share": 1, "planned": 770770770}),
            Jsonb({"travel_min": 770770770}),
            Jsonb({"travel_min": 770770770}),
            Jsonb({"orders": 770770770}),
            *(Jsonb(lists[name]) for name in ("changes", "unplanned", "conflicts", "events")),
        ),
    )
    return plan_id


def _route(run: Any, plan_id: str, carer: str, stops: list[str]) -> None:
    route_id = new_id()
    trips = [{"leave": _NOON.isoformat(), "load": len(stops), "visits": stops}]
    run(
        "INSERT INTO routes (id, plan_id, day, responder_id, leave_at, back_at, trips, travel_s, service_s)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, 60, 60)",
        (route_id, plan_id, DAY, carer, _NOON, _NOON + timedelta(hours=1), Jsonb(trips)),
    )
    for number, visit_id in enumerate(stops, 1):
        run(
            "INSERT INTO route_stops (route_id, sequence, visit_id, arrive_at, start_at, leave_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (route_id, number, visit_id, _NOON, _NOON, _NOON + timedelta(minutes=30)),
        )
