"""The catalogue holds every kind that the field asks for, and only skills that exist."""

from __future__ import annotations

import pytest

from dispatch import RESPONSE_SKILLS, SERVICE_KINDS, SKILLS, response_skills

ASKED_FOR = {"助餐", "助医", "护理上门", "助浴", "助洁", "家政", "情感陪护", "助行", "代办", "探访"}


def test_every_kind_of_the_field_is_there() -> None:
    words = " ".join(kind.zh for kind in SERVICE_KINDS.values())
    assert not {word for word in ASKED_FOR if word not in words}
    assert {"meal_delivery", "meal_dine_in"} <= set(SERVICE_KINDS)


@pytest.mark.parametrize("kind", SERVICE_KINDS.values(), ids=lambda kind: kind.id)
def test_a_kind_is_complete(kind: object) -> None:
    from_table = SERVICE_KINDS[kind.id]  # type: ignore[attr-defined]
    assert from_table is kind
    assert from_table.skills <= set(SKILLS)
    assert from_table.any_skills <= set(SKILLS)
    assert from_table.skills or from_table.any_skills, "anybody at all would be eligible"
    assert from_table.zh
    assert from_table.en
    assert from_table.duration_min > 0
    if from_table.personal:
        assert from_table.duration_min >= 30
    assert not from_table.same_sex or from_table.personal


def test_nursing_at_home_needs_a_registered_nurse_and_an_escort_does_not() -> None:
    assert SERVICE_KINDS["nursing_visit"].skills == {"nursing"}
    assert SERVICE_KINDS["medical_escort"].skills == set()
    assert "medical_escort" in SERVICE_KINDS["medical_escort"].any_skills


def test_an_unknown_alarm_is_answered_by_whoever_cares() -> None:
    assert response_skills("fridge_open") == response_skills("assistance")
    assert all(RESPONSE_SKILLS.values())
