"""Why this carer? What speaks for who was chosen, and for each other one: what it would cost, or the rule that
forbids it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dispatch.plan import arrays as a
from dispatch.plan.arrays import State
from dispatch.plan.day import Carer, Visit
from dispatch.plan.outcome import why_not
from dispatch.plan.search import Plan
from dispatch.plan.solve import laid_out
from dispatch.plan.translate import MINUTE, Translation

__all__ = ["Alternative", "Explanation", "explain", "reasons"]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Somebody else at the same turn: `more` is what the plan would cost more (minutes of travel), None: it is
    forbidden."""

    carers: tuple[str, ...]
    more: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Who does a visit and why; the alternatives, cheapest first, those forbidden last. Nobody: `carers` is empty."""

    visit: str
    carers: tuple[str, ...]
    reasons: tuple[str, ...]
    alternatives: tuple[Alternative, ...]


def reasons(made: Translation, state: State, v: int) -> list[str]:
    """What can be said at once of a planned visit, without trying others."""
    visit, model = made.day.visits[v], made.model
    found = []
    if visit.frozen is not None:
        found.append("frozen: promised or under way, it is not moved")
    for x in range(2 * v, 2 * v + visit.carers):
        r = int(state.link[x, a.UNIT])
        if r < 0:
            continue
        names = [carer.id for carer in made.units[r]]
        regular = sorted(set(names) & visit.prefer)
        if regular:
            found.append(f"{', '.join(regular)} comes regularly")
        elif visit.prefer:
            found.append("none of the regular carers: elsewhere or not on duty, see the alternatives")
        row = model.fit[x] if state.link[2 * v + 1, a.UNIT] != a.ALONG else model.fit[2 * model.n + v]
        able = int(np.isfinite(row).sum())
        found.append("the only one who may" if able == 1 else f"one of {able} who may")
        found.append(f"{state.node[x, a.TRAVEL] / MINUTE:.1f} min of travel to get there")
        if state.node[x, a.LATE] > 0:
            found.append(
                f"{state.node[x, a.LATE] / MINUTE:.1f} min after the window: nobody is there earlier at less cost"
            )
    return found


def explain(made: Translation, plan: Plan, visit_id: str) -> Explanation:
    """KeyError if there is no such visit. Tries every other unit at the same turn of the day."""
    v = next((at for at, one in enumerate(made.day.visits) if one.id == visit_id), None)
    if v is None:
        raise KeyError(visit_id)
    visit = made.day.visits[v]
    state, cost = laid_out(made.model, _copied(plan))
    if plan.unit[2 * v] == a.ABSENT:
        return Explanation(visit_id, (), (f"left out: {why_not(made, v, visit)[1]}",), ())
    if visit.frozen is not None:
        return Explanation(visit_id, _names(made, plan, v), tuple(reasons(made, state, v)), ())
    tried: list[Alternative] = []
    for x in range(2 * v, 2 * v + (1 if plan.unit[2 * v + 1] in (a.ABSENT, a.ALONG) else 2)):
        tried += [
            _tried(made, plan, v, x, r, cost) for r in range(made.model.r) if r not in plan.unit[2 * v : 2 * v + 2]
        ]
    tried.sort(key=lambda one: (one.more is None, one.more or 0.0, one.carers))
    return Explanation(visit_id, _names(made, plan, v), tuple(reasons(made, state, v)), tuple(tried))


def _tried(made: Translation, plan: Plan, v: int, x: int, r: int, cost: float) -> Alternative:
    model, unit, visit = made.model, made.units[r], made.day.visits[v]
    names = tuple(carer.id for carer in unit)
    together = plan.unit[2 * v + 1] == a.ALONG
    if not np.isfinite(model.fit[2 * model.n + v if together else x, r]):
        return Alternative(names, None, _forbidden(unit, visit, x & 1, together))
    other = _copied(plan)
    other.unit[x] = r
    state, new = laid_out(model, other)
    if state.link[2 * v, a.UNIT] == a.ABSENT or int((other.unit == a.ABSENT).sum()) > int(
        (plan.unit == a.ABSENT).sum()
    ):
        return Alternative(
            names, None, "has no room for it at this time: shift, break, load or another visit stands against it"
        )
    travel = float(state.node[x, a.TRAVEL]) / MINUTE
    late = float(state.node[x, a.LATE]) / MINUTE
    why = f"{travel:.1f} min of travel to get there" + (f", {late:.1f} min late" if late else "")
    return Alternative(names, round(new - cost, 2), why)


def _forbidden(unit: list[Carer], visit: Visit, k: int, together: bool) -> str:
    refused = sorted({carer.id for carer in unit} & visit.avoid)
    if refused:
        return f"{', '.join(refused)} must never come"
    if together:
        return "not two people of one crew with the skills"
    if not any(visit.skills[k] <= carer.skills for carer in unit):
        return f"lacks the skills: {', '.join(sorted(visit.skills[k] - unit[0].skills))}"
    if visit.depot_id is not None and unit[0].depot_id != visit.depot_id:
        return f"does not work from {visit.depot_id}"
    return f"is not of the required sex: {visit.required_sex}"


def _names(made: Translation, plan: Plan, v: int) -> tuple[str, ...]:
    return tuple(carer.id for r in plan.unit[2 * v : 2 * v + 2] if r >= 0 for carer in made.units[int(r)])


def _copied(plan: Plan) -> Plan:
    return Plan(plan.unit.copy(), plan.turn.copy())
