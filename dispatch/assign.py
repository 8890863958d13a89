"""Who could go, best first, and why not the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from math import inf

from dispatch.eligibility import RULES, Rule, judge
from dispatch.model import Candidate, Case, Request, Responder
from dispatch.ranking import EVERYDAY, URGENT, Weighted, rank
from dispatch.travel import Travel

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
    `criteria` None: `URGENT` for an emergency, `EVERYDAY` for a service. Linear in the number of responders.
    """
    weights = criteria if criteria is not None else (URGENT if request.urgent else EVERYDAY)
    day = (request.starts_at or now).date()
    candidates = [_judged(_case(request, responder, day, travel), rules, weights) for responder in responders]
    candidates.sort(key=_order)
    return tuple(candidates)


def _case(request: Request, responder: Responder, day: date, travel: Travel) -> Case:
    if request.place is None or responder.place is None:
        return Case(request, responder, day, None, None)
    way = travel.estimate(responder.place, request.place, responder.mode)
    return Case(request, responder, day, way.metres, way.seconds)


def _judged(case: Case, rules: Sequence[Rule], criteria: Sequence[Weighted]) -> Candidate:
    against = judge(case, rules)
    score, reasons = rank(case, criteria)
    return Candidate(
        responder_id=case.responder.id,
        name=case.responder.name,
        kind=case.responder.kind,
        eligible=not against,
        distance_m=case.distance_m,
        eta_s=case.eta_s,
        score=score,
        reasons=(*against, *reasons),
    )


def _order(candidate: Candidate) -> tuple[bool, float, float, str]:
    eta = candidate.eta_s if candidate.eta_s is not None else inf
    return (not candidate.eligible, -candidate.score if candidate.eligible else eta, eta, candidate.responder_id)
