"""Who should go first. One small criterion each: it gives None, or a Reason whose weight is seconds for or against.

Everything is counted in seconds of expected arrival, so that the score of a candidate is a time: how long the person
needs, plus what speaks against, less what speaks for. A keyholder who is three minutes further away still opens the
door sooner than somebody who then waits for a key. In an emergency nothing but the key and the way weighs much; for
everyday services the known face weighs more than the way.

To add a criterion: write the callable, and add it with its weight to `URGENT` or `EVERYDAY`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from dispatch.model import Case, Reason

__all__ = [
    "EVERYDAY",
    "UNKNOWN_ETA_S",
    "URGENT",
    "Criterion",
    "Weighted",
    "arrival",
    "continuity",
    "keyholder",
    "language",
    "rank",
    "workload",
]

UNKNOWN_ETA_S: Final = 3_600.0
"""What an unknown place counts: behind everybody who is known to be near, never ruled out."""


class Criterion(Protocol):
    """One criterion. `weight` scales; the Reason's own weight is the result in seconds."""

    def __call__(self, case: Case, weight: float) -> Reason | None: ...


@dataclass(frozen=True, slots=True)
class Weighted:
    """A criterion and its weight: seconds for each unit of what it measures."""

    criterion: Criterion
    weight: float


def arrival(case: Case, weight: float) -> Reason | None:
    """Expected arrival; a unit is a second."""
    if case.eta_s is None:
        return Reason("eta_unknown", "where the person is, is not known", -UNKNOWN_ETA_S * weight)
    return Reason("eta", f"about {round(case.eta_s / 60)} min away", -case.eta_s * weight, {"eta_s": round(case.eta_s)})


def workload(case: Case, weight: float) -> Reason | None:
    """Accepted and offered work; a unit is a task."""
    if case.responder.live == 0:
        return None
    return Reason(
        "workload", f"has {case.responder.live} task(s)", -case.responder.live * weight, {"live": case.responder.live}
    )


def continuity(case: Case, weight: float) -> Reason | None:
    """A regular carer counts one unit, somebody who was there before half a unit."""
    if case.responder.id in case.request.regular:
        return Reason("regular", "usually comes to this resident", weight)
    if case.request.resident_id is not None and case.request.resident_id in case.responder.known_to:
        return Reason("known", "has been to this resident before", weight / 2)
    return None


def keyholder(case: Case, weight: float) -> Reason | None:
    """Holds the key to the door; one unit."""
    if case.request.resident_id is not None and case.request.resident_id in case.responder.keyholder_for:
        return Reason("keyholder", "has the key", weight)
    return None


def language(case: Case, weight: float) -> Reason | None:
    """Speaks none of the languages wanted: one unit against."""
    if case.request.languages and case.request.languages.isdisjoint(case.responder.languages):
        wanted = ", ".join(sorted(case.request.languages))
        return Reason("language", f"speaks none of: {wanted}", -weight, {"languages": wanted})
    return None


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


def rank(case: Case, criteria: Sequence[Weighted]) -> tuple[float, tuple[Reason, ...]]:
    """(score, reasons): the score is the sum of the reasons' weights, in seconds; higher is better."""
    reasons = tuple(reason for one in criteria if (reason := one.criterion(case, one.weight)) is not None)
    return sum(reason.weight for reason in reasons), reasons
