"""Meals: hours and cut-off, diets and allergies, the choice of a dish. Pure; times come as arguments.

A day has three meals. What a person orders is one of the dishes of a day's menu, or nothing: then the kitchen's first
dish that is right for the person. A dish is right where it suits every diet of the person and has nothing in it the
person cannot stand. Who decides otherwise says why, by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final, Literal, get_args

__all__ = [
    "ALLERGENS",
    "DEFAULT_HOURS",
    "DIETS",
    "MEALS",
    "MEAL_KINDS",
    "Dish",
    "Meal",
    "MealHours",
    "Objection",
    "allergens_of",
    "at_minute",
    "first_right",
    "hours_of",
    "meal_at",
    "objections",
]

Meal = Literal["breakfast", "lunch", "dinner"]
MEALS: Final[tuple[Meal, ...]] = get_args(Meal)
MEAL_KINDS: Final = frozenset({"meal_delivery", "meal_dine_in"})
_DAY_MIN: Final = 24 * 60

DIETS: Final[Mapping[str, tuple[str, str]]] = {
    "regular": ("普食", "Regular"),
    "soft": ("软食", "Soft"),
    "semi_liquid": ("半流质", "Semi-liquid"),
    "low_salt": ("低盐", "Low salt"),
    "low_sugar": ("糖尿病餐", "Diabetic"),
    "low_fat": ("低脂", "Low fat"),
    "low_purine": ("低嘌呤", "Low purine"),
    "low_protein": ("低蛋白", "Low protein"),
    "halal": ("清真", "Halal"),
    "vegetarian": ("素食", "Vegetarian"),
}
"""Code -> Chinese, English. `regular` asks for nothing."""

ALLERGENS: Final[Mapping[str, tuple[str, ...]]] = {
    "gluten": ("麸质", "小麦", "面筋", "面粉", "gluten", "wheat"),
    "crustaceans": ("甲壳", "虾", "蟹", "crustacean", "shrimp", "prawn", "crab"),
    "fish": ("鱼", "fish"),
    "egg": ("蛋", "egg"),
    "peanut": ("花生", "peanut"),
    "soy": ("大豆", "黄豆", "豆腐", "豆制品", "soy"),
    "milk": ("牛奶", "乳", "奶", "milk", "dairy", "lactose"),
    "nuts": ("坚果", "核桃", "杏仁", "腰果", "tree nut", "walnut", "almond", "cashew"),
    "sesame": ("芝麻", "sesame"),
    "shellfish": ("贝", "蛤", "牡蛎", "软体", "mollusc", "shellfish", "oyster"),
    "mango": ("芒果", "mango"),
    "beef": ("牛肉", "beef"),
    "mutton": ("羊肉", "mutton", "lamb"),
}
"""Code -> words by which it is known. The first eight are those of GB 7718-2025."""

_SEVERAL: Final[Mapping[str, frozenset[str]]] = {
    "海鲜": frozenset({"crustaceans", "fish", "shellfish"}),
    "seafood": frozenset({"crustaceans", "fish", "shellfish"}),
}
_NOT_THAT: Final[Mapping[str, tuple[str, ...]]] = {
    "milk": ("豆奶", "豆乳", "腐乳"),
    "fish": ("鱼香", "shellfish"),
    "egg": ("eggplant",),
}
"""Words that hold an allergen's word and not the allergen."""


@dataclass(frozen=True, slots=True)
class MealHours:
    """Of one meal at one point, in minutes from midnight of its day, local time; a cut-off of the evening before is
    negative. `capacity`: meals in all, delivered and eaten there.
    """

    cutoff_min: int
    from_min: int
    to_min: int
    capacity: int

    def __post_init__(self) -> None:
        if not 0 <= self.from_min < self.to_min <= _DAY_MIN:
            raise ValueError("from_min, to_min: a meal begins and ends on its day, the end after the beginning")
        if not -7 * _DAY_MIN <= self.cutoff_min <= self.to_min:
            raise ValueError("cutoff_min: at most a week before the day, and not after the meal")
        if self.capacity < 0:
            raise ValueError("capacity: is negative")

    def cutoff_at(self, day: date, zone: tzinfo) -> datetime:
        """Until this moment orders are taken, changed and cancelled."""
        return at_minute(day, self.cutoff_min, zone)

    def window(self, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
        """When it is eaten, or brought."""
        return at_minute(day, self.from_min, zone), at_minute(day, self.to_min, zone)


def at_minute(day: date, minute: int, zone: tzinfo) -> datetime:
    """The clock's time: on a day with a change of summer time minutes are those of the clock."""
    days, minute = divmod(minute, _DAY_MIN)
    return datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60), tzinfo=zone)


DEFAULT_HOURS: Final[Mapping[Meal, MealHours]] = {
    "breakfast": MealHours(-6 * 60, 6 * 60 + 45, 8 * 60 + 30, 150),
    "lunch": MealHours(9 * 60, 10 * 60 + 45, 12 * 60 + 30, 150),
    "dinner": MealHours(14 * 60 + 30, 16 * 60 + 30, 18 * 60 + 30, 150),
}
"""Where a point set nothing: breakfast until 18:00 of the evening before, lunch until 09:00, dinner until 14:30."""


def hours_of(stored: Mapping[str, Any]) -> dict[Meal, MealHours | None]:
    """A point's hours: what it set, and the default for what it did not; None: not offered.

    ValueError names the meal and what is wrong with it.
    """
    unknown = sorted(set(stored) - set(MEALS))
    if unknown:
        raise ValueError(f"hours.{unknown[0]}: there is no such meal; known: {', '.join(MEALS)}")
    found: dict[Meal, MealHours | None] = {}
    for meal in MEALS:
        if meal not in stored:
            found[meal] = DEFAULT_HOURS[meal]
            continue
        row = stored[meal]
        if row is None:
            found[meal] = None
            continue
        names = ("cutoff_min", "from_min", "to_min", "capacity")
        if not isinstance(row, Mapping) or set(row) != set(names):
            raise ValueError(f"hours.{meal}: give {', '.join(names)}, or null where it is not offered")
        values = [row[name] for name in names]
        if any(isinstance(value, bool) or not isinstance(value, int) for value in values):
            raise ValueError(f"hours.{meal}: whole numbers are wanted")
        try:
            found[meal] = MealHours(*values)
        except ValueError as error:
            raise ValueError(f"hours.{meal}.{error}") from None
    return found


def meal_at(local: datetime) -> Meal:
    """Which meal a local time of day belongs to: breakfast before 10:00, dinner from 15:00."""
    return "breakfast" if local.hour < 10 else "lunch" if local.hour < 15 else "dinner"


@dataclass(frozen=True, slots=True)
class Dish:
    """`left`: portions not yet ordered; None: as many as are wanted."""

    id: str
    name: str
    allergens: frozenset[str] = frozenset()
    diets: frozenset[str] = frozenset()
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a dish is not right, or an order not taken. `code`: allergy, diet, sold_out, cutoff, full, not_on_menu …"""

    code: str
    zh: str
    en: str


def allergens_of(words: Iterable[str]) -> frozenset[str]:
    """The allergens that these words name. A word that names none of the table stands for itself: it is looked for in
    the names of dishes and of what is in them.
    """
    found: set[str] = set()
    for word in words:
        text = word.strip().lower().removesuffix("过敏").strip()
        if not text:
            continue
        codes = {text} if text in ALLERGENS else set[str]()
        for several, many in _SEVERAL.items():
            if several in text:
                codes |= many
        codes |= _named_in(text)
        found |= codes or {text}
    return frozenset(found)


def _named_in(text: str) -> set[str]:
    return {code for code, words in ALLERGENS.items() if any(word in _without(code, text) for word in words)}


def _without(code: str, text: str) -> str:
    for word in _NOT_THAT.get(code, ()):
        text = text.replace(word, "")
    return text


def objections(dish: Dish, *, diets: Collection[str], allergies: Collection[str]) -> tuple[Objection, ...]:
    """Why this dish is not for somebody with these diets (codes) and allergies (words of the record); () where it is.

    An allergen is looked for in what the dish says it holds and in its name: 「虾仁蒸蛋」 holds shrimp though nobody
    ticked it. Better one dish too many refused than one too few.
    """
    found: list[Objection] = []
    name = dish.name.lower()
    holds = allergens_of(dish.allergens) | _named_in(name)
    for word in sorted({one.strip() for one in allergies if one.strip()}):
        wanted = allergens_of([word])
        if wanted & holds or any(code not in ALLERGENS and code in name for code in wanted):
            found.append(
                Objection("allergy", f"{dish.name}：对{word}过敏", f"{dish.name}: the resident is allergic to {word}")
            )
    for diet in sorted(set(diets) - {"regular"} - dish.diets):
        zh, en = DIETS.get(diet, (diet, diet))
        found.append(Objection("diet", f"{dish.name}不是{zh}", f"{dish.name} is not right for the diet {en}"))
    if dish.left is not None and dish.left <= 0:
        found.append(Objection("sold_out", f"{dish.name}已订完", f"{dish.name} is sold out"))
    return tuple(found)


def first_right(menu: Sequence[Dish], *, diets: Collection[str], allergies: Collection[str]) -> Dish | None:
    """The first dish of the menu that nothing speaks against."""
    return next((dish for dish in menu if not objections(dish, diets=diets, allergies=allergies)), None)
