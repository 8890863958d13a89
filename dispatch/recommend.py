"""The best of thousands, with every reason for those who are shown, and in numbers why not the others.

`propose` words every reason of everybody: right for a handful, slow for a district. Here each person is first only
sifted (may they go at all) and bounded (how good could they be): whoever cannot come among the best any more is not
looked at closer. Those who are left are judged by `propose`, so that both give the same answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappush, heapreplace
from math import inf

import numpy as np

from dispatch.assign import propose
from dispatch.coverage import Spared, spare
from dispatch.eligibility import RULES, Check, Rule, checks, day_of
from dispatch.model import Candidate, Place, Request, Responder
from dispatch.ranking import EVERYDAY, UNKNOWN_ETA_S, URGENT, Weighted, arrival, measures, most_for
from dispatch.travel import HaversineTravel, Seconds, Travel

__all__ = ["Recommendation", "recommend"]

_SLACK_S = 2.0
"""Arrays and single numbers are rounded differently: nobody is lost for a second."""
_ROUGH = HaversineTravel()


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`best`: the eligible, best first; `others`: the nearest who cannot go, with every reason.

    `eligible`: how many could go at all. `why_not`: how many cannot, by the first reason's code. `spared`: a choice
    that leaves fewer places without anybody near, with what it costs; None: nothing to gain, or not asked for.
    """

    best: tuple[Candidate, ...] = ()
    others: tuple[Candidate, ...] = ()
    eligible: int = 0
    why_not: Mapping[str, int] = field(default_factory=dict)
    spared: Spared | None = None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Best first, those who cannot go last."""
        return self.best + self.others


def recommend(
    request: Request,
    responders: Iterable[Responder],
    *,
    now: datetime,
    travel: Travel,
    shown: int = 20,
    others: int = 20,
    preserve: bool = False,
    rules: Sequence[Rule] = RULES,
    criteria: Sequence[Weighted] | None = None,
) -> Recommendation:
    """Whom to send: the `shown` best and the `others` nearest who cannot go, as `propose` has them.

    `travel` is asked for those alone: where it knows roads, the best are chosen as the crow flies and ranked by the
    road. `preserve`: also a choice that keeps the neighbourhood covered; for what is not critical only, since in an
    emergency the first at the door goes.
    """
    people = list(responders)
    weighted = criteria if criteria is not None else URGENT if request.urgent else EVERYDAY
    able, unable, why_not = _sift(people, checks(request, day_of(request, now), rules))
    chosen = _best(request, able, _seconds(able, request.place), weighted, shown)
    judge = {"now": now, "travel": travel, "rules": rules, "criteria": weighted}
    best = propose(request, chosen, **judge)[:shown]  # type: ignore[arg-type]
    aside = propose(request, _nearest(unable, request.place, others), **judge)  # type: ignore[arg-type]
    spared = spare(best, able, _ROUGH) if preserve else None
    return Recommendation(best, aside, len(able), why_not, spared)


def _sift(
    people: Sequence[Responder], asked: Sequence[Check]
) -> tuple[list[Responder], list[Responder], dict[str, int]]:
    """(who may go, who may not, how many not for which first reason)."""
    unable: list[Responder] = []
    why_not: Counter[str] = Counter()
    able = list(people)
    for check in asked:
        kept = []
        for person in able:
            against = check(person)
            if against is None:
                kept.append(person)
            else:
                unable.append(person)
                why_not[against.code] += 1
        able = kept
    return able, unable, dict(why_not)


def _seconds(people: Sequence[Responder], end: Place | None) -> Seconds:
    """Expected arrival of everybody, as the crow flies; what an unknown place counts where it is not known."""
    found = np.full(len(people), UNKNOWN_ETA_S)
    if end is None:
        return found
    placed = [(number, one, one.place) for number, one in enumerate(people) if one.place is not None]
    if placed:
        lats, lons = [place.lat for _, _, place in placed], [place.lon for _, _, place in placed]
        found[[number for number, _, _ in placed]] = _ROUGH.seconds(lats, lons, [one.mode for _, one, _ in placed], end)
    return found


def _best(
    request: Request, able: Sequence[Responder], seconds: Seconds, weighted: Sequence[Weighted], shown: int
) -> list[Responder]:
    """Everybody who may be among the `shown` best. In the order of arrival, until nobody further off can be."""
    if shown <= 0 or not able:
        return []
    weight = sum(one.weight for one in weighted if one.criterion is arrival)
    beside = [one for one in weighted if one.criterion is not arrival]
    measured, most = measures(request, beside), most_for(beside)
    if weight <= 0:
        most = inf
    cost = np.rint(seconds) * weight
    order = np.argsort(cost, kind="stable")
    scores: list[float] = []
    found: list[tuple[float, Responder]] = []
    for number, lost in zip(order.tolist(), cost[order].tolist(), strict=True):
        if len(scores) == shown and most - lost < scores[0] - _SLACK_S:
            break
        person = able[number]
        score = -lost
        for measure in measured:
            reason = measure(person, None)
            if reason is not None:
                score += reason.weight
        found.append((score, person))
        if len(scores) < shown:
            heappush(scores, score)
        elif score > scores[0]:
            heapreplace(scores, score)
    least = scores[0] - _SLACK_S
    return [person for score, person in found if score >= least]


def _nearest(people: Sequence[Responder], end: Place | None, most: int) -> list[Responder]:
    if most <= 0 or not people:
        return []
    seconds = _seconds(people, end)
    seconds[[one.place is None for one in people]] = inf  # after everybody whose place is known, as everywhere
    order = np.argsort(seconds, kind="stable")
    # Equal distances go by id, as everywhere: one more of them is looked at than is shown.
    return [people[number] for number in order[:most].tolist()]
