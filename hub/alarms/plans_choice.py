"""Which response plan fits an incident that opens: the most specific one, with the reasons.

More conditions that hold win. Among equals the first difference decides, in this order: a type named, more risk flags,
the deeper area, a time of day, a kind of day, a priority, a class; at last the id, so that the answer is always the
same. Where no plan fits, `DEFAULT_PLAN` goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from hub.alarms.model import AlarmClass, Priority, Reason
from hub.alarms.plans import DEFAULT_PLAN, PlanClocks, ResponsePlan
from hub.alarms.policy import Clocks, EscalationPolicy
from hub.care import Resident

__all__ = ["ChosenPlan", "PlanSituation", "choose_plan", "policy_of_plan", "risk_flags"]


@dataclass(frozen=True, slots=True)
class PlanSituation:
    """What a plan is chosen by. `local`: the site's own time. `day_off`: a weekend or a public holiday there."""

    type: str
    alarm_class: AlarmClass
    priority: Priority
    area_path: tuple[str, ...]
    local: datetime
    day_off: bool
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ChosenPlan:
    """The plan and why it: one reason, of code `plan`."""

    plan: ResponsePlan
    reason: Reason


def risk_flags(resident: Resident | None) -> frozenset[str]:
    """The resident's flags as plans name them; living alone is one."""
    if resident is None:
        return frozenset()
    return resident.flags | {"lives_alone"} if resident.lives_alone else resident.flags


def choose_plan(plans: Iterable[ResponsePlan], situation: PlanSituation) -> ChosenPlan:
    """The most specific of the plans that fit."""
    best: ResponsePlan | None = None
    best_rank: tuple[int, ...] = ()
    fitting = 0
    for plan in plans:
        rank = _rank(plan, situation)
        if rank is None:
            continue
        fitting += 1
        if best is None or rank > best_rank or (rank == best_rank and plan.id < best.id):
            best, best_rank = plan, rank
    if best is None:
        text = "no plan fits: the nearest qualified are called"
        return ChosenPlan(DEFAULT_PLAN, Reason("plan", text, {"plan": DEFAULT_PLAN.id, "version": 0, "fitting": 0}))
    named = _named(best)
    text = f"plan {best.id}: " + (f"the most specific by {', '.join(named)}" if named else "for everything")
    values: dict[str, str | int | float | bool | None] = {
        "plan": best.id,
        "version": best.version,
        "fitting": fitting,
        "by": ", ".join(named),
    }
    return ChosenPlan(best, Reason("plan", text, values))


def policy_of_plan(policy: EscalationPolicy, plan: ResponsePlan) -> EscalationPolicy:
    """The policy with the plan's own clocks in the place of its; the work list's are left alone."""
    own = plan.clocks
    if own == PlanClocks():
        return policy

    def with_own(clocks: Clocks) -> Clocks:
        accept_s = clocks.accept_s if own.accept_s is None else own.accept_s
        on_scene_s = clocks.on_scene_s if own.on_scene_s is None else own.on_scene_s
        return replace(clocks, accept_s=accept_s, on_scene_s=on_scene_s)

    return replace(
        policy,
        critical=with_own(policy.critical),
        high=with_own(policy.high),
        medium=with_own(policy.medium),
        low=with_own(policy.low),
        welfare_s=policy.welfare_s if own.welfare_s is None else own.welfare_s,
        welfare_grace_s=policy.welfare_grace_s if own.welfare_grace_s is None else own.welfare_grace_s,
    )


def _rank(plan: ResponsePlan, situation: PlanSituation) -> tuple[int, ...] | None:
    """None: it does not fit."""
    wanted = plan.conditions
    minute = situation.local.hour * 60 + situation.local.minute
    if (
        (wanted.types and situation.type not in wanted.types)
        or (wanted.classes and situation.alarm_class not in wanted.classes)
        or (wanted.priorities and situation.priority not in wanted.priorities)
        or (wanted.area_id is not None and wanted.area_id not in situation.area_path)
        or (wanted.hours is not None and not _within(minute, wanted.hours))
        or (wanted.days != "any" and (wanted.days == "weekend") != situation.day_off)
        or not situation.flags.issuperset(wanted.flags)
    ):
        return None
    depth = situation.area_path.index(wanted.area_id) + 1 if wanted.area_id is not None else 0
    return (
        len(_named(plan)),
        int(bool(wanted.types)),
        len(wanted.flags),
        depth,
        int(wanted.hours is not None),
        int(wanted.days != "any"),
        int(bool(wanted.priorities)),
        int(bool(wanted.classes)),
    )


def _within(minute: int, hours: tuple[int, int]) -> bool:
    start, end = hours
    return start <= minute < end if start < end else minute >= start or minute < end


def _named(plan: ResponsePlan) -> list[str]:
    wanted = plan.conditions
    asked = (
        ("type", wanted.types),
        ("flags", wanted.flags),
        ("area", wanted.area_id),
        ("hours", wanted.hours),
        ("days", wanted.days != "any"),
        ("priority", wanted.priorities),
        ("class", wanted.classes),
    )
    return [name for name, value in asked if value]
