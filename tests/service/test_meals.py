"""Meals ordered and eaten at the canteen, on a real database; the clock is the test's."""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg
import pytest

from hub.clock import new_id
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from tests.service.canteen import CHINA, FAMILY, TODAY, TOMORROW, XU, ZHOU, at, meal, open_canteen, order
from tests.service.conftest import World


@pytest.fixture
def canteen(world: World) -> World:
    return open_canteen(world)


# --- ordering


def test_the_nearest_point_cooks_the_first_dish_that_harms_nobody(canteen: World) -> None:
    first, second = meal(canteen, order(canteen, "R1")), meal(canteen, order(canteen, "R2"))
    assert (first["station_id"], first["dish"], first["problem"]) == ("ST", "清蒸鲈鱼", None)
    assert (second["dish"], second["diets"]) == ("清蒸鲈鱼", ["low_salt"])
    assert first["allergies"] == ["花生过敏", "青霉素"]


def test_what_somebody_cannot_stand_is_refused_and_only_a_coordinator_decides_otherwise(canteen: World) -> None:
    with pytest.raises(ConflictError) as refused:
        order(canteen, "R1", dish_id="gbjd")
    assert refused.value.code == "meal-refused"
    assert [one["code"] for one in refused.value.extra["objections"]] == ["allergy"]  # type: ignore[index]
    assert "花生" in str(refused.value.extra["objections"])
    for actor in (ZHOU, FAMILY):
        with pytest.raises(ForbiddenError):
            order(canteen, "R1", actor, dish_id="gbjd", override_reason="她说没事")
    with pytest.raises(ConflictError):
        order(canteen, "R1", dish_id="gbjd", override_reason="   ")
    kept = meal(canteen, order(canteen, "R1", dish_id="gbjd", override_reason="医生复查：已不过敏"))
    assert (kept["dish"], kept["problem"]) == ("宫保鸡丁", "allergy")
    assert kept["overridden"]["by"] == "许洁"
    assert kept["overridden"]["reason"] == "医生复查：已不过敏"
    assert kept["overridden"]["of"] == ["allergy"]
    assert len(canteen.rows("SELECT 1 FROM orders")) == 1, "a refused order leaves nothing"


def test_after_the_cut_off_the_kitchen_says_so_and_a_coordinator_may(canteen: World) -> None:
    order_id = order(canteen, "R1")
    at(canteen, "09:01")
    for act in (
        lambda: order(canteen, "R2", ZHOU),
        lambda: canteen.services.meals.kitchen.change(order_id, {"dish_id": "rou"}, ZHOU),
    ):
        with pytest.raises(ConflictError) as late:
            act()
        assert "cutoff" in str(late.value.extra["objections"])
    with pytest.raises(ConflictError) as late:
        canteen.services.care.cancel_order(order_id, FAMILY, "去女儿家")
    assert late.value.code == "meal-cutoff"
    assert canteen.row("SELECT state FROM orders")["state"] == "requested"
    canteen.services.meals.kitchen.change(order_id, {"dish_id": "rou", "override_reason": "换软一点的"}, XU)
    assert meal(canteen, order_id)["overridden"]["of"] == ["cutoff"]
    canteen.services.care.cancel_order(order_id, XU, "去女儿家")
    assert canteen.row("SELECT state FROM orders")["state"] == "cancelled"
    at(canteen, "08:59")
    order(canteen, "R2", ZHOU)


def test_the_kitchen_cooks_so_many_and_no_more(canteen: World) -> None:
    canteen.services.meals.kitchen.set_menu("ST", TOMORROW, "lunch", [{"dish_id": "luyu", "portions": 1}], XU)
    order(canteen, "R1")
    with pytest.raises(ConflictError) as none_left:
        order(canteen, "R2")
    assert {one["code"] for one in none_left.value.extra["objections"]} == {"no_safe_dish", "sold_out"}  # type: ignore[index]
    canteen.services.meals.kitchen.set_menu("ST", TOMORROW, "lunch", [{"dish_id": "luyu"}], XU)
    order(canteen, "R2")
    order(canteen, "R2", mode="dine_in")
    with pytest.raises(ConflictError) as full:
        order(canteen, "R1", mode="dine_in")
    assert [one["code"] for one in full.value.extra["objections"]] == ["full"]  # type: ignore[index]


def test_a_point_without_hours_of_its_own_promises_none(canteen: World) -> None:
    with canteen.database.begin() as tx:
        assert tx.meals.point("FAR") is not None
    at(canteen, "11:00")
    assert meal(canteen, order(canteen, "R1", station_id="FAR"))["problem"] == "no_menu"
    for asked, error in (
        ({"station_id": "CARE"}, NotFoundError),
        ({"station_id": "ST", "meal": "dinner"}, ConflictError),
        ({"dish_id": "nothing", "override_reason": None}, ConflictError),
        ({"diets": ["cold"]}, BadRequestError),
    ):
        with pytest.raises(error):
            order(canteen, "R1", **asked)


def test_a_meal_of_a_care_plan_reaches_the_kitchen_and_tells_what_is_wrong(canteen: World) -> None:
    def planned(resident: str, attributes: str, hours: float = 24) -> str:
        ident = new_id()
        with psycopg.connect(canteen.url) as connection:
            wanted = datetime(2026, 11, 22, 11, 0, tzinfo=CHINA) + timedelta(hours=hours)
            connection.execute(
                "INSERT INTO orders (id, kind, resident_id, state, wanted_from, wanted_to, duration_min, carers,"
                " source, created_at, attributes)"
                " VALUES (%s, 'meal_delivery', %s, 'requested', %s, %s, 5, 1, 'plan', %s, %s)",
                (ident, resident, wanted, wanted + timedelta(minutes=30), canteen.now, attributes),
            )
            connection.execute(
                "INSERT INTO visits (id, order_id, state, planned_start) VALUES (%s, %s, 'planned', %s)",
                (new_id(), ident, wanted),
            )
        return ident

    good = planned("R1", "{}")
    harmful = planned("R1", '{"dish_id": "gbjd"}')
    odd = planned("R2", '{"meal": "tea"}')
    later = planned("R2", "{}", 24 * 5)
    kitchen = canteen.services.meals.kitchen
    assert kitchen.adopt() == 4
    assert [meal(canteen, one)["problem"] for one in (good, harmful, odd, later)] == [
        None,
        "allergy",
        "plan",
        "no_menu",
    ]
    assert kitchen.adopt() == 0, "looked at once"
    kitchen.set_menu("ST", TODAY + timedelta(days=5), "lunch", [{"dish_id": "luyu"}], XU)
    assert kitchen.adopt() == 1
    assert (meal(canteen, later)["problem"], meal(canteen, later)["dish"]) == (None, "清蒸鲈鱼")


def test_an_allergy_that_is_noted_later_counts_for_meals_that_are_ordered(canteen: World) -> None:
    def noted(**fields: list[str]) -> None:
        with psycopg.connect(canteen.url) as connection:
            for name, value in fields.items():
                connection.execute(f"UPDATE residents SET {name} = %s WHERE id = 'R2'", (value,))  # type: ignore[arg-type]

    kitchen = canteen.services.meals.kitchen
    by_itself, chosen = order(canteen, "R2"), order(canteen, "R2", day=TOMORROW, dish_id="luyu")
    assert kitchen.adopt() == 0
    noted(allergies=["鱼"])
    assert kitchen.adopt() == 2
    # What the hub chose it chooses anew; what a person chose a person decides.
    assert meal(canteen, by_itself)["dish"] != "清蒸鲈鱼"
    assert (meal(canteen, chosen)["dish"], meal(canteen, chosen)["problem"]) == ("清蒸鲈鱼", "allergy")
    assert kitchen.adopt() == 0, "looked at once"
    kitchen.change(chosen, {"override_reason": "只对淡水鱼过敏"}, XU)
    assert kitchen.adopt() == 0, "decided is decided"
    noted(allergies=["鱼", "花生"])
    assert kitchen.adopt() == 2
    assert meal(canteen, chosen)["overridden"] is None, "the decision did not know of this"


# --- the desk


def test_nobody_is_served_twice_on_one_card_and_the_try_is_kept(canteen: World) -> None:
    desk = canteen.services.meals.desk
    desk.give_card("R1", "A100", XU)
    order_id = order(canteen, "R1", mode="dine_in")
    at(canteen, "11:20")
    served = desk.serve("ST", {"card": "A100"}, ZHOU)
    assert (served.resident_id, served.meal, served.order_id) == ("R1", "lunch", order_id)
    assert canteen.row("SELECT state FROM orders")["state"] == "completed"
    for station, fields in (("ST", {"card": "A100"}), ("FAR", {"resident_id": "R1", "meal": "lunch"})):
        with pytest.raises(ConflictError) as twice:
            desk.serve(station, fields, ZHOU)
        assert twice.value.code == "meal-served-twice"
        assert twice.value.extra["served"]["station"] == "柳岸食堂"  # type: ignore[index]
    kept = canteen.rows("SELECT code, card, station_id FROM meal_refusals ORDER BY at, id")
    assert [tuple(one.values()) for one in kept] == [
        ("meal-served-twice", "A100", "ST"),
        ("meal-served-twice", None, "FAR"),
    ]
    assert len(canteen.rows("SELECT 1 FROM orders")) == 1
    desk.give_card("R1", "A200", XU)
    with pytest.raises(NotFoundError):
        desk.serve("ST", {"card": "A100"}, ZHOU)
    with pytest.raises(ConflictError):
        desk.give_card("R2", "A200", XU)


def test_whoever_walks_in_eats_and_a_delivery_for_the_same_meal_is_taken_back(canteen: World) -> None:
    delivery = order(canteen, "R1")
    at(canteen, "11:20")
    served = canteen.services.meals.desk.serve("ST", {"resident_id": "R1"}, ZHOU)
    states = {str(row["id"]): (row["kind"], row["state"]) for row in canteen.rows("SELECT id, kind, state FROM orders")}
    assert states[delivery] == ("meal_delivery", "cancelled")
    assert states[str(served.order_id)] == ("meal_dine_in", "completed")
    canteen.services.care.set_resident_status("R2", "hospital", "摔伤", XU)
    with pytest.raises(ConflictError) as absent:
        canteen.services.meals.desk.serve("ST", {"resident_id": "R2"}, ZHOU)
    assert absent.value.code == "resident-absent"
    assert canteen.row("SELECT code FROM meal_refusals")["code"] == "resident-absent"
