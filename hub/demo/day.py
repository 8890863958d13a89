"""The services of the sample community's day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, Final

from dispatch import SERVICE_KINDS
from hub.clock import IdSource
from hub.demo.community import Community
from hub.demo.night import ServicesAt, together
from hub.demo.services import CANTEEN_STATION
from hub.errors import HubError
from hub.ports import Actor, Database, MealOrderRow, MealRoundRow, MealTripRow, Transaction
from hub.service import Services

__all__ = ["STOPPED_AT", "lunch_so_far", "ordinary_day", "story_day"]

_DEMO: Final = Actor(kind="system", name="demo")
_COOK: Final = Actor(kind="operator", name="沈师傅", role="coordinator")
_COURIERS: Final = ("S-WUQIANG", "S-TANGBIN", "S-HANXUE", "S-PENGFEI")

_ROUND: Final = 22
"""Stops of 吴强's round."""
STOPPED_AT: Final = "R-0004"
"""Whose door stays shut at the ninth stop."""
_FALLS, _BATHES, _EATS_TWICE, _ADMITTED = "R-0002", "R-0005", "R-0006", "R-0007"
_APART: Final = frozenset({STOPPED_AT, _FALLS, _BATHES, _EATS_TWICE, _ADMITTED})
_CARD: Final = "LA-0006"
_PARTICULARS: Final[dict[str, dict[str, Any]]] = {
    "medical_escort": {"place": "柳江区人民医院"},
    "medicine_fetch": {"pharmacy": "柳岸社区卫生服务站", "prescription": ["氨氯地平 5 mg 28 片"]},
}
"""What these kinds must know."""
_AT_TABLE: Final = 53
"""So many have eaten at the canteen by the time the visitor comes; with those on the rounds 76 lunches are claimed."""


def ordinary_day(services: Services, community: Community, now: datetime, zone: tzinfo) -> None:
    """Lunches on the couriers' rounds, a bath, an escort, a nurse's visit."""
    noon = _next_noon(now, zone)
    served = [row for row in community.residents if row["served"] and row["id"] != _BATHES]
    for number, resident in enumerate(served[:48]):
        order = _order(services, "meal_delivery", resident["id"], noon + timedelta(minutes=number // 4), portions=1)
        if order is not None and number < 24:
            _assign(services, order, _COURIERS[number % len(_COURIERS)])
    _bath(services, _BATHES, noon + timedelta(hours=2))
    _others(services, [row["id"] for row in served], noon)


def lunch_so_far(
    database: Database, services_at: ServicesAt, community: Community, now: datetime, zone: tzinfo
) -> None:
    """Who has eaten at the canteen: by the clock of the last two hours, in one transaction."""
    table = [one for one in _eaters(community) if one not in _APART][_ROUND - 1 :]
    start = max(now - timedelta(hours=2), _midnight(now, zone) + timedelta(minutes=1))
    step = (now - start) / (_AT_TABLE + 1)
    moment = [start]
    with together(database, services_at, lambda: moment[0]) as (services, _tx):
        try:
            services.meals.desk.give_card(_EATS_TWICE, _CARD, _COOK)
            services.meals.desk.serve(CANTEEN_STATION, {"card": _CARD, "meal": "lunch"}, _COOK)
            for resident_id in table[: _AT_TABLE - 1]:
                moment[0] += step
                services.meals.desk.serve(CANTEEN_STATION, {"resident_id": resident_id, "meal": "lunch"}, _COOK)
        except HubError:
            return  # a second start on the same day: they have eaten


def story_day(
    database: Database, services: Services, community: Community, now: datetime, zone: tzinfo, new_id: IdSource
) -> None:
    """The day of the ten minutes: lunch is being carried out as the visitor comes, whatever the clock says."""
    eaters = [one for one in _eaters(community) if one not in _APART]
    stops = [*eaters[:8], STOPPED_AT, *eaters[8 : _ROUND - 1]]
    on_round = []
    for number, resident_id in enumerate(stops):
        order = _order(services, "meal_delivery", resident_id, now + timedelta(minutes=4 + number // 2), **_lunch())
        if order is not None:
            _assign(services, order, _COURIERS[0])
            on_round.append(order)
    with database.begin() as tx:
        _round(tx, on_round, now, zone, new_id)
    later = ((_FALLS, _lunch()), (_EATS_TWICE, {**_lunch(), "card": _CARD}), (_ADMITTED, _lunch()))
    for number, (resident_id, attributes) in enumerate(later):
        order = _order(services, "meal_delivery", resident_id, now + timedelta(minutes=20 + number), **attributes)
        if order is not None:
            _assign(services, order, _COURIERS[1])
    _bath(services, _BATHES, now + timedelta(minutes=20))
    _bath(services, _FALLS, now + timedelta(minutes=140))
    _others(services, _eaters(community), now + timedelta(hours=1))


def _eaters(community: Community) -> list[str]:
    return [row["id"] for row in community.residents if row["served"]]


def _lunch() -> dict[str, Any]:
    return {"portions": 1, "meal": "lunch"}


def _round(tx: Transaction, orders: Sequence[str], now: datetime, zone: tzinfo, new_id: IdSource) -> None:
    """吴强's round, as it was published this morning."""
    day = now.astimezone(zone).date()
    round_id, trip_id = new_id(), new_id()
    couriers = (_COURIERS[0],)
    tx.meals.add_round(
        MealRoundRow(round_id, CANTEEN_STATION, day, "lunch", "published", 5.0, couriers, now, done_at=now)
    )
    tx.meals.add_trip(
        MealTripRow(trip_id, round_id, CANTEEN_STATION, day, "lunch", couriers[0], 1, now, hot_min=60, left_at=now)
    )
    for number, order_id in enumerate(orders, 1):
        row = tx.meals.get(order_id) or MealOrderRow(order_id, CANTEEN_STATION, day, "lunch", "delivery")
        tx.meals.put(replace(row, station_id=CANTEEN_STATION, trip_id=trip_id, stop=number))


def _others(services: Services, served: Sequence[str], noon: datetime) -> None:
    plans: tuple[tuple[str, str, timedelta, str | None], ...] = (
        ("medical_escort", "R-0001", timedelta(hours=3), "S-HEMEI"),
        ("nursing_visit", "R-0002", timedelta(hours=1), "S-HELIN"),
        ("housekeeping", "R-0003", timedelta(hours=4), "S-GAOJUN"),
        ("companionship", "R-0004", timedelta(hours=5), "S-YANGHUI"),
        ("safety_visit", served[-1], timedelta(hours=2), None),
        ("medicine_fetch", served[-2], timedelta(hours=2), None),
    )
    for kind, resident_id, after, responder in plans:
        order = _order(services, kind, resident_id, noon + after, **_PARTICULARS.get(kind, {}))
        if order is not None and responder is not None:
            _assign(services, order, responder)


def _bath(services: Services, resident_id: str, at: datetime) -> None:
    order = _order(services, "bathing", resident_id, at, wheelchair=resident_id == _BATHES)
    if order is not None:
        _assign(services, order, "S-MAFANG")
        _assign(services, order, "S-LIUYAN")


def _midnight(now: datetime, zone: tzinfo) -> datetime:
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _next_noon(now: datetime, zone: tzinfo) -> datetime:
    """Half past eleven, today if that is still to come."""
    local = now.astimezone(zone)
    noon = datetime.combine(local.date(), time(11, 30), tzinfo=zone)
    return noon if noon > local else noon + timedelta(days=1)


def _order(services: Services, kind: str, resident_id: str, at: datetime, **attributes: Any) -> str | None:
    try:
        return services.care.create_order(
            {
                "kind": kind,
                "resident_id": resident_id,
                "wanted_from": at,
                "wanted_to": at + timedelta(minutes=max(30, SERVICE_KINDS[kind].duration_min)),
                "attributes": attributes,
            },
            _DEMO,
        )
    except HubError:
        return None  # a small community may lack somebody of the story, and somebody may be in hospital


def _assign(services: Services, order_id: str, responder_id: str) -> None:
    services.dispatching.assign_order(order_id, responder_id, _DEMO)
