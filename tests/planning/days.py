"""Days to plan, made up: small ones with every rule in them, and a whole district."""

from __future__ import annotations

import random
from typing import Any

__all__ = ["SKILLS", "district", "disturbed", "small_day"]

SKILLS = ("care", "nurse", "bath", "meal")


def small_day(seed: int, visits: int = 14, carers: int = 6) -> dict[str, Any]:
    """A day with a bit of everything: crews, pairs, gaps, breaks, refusals, meals with trips, two depots."""
    rng = random.Random(seed)
    depots = [{"id": f"d{at}", "x": rng.uniform(0, 6), "y": rng.uniform(0, 6)} for at in range(2)]
    responders: list[dict[str, Any]] = []
    for at in range(carers):
        begin = rng.choice([420, 480, 540])
        one: dict[str, Any] = {
            "id": f"c{at}",
            "skills": sorted(rng.sample(SKILLS, rng.randint(1, 3))),
            "sex": rng.choice("fm"),
            "shift": [begin, begin + rng.choice([240, 480, 540])],
            "depot": rng.choice(["d0", "d1"]),
        }
        if rng.random() < 0.6:
            first = rng.choice([660, 690, 720])
            one["breaks"] = rng.choice([[[first, first + 30]], [{"window": [first, first + 120], "duration_min": 30}]])
        if rng.random() < 0.3:
            one.update(capacity=rng.randint(1, 4), max_trips=rng.randint(1, 3))
        if rng.random() < 0.2:
            one["overtime_min"] = 45
        responders.append(one)
    if carers >= 2 and rng.random() < 0.7:
        for one in responders[:2]:
            one.update(crew="van", depot="d0")
    rows: list[dict[str, Any]] = []
    for at in range(visits):
        opens = rng.randint(420, 900)
        row: dict[str, Any] = {
            "id": f"v{at}",
            "x": round(rng.uniform(0, 6), 3),
            "y": round(rng.uniform(0, 6), 3),
            "duration_min": rng.choice([10, 20, 30, 45]),
            "window": [opens, opens + rng.choice([0, 30, 90])],
            "skills": [rng.choice(SKILLS)],
            "mandatory": rng.random() < 0.6,
            "priority": rng.choice([0, 1, 3]),
        }
        if rng.random() < 0.3:
            row["carers"] = 2
            row["skills"] = [[rng.choice(SKILLS)], [rng.choice(SKILLS)]]
            if rng.random() < 0.5:
                row.update(sync="precedence", gap_min=rng.choice([[0, 60], [20, 45], [30, None]]))
        if rng.random() < 0.3:
            row["required_sex"] = rng.choice("fm")
        if rng.random() < 0.3:
            row["avoid"] = [f"c{rng.randrange(carers)}"]
        if rng.random() < 0.3:
            row["prefer"] = [f"c{rng.randrange(carers)}"]
        if "meal" in row["skills"]:
            row["deliver_within_min"] = rng.choice([20, 40])
            if rng.random() < 0.5:
                row["depot"] = rng.choice(["d0", "d1"])
        rows.append(row)
    return {
        "day": "2026-11-23",
        "depots": depots,
        "responders": responders,
        "visits": rows,
        "travel": {"speed_kmh": 15},
        "reload_min": 5,
    }


def district(seed: int = 1, visits: int = 3000, carers: int = 300, kitchens: int = 99) -> dict[str, Any]:
    """A district's day: care, nursing, bathing crews, meals from many kitchens at noon; x, y in kilometres."""
    rng = random.Random(seed)
    towns = [(rng.uniform(0, 30), rng.uniform(0, 30)) for _ in range(109)]

    def near(town: tuple[float, float], spread: float = 0.7) -> dict[str, float]:
        return {"x": round(rng.gauss(town[0], spread), 3), "y": round(rng.gauss(town[1], spread), 3)}

    depots = [{"id": f"k{at}", **near(towns[at % len(towns)], 0.2)} for at in range(kitchens)]
    responders: list[dict[str, Any]] = []
    meals, bathing = int(carers * 0.33), int(carers * 0.17) // 2
    for at in range(carers):
        kitchen = f"k{at % kitchens}"
        one: dict[str, Any] = {"id": f"c{at}", "sex": rng.choice("ffm"), "shift": [450, 990], "depot": kitchen}
        if at < meals:
            one.update(skills=["meal"], shift=[600, 840], capacity=20, max_trips=4)
        elif at < meals + 2 * bathing:
            crew = (at - meals) // 2
            one.update(skills=["bath", "care"], crew=f"van{crew}", depot=f"k{crew * 5 % kitchens}")
        else:
            one.update(skills=["care", "nurse"] if rng.random() < 0.3 else ["care"])
            one["breaks"] = [{"window": [690, 810], "duration_min": 30}]
        responders.append(one)
    rows: list[dict[str, Any]] = []
    plain = [one["id"] for one in responders[meals + 2 * bathing :]]
    for at in range(visits):
        row: dict[str, Any] = {
            "id": f"v{at}",
            **near(towns[rng.randrange(len(towns))]),
            "mandatory": rng.random() < 0.9,
        }
        draw = rng.random()
        if draw < 0.6:
            row.update(skills=["meal"], duration_min=4, window=[660, 750], deliver_within_min=35)
        elif draw < 0.63:
            opens = rng.choice([480, 600, 780])
            row.update(skills=["bath"], carers=2, duration_min=60, window=[opens, opens + 180])
            row["required_sex"] = rng.choice(["f", "f", "m"])
        else:
            opens = rng.choice([480, 540, 600, 660, 780, 840])
            row.update(skills=["nurse" if draw > 0.95 else "care"], duration_min=rng.choice([30, 45, 60]))
            row["window"] = [opens, opens + rng.choice([60, 120])]
            row["prefer"] = rng.sample(plain, 2)
            if rng.random() < 0.05:
                row.update(carers=2, skills=[["care"], ["care"]])
        rows.append(row)
    return {
        "day": "2026-11-23",
        "depots": depots,
        "responders": responders,
        "visits": rows,
        "travel": {"speed_kmh": 18, "fixed_min": 2},
        "reload_min": 3,
    }


def disturbed(problem: dict[str, Any], plan: dict[str, Any], *, now: int, ill: str, urgent: int) -> dict[str, Any]:
    """The same day at `now`: what has begun, or soon will, is frozen, somebody fell ill, there are urgent visits."""
    begun: dict[str, list[tuple[int, str, float]]] = {}
    for route in plan["routes"]:
        for stop in route["stops"]:
            if stop["start"] < now + 30:
                pair = (stop.get("part", 1), route["responder"], stop["start"])
                begun.setdefault(stop["visit"], []).append(pair)
    rows = []
    for visit in problem["visits"]:
        pairs = sorted(begun.get(visit["id"], []))
        if pairs and not any(who == ill for _, who, _ in pairs):
            frozen = {"responders": [who for _, who, _ in pairs], "start": [start for _, _, start in pairs]}
            rows.append({**visit, "frozen": frozen})
        elif not pairs:
            rows.append(visit)
    first = problem["visits"][0]
    rows += [
        {
            "id": f"urgent{at}",
            "x": first["x"] + at,
            "y": first["y"],
            "skills": ["care"],
            "duration_min": 30,
            "window": [now + 30, now + 90],
            "priority": "critical",
        }
        for at in range(urgent)
    ]
    return {
        **problem,
        "visits": rows,
        "responders": [one for one in problem["responders"] if one["id"] != ill],
        "routes": [route for route in plan["routes"] if route["responder"] != ill],
        "unplanned": plan["unplanned"],
        "now": now,
    }
