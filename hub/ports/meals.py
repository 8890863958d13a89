"""Meals as they cross the floors: points, menus, orders in the kitchen, trips, who was served. Rows and protocols."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, NamedTuple, Protocol

from dispatch.meals import Dish, Meal
from hub.ports.records import Json

__all__ = [
    "MealOrderRow",
    "MealPointRow",
    "MealReads",
    "MealResult",
    "MealRoundRow",
    "MealServingRow",
    "MealTripRow",
    "Meals",
]

MealResult = Literal["handed_over", "left_with", "no_answer", "served"]


@dataclass(frozen=True, slots=True)
class MealPointRow:
    """A station of kind meal_point. `kept`: it has hours and numbers of its own; else those here are the defaults."""

    station_id: str
    name: str
    area_path: tuple[str, ...] = ()
    lat: float | None = None
    lon: float | None = None
    kept: bool = False
    delivers: bool = True
    dine_in: bool = True
    hot_min: int = 45
    carries: int = 24
    hours: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0


@dataclass(frozen=True, slots=True)
class MealOrderRow:
    """What the kitchen and the courier know of an order. `problem`: a code, somebody must decide."""

    order_id: str
    station_id: str | None
    day: date
    meal: Meal
    mode: Literal["delivery", "dine_in"]
    dish_id: str | None = None
    dish: str | None = None
    diets: tuple[str, ...] = ()
    allergies: tuple[str, ...] = ()
    problem: str | None = None
    overridden: Mapping[str, Any] | None = None
    trip_id: str | None = None
    stop: int | None = None
    due_at: datetime | None = None
    done_at: datetime | None = None
    recorded_at: datetime | None = None
    result: MealResult | None = None
    left_with: str | None = None
    minutes: float | None = None
    late: bool = False
    alarmed_at: datetime | None = None
    incident_id: str | None = None


@dataclass(frozen=True, slots=True)
class MealRoundRow:
    """Trips asked for. `answer`: trips, unplanned, minutes of way and those of the baseline."""

    id: str
    station_id: str
    day: date
    meal: Meal
    state: Literal["queued", "running", "ready", "published", "failed", "superseded"]
    seconds: float
    couriers: tuple[str, ...]
    asked_at: datetime
    asked_by: str | None = None
    taken_at: datetime | None = None
    done_at: datetime | None = None
    error: str | None = None
    answer: Mapping[str, Any] | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class MealTripRow:
    """One way of one courier out of the kitchen. `left_at`: when it was left, as the courier said."""

    id: str
    round_id: str
    station_id: str
    day: date
    meal: Meal
    courier_id: str
    number: int
    leave_at: datetime
    hot_min: int
    left_at: datetime | None = None
    version: int = 1


class MealServingRow(NamedTuple):
    """One person's breakfast, lunch or dinner of a day, had."""

    resident_id: str
    day: date
    meal: Meal
    station_id: str | None
    order_id: str | None
    mode: Literal["delivery", "dine_in"]
    card: str | None
    at: datetime
    by_name: str


class Meals(Protocol):
    def points(self) -> list[MealPointRow]: ...

    def point(self, station_id: str, *, lock: bool = False) -> MealPointRow | None:
        """None where the station is none that serves meals. `lock`: orders of this point wait for one another."""

    def save_point(self, row: MealPointRow) -> None: ...

    def menu(self, station_id: str, day: date, meal: Meal) -> list[Dish]:
        """In its order; `left` counts what is ordered already."""

    def set_menu(self, station_id: str, day: date, meal: Meal, dishes: Sequence[Json]) -> None:
        """Replaces it: {dish_id, portions} each. ConflictError where a dish is not known."""

    def eater(self, resident_id: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """Diets (codes) and allergies (words) of the record; None: no such resident."""

    def ordered(self, station_id: str, day: date, meal: Meal, *, but: str | None = None) -> int:
        """How many meals are ordered; `but`: without this order."""

    def get(self, order_id: str, *, lock: bool = False) -> MealOrderRow | None: ...

    def put(self, row: MealOrderRow) -> None: ...

    def unplaced(self, since: datetime, today: date, limit: int) -> list[str]:
        """Orders of meals that the kitchen does not know yet, and those whose problem may be solved by now."""

    def of_meal(self, resident_id: str, day: date, meal: Meal) -> list[str]:
        """Ids of the resident's orders of that meal that have not ended, and those that were missed so far."""

    def unanswered(self, limit: int) -> list[str]:
        """Orders at whose door nobody answered and of which no alarm was raised, the oldest first."""

    def mark_unanswered(self, since: datetime) -> int:
        """Notes "no answer" on orders whose visit ended so by another way than the three taps; gives how many."""

    def serve(self, row: MealServingRow) -> bool:
        """False where the person had this meal already."""

    def serving(self, resident_id: str, day: date, meal: Meal) -> MealServingRow | None: ...

    def refuse(self, row: Json) -> None:
        """Keeps that somebody was turned away."""

    def card(self, card: str) -> str | None:
        """The resident of a card in force."""

    def give_card(self, card: str, resident_id: str, at: datetime) -> bool:
        """Gives a card, and takes the person's others out of force. False where somebody else has it."""

    def add_round(self, row: MealRoundRow) -> None: ...

    def round(self, round_id: str, *, lock: bool = False) -> MealRoundRow | None: ...

    def save_round(self, row: MealRoundRow) -> None: ...

    def take_round(self, abandoned: datetime) -> MealRoundRow | None:
        """The oldest that waits, or that was taken before `abandoned` and never ended (SKIP LOCKED); locked."""

    def rounds_of(self, station_id: str, day: date, meal: Meal) -> list[MealRoundRow]:
        """Locked, the newest first."""

    def deliveries(self, station_id: str, day: date, meal: Meal) -> list[Json]:
        """Meals to be brought that are on no trip under way: order_id, visit_id, resident_id, name, lat, lon, order
        state."""

    def couriers(self, station_id: str, at: datetime, ids: Collection[str]) -> list[Json]:
        """Who may bring meals of a station then: id, name, mode, lat, lon. `ids` empty: of the station, or of none."""

    def add_trip(self, row: MealTripRow) -> None: ...

    def trip(self, trip_id: str, *, lock: bool = False) -> MealTripRow | None: ...

    def save_trip(self, row: MealTripRow) -> None: ...

    def visits_of_trip(self, trip_id: str) -> list[str]: ...

    def results(self, visit_id: str) -> Json | None: ...

    def put_results(self, row: Json) -> None: ...


class MealReads(Protocol):
    def meal_day(self, day: date, meal: Meal, area: str | None, provider: str | None = None) -> list[Json]:
        """Each point with its numbers of that meal; `provider`, here as below: of its own stations."""

    def meal_list(self, station_id: str, day: date, meal: Meal) -> list[Json]:
        """Each order of a point, as the kitchen and the desk need it: by dish, then name."""

    def meal_menus(self, station_id: str, start: date, end: date) -> list[Json]: ...

    def meal_desk(self, q: str, day: date, meal: Meal, limit: int) -> list[Json]:
        """Residents by name, id, card or telephone, with this meal's order and whether it was had."""

    def meal_unanswered(self, day: date, provider: str | None = None) -> list[Json]:
        """The doors of a day where nobody answered, with their incident."""

    def meal_refusals(self, day: date, provider: str | None = None) -> list[Json]: ...

    def meal_rounds(
        self, day: date, meal: Meal | None, station_id: str | None, provider: str | None = None
    ) -> list[Json]: ...

    def meal_round(self, round_id: str) -> Json | None: ...

    def meal_trips(self, courier_id: str, day: date) -> list[Json]:
        """A courier's trips of a day with their stops in order."""

    def meal_trips_of_round(self, round_id: str) -> list[Json]: ...

    def meal_order(self, order_id: str) -> Json | None: ...

    def visit_results(self, visit_id: str) -> Json | None: ...
