"""What requests about meals, teleconsults and results of visits carry."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, Strict

from hub.api.fields import (
    Change,
    Count,
    Day,
    Flag,
    Free,
    Line,
    Name,
    NewId,
    Request,
    SaidText,
    Text,
    Time,
    Uuid,
    Word,
    Words,
)
from hub.api.schemas import Fix, StepAccept

__all__ = [
    "DishChange",
    "DishNew",
    "MealCard",
    "MealChange",
    "MealLeft",
    "MealNew",
    "MealPointChange",
    "MealTap",
    "MenuSet",
    "RoundsAsked",
    "ServeNow",
    "TeleconsultAnswer",
    "TeleconsultNew",
    "VisitResultsNew",
    "VitalsRoundNew",
]

MealWord = Literal["breakfast", "lunch", "dinner"]
_Fen = Annotated[int, Strict(), Field(ge=0, le=1_000_000)]


class MealPointChange(Change):
    """What a point keeps to. `hours`: {meal: null | {cutoff_min, from_min, to_min, capacity}}, minutes of the day."""

    delivers: Flag = True
    dine_in: Flag = True
    hot_min: Count = Field(default=45, ge=5, le=240)
    carries: Count = Field(default=24, ge=1, le=500)
    hours: dict[MealWord, dict[str, Any] | None] = Field(default_factory=dict, max_length=3)


class DishNew(Request):
    """A dish. `diets` and `allergens` are codes (`GET /meals/menus` lists them); allergens may be other words too."""

    id: NewId | None = None
    name: Name
    name_en: Name | None = None
    station_id: Word | None = None
    allergens: Words = Field(default_factory=list)
    diets: Words = Field(default_factory=list)
    price_fen: _Fen | None = None
    active: Flag = True


class DishChange(Change):
    name: Name = ""
    name_en: Name | None = None
    station_id: Word | None = None
    allergens: Words = Field(default_factory=list)
    diets: Words = Field(default_factory=list)
    price_fen: _Fen | None = None
    active: Flag = True


class MenuDish(Request):
    dish_id: Word
    portions: Count | None = Field(default=None, ge=1, le=10_000)


class MenuSet(Request):
    """The whole menu of one meal, in its order."""

    station_id: Word
    day: Day
    meal: MealWord
    dishes: list[MenuDish] = Field(max_length=60)


class MealNew(Request):
    """A meal for somebody. Without a dish: the first of the menu that is right for the person."""

    resident_id: Word
    day: Day
    meal: MealWord
    mode: Literal["delivery", "dine_in"] = "delivery"
    station_id: Word | None = None
    dish_id: Word | None = None
    diets: Words = Field(default_factory=list)
    note: Text | None = None
    override_reason: Line | None = Field(default=None, description="Of a coordinator who decides against the refusal")


class MealChange(Change):
    dish_id: Word | None = None
    station_id: Word | None = None
    diets: Words = Field(default_factory=list)
    note: Text | None = None
    override_reason: Line | None = None


class ServeNow(Request):
    """Somebody eats here now; by resident or by card."""

    station_id: Word
    resident_id: Word | None = None
    card: Word | None = None
    meal: MealWord | None = Field(default=None, description="By the clock where absent")
    override_reason: Line | None = None


class MealCard(Request):
    resident_id: Word
    card: Word


class RoundsAsked(Request):
    """`couriers`: whom to send; empty: whoever of the station, or of none, may deliver."""

    station_id: Word
    day: Day
    meal: MealWord
    seconds: Annotated[float, Field(ge=0.5, le=60, allow_inf_nan=False)] = 5.0
    couriers: Words = Field(default_factory=list)


class MealLeft(Request):
    """`at`: when the kitchen was left, on the courier's phone."""

    at: Time | None = None


class MealTap(StepAccept):
    """One of three taps at the door."""

    result: Literal["handed_over", "left_with", "no_answer"]
    left_with: Line | None = None
    fix: Fix | None = None


class VisitResultsNew(Request):
    """What came of it. `whole` false: something required follows later."""

    results: Free
    at: Time | None = None
    whole: Flag = True


class TeleconsultNew(Request):
    """A question to the community doctor; the latest values go with it."""

    resident_id: Word
    reason: SaidText
    urgent: Flag = False
    incident_id: Uuid | None = None
    order_id: Uuid | None = None
    doctor_id: Word | None = None


class TeleconsultAnswer(Request):
    advice: Literal["advice", "visit", "120"]
    text: SaidText
    doctor_id: Word | None = Field(default=None, description="By the desk: which doctor said so on the telephone")


def _few(days: list[str]) -> list[str]:
    if len(set(days)) != len(days):
        raise ValueError("somebody is there twice")
    return days


class VitalsRoundNew(Request):
    """Short visits of one day to several people; `area_id`: everybody served there who is at home."""

    day: Day
    resident_ids: Annotated[Words, AfterValidator(_few)] = Field(default_factory=list)
    area_id: Word | None = None
    begins: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "09:00"
    ends: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "11:30"
    measure: Words = Field(default_factory=list)
    note: Text | None = None
