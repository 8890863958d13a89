"""Jobs: what happens because time has passed."""

from __future__ import annotations

from hub.jobs.bounded import BoundedJob
from hub.jobs.day_plans import DayPlansJob
from hub.jobs.everyday import EverydayJob
from hub.jobs.load import LoadJob
from hub.jobs.matters import MattersJob
from hub.jobs.meals import MealRoundsJob, MealsJob
from hub.jobs.notices import NoticeCounts, NoticesJob
from hub.jobs.path_tests import PathTestsJob
from hub.jobs.rota import RotaJob
from hub.jobs.rules import RulesJob
from hub.jobs.runner import Jobs, Wake
from hub.jobs.supervision import HearingBeat, SupervisionJob
from hub.jobs.time_bank import TimeBankJob
from hub.jobs.visits import VisitsJob
from hub.jobs.windows import PowerJob, WindowsJob

__all__ = [
    "BoundedJob",
    "DayPlansJob",
    "EverydayJob",
    "HearingBeat",
    "Jobs",
    "LoadJob",
    "MattersJob",
    "MealRoundsJob",
    "MealsJob",
    "NoticeCounts",
    "NoticesJob",
    "PathTestsJob",
    "PowerJob",
    "RotaJob",
    "RulesJob",
    "SupervisionJob",
    "TimeBankJob",
    "VisitsJob",
    "Wake",
    "WindowsJob",
]
