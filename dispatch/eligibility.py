"""Who may go. One small rule each: it gives None (nothing to say), or a Reason; weight < 0 rules the responder out.

To add a rule: write the callable, and add it to `RULES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, Protocol

from dispatch.model import Case, Reason, Responder

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
    """One rule."""

    def __call__(self, case: Case) -> Reason | None: ...


def _expired(responder: Responder, skill: str, day: date) -> bool:
    expires = responder.skills[skill]
    return expires is not None and expires < day


def has_skills(case: Case) -> Reason | None:
    """Every needed skill, its credential valid through the day. An expired credential blocks."""
    for skill in sorted(case.request.skills):
        if skill not in case.responder.skills:
            return Reason("skill_missing", f"has not the skill {skill}", AGAINST, {"skill": skill})
        if _expired(case.responder, skill, case.day):
            return _credential_expired(case.responder, skill)
    return None


def has_any_skill(case: Case) -> Reason | None:
    """At least one of the skills that will do, where any are named."""
    if not case.request.any_skills:
        return None
    held = sorted(skill for skill in case.request.any_skills if skill in case.responder.skills)
    if not held:
        words = ", ".join(sorted(case.request.any_skills))
        return Reason("skill_missing", f"has none of the skills {words}", AGAINST, {"skill": words})
    if all(_expired(case.responder, skill, case.day) for skill in held):
        return _credential_expired(case.responder, held[0])
    return None


def _credential_expired(responder: Responder, skill: str) -> Reason:
    expires = responder.skills[skill]
    on = expires.isoformat() if expires else None
    return Reason(
        "credential_expired", f"the credential for {skill} ended on {on}", AGAINST, {"skill": skill, "on": on}
    )


def on_duty(case: Case) -> Reason | None:
    """For an emergency, on duty now. An order for later is judged by the rota, not by who happens to be on duty."""
    if case.request.urgent and not case.responder.on_duty:
        return Reason("off_duty", "is not on duty", AGAINST)
    return None


def free(case: Case) -> Reason | None:
    """For an emergency, neither en route nor on a scene. An order for later may follow what the person is at now."""
    if case.request.urgent and case.responder.busy:
        return Reason("busy", "is en route or on a scene", AGAINST)
    return None


def area_served(case: Case) -> Reason | None:
    """One of the areas served lies on the place's path; without a known path nobody is ruled out."""
    if (
        case.responder.area_ids
        and case.request.area_path
        and case.responder.area_ids.isdisjoint(case.request.area_path)
    ):
        return Reason("area_not_served", "does not serve this area", AGAINST, {"area": case.request.area_path[-1]})
    return None


def required_sex(case: Case) -> Reason | None:
    """The sex that the service or the resident requires; a carer of unknown sex does not meet it."""
    if case.request.required_sex is not None and case.responder.sex != case.request.required_sex:
        return Reason(
            "sex_required",
            f"the carer must be {case.request.required_sex}",
            AGAINST,
            {"sex": case.request.required_sex},
        )
    return None


def not_refused(case: Case) -> Reason | None:
    """The resident's "never this one"."""
    if case.responder.id in case.request.never:
        return Reason("never", "the resident refuses this person", AGAINST)
    return None


RULES: Final[tuple[Rule, ...]] = (has_skills, has_any_skill, on_duty, free, area_served, required_sex, not_refused)


def judge(case: Case, rules: Sequence[Rule] = RULES) -> tuple[Reason, ...]:
    """Every reason against; empty: eligible."""
    return tuple(reason for rule in rules if (reason := rule(case)) is not None)
