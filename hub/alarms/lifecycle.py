"""The life of an incident: a transition table, and what each action means on top of it.

An incident is one matter that a person must settle. Its state says who has it now, and nothing else:

    open           nobody. It is in the queue, and the unclaimed steps of its policy run (see `escalation`).
    acknowledged   an operator. Claimed: others see who and since when. Seen is not done.
    in_progress    a responder. Somebody who can go has accepted, or has gone, or has come back and told.
    resolved       the supervisor. The operator called it done and said how it ended (disposition and summary).
    closed         nobody any more.

The first three are live. At most one incident of a subject and class is live (a unique index of the store sees to
it); a resolved one never absorbs an alarm, therefore `press` has no line there: the next cry opens an incident of its
own.

The condition of the person and the state of the work are different things. A cancel from the device, a second press,
a responder on scene, a shelf: none of them is a state. They are facts beside it (`on_scene`, `shelved_until`, entries
of the timeline), because an operator must be able to see both at once.

`TABLE` is the whole truth about which action is possible when, what state follows, and what the device is told by it.
A pair that is not in the table is illegal: `transition` raises, nothing has changed. The reasons behind its less
obvious lines:

- *acknowledge* in `in_progress`: a plan that went on by itself can have a responder on the way before any operator
  claimed. Somebody may still take the seat; where one sits there already the claim is refused with who and since
  when.
- *responder_accepted* in `open`: help that accepts is help, claimed or not.
- *release, lease_over, assignments_over* all lead back to the queue. A lease runs only while an operator alone has
  the incident; once a responder has it, the responder's own clocks watch instead, so that an operator who waits for
  an arrival need not press a key every two minutes.
- *assignments_over*: everybody who was asked has declined or was stood down, and nobody has done the job. An incident
  that looks handled with nobody coming is the worst of all, so it goes back to the queue, whoever held it.
- *close* from `open`: an alarm that cannot be closed by hand is a nuisance that people learn to ignore.
- *waive* is the second half of a close that needs no supervision: both steps are taken, and both are on the timeline.
- *supervise* with the verdict "returned" ends as a *reopen*.
- *responder_moved* is possible in every state: what a responder did is a fact, also when it reaches the hub after the
  operator closed.
- *note, escalate, shelve, assign, voice, skip tier* need a live incident: after the close the record is not to grow by
  side doors; reopen.

The device is told `received` when its alarm is committed, `hold` when an operator or responder has it, `handled` when
it is resolved, and nothing when the work merely goes back to the queue: a person who was promised help is not told
that the promise is off, somebody else is found instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.alarms.actions import ActionName
from hub.alarms.model import IncidentState, Told
from hub.errors import ConflictError

__all__ = ["RAISED", "TABLE", "IllegalTransition", "Transition", "transition"]


@dataclass(frozen=True, slots=True)
class Transition:
    """The state that follows, and what the devices of the incident are told by it (None: nothing)."""

    next_state: IncidentState
    tell: Told | None = None


RAISED: Final = Transition("open", "received")
"""How every incident begins."""

TABLE: Final[Mapping[tuple[IncidentState, ActionName], Transition]] = {
    ("open", "press"): Transition("open", "received"),
    ("open", "acknowledge"): Transition("acknowledged", "hold"),
    ("open", "responder_accepted"): Transition("in_progress", "hold"),
    ("open", "responder_moved"): Transition("open"),
    ("open", "close"): Transition("resolved", "handled"),
    ("open", "shelve"): Transition("open"),
    ("open", "unshelve"): Transition("open"),
    ("open", "escalate"): Transition("open"),
    ("open", "note"): Transition("open"),
    ("open", "assign"): Transition("open"),
    ("open", "voice"): Transition("open"),
    ("open", "skip_tier"): Transition("open"),
    ("acknowledged", "press"): Transition("acknowledged", "hold"),
    ("acknowledged", "responder_accepted"): Transition("in_progress", "hold"),
    ("acknowledged", "responder_moved"): Transition("acknowledged"),
    ("acknowledged", "release"): Transition("open"),
    ("acknowledged", "lease_over"): Transition("open"),
    ("acknowledged", "assignments_over"): Transition("open"),
    ("acknowledged", "close"): Transition("resolved", "handled"),
    ("acknowledged", "shelve"): Transition("acknowledged"),
    ("acknowledged", "unshelve"): Transition("acknowledged"),
    ("acknowledged", "escalate"): Transition("acknowledged"),
    ("acknowledged", "note"): Transition("acknowledged"),
    ("acknowledged", "assign"): Transition("acknowledged"),
    ("acknowledged", "voice"): Transition("acknowledged"),
    ("acknowledged", "skip_tier"): Transition("acknowledged"),
    ("acknowledged", "touch"): Transition("acknowledged"),
    ("acknowledged", "transfer"): Transition("acknowledged"),
    ("in_progress", "press"): Transition("in_progress", "hold"),
    ("in_progress", "acknowledge"): Transition("in_progress", "hold"),
    ("in_progress", "responder_accepted"): Transition("in_progress", "hold"),
    ("in_progress", "responder_moved"): Transition("in_progress"),
    ("in_progress", "release"): Transition("open"),
    ("in_progress", "lease_over"): Transition("open"),
    ("in_progress", "assignments_over"): Transition("open"),
    ("in_progress", "close"): Transition("resolved", "handled"),
    ("in_progress", "shelve"): Transition("in_progress"),
    ("in_progress", "unshelve"): Transition("in_progress"),
    ("in_progress", "escalate"): Transition("in_progress"),
    ("in_progress", "note"): Transition("in_progress"),
    ("in_progress", "assign"): Transition("in_progress"),
    ("in_progress", "voice"): Transition("in_progress"),
    ("in_progress", "skip_tier"): Transition("in_progress"),
    ("in_progress", "touch"): Transition("in_progress"),
    ("in_progress", "transfer"): Transition("in_progress"),
    ("resolved", "responder_moved"): Transition("resolved"),
    ("resolved", "supervise"): Transition("closed"),
    ("resolved", "waive"): Transition("closed"),
    ("resolved", "reopen"): Transition("open", "hold"),
    ("closed", "responder_moved"): Transition("closed"),
    ("closed", "reopen"): Transition("open", "hold"),
}


class IllegalTransition(ConflictError):  # noqa: N818 - the name of the rule, as everybody says it
    """The action is not possible in this state; nothing has changed."""

    def __init__(self, state: IncidentState, action: ActionName, **extra: Any) -> None:
        detail = f"cannot {action.replace('_', ' ')}: the incident is {state.replace('_', ' ')}"
        super().__init__(detail, state=state, action=action, **extra)
        self.state = state
        self.action = action


def transition(state: IncidentState, action: ActionName) -> Transition:
    """The line of the table, or IllegalTransition."""
    try:
        return TABLE[state, action]
    except KeyError:
        raise IllegalTransition(state, action) from None
