"""Who could go, best first, and why not the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import inf

from dispatch.eligibility import RULES, Check, Rule, checks, day_of
from dispatch.model import Candidate, Reason, Request, Responder
from dispatch.ranking import EVERYDAY, URGENT, Measure, Weighted, measures
from dispatch.travel import ESTIMATE, WHY_ESTIMATED, Travel, Way

__all__ = ["propose"]


def propose(
    request: Request,
    responders: Iterable[Responder],
    *,
    now: datetime,
    travel: Travel,
    rules: Sequence[Rule] = RULES,
    criteria: Sequence[Weighted] | None = None,
) -> tuple[Candidate, ...]:
    """Every responder judged: eligible ones best first, then the ineligible with why not, nearest first.

    The order is total: equal scores go by expected arrival, then by id, so that the same question has the same answer.
    Credentials must be valid on the day the work starts (`request.starts_at`), else today. `now` is in the site's zone:
    its calendar says which day that is.
    `criteria` None: `URGENT` for an emergency, `EVERYDAY` for a service. Linear in the number of responders, one call
    of `travel`.
    """
    people = list(responders)
    asked = checks(request, day_of(request, now), rules)
    measured = measures(request, criteria if criteria is not None else URGENT if request.urgent else EVERYDAY)
    ways = _ways(request, people, travel)
    candidates = [_judged(person, ways.get(person.id), asked, measured) for person in people]
    candidates.sort(key=_order)
    return tuple(candidates)


def _ways(request: Request, people: Sequence[Responder], travel: Travel) -> dict[str, Way]:
    """The way of everybody whose place is known."""
    if request.place is None:
        return {}
    placed = [(person.id, (person.place, person.mode)) for person in people if person.place is not None]
    ways = travel.estimates([start for _, start in placed], request.place)
    return dict(zip((person_id for person_id, _ in placed), ways, strict=True))


def _judged(person: Responder, way: Way | None, asked: Sequence[Check], measured: Sequence[Measure]) -> Candidate:
    distance, eta = (way.metres, way.seconds) if way is not None else (None, None)
    reasons: list[Reason] = []
    for check in asked:
        against = check(person)
        if against is not None:
            reasons.append(against)
    eligible = not reasons
    score = 0.0
    for measure in measured:
        reason = measure(person, eta)
        if reason is not None:
            reasons.append(reason)
            score += reason.weight
    if way is not None and (way.by != ESTIMATE or way.why is not None):
        reasons.append(_how_known(way))
    return Candidate(person.id, person.name, person.kind, eligible, distance, eta, score, tuple(reasons))


def _how_known(way: Way) -> Reason:
    if way.why is not None:
        text = f"as the crow flies: {WHY_ESTIMATED.get(way.why, way.why)}"
        return Reason("eta_estimated", text, 0.0, {"why": way.why})
    return Reason("eta_routed", f"by the road network ({way.by})", 0.0, {"by": way.by})


def _order(candidate: Candidate) -> tuple[bool, float, float, str]:
    eta = candidate.eta_s if candidate.eta_s is not None else inf
    return (not candidate.eligible, -candidate.score if candidate.eligible else eta, eta, candidate.responder_id)
