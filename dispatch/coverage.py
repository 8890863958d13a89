"""A choice that keeps the neighbourhood covered, and what it costs.

Whoever leaves is missing where they were. For each of the best, how long would the next free and qualified person need
to where that one is now? Where the closest leaves a place to which the next would need longer than the target, and
somebody little later leaves one that has company, the second is worth a thought: for matters that can wait some
minutes, never for critical ones. It is offered beside the default, never instead of it: keeping cover helps the next
call and harms this one, and the evidence for it is mixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from dispatch.model import Candidate, Place, Responder
from dispatch.travel import HaversineTravel

__all__ = ["TARGET_S", "TOLERANCE_S", "Spared", "spare"]

TARGET_S: Final = 900.0
"""On scene within 15 minutes: a place is covered where somebody free could be."""
TOLERANCE_S: Final = 600.0
"""So much later than the closest the alternative may be."""
_LOOKED_AT: Final = 6


@dataclass(frozen=True, slots=True)
class Spared:
    """`responder_id` instead of `instead_of`: `later_s` seconds later at the door. Where the closest is now, the next
    would need `uncovered_s`; where the alternative is, `covered_s`. None: there would be nobody at all.
    """

    responder_id: str
    instead_of: str
    later_s: float
    uncovered_s: float | None
    covered_s: float


def spare(
    best: Sequence[Candidate],
    able: Sequence[Responder],
    travel: HaversineTravel,
    *,
    target_s: float = TARGET_S,
    tolerance_s: float = TOLERANCE_S,
) -> Spared | None:
    """The first of `best` whose leaving leaves nobody uncovered, where the very best's would. `able`: who is free."""
    placed = [(one.id, one.place, one.mode) for one in able if one.place is not None]
    places: dict[str, Place] = {who: place for who, place, _ in placed}
    known = [one for one in best[:_LOOKED_AT] if one.eta_s is not None and one.responder_id in places]
    if not known or known[0].responder_id != best[0].responder_id:
        return None
    lats, lons = [place.lat for _, place, _ in placed], [place.lon for _, place, _ in placed]
    modes = [mode for _, _, mode in placed]
    numbers = {who: number for number, (who, _, _) in enumerate(placed)}

    def next_s(candidate: Candidate) -> float | None:
        if len(placed) < 2:
            return None
        seconds = travel.seconds(lats, lons, modes, places[candidate.responder_id])
        seconds[numbers[candidate.responder_id]] = inf
        return float(seconds.min())

    closest = known[0]
    uncovered = next_s(closest)
    if closest.eta_s is None or (uncovered is not None and uncovered <= target_s):
        return None
    for other in known[1:]:
        later = (other.eta_s or 0.0) - closest.eta_s
        if later > tolerance_s:
            continue
        covered = next_s(other)
        if covered is not None and covered <= target_s:
            return Spared(other.responder_id, closest.responder_id, max(later, 0.0), uncovered, covered)
    return None
