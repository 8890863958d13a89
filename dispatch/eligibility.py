"""Who may go. One small rule each: it gives None (nothing to say), or a Reason; weight < 0 rules the responder out.

To add a rule: write the callable, and add it to `RULES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, Protocol

from dispatch.model import Reason, Request, Responder

__all__ = [
    "AGAINST",
    "RULES",
    "Rule",
    "area_served",
    "free",
    "has_any_skill",
    "has_skills",
    "judge",
    "not_refused",
    "on_duty",
    "required_sex",
]

AGAINST: Final = -1.0
"""Weight of a reason that rules out. Reasons that merely order are `ranking`'s."""


class Rule(Protocol):
    """One rule. `day` is the day the work is done (a credential must be valid on it)."""

    def __call__(self, request: Request, responder: Responder, day: date) -> Reason | None: ...


def _expired(responder: Responder, skill: str, day: date) -> bool:
    expires = responder.skills[skill]
    return expires is not None and expires < day


def has_skills(request: Request, responder: Responder, day: date) -> Reason | None:
    """Every needed skill, its credential valid through the day. An expired credential blocks."""
    for skill in sorted(request.skills):
        if skill not in responder.skills:
            return Reason("skill_missing", f"has not the skill {skill}", AGAINST, {"skill": skill})
        if _expired(responder, skill, day):
            return _credential_expired(responder, skill)
    return None


def has_any_skill(request: Request, responder: Responder, day: date) -> Reason | None:
    """At least one of the skills that will do, where any are named."""
    if not request.any_skills:
        return None
    held = sorted(skill for skill in request.any_skills if skill in responder.skills)
    if not held:
        words = ", ".join(sorted(request.any_skills))
        return Reason("skill_missing", f"has none of the skills {words}", AGAINST, {"skill": words})
    if all(_expired(responder, skill, day) for skill in held):
        return _credential_expired(responder, held[0])
    return None


def _credential_expired(responder: Responder, skill: str) -> Reason:
    expires = responder.skills[skill]
    on = expires.isoformat() if expires else None
    return Reason(
        "credential_expired", f"the credential for {skill} ended on {on}", AGAINST, {"skill": skill, "on": on}
    )


def on_duty(request: Request, responder: Responder, day: date) -> Reason | None:  # noqa: ARG001 - one shape for all
rules
    """For an emergency, on duty now. An order for later is judged by the rota, not by who happens to be on duty."""
    if request.urgent and not responder.on_duty:
        return Reason("off_duty", "is not on duty", AGAINST)
    return None


def free(request: Request, responder: Responder, day: date) -> Reason | None:  # noqa: ARG001
    """For an emergency, neither en route nor on a scene. An order for later may follow what the person is at now."""
    if request.urgent and responder.busy:
        return Reason("busy", "is en route or on a scene", AGAINST)
    return None


def area_served(request: Request, responder: Responder, day: date) -> Reason | None:  # noqa: ARG001
    """One of the areas served lies on the place's path; without a known path nobody is ruled out."""
    if responder.area_ids and request.area_path and responder.area_ids.isdisjoint(request.area_path):
        return Reason("area_not_served", "does not serve this area", AGAINST, {"area": request.area_path[-1]})
    return None


def required_sex(request: Request, responder: Responder, day: date) -> Reason | None:  # noqa: ARG001
    """The sex that the service or the resident requires; a carer of unknown sex does not meet it."""
    if request.required_sex is not None and responder.sex != request.required_sex:
        return Reason(
            "sex_required", f"the carer must be {request.required_sex}", AGAINST, {"sex": request.required_sex}
        )
    return None


def not_refused(request: Request, responder: Responder, day: date) -> Reason | None:  # noqa: ARG001
    """The resident's "never this one"."""
    if responder.id in request.never:
        return Reason("never", "the resident refuses this person", AGAINST)
    return None


RULES: Final[tuple[Rule, ...]] = (has_skills, has_any_skill, on_duty, free, area_served, required_sex, not_refused)


def judge(request: Request, responder: Responder, now: datetime, rules: Sequence[Rule] = RULES) -> tuple[Reason, ...]:
    """Every reason against; empty: eligible. The day is the one the work starts on (`request.starts_at`), else
    today's.
    """
    day = (request.starts_at or now).date()
    found = (rule(request, responder, day) for rule in rules)
    return tuple(reason for reason in found if reason is not None)
