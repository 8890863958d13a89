"""Everyday services put together: kinds, care plans, claiming, satisfaction, the visit programme."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import tzinfo

from dispatch import Travel
from hub.clock import Clock, IdSource
from hub.ports import Database
from hub.service.care_orders import PlanOrders
from hub.service.care_plans import CarePlanDesk
from hub.service.kinds import KindRegister
from hub.service.open_orders import OpenOrders
from hub.service.programme_orders import ProgrammeOrders
from hub.service.programmes import ProgrammeDesk
from hub.service.raising import Raising
from hub.service.satisfaction import ReturnVisitTimes, SatisfactionDesk

__all__ = ["Everyday", "EverydayTimes", "build_everyday"]


@dataclass(frozen=True, slots=True)
class EverydayTimes:
    """`weeks_ahead`: so far ahead orders are made."""

    weeks_ahead: int = 4
    return_visits: ReturnVisitTimes = field(default_factory=ReturnVisitTimes)


@dataclass(frozen=True, slots=True)
class Everyday:
    """The use cases of everyday services, ready to call."""

    kinds: KindRegister
    care_plans: CarePlanDesk
    open_orders: OpenOrders
    satisfaction: SatisfactionDesk
    programmes: ProgrammeDesk
    programme_orders: ProgrammeOrders

    def tend(self, limit: int) -> int:
        """What is due: orders of care plans and programmes that have come within reach, return visits to be made.

        Gives how many care plans were looked at: as many as `limit` means that more may be waiting.
        """
        looked = self.care_plans.top_up(limit)
        self.programme_orders.top_up()
        self.satisfaction.draw()
        return looked


def build_everyday(
    database: Database,
    *,
    clock: Clock,
    new_id: IdSource,
    travel: Travel,
    raising: Raising,
    zone: tzinfo,
    plans: PlanOrders,
    times: EverydayTimes,
) -> Everyday:
    """Plugs them together. `plans` is shared with `Care`, which starts and stops them with the resident's status."""
    return Everyday(
        kinds=KindRegister(database, clock),
        care_plans=CarePlanDesk(database, clock, new_id, plans),
        open_orders=OpenOrders(database, clock, new_id, travel, zone),
        satisfaction=SatisfactionDesk(database, clock, new_id, raising, times.return_visits),
        programmes=ProgrammeDesk(database, clock, new_id, raising, zone),
        programme_orders=ProgrammeOrders(database, clock, new_id, zone, times.weeks_ahead),
    )
