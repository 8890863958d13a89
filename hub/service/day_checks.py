"""What speaks against a visit with these carers at this time, beside the rest of their day. Pure, at once.

Hard: skills and their papers, the area served, the sex asked for, the resident's refusal: these refuse. The others
(ways, shift, overlap, the window that was wanted, what was promised) are told, and a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil

from dispatch import DEFAULT_PACE, HaversineTravel, Place, haversine_m
from hub.ports import DayCarer, DayOrder, Json
from hub.service.day_carers import BASE_MODE, kind_reasons
from hub.service.day_facts import DayFacts, Standing
from hub.service.day_problem import sex_needed
from hub.service.whose import may_have

__all__ = ["against", "conflict", "forbidden", "way_s"]


def conflict(
    code: str, zh: str, en: str, *, hard: bool = False, one: DayOrder | None = None, carer: str | None = None
) -> Json:
    """One thing that speaks against it, as pages show it."""
    return {
        "code": code,
        "hard": hard,
        "order_id": one.order.id if one else None,
        "visit_id": one.visit.id if one else None,
        "responder_id": carer,
        "reason": en,
        "reason_zh": zh,
    }


def way_s(carer: DayCarer, one: tuple[float, float] | None, other: tuple[float, float] | None) -> int:
    """Seconds a carer needs between two places; 0 where one is not known."""
    if one is None or other is None or one == other:
        return 0
    pace = DEFAULT_PACE[carer.mode if carer.mode in DEFAULT_PACE else BASE_MODE]  # type: ignore[index]
    metres = haversine_m(Place(*one), Place(*other)) * HaversineTravel().circuity
    return ceil(metres / pace.speed_mps + pace.fixed_s)


def forbidden(facts: DayFacts, one: DayOrder, carer: DayCarer) -> list[Json]:
    """The hard rules that a carer breaks for an order, whatever the time."""
    found = []
    for reason in kind_reasons(facts, one, carer):
        if reason.code == "area_not_served":
            found.append(("area", f"{carer.name}不负责这个片区", f"{carer.name} does not serve this area"))
        elif reason.code == "volunteer_kind":
            found.append(("skill", f"{carer.name}是志愿者，只做低风险服务", f"{carer.name} {reason.text}"))
        elif reason.code == "credential_expired":
            found.append(("skill", f"{carer.name}的资质已过期", f"{carer.name}: {reason.text}"))
        else:
            kind = str(one.kind.get("zh") or one.order.kind)
            found.append(("skill", f"{carer.name}没有“{kind}”的资质", f"{carer.name} {reason.text}"))
    sex = sex_needed(one)
    if sex is not None and carer.sex != sex:
        who, wer = ("女性", "a woman") if sex == "f" else ("男性", "a man")
        found.append(("sex", f"须由{who}服务人员上门", f"the carer must be {wer}"))
    if carer.id in one.resident["never"]:
        found.append(("refused", f"老人拒绝{carer.name}上门", f"the resident refuses {carer.name}"))
    if not may_have(one.order.provider_id, carer.provider_id):
        found.append(("provider", f"{carer.name}不属于承接机构", f"{carer.name} is not of the provider who has it"))
    return [conflict(code, zh, en, hard=True, one=one, carer=carer.id) for code, zh, en in found]


def against(facts: DayFacts, moved: Mapping[str, Standing], stands: Mapping[str, Standing]) -> list[Json]:
    """Everything that speaks against `moved`, given that the rest of the day stays as it `stands`."""
    after = {**stands, **moved}
    days = _days(facts, after)
    found: list[Json] = []
    for visit_id, now in moved.items():
        one = facts.orders[visit_id]
        found += _of_window(facts, one, now)
        if len(set(now.carers)) < len(now.carers):
            found.append(
                conflict("overlap", "同一人不能占两个名额", "one person cannot be both carers", hard=True, one=one)
            )
        for carer_id, start, end in zip(now.carers, now.starts, now.ends, strict=True):
            carer = facts.carers.get(carer_id)
            if carer is None:
                continue
            found += forbidden(facts, one, carer)
            found += _of_shift(facts, one, carer, start, end)
            found += _of_neighbours(facts, one, carer, start, end, days[carer_id])
    return found


def _days(facts: DayFacts, stands: Mapping[str, Standing]) -> dict[str, list[tuple[int, int, str]]]:
    found: dict[str, list[tuple[int, int, str]]] = {}
    for visit_id, one in stands.items():
        if visit_id not in facts.orders:
            continue
        for carer, start, end in zip(one.carers, one.starts, one.ends, strict=True):
            found.setdefault(carer, []).append((start, end, visit_id))
    return {carer: sorted(day) for carer, day in found.items()}


def _clock(facts: DayFacts, second: int) -> str:
    return facts.at(second).strftime("%H:%M")


def _of_window(facts: DayFacts, one: DayOrder, now: Standing) -> Iterable[Json]:
    low, high = facts.second(one.order.wanted_from), facts.second(one.order.wanted_to)
    at = _clock(facts, now.start)
    if now.start < low:
        wanted = _clock(facts, low)
        yield conflict("window", f"{at}早于期望的{wanted}", f"{at} is before the wanted {wanted}", one=one)
    elif now.start > high:
        wanted = _clock(facts, high)
        yield conflict("window", f"{at}晚于期望的{wanted}", f"{at} is after the wanted {wanted}", one=one)
    told = one.visit.promised_from, one.visit.promised_to
    if told[0] is not None and told[1] is not None:
        first, last = facts.second(told[0]), facts.second(told[1])
        if not first <= now.start <= last:
            span = f"{_clock(facts, first)}–{_clock(facts, last)}"
            yield conflict("promise", f"已向家属承诺{span}", f"{span} was promised to the family", one=one)


def _of_shift(facts: DayFacts, one: DayOrder, carer: DayCarer, start: int, end: int) -> Iterable[Json]:
    spans = facts.spans.get(carer.id, ())
    if not spans:
        yield conflict(
            "off_rota", f"{carer.name}当天不在班", f"{carer.name} is not on the rota", one=one, carer=carer.id
        )
    elif not any(low <= start and end <= high for low, high in spans):
        hours = "、".join(f"{_clock(facts, low)}–{_clock(facts, high)}" for low, high in spans)
        yield conflict(
            "shift",
            f"超出{carer.name}的班次{hours}",
            f"outside the shift of {carer.name}, {hours}",
            one=one,
            carer=carer.id,
        )


def _of_neighbours(
    facts: DayFacts, one: DayOrder, carer: DayCarer, start: int, end: int, day: list[tuple[int, int, str]]
) -> Iterable[Json]:
    """Overlaps with the carer's other visits, and ways too long to and from the nearest of them."""
    others = [row for row in day if row[2] != one.visit.id]
    for low, high, other_id in others:
        if low < end and high > start:
            other = facts.orders[other_id]
            span = f"{_clock(facts, low)}–{_clock(facts, high)}"
            name = other.resident["name"]
            yield conflict(
                "overlap",
                f"{carer.name}在{span}为{name}服务",
                f"{carer.name} is with {name} {span}",
                one=one,
                carer=carer.id,
            )
    here = _place(one)
    before = max((row for row in others if row[1] <= start), default=None, key=lambda row: row[1])
    after = min((row for row in others if row[0] >= end), default=None)
    for row, gap in (
        (before, None if before is None else start - before[1]),
        (after, None if after is None else after[0] - end),
    ):
        if row is None or gap is None:
            continue
        other = facts.orders[row[2]]
        needed = way_s(carer, _place(other), here)
        if needed > gap + 60:
            short = ceil((needed - gap) / 60)
            name = other.resident["name"]
            side = "前一户" if row is before else "后一户"
            word = "from" if row is before else "to"
            yield conflict(
                "travel",
                f"{carer.name}与{side}（{name}）之间路程差{short}分钟",
                f"{carer.name} is {short} min short on the way {word} {name}",
                one=one,
                carer=carer.id,
            )


def _place(one: DayOrder) -> tuple[float, float] | None:
    return None if one.lat is None or one.lon is None else (one.lat, one.lon)
