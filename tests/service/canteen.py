"""A canteen, its dishes and those who eat there, for the tests of meals."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub.ports import Actor
from tests.service.conftest import World

__all__ = ["CHINA", "FAMILY", "LUNCH", "TODAY", "TOMORROW", "XU", "ZHOU", "at", "meal", "open_canteen", "order"]

CHINA = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 22)
TOMORROW = TODAY + timedelta(days=1)
LUNCH = {"cutoff_min": 540, "from_min": 645, "to_min": 750, "capacity": 3}
XU = Actor("operator", "许洁", role="coordinator")
ZHOU = Actor("operator", "周敏", role="operator")
FAMILY = Actor("family", "陈静", role="family", person_id="K1")


def open_canteen(world: World) -> World:
    """A canteen with hours of its own, three dishes, and a menu for today's and tomorrow's lunch."""
    with world.database.begin() as tx:
        tx.reference.upsert(
            "stations",
            [
                {"id": "ST", "kind": "meal_point", "name": "柳岸食堂", "area_id": "C", "lat": 31.338, "lon": 118.395},
                {"id": "FAR", "kind": "meal_point", "name": "远处食堂", "area_id": "C", "lat": 31.5, "lon": 118.6},
                {"id": "CARE", "kind": "care_station", "name": "服务站", "area_id": "C"},
            ],
        )
        tx.reference.upsert("residents", [{"id": "R1", "name": "陈秀英", "allergies": ["花生过敏", "青霉素"]}])
        tx.reference.upsert("residents", [{"id": "R2", "name": "赵国华", "diets": ["low_salt"]}])
        for ident, name, allergens, diets in (
            ("gbjd", "宫保鸡丁", ["peanut"], []),
            ("luyu", "清蒸鲈鱼", ["fish"], ["low_salt", "low_fat"]),
            ("rou", "红烧肉", ["soy"], []),
        ):
            tx.reference.insert("meal_dishes", {"id": ident, "name": name, "allergens": allergens, "diets": diets})
    kitchen = world.services.meals.kitchen
    kitchen.set_point("ST", {"hours": {"lunch": LUNCH, "dinner": None}}, XU)
    for day in (TODAY, TOMORROW):
        kitchen.set_menu("ST", day, "lunch", [{"dish_id": "gbjd"}, {"dish_id": "luyu"}, {"dish_id": "rou"}], XU)
    return world


def order(world: World, resident: str = "R1", actor: Actor = XU, **fields: Any) -> str:
    asked = {"resident_id": resident, "day": TOMORROW, "meal": "lunch", **fields}
    return world.services.meals.desk.order(asked, actor)


def meal(world: World, order_id: str) -> dict[str, Any]:
    return world.row("SELECT * FROM meal_orders WHERE order_id = %s", order_id)


def at(world: World, clock: str, day: date = TOMORROW) -> None:
    hour, minute = map(int, clock.split(":"))
    world.now = datetime(day.year, day.month, day.day, hour, minute, tzinfo=CHINA)
