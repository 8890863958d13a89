"""The rota room: who is on duty when, where and as what. Pure: values and `now` in, values out."""

from __future__ import annotations

from hub.rota.china import CHINA, Holiday
from hub.rota.cover import Cover, Gap, GapKind, gaps, left_open, unfilled
from hub.rota.days import WEEKDAYS_ONLY, Calendar, DayKind, Days
from hub.rota.duties import duties
from hub.rota.model import Duty, Override, OverrideKind, Shift
from hub.rota.reach import Person, Reachable, reachable
from hub.rota.rotations import Rotation, Slot, TurnUnit, check_rotation, slots
from hub.rota.swaps import SWAP_STEPS, Swap, SwapAction, SwapState, against, swap_step

__all__ = [
    "CHINA",
    "SWAP_STEPS",
    "WEEKDAYS_ONLY",
    "Calendar",
    "Cover",
    "DayKind",
    "Days",
    "Duty",
    "Gap",
    "GapKind",
    "Holiday",
    "Override",
    "OverrideKind",
    "Person",
    "Reachable",
    "Rotation",
    "Shift",
    "Slot",
    "Swap",
    "SwapAction",
    "SwapState",
    "TurnUnit",
    "against",
    "check_rotation",
    "duties",
    "gaps",
    "left_open",
    "reachable",
    "slots",
    "swap_step",
    "unfilled",
]
