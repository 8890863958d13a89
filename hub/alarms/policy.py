"""Escalation policies as values: after how long who is told. Copied onto an incident when it opens.

The numbers of `DEFAULT_POLICY` come from answering practice: a critical press nobody takes alerts again after 10 s,
its response plan goes on by itself after 30 s, a supervisor is told after 60 s (UK telecare asks for 97.5 % answered
in 60 s and 99 % in 180 s); nobody on scene after 30 min alerts again. Technical and test incidents are a daily work
list, not a queue of cries: one reminder a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from hub.errors import BadRequestError

if TYPE_CHECKING:
    from hub.alarms.model import AlarmClass, Priority

__all__ = [
    "DEFAULT_POLICY",
    "Clocks",
    "EscalationPolicy",
    "StepTo",
    "UnclaimedStep",
    "policy_from_json",
    "policy_to_json",
]

StepTo = Literal["operators", "plan", "supervisors"]


@dataclass(frozen=True, slots=True)
class UnclaimedStep:
    """While nobody has claimed: `after_s` seconds from opening, `to` is told (`plan`: the response plan goes on by
    itself).
    """

    code: str
    after_s: int
    to: StepTo


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of one priority, in seconds.

    unclaimed: in rising order; the last one repeats every `repeat_s` until somebody claims, so an open incident never
    falls silent.
    lease_s: a claim nobody touches returns to the queue after it; None: it does not, the holder is reminded after
    `idle_s`.
    accept_s: an offered responder has not answered. on_scene_s: an accepted one has not arrived. finish_s: everybody
    who went has come back and the incident is still not closed. shelf_limit_s: the longest shelf. unstaffed: with no
    operator signed in, every unclaimed step happens at once.
    """

    unclaimed: tuple[UnclaimedStep, ...]
    repeat_s: int
    lease_s: int | None
    idle_s: int
    accept_s: int
    on_scene_s: int
    finish_s: int
    shelf_limit_s: int
    unstaffed: bool

    def __post_init__(self) -> None:
        if not self.unclaimed:
            raise ValueError("unclaimed: an incident without a step would be forgotten; give at least one")
        times = [step.after_s for step in self.unclaimed]
        codes = {step.code for step in self.unclaimed}
        if times != sorted(times) or times[0] < 0:
            raise ValueError(f"unclaimed: times must not be negative and must rise, not {times}")
        if len(codes) != len(times):
            raise ValueError("unclaimed: every step needs a code of its own")
        for name in ("repeat_s", "idle_s", "accept_s", "on_scene_s", "finish_s", "shelf_limit_s"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be at least 1 second, not {getattr(self, name)}")
        if self.lease_s is not None and self.lease_s < 1:
            raise ValueError(f"lease_s: must be at least 1 second or none, not {self.lease_s}")


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    """All clocks of an incident: one set a priority, and `worklist` for the technical and test classes.

    welfare_s: a responder on scene is asked whether all is well; without an answer for `welfare_grace_s` others are
    told.
    supervision_s: a resolved incident still waits for its supervisor.
    """

    critical: Clocks
    high: Clocks
    medium: Clocks
    low: Clocks
    worklist: Clocks
    welfare_s: int = 900
    welfare_grace_s: int = 120
    supervision_s: int = 86_400

    def __post_init__(self) -> None:
        for name in ("welfare_s", "welfare_grace_s", "supervision_s"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be at least 1 second, not {getattr(self, name)}")

    def clocks(self, alarm_class: AlarmClass, priority: Priority) -> Clocks:
        """The clocks that run for an incident of this class and priority."""
        if alarm_class in ("technical", "test"):
            return self.worklist
        return {"critical": self.critical, "high": self.high, "medium": self.medium, "low": self.low}[priority]


_HOUR = 3_600
_DAY = 86_400

DEFAULT_POLICY = EscalationPolicy(
    critical=Clocks(
        unclaimed=(
            UnclaimedStep("realert_10", 10, "operators"),
            UnclaimedStep("plan_30", 30, "plan"),
            UnclaimedStep("supervisor_60", 60, "supervisors"),
        ),
        repeat_s=60,
        lease_s=120,
        idle_s=120,
        accept_s=60,
        on_scene_s=1_800,
        finish_s=900,
        shelf_limit_s=_HOUR,
        unstaffed=True,
    ),
    high=Clocks(
        unclaimed=(
            UnclaimedStep("realert_30", 30, "operators"),
            UnclaimedStep("plan_90", 90, "plan"),
            UnclaimedStep("supervisor_180", 180, "supervisors"),
        ),
        repeat_s=180,
        lease_s=None,
        idle_s=900,
        accept_s=120,
        on_scene_s=1_800,
        finish_s=1_800,
        shelf_limit_s=4 * _HOUR,
        unstaffed=True,
    ),
    medium=Clocks(
        unclaimed=(
            UnclaimedStep("realert_300", 300, "operators"),
            UnclaimedStep("supervisor_900", 900, "supervisors"),
        ),
        repeat_s=900,
        lease_s=None,
        idle_s=_HOUR,
        accept_s=600,
        on_scene_s=_HOUR,
        finish_s=2 * _HOUR,
        shelf_limit_s=8 * _HOUR,
        unstaffed=False,
    ),
    low=Clocks(
        unclaimed=(
            UnclaimedStep("realert_1800", 1_800, "operators"),
            UnclaimedStep("supervisor_14400", 4 * _HOUR, "supervisors"),
        ),
        repeat_s=4 * _HOUR,
        lease_s=None,
        idle_s=8 * _HOUR,
        accept_s=_HOUR,
        on_scene_s=8 * _HOUR,
        finish_s=8 * _HOUR,
        shelf_limit_s=_DAY,
        unstaffed=False,
    ),
    worklist=Clocks(
        unclaimed=(UnclaimedStep("stale_day", _DAY, "supervisors"),),
        repeat_s=_DAY,
        lease_s=None,
        idle_s=_DAY,
        accept_s=_DAY,
        on_scene_s=3 * _DAY,
        finish_s=_DAY,
        shelf_limit_s=7 * _DAY,
        unstaffed=False,
    ),
)


def policy_to_json(policy: EscalationPolicy) -> dict[str, Any]:
    """A policy as a JSON object, for the incident's row. `policy_from_json` gives it back equal."""
    return asdict(policy)


def _step_from_json(body: Any) -> UnclaimedStep:
    to = body["to"]
    if to not in get_args(StepTo):
        raise ValueError(f"to: must be one of {', '.join(get_args(StepTo))}, not {to!r}")
    return UnclaimedStep(code=str(body["code"]), after_s=int(body["after_s"]), to=to)


def _clocks_from_json(body: Any) -> Clocks:
    lease = body["lease_s"]
    return Clocks(
        unclaimed=tuple(_step_from_json(step) for step in body["unclaimed"]),
        repeat_s=int(body["repeat_s"]),
        lease_s=None if lease is None else int(lease),
        idle_s=int(body["idle_s"]),
        accept_s=int(body["accept_s"]),
        on_scene_s=int(body["on_scene_s"]),
        finish_s=int(body["finish_s"]),
        shelf_limit_s=int(body["shelf_limit_s"]),
        unstaffed=bool(body["unstaffed"]),
    )


def policy_from_json(body: Mapping[str, Any]) -> EscalationPolicy:
    """The policy of a JSON object made by `policy_to_json` (or written by hand).

    Raises BadRequestError that says what is wrong.
    """
    try:
        return EscalationPolicy(
            critical=_clocks_from_json(body["critical"]),
            high=_clocks_from_json(body["high"]),
            medium=_clocks_from_json(body["medium"]),
            low=_clocks_from_json(body["low"]),
            worklist=_clocks_from_json(body["worklist"]),
            welfare_s=int(body["welfare_s"]),
            welfare_grace_s=int(body["welfare_grace_s"]),
            supervision_s=int(body["supervision_s"]),
        )
    except KeyError as error:
        raise BadRequestError(f"escalation policy: {error.args[0]} is missing", field=str(error.args[0])) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise BadRequestError(f"escalation policy: {error}") from error
