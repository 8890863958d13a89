"""Days as the hub knows them, made up: people on shifts, orders of all kinds, what stands already."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hub.ports import AssignmentRow, DayCarer, DayOrder, DayStation, OrderRow, VisitRow
from hub.service.day_facts import DayFacts, Standing

__all__ = ["DAY", "KINDS", "facts_of", "standing_in"]

DAY = date(2026, 11, 23)
MIDNIGHT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
KINDS = {
    "companionship": {"any_skills": ["companionship", "care"]},
    "nursing_visit": {"skills": ["nursing"]},
    "bathing": {"skills": ["bathing"], "carers": 2, "attributes": {"same_sex": True}},
    "meal_delivery": {"skills": ["meal_delivery"], "attributes": {"deliver_within_min": 45}},
}
SKILLS = ("companionship", "nursing", "bathing", "meal_delivery")


def _id(number: int) -> str:
    return str(UUID(int=number))


def facts_of(seed: int, orders: int = 14, carers: int = 7, now_min: int | None = None) -> DayFacts:
    """A small day with a bit of everything; nothing stands yet."""
    rng = random.Random(seed)
    people: dict[str, DayCarer] = {}
    spans: dict[str, tuple[tuple[int, int], ...]] = {}
    for n in range(carers):
        begin = rng.choice([7, 8, 9]) * 3600
        long = rng.choice([4, 8, 9]) * 3600
        carer = DayCarer(
            id=f"c{n}",
            name=f"c{n}",
            kind="carer",
            sex=rng.choice("fm"),
            skills={s: None if rng.random() < 0.9 else date(2026, 1, 1) for s in rng.sample(SKILLS, rng.randint(1, 3))},
            area_ids=frozenset() if rng.random() < 0.7 else frozenset({f"g{rng.randrange(2)}"}),
            mode=rng.choice(["foot", "bike", "car", "van"]),
            station_id=rng.choice(["k0", "k1", None]),
            lat=31.33,
            lon=118.39,
            provider_id=rng.choice([None, "p"]),
            crew_id="van" if n < 2 and seed % 2 else None,
        )
        people[carer.id] = carer
        if rng.random() < 0.95:
            spans[carer.id] = (
                ((begin, begin + long),) if rng.random() < 0.8 else ((begin, begin + 7200), (50400, 64800))
            )
    found: dict[str, DayOrder] = {}
    for n in range(orders):
        kind = rng.choice(sorted(KINDS))
        opens = rng.randint(420, 960)
        order = OrderRow(
            id=_id(1000 + n),
            kind=kind,
            resident_id=f"r{n}",
            state="requested",
            wanted_from=MIDNIGHT + timedelta(minutes=opens),
            wanted_to=MIDNIGHT + timedelta(minutes=opens + rng.choice([15, 60, 120])),
            duration_min=rng.choice([5, 20, 45]),
            carers=int(KINDS[kind].get("carers", 1)),  # type: ignore[call-overload]
            source="operator",
            created_at=MIDNIGHT,
            provider_id="p" if rng.random() < 0.1 else None,
        )
        area = f"g{rng.randrange(2)}"
        found[_id(n + 1)] = DayOrder(
            order=order,
            visit=VisitRow(id=_id(n + 1), order_id=order.id, state="planned", planned_start=order.wanted_from),
            kind={"id": kind, "zh": kind, "en": kind, "priority": "low", **KINDS[kind]},
            resident={
                "id": f"r{n}",
                "name": f"r{n}",
                "sex": rng.choice(["f", "m", None]),
                "status": "home",
                "never": [f"c{rng.randrange(carers)}"] if rng.random() < 0.3 else [],
                "regular": [f"c{rng.randrange(carers)}"] if rng.random() < 0.4 else [],
            },
            lat=31.33 + rng.uniform(0, 0.03) if rng.random() < 0.97 else None,
            lon=118.39 + rng.uniform(0, 0.03),
            area_path=("x", area),
        )
    return DayFacts(
        day=DAY,
        midnight=MIDNIGHT,
        now=None if now_min is None else MIDNIGHT + timedelta(minutes=now_min),
        orders=found,
        carers=people,
        spans=spans,
        served={carer: people[carer].area_ids for carer in spans},
        stations={f"k{n}": DayStation(f"k{n}", "meal_point", f"k{n}", 31.335 + n / 100, 118.395) for n in range(2)},
    )


def standing_in(facts: DayFacts, stands: dict[str, Standing], *, accepted: frozenset[str]) -> DayFacts:
    """The day after this was published; who is in `accepted` has been promised and agreed to."""
    orders = {}
    for visit_id, one in facts.orders.items():
        has = stands.get(visit_id)
        if has is None:
            orders[visit_id] = one
            continue
        state = "accepted" if visit_id in accepted else "offered"
        start = facts.at(has.start)
        rows = tuple(
            AssignmentRow(
                id=f"{visit_id}|{carer}",
                responder_id=carer,
                state=state,  # type: ignore[arg-type]
                offered_at=MIDNIGHT + timedelta(seconds=part),
                visit_id=visit_id,
            )
            for part, carer in enumerate(has.carers)
        )
        visit = replace(
            one.visit,
            state=state,  # type: ignore[arg-type]
            planned_start=start,
            promised_from=start - timedelta(minutes=10),
            promised_to=start + timedelta(minutes=20),
            route_id=_id(9),
        )
        orders[visit_id] = replace(one, order=replace(one.order, state="assigned"), visit=visit, assignments=rows)
    return replace(facts, orders=orders)
