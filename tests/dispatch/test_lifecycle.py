"""The life of an assignment, every state with every step; a visit's state from its assignments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import (
    ASSIGNMENT_STATES,
    LIVE_ASSIGNMENT_STATES,
    MAY,
    STEPS,
    AssignmentState,
    IllegalAssignmentStep,
    advance,
    may_step,
    visit_state,
)

LEGAL = {
    ("offered", "accepted"),
    ("offered", "en_route"),
    ("offered", "on_scene"),
    ("offered", "declined"),
    ("offered", "stood_down"),
    ("accepted", "en_route"),
    ("accepted", "on_scene"),
    ("accepted", "declined"),
    ("accepted", "stood_down"),
    ("en_route", "on_scene"),
    ("en_route", "declined"),
    ("en_route", "stood_down"),
    ("on_scene", "completed"),
}


@pytest.mark.parametrize("action", ASSIGNMENT_STATES)
@pytest.mark.parametrize("state", ASSIGNMENT_STATES)
def test_every_state_with_every_step(state: AssignmentState, action: AssignmentState) -> None:
    if (state, action) in LEGAL:
        assert advance(state, action) == action
        return
    with pytest.raises(IllegalAssignmentStep) as refused:
        advance(state, action)
    assert (refused.value.state, refused.value.action) == (state, action)


def test_a_live_assignment_can_go_on_and_an_ended_one_cannot() -> None:
    assert set(STEPS) == set(MAY) == set(ASSIGNMENT_STATES)
    for state, steps in STEPS.items():
        assert bool(steps) == (state in LIVE_ASSIGNMENT_STATES)


def test_who_may() -> None:
    assert may_step("on_scene", "responder")
    assert may_step("on_scene", "operator")
    assert not may_step("on_scene", "system")
    assert not may_step("stood_down", "responder")
    assert not may_step("offered", "responder")


@pytest.mark.parametrize(
    ("states", "carers", "expected"),
    [
        ([], 1, "planned"),
        (["declined"], 1, "planned"),
        (["stood_down", "declined"], 2, "planned"),
        (["offered"], 1, "offered"),
        (["accepted"], 1, "accepted"),
        (["declined", "accepted"], 1, "accepted"),
        (["accepted"], 2, "offered"),
        (["accepted", "offered"], 2, "offered"),
        (["accepted", "accepted"], 2, "accepted"),
        (["en_route", "accepted"], 2, "en_route"),
        (["en_route", "offered"], 2, "offered"),
        (["on_scene", "en_route"], 2, "in_service"),
        (["completed", "on_scene"], 2, "in_service"),
        (["completed", "accepted"], 2, "in_service"),
        (["completed", "declined"], 2, "planned"),
        (["completed"], 1, "completed"),
        (["completed", "completed"], 2, "completed"),
        (["completed", "stood_down"], 1, "completed"),
    ],
)
def test_a_visit_is_as_far_as_its_carers(states: list[AssignmentState], carers: int, expected: str) -> None:
    assert visit_state(states, carers=carers) == expected


@given(st.lists(st.sampled_from(ASSIGNMENT_STATES), max_size=5), st.integers(1, 2))
def test_completed_means_that_all_who_were_needed_have_completed(states: list[AssignmentState], carers: int) -> None:
    state = visit_state(states, carers=carers)
    assert (state == "completed") == (states.count("completed") >= carers and "on_scene" not in states)
    assert visit_state(list(reversed(states)), carers=carers) == state


def test_a_visit_without_carers_is_no_visit() -> None:
    with pytest.raises(ValueError, match="at least one"):
        visit_state([], carers=0)
