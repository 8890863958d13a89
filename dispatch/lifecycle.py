"""The life of an assignment: one responder on one incident or visit. A table; what is not in it is refused.

An action is named by the state it leads to. Steps may be skipped where people skip them: whoever is next door arrives
without having said "on the way"; a phone without signal sends three steps at once, in order, and none of them may be
refused because an earlier one is missing. A step back is never possible: what was reached was reached.

A responder may give back what was accepted (`declined`) until the door; from the scene there is only an outcome.
Whoever is on scene is not stood down: that person finishes, and says how.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Literal

from dispatch.model import LIVE_ASSIGNMENT_STATES, AssignmentState

__all__ = ["MAY", "STEPS", "By", "IllegalAssignmentStep", "VisitState", "advance", "may_step", "visit_state"]

VisitState = Literal["planned", "offered", "accepted", "en_route", "in_service", "completed"]
By = Literal["responder", "operator", "system"]

STEPS: Final[Mapping[AssignmentState, frozenset[AssignmentState]]] = {
    "offered": frozenset({"accepted", "en_route", "on_scene", "declined", "stood_down"}),
    "accepted": frozenset({"en_route", "on_scene", "declined", "stood_down"}),
    "en_route": frozenset({"on_scene", "declined", "stood_down"}),
    "on_scene": frozenset({"completed"}),
    "declined": frozenset(),
    "completed": frozenset(),
    "stood_down": frozenset(),
}

MAY: Final[Mapping[AssignmentState, frozenset[By]]] = {
    "offered": frozenset({"operator", "system"}),
    "accepted": frozenset({"responder", "operator"}),
    "declined": frozenset({"responder", "operator"}),
    "en_route": frozenset({"responder", "operator"}),
    "on_scene": frozenset({"responder", "operator"}),
    "completed": frozenset({"responder", "operator"}),
    "stood_down": frozenset({"operator", "system"}),
}
"""Who may bring an assignment to a state: its own responder, an operator for one (by telephone), or the hub itself."""


class IllegalAssignmentStep(ValueError):  # noqa: N818 - the name of the rule
    """An assignment in `state` cannot go to `action`; nothing has changed."""

    def __init__(self, state: AssignmentState, action: AssignmentState) -> None:
        super().__init__(f"an assignment that is {state} cannot become {action}")
        self.state = state
        self.action = action


def advance(state: AssignmentState, action: AssignmentState) -> AssignmentState:
    """The state after `action` (named by the state it leads to). Raises IllegalAssignmentStep."""
    if action not in STEPS[state]:
        raise IllegalAssignmentStep(state, action)
    return action


def may_step(action: AssignmentState, by: By) -> bool:
    """Whether `by` may bring an assignment there. That a responder moves only the own one is the caller's to check."""
    return by in MAY[action]


def visit_state(states: Collection[AssignmentState], *, carers: int = 1) -> VisitState:
    """The state of a visit that needs `carers`, from the states of all its assignments (ended ones included).

    Accepted by one of two is still offered: one carer arriving instead of two is what families complain of most. In
    service as soon as one is at the door, and while one of two has finished and the other has not. Completed when as
    many have completed as are needed. Nobody left and the work not done: planned again.
    """
    if carers < 1:
        raise ValueError(f"a visit needs at least one carer, not {carers}")
    live = [state for state in states if state in LIVE_ASSIGNMENT_STATES]
    done = sum(state == "completed" for state in states)
    if done >= carers and "on_scene" not in live:
        return "completed"
    if not live:
        return "planned"
    if done or "on_scene" in live:
        return "in_service"
    if sum(state in ("accepted", "en_route") for state in live) < carers:
        return "offered"
    return "en_route" if "en_route" in live else "accepted"
