"""How far the copy of a response plan has been carried out on one incident: a value, and the pure steps between values.

    ready      nobody is being called: the claim's clocks or the voice of step 0 decide
    voice      an operator has it and is to speak with the resident until `due_at`
    spoken     the resident was spoken to: others are called when the operator says so
    calling    a tier was called; at `due_at` the next are
    exhausted  everybody was called and nobody has accepted; at `due_at` the desk and the supervisors hear it again
    stopped    somebody has accepted, or it is over: nobody else is called

`due_at` is at the same time a row of due steps (`VOICE` in state voice, `TIER` in calling and exhausted), so a plan
that has begun cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from hub.alarms.plans import PartyPart, PartyRole, PlanTier, ResponsePlan

__all__ = [
    "READY",
    "TIER",
    "VOICE",
    "Asked",
    "MarkState",
    "PlanRun",
    "RunState",
    "TierMark",
    "next_tiers",
    "run_after",
    "run_again",
    "run_called",
    "run_exhausted",
    "run_from_json",
    "run_skipped",
    "run_spoken",
    "run_stopped",
    "run_to_json",
    "unasked",
]

VOICE: Final = "voice"
TIER: Final = "plan_tier"

RunState = Literal["ready", "voice", "spoken", "calling", "exhausted", "stopped"]
MarkState = Literal["called", "empty", "skipped"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody a tier reached. `ref` is `kind:id` (`responder:S1`, `contact:C1`, `user:…`, `number:120`).

    `assignment_id`: the offer, where the person was asked to go.
    """

    ref: str
    name: str
    role: PartyRole
    part: PartyPart = "go"
    phone: str | None = None
    assignment_id: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class TierMark:
    """What became of a tier, once for each time it was turned to. `by`: who triggered or skipped it, None: the plan."""

    tier: int
    state: MarkState
    at: datetime
    reason: str = ""
    by: str | None = None
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanRun:
    """How far the plan has come in its present round. `tier` is the index of the last one called, -1: none yet."""

    state: RunState = "ready"
    tier: int = -1
    since: datetime | None = None
    due_at: datetime | None = None
    reason: str = ""
    marks: tuple[TierMark, ...] = ()

    @property
    def asked(self) -> frozenset[str]:
        """Who was asked or told in this round, by `ref`."""
        return frozenset(one.ref for mark in self.marks for one in mark.asked)

    @property
    def advancing(self) -> bool:
        """Its own clock calls the next; whatever else is late need not."""
        return self.state in ("calling", "exhausted")


READY: Final = PlanRun()
"""How every round begins."""


def next_tiers(plan: ResponsePlan, run: PlanRun) -> tuple[int, ...]:
    """The tiers to be tried now, in order: what is left of one called in turn first, then those after it."""
    skipped = {mark.tier for mark in run.marks if mark.state == "skipped"}
    start = 0 if run.state == "exhausted" else run.tier + 1  # meanwhile somebody may have come on duty
    if run.state != "exhausted" and 0 <= run.tier < len(plan.tiers) and plan.tiers[run.tier].mode == "in_turn":
        start = run.tier
    return tuple(index for index in range(start, len(plan.tiers)) if index not in skipped)


def unasked(tier: PlanTier, people: Sequence[Asked], gone: frozenset[str]) -> tuple[Asked, ...]:
    """Whom of `people` a tier calls now: nobody twice, and in turn only so many at a time.

    `gone`: who has been asked already in this round.
    """
    seen = set(gone)
    fresh: list[Asked] = []
    for one in people:
        if one.ref not in seen:
            seen.add(one.ref)
            fresh.append(one)
    return tuple(fresh) if tier.mode == "parallel" else tuple(fresh[: tier.at_once])


def run_called(
    run: PlanRun, plan: ResponsePlan, tier: int, asked: Sequence[Asked], *, now: datetime, reason: str, by: str | None
) -> PlanRun:
    """A tier was called. With nobody asked it is only marked: `run_called` of the next one follows."""
    mark = TierMark(tier, "called" if asked else "empty", now, reason, by, tuple(asked))
    marks = (*run.marks, mark)
    if not asked:
        return replace(run, tier=max(run.tier, tier), marks=marks)
    due_at = now + timedelta(seconds=plan.tiers[tier].wait_s)
    return PlanRun("calling", tier, now, due_at, reason, marks)


def run_exhausted(run: PlanRun, *, now: datetime, again_s: int, reason: str) -> PlanRun:
    """Nobody is left to call."""
    since = run.since if run.state == "exhausted" else now
    return replace(run, state="exhausted", since=since, due_at=now + timedelta(seconds=again_s), reason=reason)


def run_skipped(run: PlanRun, tier: int, *, now: datetime, reason: str, by: str | None) -> PlanRun:
    """An operator leaves a tier out; what it has called already stays called."""
    return replace(run, marks=(*run.marks, TierMark(tier, "skipped", now, reason, by)))


def run_stopped(run: PlanRun, *, now: datetime, reason: str) -> PlanRun:
    """Nobody else is called: somebody has accepted, or the incident is over."""
    return _still(run, "stopped", now, reason)


def run_again(run: PlanRun, *, now: datetime, reason: str) -> PlanRun:
    """Whoever had accepted cannot come: from the first tier on, so that those who were stood down are asked again."""
    return PlanRun("ready", -1, now, None, reason, run.marks)


def run_spoken(run: PlanRun, *, now: datetime) -> PlanRun:
    """Somebody spoke with the resident: others are called when the operator says so."""
    return _still(run, "spoken", now, "spoken to")


def run_after(run: PlanRun, *, now: datetime, shelved: bool, held: bool, newly_held: bool, voice_s: int) -> PlanRun:
    """The run after a change of its incident, as far as who has it decides that.

    `held`: an operator alone has it, `newly_held` since this change. `voice_s`: the seconds of step 0.
    """
    if shelved:
        return _still(run, "ready", now, "on the shelf") if run.due_at is not None else run
    if newly_held and voice_s:
        # Whoever claims speaks with the resident first; meanwhile nobody else is called by the clock.
        return replace(run, state="voice", since=now, due_at=now + timedelta(seconds=voice_s), reason="")
    if not held and run.state in ("voice", "spoken"):
        return _still(run, "ready", now, "the claim has ended")
    return run


def _still(run: PlanRun, state: RunState, now: datetime, reason: str) -> PlanRun:
    if run.state == state and run.due_at is None:
        return run
    return replace(run, state=state, since=now, due_at=None, reason=reason)


def run_to_json(run: PlanRun) -> dict[str, Any] | None:
    """A run as a JSON object; None for one that has not begun."""
    return None if run == READY else asdict(run)


def run_from_json(body: Mapping[str, Any] | None) -> PlanRun:
    """The run of a JSON object made by `run_to_json`, times as RFC 3339 text."""
    if body is None:
        return READY
    marks = tuple(
        TierMark(
            tier=mark["tier"],
            state=mark["state"],
            at=datetime.fromisoformat(mark["at"]),
            reason=mark["reason"],
            by=mark["by"],
            asked=tuple(Asked(**one) for one in mark["asked"]),
        )
        for mark in body["marks"]
    )
    return PlanRun(body["state"], body["tier"], _time(body["since"]), _time(body["due_at"]), body["reason"], marks)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
