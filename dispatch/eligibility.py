"""Who may go. One small rule each.

A rule is first held against the request: where that asks for nothing of the kind, the rule gives None and costs
nothing. Else it gives a check, which is then asked of each responder: None (nothing against), or the Reason why not.

To add a rule: write the callable, and add it to `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final, Protocol

from dispatch.catalogue import VOLUNTEER_KINDS
from dispatch.model import Reason, Request, Responder

__all__ = [
    "AGAINST",
    "RULES",
    "Check",
    "Rule",
    "area_served",
    "checks",
    "day_of",
    "free",
    "has_any_skill",
    "has_skills",
    "judge",
    "not_refused",
    "not_the_caller",
    "on_duty",
    "required_sex",
    "volunteers_low_risk",
]

AGAINST: Final = -1.0
"""Weight of a reason that rules out. Reasons that merely order are `ranking`'s."""

Check = Callable[[Responder], Reason | None]


class Rule(Protocol):
    """One rule. `day` is the day the work is done (a credential must be valid through it)."""

    def __call__(self, request: Request, day: date, /) -> Check | None: ...


def _credential_expired(responder: Responder, skill: str) -> Reason:
    expires = responder.skills[skill]
    on = expires.isoformat() if expires else None
    text = f"the credential for {skill} ended on {on}"
    return Reason("credential_expired", text, AGAINST, {"skill": skill, "on": on})


def has_skills(request: Request, day: date) -> Check | None:
    """Every needed skill, its credential valid through the day. An expired credential blocks."""
    needed = sorted(request.skills)

    def check(responder: Responder) -> Reason | None:
        for skill in needed:
            if skill not in responder.skills:
                return Reason("skill_missing", f"has not the skill {skill}", AGAINST, {"skill": skill})
            expires = responder.skills[skill]
            if expires is not None and expires < day:
                return _credential_expired(responder, skill)
        return None

    return check if needed else None


def has_any_skill(request: Request, day: date) -> Check | None:
    """At least one of the skills that will do, where any are named, its credential valid through the day."""
    wanted = sorted(request.any_skills)
    words = ", ".join(wanted)
    missing = Reason("skill_missing", f"has none of the skills {words}", AGAINST, {"skill": words})

    def check(responder: Responder) -> Reason | None:
        skills = responder.skills
        lapsed = None
        for skill in wanted:
            if skill in skills:
                expires = skills[skill]
                if expires is None or expires >= day:
                    return None
                lapsed = lapsed or skill
        return _credential_expired(responder, lapsed) if lapsed else missing

    return check if wanted else None


def on_duty(request: Request, _day: date) -> Check | None:
    """For an emergency, on duty now. An order for later is judged by the rota, not by who happens to be on duty."""
    off = Reason("off_duty", "is not on duty", AGAINST)
    return (lambda responder: None if responder.on_duty else off) if request.urgent else None


def free(request: Request, _day: date) -> Check | None:
    """For an emergency, neither en route nor on a scene. An order for later may follow what the person is at now."""
    busy = Reason("busy", "is en route or on a scene", AGAINST)
    return (lambda responder: busy if responder.busy else None) if request.urgent else None


def area_served(request: Request, _day: date) -> Check | None:
    """One of the areas served lies on the place's path; where the path is not known, nobody is ruled out."""
    if not request.area_path:
        return None
    path = frozenset(request.area_path)
    elsewhere = Reason("area_not_served", "does not serve this area", AGAINST, {"area": request.area_path[-1]})

    def check(responder: Responder) -> Reason | None:
        served = responder.area_ids
        return elsewhere if served and served.isdisjoint(path) else None

    return check


def required_sex(request: Request, _day: date) -> Check | None:
    """The sex that the service or the resident requires; a carer of unknown sex does not meet it."""
    sex = request.required_sex
    if sex is None:
        return None
    other = Reason("sex_required", f"the carer must be {'a woman' if sex == 'f' else 'a man'}", AGAINST, {"sex": sex})
    return lambda responder: None if responder.sex == sex else other


def not_refused(request: Request, _day: date) -> Check | None:
    """The resident's "never this one"."""
    never = request.never
    refused = Reason("never", "the resident refuses this person", AGAINST)
    return (lambda responder: refused if responder.id in never else None) if never else None


def not_the_caller(request: Request, _day: date) -> Check | None:
    """Whoever calls for help is not the one to bring it."""
    caller = request.caller
    calls = Reason("caller", "is the one who calls for help", AGAINST)
    return (lambda responder: calls if responder.id == caller else None) if caller else None


def volunteers_low_risk(request: Request, _day: date) -> Check | None:
    """Volunteers do what is of low risk; for an emergency whoever has the skill may go."""
    kind = request.kind
    if kind is None or kind in VOLUNTEER_KINDS:
        return None
    trained = Reason("volunteer_kind", "is a volunteer, and this needs trained staff", AGAINST, {"kind": kind})
    return lambda responder: trained if responder.kind == "volunteer" else None


RULES: Final[tuple[Rule, ...]] = (
    has_skills,
    has_any_skill,
    on_duty,
    free,
    area_served,
    required_sex,
    not_refused,
    not_the_caller,
    volunteers_low_risk,
)


def day_of(request: Request, now: datetime) -> date:
    """The day the work is on, in the zone of `now`: a paper that ran out yesterday is none from midnight there on."""
    return (request.starts_at or now).astimezone(now.tzinfo).date()


def checks(request: Request, day: date, rules: Sequence[Rule] = RULES) -> tuple[Check, ...]:
    """The checks that this request asks for."""
    return tuple(check for rule in rules if (check := rule(request, day)) is not None)


def judge(request: Request, responder: Responder, day: date, rules: Sequence[Rule] = RULES) -> tuple[Reason, ...]:
    """Every reason against one responder; empty: eligible."""
    return tuple(reason for check in checks(request, day, rules) if (reason := check(responder)) is not None)
