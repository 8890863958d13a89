"""The transition table, whole: every state with every action."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch import ASSIGNMENT_STATES
from hub.alarms import ACTION_NAMES, LIVE_STATES, RAISED, STATES, TABLE, IllegalTransition, Transition, transition
from hub.alarms.actions import ActionName, AssignmentState
from hub.alarms.diagram import document
from hub.alarms.model import IncidentState
from hub.errors import ConflictError

# The contract's table and nothing else, written again by hand: state -> action -> (next state, told).
LEGAL: dict[str, dict[str, tuple[str, str | None]]] = {
    "open": {
        "press": ("open", "received"),
        "acknowledge": ("acknowledged", "hold"),
        "responder_accepted": ("in_progress", "hold"),
        "responder_moved": ("open", None),
        "close": ("resolved", "handled"),
    },
    "acknowledged": {
        "press": ("acknowledged", "hold"),
        "responder_accepted": ("in_progress", "hold"),
        "responder_moved": ("acknowledged", None),
        "release": ("open", None),
        "lease_over": ("open", None),
        "assignments_over": ("open", None),
        "close": ("resolved", "handled"),
        "touch": ("acknowledged", None),
        "transfer": ("acknowledged", None),
    },
    "in_progress": {
        "press": ("in_progress", "hold"),
        "acknowledge": ("in_progress", "hold"),
        "responder_accepted": ("in_progress", "hold"),
        "responder_moved": ("in_progress", None),
        "release": ("open", None),
        "lease_over": ("open", None),
        "assignments_over": ("open", None),
        "close": ("resolved", "handled"),
        "touch": ("in_progress", None),
        "transfer": ("in_progress", None),
    },
    "resolved": {
        "responder_moved": ("resolved", None),
        "supervise": ("closed", None),
        "waive": ("closed", None),
        "reopen": ("open", "hold"),
    },
    "closed": {"responder_moved": ("closed", None), "reopen": ("open", "hold")},
}
for live in ("open", "acknowledged", "in_progress"):
    LEGAL[live] |= dict.fromkeys(
        ("shelve", "unshelve", "escalate", "note", "assign", "voice", "skip_tier"), (live, None)
    )


@pytest.mark.parametrize("action", ACTION_NAMES)
@pytest.mark.parametrize("state", STATES)
def test_every_state_with_every_action(state: IncidentState, action: ActionName) -> None:
    expected = LEGAL[state].get(action)
    if expected is None:
        with pytest.raises(IllegalTransition) as refused:
            transition(state, action)
        assert (refused.value.state, refused.value.action) == (state, action)
        assert isinstance(refused.value, ConflictError)
        assert refused.value.extra["state"] == state
    else:
        assert transition(state, action) == Transition(*expected)  # type: ignore[arg-type]


def test_table_holds_no_unknown_words() -> None:
    assert {state for state, _ in TABLE} == set(STATES)
    assert {action for _, action in TABLE} == set(ACTION_NAMES)
    assert Transition("open", "received") == RAISED


def test_resolved_never_absorbs_and_live_always_can_be_closed_by_hand() -> None:
    assert {state for state, action in TABLE if action == "press"} == LIVE_STATES
    assert {state for state, action in TABLE if action == "close"} == LIVE_STATES


def test_every_state_is_reached() -> None:
    reached = {RAISED.next_state} | {step.next_state for step in TABLE.values()}
    assert reached == set(STATES)


def test_the_drawing_is_that_of_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "incident-states.md"
    text = page.read_text(encoding="utf-8")
    assert text == document(), "run: python -m hub.alarms.diagram > docs/incident-states.md"


def test_both_rooms_speak_of_the_same_assignment_states() -> None:
    assert AssignmentState.__args__ == ASSIGNMENT_STATES  # type: ignore[attr-defined]
