"""Meals, put together: the kitchen's rules, the desk, the door and the rounds."""

from __future__ import annotations

from dataclasses import dataclass

from hub.service.meal_desk import MealDesk
from hub.service.meal_door import MealDoor
from hub.service.meal_kitchen import MealKitchen
from hub.service.meal_rounds import MealRounds

__all__ = ["MealServices"]


@dataclass(frozen=True, slots=True)
class MealServices:
    """The use cases of meals."""

    kitchen: MealKitchen
    desk: MealDesk
    door: MealDoor
    rounds: MealRounds
