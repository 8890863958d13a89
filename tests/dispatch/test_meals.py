"""Meals: cut-offs, diets and allergies, the choice of a dish; what each kind needs to know. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import SERVICE_KINDS
from dispatch.meals import (
    ALLERGENS,
    DEFAULT_HOURS,
    DIETS,
    MEALS,
    Dish,
    MealHours,
    allergens_of,
    first_right,
    hours_of,
    meal_at,
    objections,
)
from dispatch.particulars import PARTICULARS, checked, particulars_json, particulars_of, said_lines, unsaid

CHINA = timezone(timedelta(hours=8))
DAY = date(2026, 11, 24)


def test_orders_are_taken_until_the_cut_off_and_breakfast_the_evening_before() -> None:
    lunch, breakfast = DEFAULT_HOURS["lunch"], DEFAULT_HOURS["breakfast"]
    assert lunch.cutoff_at(DAY, CHINA) == datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    assert breakfast.cutoff_at(DAY, CHINA) == datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    begin, end = lunch.window(DAY, CHINA)
    assert (begin.hour, end.hour, end.minute) == (10, 12, 30)


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        ({"tea": None}, "hours.tea: there is no such meal"),
        ({"lunch": {"cutoff_min": 540}}, "hours.lunch: give cutoff_min"),
        ({"lunch": {"cutoff_min": 540, "from_min": 700, "to_min": 690, "capacity": 5}}, "hours.lunch.from_min"),
        ({"lunch": {"cutoff_min": 900, "from_min": 660, "to_min": 690, "capacity": 5}}, "hours.lunch.cutoff_min"),
        ({"lunch": {"cutoff_min": 540, "from_min": 660, "to_min": 690, "capacity": True}}, "whole numbers"),
        ({"lunch": {"cutoff_min": 540, "from_min": 660, "to_min": 690, "capacity": -1}}, "capacity: is negative"),
    ],
)
def test_hours_that_cannot_be_are_named(stored: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        hours_of(stored)


def test_a_point_sets_what_differs() -> None:
    found = hours_of({"dinner": None, "lunch": {"cutoff_min": 480, "from_min": 660, "to_min": 720, "capacity": 40}})
    assert found == {"breakfast": DEFAULT_HOURS["breakfast"], "lunch": MealHours(480, 660, 720, 40), "dinner": None}
    assert [meal_at(datetime(2026, 1, 1, hour)) for hour in (7, 11, 17)] == list(MEALS)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("name", "holds", "allergies", "refused"),
    [
        ("宫保鸡丁", {"peanut"}, ["花生"], True),
        ("花生糊", set(), ["花生过敏"], True),
        ("虾仁蒸蛋", set(), ["海鲜"], True),
        ("虾仁蒸蛋", set(), ["鸡蛋"], True),
        ("清蒸鲈鱼", set(), ["seafood"], True),
        ("鱼香肉丝", set(), ["鱼"], False),
        ("豆奶", set(), ["牛奶"], False),
        ("红烧肉", {"soy"}, ["青霉素"], False),
        ("香菇鸡", set(), ["香菇"], True),
        ("红烧肉", {"soy"}, ["  "], False),
        ("红烧肉", {"大豆"}, ["黄豆"], True),
    ],
)
def test_what_somebody_cannot_stand_is_found_in_the_dish_or_its_name(
    name: str, holds: set[str], allergies: list[str], refused: bool
) -> None:
    found = objections(Dish("d", name, frozenset(holds)), diets=(), allergies=allergies)
    assert ([one.code for one in found] == ["allergy"]) is refused
    assert all(one.zh and one.en for one in found)


codes = st.sampled_from(sorted(ALLERGENS))
dishes = st.lists(
    st.builds(
        Dish,
        st.uuids().map(str),
        st.sampled_from(["甲餐", "乙餐", "丙餐"]),
        st.frozensets(codes, max_size=3),
        st.frozensets(st.sampled_from(sorted(DIETS)), max_size=4),
        st.none() | st.integers(0, 3),
    ),
    max_size=6,
)


@given(dishes, st.frozensets(st.sampled_from(sorted(DIETS)), max_size=3), st.frozensets(codes, max_size=3))
def test_the_chosen_dish_harms_nobody_and_is_the_first_that_does_not(
    menu: list[Dish], diets: frozenset[str], cannot: frozenset[str]
) -> None:
    words = [ALLERGENS[code][0] for code in cannot]
    chosen = first_right(menu, diets=diets, allergies=words)
    right = [
        dish
        for dish in menu
        if not (dish.allergens & cannot) and diets - {"regular"} <= dish.diets and (dish.left is None or dish.left > 0)
    ]
    assert chosen == (right[0] if right else None)


@given(st.lists(st.text(max_size=12), max_size=5))
def test_any_words_of_a_record_can_be_read(words: list[str]) -> None:
    found = allergens_of(words)
    assert all(found)
    objections(Dish("d", "".join(words) or "餐"), diets=words, allergies=words)


def test_every_word_of_an_allergen_is_known_as_it() -> None:
    for code, words in ALLERGENS.items():
        for word in words:
            assert code in allergens_of([word]), (code, word)


# --- particulars


def test_particulars_are_of_kinds_that_exist_and_are_named_in_both_languages() -> None:
    assert set(PARTICULARS) <= set(SERVICE_KINDS)
    for fields in PARTICULARS.values():
        for one in (*fields.order, *fields.done):
            assert one.zh
            assert one.en
            assert (one.choices is not None) is (one.type in ("choice", "choices"))


def test_a_kind_survives_being_written_as_json() -> None:
    for kind, fields in PARTICULARS.items():
        assert particulars_of(kind, particulars_json(fields)) == fields


@pytest.mark.parametrize(
    ("kind", "said", "wrong"),
    [
        ("medical_escort", {}, ["place"]),
        ("medical_escort", {"place": "弋矶山医院", "appointment_at": "明天"}, ["appointment_at"]),
        ("medical_escort", {"place": "弋矶山医院", "appointment_at": "2026-11-24T09:00:00"}, ["appointment_at"]),
        ("medical_escort", {"place": "弋矶山医院", "way": "rocket", "bring": ["医保卡", ""]}, ["way", "bring"]),
        ("medicine_fetch", {"pharmacy": "社区药房", "prescription": []}, ["prescription"]),
        ("medicine_fetch", {"pharmacy": "社区药房", "prescription": ["华法林 2.5 mg × 30"]}, []),
        ("bathing", {"hot_water": "river", "family_present": "yes"}, ["hot_water", "family_present"]),
        ("errands", {"what": "交电费", "budget_fen": 99.5}, ["budget_fen"]),
        ("errands", {"what": "交电费", "budget_fen": -1}, ["budget_fen"]),
        ("vitals_round", {"measure": ["blood_pressure", "mood"]}, ["measure"]),
        ("companionship", {"anything": 1}, []),
        ("device_repair", {"device_id": "W1"}, []),
    ],
)
def test_what_is_missing_or_wrong_is_named(kind: str, said: dict[str, Any], wrong: list[str]) -> None:
    found = checked(particulars_of(kind).order, said)
    assert [name for name, _ in found] == wrong


def test_what_is_not_said_yet_is_asked_before_anybody_goes() -> None:
    fields = particulars_of("medicine_fetch").order
    assert [one.name for one in unsaid(fields, {})] == ["pharmacy", "prescription"]
    assert [one.name for one in unsaid(fields, {"pharmacy": "社区药房", "prescription": []})] == ["prescription"]
    assert unsaid(fields, {"pharmacy": "社区药房", "prescription": ["华法林"]}) == ()


def test_a_price_paid_belongs_to_fetched_medicine() -> None:
    done = particulars_of("medicine_fetch").done
    assert {name for name, _ in checked(done, {})} == {"amount_paid_fen", "fetched"}
    assert checked(done, {"amount_paid_fen": 2350, "fetched": ["华法林"], "receipt_photo": "p1"}) == []
    assert checked(done, {"receipt_photo": "p1"}, whole=False) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(PARTICULARS)), st.data())
def test_whatever_is_said_is_judged_without_a_fall(kind: str, data: st.DataObject) -> None:
    fields = particulars_of(kind)
    said = {one.name: data.draw(json_values) for one in (*fields.order, *fields.done)}
    for name, text in checked(fields.order, said) + checked(fields.done, said):
        assert name in said
        assert text


@given(json_values)
def test_a_sites_own_fields_are_read_or_refused_in_words(value: Any) -> None:
    said = ""
    try:
        particulars_of("bathing", {"order": value})
    except ValueError as error:
        said = str(error)
    assert said == "" or said.startswith("fields.order")


def test_what_was_said_is_read_in_both_languages_and_in_local_time() -> None:
    said = {
        "place": "弋矶山医院",
        "appointment_at": "2026-11-24T01:30:00+00:00",
        "way": "taxi",
        "bring": ["医保卡", "病历本"],
        "return_home": True,
        "department": "",
    }
    lines = said_lines(particulars_of("medical_escort").order, said, CHINA)
    assert lines["zh"] == [
        "就诊医院：弋矶山医院",
        "预约时间：11-24 09:30",
        "怎么去：出租车",
        "要带的东西：医保卡、病历本",
        "送回家",
    ]
    assert lines["en"][2:] == ["How to get there: Taxi", "What to bring: 医保卡, 病历本", "Bring home again"]
    assert said_lines(particulars_of("errands").order, {"budget_fen": 1250}, CHINA)["zh"] == ["预算：12.50"]


@given(st.sampled_from(sorted(PARTICULARS)), st.data())
def test_anything_said_can_be_shown(kind: str, data: st.DataObject) -> None:
    fields = (*particulars_of(kind).order, *particulars_of(kind).done)
    lines = said_lines(fields, {one.name: data.draw(json_values) for one in fields}, CHINA)
    assert len(lines["zh"]) == len(lines["en"])
