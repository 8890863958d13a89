"""The sample community is as large as its description says, whatever the seed and the day."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from hub.demo.community import build_community


@pytest.mark.parametrize(("seed", "today"), [(42, date(2026, 11, 23)), (7, date(2027, 2, 28)), (1, date(2028, 2, 29))])
def test_the_numbers_of_the_community(seed: int, today: date) -> None:
    found = build_community(seed=seed, today=today, lively=True)
    assert len(found.residents) == 1240
    assert sum(row["served"] for row in found.residents) == 186
    assert sum(row["lives_alone"] for row in found.residents) == 64
    assert all(_age(row["born_on"], today) >= 60 for row in found.residents)
    assert len(found.devices) == 171
    kinds = Counter(row["profile"]["kind"] for row in found.devices)
    assert (kinds["watch"], kinds["cord"], kinds["radar"], kinds["robot"]) == (112, 28, 16, 5)
    assert kinds["smoke"] + kinds["gas"] == 10
    assert len(found.dark) == 3  # "168/171 online"
    areas = Counter(row["kind"] for row in found.areas)
    assert (areas["grid"], areas["micro_grid"], areas["community"]) == (6, 21, 1)
    households = {row["id"]: row["households"] for row in found.areas if row["kind"] in ("community", "grid")}
    assert sum(households.values()) == 2 * 2280
    assert households["LA-G3"] == 392
    assert sorted(row["kind"] for row in found.stations) == ["care_station", "clinic", "meal_point"]


def test_the_people_of_the_story_are_who_they_are_said_to_be() -> None:
    today = date(2026, 11, 23)
    found = build_community(seed=42, today=today)
    ages = {row["name"]: _age(row["born_on"], today) for row in found.residents}
    said = {"王桂兰": 79, "陈秀英": 82, "赵国华": 79, "孙桂英": 86}
    assert {name: ages[name] for name in said} == said
    chen = next(row for row in found.residents if row["name"] == "陈秀英")
    assert chen["lives_alone"]
    assert "3 幢 2 单元 501" in chen["address"]
    kinds = {row["name"]: row["kind"] for row in found.responders}
    assert (kinds["孙伟"], kinds["何琳"], kinds["老胡"], kinds["李师傅"]) == (
        "grid_officer",
        "nurse",
        "guard",
        "neighbour",
    )
    assert sum(kind == "courier" for kind in kinds.values()) == 4
    names = {row["id"]: row["name"] for row in found.responders}
    (crew,) = found.crews
    assert sorted(names[one] for one in crew["members"]) == sorted(["马芳", "刘燕"])
    assert crew["vehicle"]


def _age(born_on: object, today: date) -> int:
    born = date.fromisoformat(str(born_on))
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
