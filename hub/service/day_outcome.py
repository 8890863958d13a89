"""What a plan becomes: routes as rows, what changes and whom it concerns, why what is left out is. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dispatch import LIVE_ASSIGNMENT_STATES
from dispatch.plan.day import Visit
from hub.clock import IdSource
from hub.planning.ask import DayAnswer, DayRoute
from hub.ports import DayOrder, FrozenWhy, Json, RouteRow, StopRow
from hub.service.day_carers import kind_reasons
from hub.service.day_facts import DayFacts, Standing
from hub.service.day_problem import DayProblem, sex_needed
from hub.service.whose import may_have

__all__ = ["changes", "routes_of", "side", "standings", "unplanned", "why_left"]

_FROZEN: Mapping[FrozenWhy, tuple[str, str]] = {
    "started": ("已开始，不再移动", "It has begun and is not moved"),
    "promised": ("已承诺并已接受，不再移动", "Promised and accepted, not moved"),
    "pinned": ("由人工锁定", "Nailed down by a person"),
    "fixed": ("不在本次排程范围内", "Not in the scope of this plan"),
}
_LEFT: Mapping[str, tuple[str, str]] = {
    "no-place": ("住址没有坐标，无法安排路线", "the home has no coordinates, no route can lead there"),
    "over": ("时间已过，无人承接", "its time is past and nobody had it"),
    "one-of-two": ("两名服务人员只到一名", "one of two carers is there, the other place is empty"),
    "no-sex": ("没有符合性别要求的人员", "nobody with the skills is of the sex it asks for"),
    "no-depot": ("供餐点没有送餐员在岗", "nobody on duty works from the kitchen it comes from"),
    "refused": ("有资质的人员均被老人拒绝", "everybody with the skills is refused by the resident"),
    "one-carer": ("需要两人同时服务，仅一人有资质", "two people are needed at once and only one is able"),
    "no-shift": ("有资质人员的班次都不包含这个时间", "no shift of those who are able leaves time for it"),
    "too-far": ("供餐点太远，送到时已不热", "no kitchen is near enough for it to arrive hot"),
    "too-big": ("没有车辆装得下", "no vehicle of those who are able takes it"),
    "optional": ("可改日进行，今天没有合适的空档", "it can be done another day, and today has no fitting gap"),
    "no-room": ("有资质人员当天已排满", "the day of those who are able is full"),
    "no-skill": ("在岗人员都没有所需资质", "nobody on duty has the skills"),
}


def routes_of(
    facts: DayFacts, problem: DayProblem, answer: DayAnswer, plan_id: str, new_id: IdSource
) -> list[RouteRow]:
    """The answer's routes as rows."""
    able = _able_counts(problem)
    visits = {visit.id: visit for visit in problem.day.visits}
    found = []
    for route in answer.routes:
        stops = tuple(
            StopRow(
                visit_id=stop.visit,
                arrive_at=facts.at(stop.arrive),
                start_at=facts.at(stop.start),
                leave_at=facts.at(stop.leave),
                part=stop.part,
                frozen=problem.frozen.get(stop.visit),
                why=tuple(_why(facts, problem, able, visits[stop.visit], route, number)),
            )
            for number, stop in enumerate(route.stops)
        )
        found.append(
            RouteRow(
                id=new_id(),
                plan_id=plan_id,
                day=facts.day,
                responder_id=route.carer,
                crew_id=route.crew,
                leave_at=facts.at(route.leave),
                back_at=facts.at(route.back),
                travel_s=_travel(route),
                service_s=sum(stop.leave - stop.start for stop in route.stops),
                stops=stops,
                breaks=tuple({"start": facts.at(low), "end": facts.at(high)} for low, high in route.breaks),
                trips=tuple(
                    {"leave": facts.at(leave), "load": load, "visits": list(visits)}
                    for leave, load, visits in route.trips
                ),
            )
        )
    return found


def _travel(route: DayRoute) -> int:
    """Seconds on the way: from each leaving to the next arriving, without the pauses between."""
    legs = [(route.leave, route.stops[0].arrive)]
    legs += [(one.leave, other.arrive) for one, other in zip(route.stops, route.stops[1:], strict=False)]
    legs.append((route.stops[-1].leave, route.back))
    total = 0
    for low, high in legs:
        paused = sum(max(0, min(high, end) - max(low, start)) for start, end in route.breaks)
        total += max(0, high - low - paused)
    return total


def _able_counts(problem: DayProblem) -> dict[tuple[frozenset[str], str | None], int]:
    found: dict[tuple[frozenset[str], str | None], int] = {}
    for visit in problem.day.visits:
        for words in visit.skills:
            key = words, visit.required_sex
            if key not in found:
                found[key] = sum(
                    words <= carer.skills and visit.required_sex in (None, carer.sex) for carer in problem.day.carers
                )
    return found


def _why(
    facts: DayFacts, problem: DayProblem, able: Mapping[Any, int], visit: Visit, route: DayRoute, number: int
) -> list[dict[str, Any]]:
    stop = route.stops[number]
    one = facts.orders[stop.visit]
    frozen = problem.frozen.get(stop.visit)
    found = []

    def say(code: str, zh: str, en: str) -> None:
        found.append({"code": code, "zh": zh, "en": en})

    if frozen is not None:
        say(frozen, *_FROZEN[frozen])
    if route.carer == one.order.preferred_responder_id:
        say("preferred", "照护计划指定的人员", "The one the care plan names")
    elif route.carer in one.resident["regular"]:
        say("regular", "常来的服务人员", "Comes regularly")
    elif one.resident["regular"]:
        say("not_regular", "常来的人员不在岗或另有安排", "The regular carers are off duty or elsewhere")
    if frozen is None:
        many = able[visit.skills[max(0, stop.part - 1)], visit.required_sex]
        if many == 1:
            say("only", "唯一符合条件的人员", "The only one who may")
        else:
            say("able", f"{many}名符合条件的人员之一", f"One of {many} who may")
    since = route.leave if number == 0 else route.stops[number - 1].leave
    minutes = round((stop.arrive - since) / 60)
    say("travel", f"路上约{minutes}分钟", f"About {minutes} min to get there")
    late = stop.start - facts.second(one.order.wanted_to)
    if late > 60:
        say("late", f"比期望晚{round(late / 60)}分钟", f"{round(late / 60)} min later than wanted")
    return found


def standings(facts: DayFacts, routes: Sequence[RouteRow]) -> dict[str, Standing]:
    """Who goes when by the routes, by visit."""
    found: dict[str, list[tuple[int, int, int, str]]] = {}
    for route in routes:
        for stop in route.stops:
            found.setdefault(stop.visit_id, []).append(
                (stop.part, facts.second(stop.start_at), facts.second(stop.leave_at), route.responder_id)
            )
    return {
        visit_id: Standing(tuple(c for *_, c in rows), tuple(s for _, s, _, _ in rows), tuple(e for _, _, e, _ in rows))
        for visit_id, rows in ((visit_id, sorted(rows)) for visit_id, rows in found.items())
    }


def side(facts: DayFacts, stands: Standing | None) -> Json | None:
    """One side of a change as pages show it."""
    if stands is None:
        return None
    return {
        "responder_id": stands.carers[0],
        "responder_ids": list(stands.carers),
        "start": facts.at(stands.start),
        "end": facts.at(stands.end),
    }


def changes(facts: DayFacts, new: Mapping[str, Standing], touched: Collection[str]) -> list[Json]:
    """What is different from what stands, of the visits of `touched`; whom it concerns.

    Resident and family hear of another person, of a start outside what they were told, of a visit that falls away and
    of one they were not told of yet. Carers hear whenever their day changes.
    """
    found = []
    for visit_id in sorted(touched):
        one = facts.orders[visit_id]
        was, now = facts.standing.get(visit_id), new.get(visit_id)
        if was is None and now is None:
            continue
        if was is not None and now is not None and _same(was, now):
            continue
        tell = ["responder"]
        if _concerns_home(facts, one, was, now):
            tell = ["resident", "contact", "responder"]
        found.append(
            {
                "order_id": one.order.id,
                "visit_id": visit_id,
                "kind": one.order.kind,
                "resident": {"id": one.resident["id"], "name": one.resident["name"]},
                "was": side(facts, was),
                "now": side(facts, now),
                "tell": tell,
            }
        )
    return found


def _same(was: Standing, now: Standing) -> bool:
    return sorted(was.carers) == sorted(now.carers) and abs(was.start - now.start) <= 1


def _concerns_home(facts: DayFacts, one: DayOrder, was: Standing | None, now: Standing | None) -> bool:
    told = one.visit.promised_from, one.visit.promised_to
    if now is None:
        return told[0] is not None
    if told[0] is None or told[1] is None or was is None:
        return True
    return sorted(was.carers) != sorted(now.carers) or not facts.second(told[0]) <= now.start <= facts.second(told[1])


def unplanned(facts: DayFacts, problem: DayProblem, answer: DayAnswer) -> list[Json]:
    """Every visit nobody does, with the reason in both languages."""
    codes = {**problem.left, **dict(answer.unplanned)}
    found = []
    for visit_id in sorted(codes):
        one = facts.orders[visit_id]
        code, zh, en = why_left(facts, one, codes[visit_id])
        found.append(
            {
                "order_id": one.order.id,
                "visit_id": visit_id,
                "kind": one.order.kind,
                "resident": {"id": one.resident["id"], "name": one.resident["name"]},
                "wanted_from": one.order.wanted_from,
                "code": code,
                "reason": en,
                "reason_zh": zh,
            }
        )
    return found


def why_left(facts: DayFacts, one: DayOrder, code: str) -> tuple[str, str, str]:
    """Code, Chinese, English. Where nobody has the skills it says which of several rules leaves nobody."""
    if code != "no-skill":
        zh, en = _LEFT.get(code, ("没有可行的安排", "there is no arrangement that keeps every rule"))
        return code, zh, en
    kind, kind_zh = str(one.kind.get("en") or one.order.kind), str(one.kind.get("zh") or one.order.kind)
    people = [facts.carers[carer] for carer in facts.spans]
    if not people:
        return "nobody", "当天没有排班人员", "nobody is on duty that day"
    against = {person.id: kind_reasons(facts, one, person) for person in people}
    skilled = [p for p in people if not any(r.code in ("skill_missing", "credential_expired") for r in against[p.id])]
    if not skilled:
        lapsed = [p for p in people if any(r.code == "credential_expired" for r in against[p.id])]
        if lapsed and all(
            any(r.code in ("credential_expired", "skill_missing") for r in against[p.id]) for p in people
        ):
            names = "、".join(p.name for p in lapsed[:3])
            return (
                "expired",
                f"{names}的资质已过期",
                f"the credential of {', '.join(p.name for p in lapsed[:3])} has expired",
            )
        return "no-skill", f"在岗人员都没有“{kind_zh}”的资质", f"nobody on duty has the skills for {kind}"
    here = [p for p in skilled if not against[p.id]]
    if not here:
        return "no-area", "有资质的人员都不负责这个片区", "nobody with the skills serves this area"
    if not any(may_have(one.order.provider_id, p.provider_id) for p in here):
        return "no-provider", "该服务机构没有符合条件的人员在岗", "nobody of its provider who is able is on duty"
    bound = [row.responder_id for row in one.assignments if row.state in LIVE_ASSIGNMENT_STATES]
    if bound:
        names = "、".join(facts.carers[c].name for c in bound if c in facts.carers)
        return (
            "bound",
            f"已由人工指定给{names}，但其不在岗或不符合条件",
            f"given by hand to {names}, who is off duty or may not",
        )
    if sex_needed(one) is not None and not any(p.sex == sex_needed(one) for p in here):
        zh, en = _LEFT["no-sex"]
        return "no-sex", zh, en
    return "no-skill", "没有人同时满足资质、片区与机构要求", "nobody meets skills, area and provider at once"
