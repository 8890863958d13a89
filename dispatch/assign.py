"""Who could go, best first, and why not the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from dispatch.eligibility import RULES, Rule, judge
from dispatch.model import Candidate, Request, Responder
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
    candidates = [_judged(request, responder, now, travel, rules, weights) for responder in responders]
    candidates.sort(key=_order)
    return tuple(candidates)


def _judged(
    request: Request,
    responder: Responder,
    now: datetime,
    travel: Travel,
    rules: Sequence[Rule],
    criteria: Sequence[Weighted],
) -> Candidate:
    distance = eta = None
    if request.place is not None and responder.place is not None:
        distance = travel.metres(responder.place, request.place)
        eta = travel.seconds(responder.place, request.place, responder.mode)
    against = judge(request, responder, now, rules)
    score, reasons = rank(request, responder, eta, criteria)
    return Candidate(
        responder_id=responder.id,
        name=responder.name,
        kind=responder.kind,
        eligible=not against,
        distance_m=distance,
        eta_s=eta,
        score=score,
        reasons=(*against, *reasons),
    )


def _order(candidate: Candidate) -> tuple[bool, float, float, str]:
    eta = candidate.eta_s if candidate.eta_s is not None else float("inf")
    return (not candidate.eligible, -candidate.score if candidate.eligible else eta, eta, candidate.responder_id)
