"""The day's use cases, plugged together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from threading import Event

from dispatch import Travel
from hub.clock import Clock, IdSource
from hub.ports import Database
from hub.service.day_planning import DayPlanning
from hub.service.day_plans import DayPlans
from hub.service.day_publishing import DayPublishing
from hub.service.day_replans import DayReplans

__all__ = ["DayServices", "day_services"]


@dataclass(frozen=True, slots=True)
class DayServices:
    """Plans of a day: asked for, made (by a job), made real, changed by what happens."""

    plans: DayPlans
    planning: DayPlanning
    publishing: DayPublishing
    replans: DayReplans


def day_services(database: Database, clock: Clock, new_id: IdSource, zone: tzinfo, travel: Travel) -> DayServices:
    """`travel`: estimates as the crow flies take its paces; a road network is asked for what is near."""
    return DayServices(
        plans=DayPlans(database, clock, new_id, zone),
        planning=DayPlanning(database, clock, new_id, zone, travel=travel),
        publishing=DayPublishing(database, clock, new_id, zone),
        replans=DayReplans(database, clock, new_id, zone, _pause),
    )


def _pause(seconds: float) -> None:
    Event().wait(seconds)
