"""What people, responders and clocks do to an incident, one value an action. `name` is the action's column in the
table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, get_args

from hub.alarms.model import Disposition

__all__ = [
    "ACTION_NAMES",
    "Acknowledge",
    "Action",
    "ActionName",
    "Assign",
    "AssignmentMoved",
    "AssignmentState",
    "CallGoesOn",
    "Close",
    "Escalate",
    "LeaseOver",
    "Note",
    "Release",
    "Reopen",
    "Shelve",
    "SkipTier",
    "Supervise",
    "Touch",
    "Transfer",
    "Unshelve",
    "VoiceContact",
    "WelfareAnswered",
]

ActionName = Literal[
    "press",
    "acknowledge",
    "responder_accepted",
    "responder_moved",
    "release",
    "lease_over",
    "assignments_over",
    "close",
    "waive",
    "supervise",
    "reopen",
    "shelve",
    "unshelve",
    "escalate",
    "note",
    "assign",
    "touch",
    "transfer",
    "voice",
    "skip_tier",
]
ACTION_NAMES: tuple[ActionName, ...] = get_args(ActionName)

# The words of the dispatch room, repeated here because the two rooms share no types; a test compares them.
AssignmentState = Literal["offered", "accepted", "declined", "en_route", "on_scene", "completed", "stood_down"]


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """An operator claims the incident. `together`: the reason why many are claimed at once; None: this one alone."""

    name: ClassVar[ActionName] = "acknowledge"
    together: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """The holder (or a supervisor) gives the incident back to the queue."""

    name: ClassVar[ActionName] = "release"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LeaseOver:
    """A claim that nobody touched has run out; done by the clock."""

    name: ClassVar[ActionName] = "lease_over"


@dataclass(frozen=True, slots=True)
class Assign:
    """A responder was offered the incident (by an operator, or by the plan)."""

    name: ClassVar[ActionName] = "assign"
    assignment_id: str
    responder_id: str
    responder_name: str | None = None


@dataclass(frozen=True, slots=True)
class AssignmentMoved:
    """An assignment of the incident reached `state`.

    `others` are the states of the incident's other assignments at that moment, ended ones of the present round
    included: from them follows whether anybody is still under way, on scene, or whether all have ended undone.
    """

    name: ClassVar[ActionName] = "responder_moved"
    assignment_id: str
    responder_id: str
    was: AssignmentState
    state: AssignmentState
    others: tuple[AssignmentState, ...] = ()
    responder_name: str | None = None
    reason: str | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class WelfareAnswered:
    """A responder on scene said that all is well: the welfare clock begins again."""

    name: ClassVar[ActionName] = "responder_moved"
    assignment_id: str


@dataclass(frozen=True, slots=True)
class Close:
    """Resolved, as the operator sees it. `sampled`: the caller's draw of the sample that is supervised whatever it
    was.
    """

    name: ClassVar[ActionName] = "close"
    disposition: Disposition
    summary: str
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class Supervise:
    """Another person confirms the resolution, or returns the incident to the queue."""

    name: ClassVar[ActionName] = "supervise"
    verdict: Literal["confirmed", "returned"]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Reopen:
    name: ClassVar[ActionName] = "reopen"
    reason: str


@dataclass(frozen=True, slots=True)
class Shelve:
    """Out of sight until a time, for a reason. It comes back by itself."""

    name: ClassVar[ActionName] = "shelve"
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Unshelve:
    name: ClassVar[ActionName] = "unshelve"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Escalate:
    """Call the next tier of the plan and a supervisor now."""

    name: ClassVar[ActionName] = "escalate"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    name: ClassVar[ActionName] = "note"
    text: str


@dataclass(frozen=True, slots=True)
class Touch:
    """The holder is at it (a call in progress, a page in use): the claim is renewed, nothing else."""

    name: ClassVar[ActionName] = "touch"


@dataclass(frozen=True, slots=True)
class CallGoesOn:
    """A telephone call about the incident is under way: the claim is renewed, though nobody touches the page."""

    name: ClassVar[ActionName] = "touch"


@dataclass(frozen=True, slots=True)
class Transfer:
    """The holder (or a supervisor) puts the incident into another operator's hands."""

    name: ClassVar[ActionName] = "transfer"
    to_user_id: str
    to_name: str
    reason: str | None = None
    handover_id: str | None = None


@dataclass(frozen=True, slots=True)
class VoiceContact:
    """Step 0 of the plan has an end: somebody spoke with the resident (`reached`), or tried and could not.

    `by_clock`: nobody said either, and its time is over.
    """

    name: ClassVar[ActionName] = "voice"
    reached: bool
    by_clock: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True)
class SkipTier:
    """An operator leaves a tier of the plan out, for a reason. Of the tier being called: the next one is called now."""

    name: ClassVar[ActionName] = "skip_tier"
    code: str
    reason: str


Action = (
    Acknowledge
    | Release
    | LeaseOver
    | Assign
    | AssignmentMoved
    | WelfareAnswered
    | Close
    | Supervise
    | Reopen
    | Shelve
    | Unshelve
    | Escalate
    | Note
    | Touch
    | CallGoesOn
    | Transfer
    | VoiceContact
    | SkipTier
)
