"""Who should go first. One small criterion each, counted in seconds of expected arrival.

So the score of a candidate is a time: how long the person needs, plus what speaks against, less what speaks for. A
keyholder who is three minutes further away still opens the door sooner than somebody who then waits for a key. In an
emergency little but the key and the way weighs much; for everyday services the known face weighs more than the way.

A criterion is first held against the request, with its weight; where the request gives it nothing to measure, it
gives None and costs nothing. To add one: write the callable, and add it with its weight to `URGENT` or `EVERYDAY`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, Protocol

from dispatch.model import Reason, Request, Responder

__all__ = [
    "EVERYDAY",
    "MOST_FOR",
    "UNKNOWN_ETA_S",
    "URGENT",
    "Criterion",
    "Measure",
    "Weighted",
    "arrival",
    "continuity",
    "keyholder",
    "language",
    "measures",
    "most_for",
    "workload",
]

UNKNOWN_ETA_S: Final = 3_600.0
"""What an unknown place counts: behind everybody who is known to be near, never ruled out."""

Measure = Callable[[Responder, float | None], Reason | None]
"""Of a responder and the expected arrival in seconds (None: unknown): a reason whose weight is seconds for or
against.
"""


class Criterion(Protocol):
    """One criterion. `weight`: seconds for each unit of what it measures."""

    def __call__(self, request: Request, weight: float, /) -> Measure | None: ...


@dataclass(frozen=True, slots=True)
class Weighted:
    """A criterion and its weight."""

    criterion: Criterion
    weight: float


def arrival(_request: Request, weight: float) -> Measure | None:
    """Expected arrival, to the second; a unit is a second."""
    unknown = Reason("eta_unknown", "where the person is, is not known", -UNKNOWN_ETA_S * weight)
    worded: dict[int, Reason] = {}  # thousands of people share few seconds

    def measure(_responder: Responder, eta_s: float | None) -> Reason | None:
        if eta_s is None:
            return unknown
        seconds = round(eta_s)
        reason = worded.get(seconds)
        if reason is None:
            text = f"about {max(1, round(seconds / 60))} min away"
            reason = worded[seconds] = Reason("eta", text, -seconds * weight, {"eta_s": seconds})
        return reason

    return measure


def workload(_request: Request, weight: float) -> Measure | None:
    """Accepted and offered work; a unit is a task."""
    worded: dict[int, Reason] = {}

    def measure(responder: Responder, _eta_s: float | None) -> Reason | None:
        live = responder.live
        if live and live not in worded:
            worded[live] = Reason("workload", f"has {live} task(s) already", -live * weight, {"live": live})
        return worded.get(live)

    return measure


def continuity(request: Request, weight: float) -> Measure | None:
    """A regular carer counts one unit, somebody who was there before half a unit."""
    resident, regular = request.resident_id, request.regular
    usual = Reason("regular", "usually comes to this resident", weight)
    known = Reason("known", "has been to this resident before", weight / 2)

    def measure(responder: Responder, _eta_s: float | None) -> Reason | None:
        if responder.id in regular:
            return usual
        return known if resident in responder.known_to else None

    return measure if resident is not None else None


def keyholder(request: Request, weight: float) -> Measure | None:
    """Holds the key to the door; one unit."""
    resident = request.resident_id
    if resident is None:
        return None
    key = Reason("keyholder", "has the key", weight)
    return lambda responder, _eta_s: key if resident in responder.keyholder_for else None


def language(request: Request, weight: float) -> Measure | None:
    """Speaks none of the languages wanted: one unit against."""
    wanted = request.languages
    words = ", ".join(sorted(wanted))
    foreign = Reason("language", f"speaks none of: {words}", -weight, {"languages": words})
    return (lambda responder, _eta_s: foreign if wanted.isdisjoint(responder.languages) else None) if wanted else None


URGENT: Final[tuple[Weighted, ...]] = (
    Weighted(arrival, 1),
    Weighted(keyholder, 300),
    Weighted(workload, 60),
    Weighted(continuity, 30),
    Weighted(language, 30),
)

EVERYDAY: Final[tuple[Weighted, ...]] = (
    Weighted(arrival, 1),
    Weighted(continuity, 1_800),
    Weighted(workload, 300),
    Weighted(language, 600),
    Weighted(keyholder, 120),
)


MOST_FOR: Final[Mapping[Criterion, float]] = {arrival: 0, workload: 0, continuity: 1, keyholder: 1, language: 0}
"""The most units that each criterion can speak for somebody; one that is not here may speak for any number."""


def most_for(criteria: Sequence[Weighted]) -> float:
    """More than this many seconds the criteria cannot speak for anybody."""
    return sum(one.weight * MOST_FOR.get(one.criterion, inf) if one.weight else 0.0 for one in criteria)


def measures(request: Request, criteria: Sequence[Weighted]) -> tuple[Measure, ...]:
    """The measures that this request gives something to go by."""
    return tuple(found for one in criteria if (found := one.criterion(request, one.weight)) is not None)
