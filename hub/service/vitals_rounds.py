"""What a vitals round brought home: the values of each visit, and which are beyond the resident's own limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub.alarms.rules import Thresholds
from hub.clock import Clock
from hub.ports import Actor, Database, Json

__all__ = ["VitalsRounds"]

_LIMITS: Final[Mapping[str, tuple[str | None, str | None]]] = {
    "heart_rate_bpm": ("heart_rate_low", "heart_rate_high"),
    "spo2_pct": ("spo2_low", None),
    "respiration_rpm": ("respiration_low", "respiration_high"),
    "systolic_mmhg": ("systolic_low", "systolic_high"),
    "diastolic_mmhg": (None, "diastolic_high"),
    "temperature_c": (None, "temperature_high"),
    "glucose_mmol_l": ("glucose_low", "glucose_high"),
}
"""By metric the settings of `hub.alarms.rules` that bound it, in the order in which a nurse reads values."""


class VitalsRounds:
    """Reads what was measured at the visits of a round."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def taken(self, visits: Mapping[str, str], actor: Actor) -> dict[str, Json]:
        """By visit id what was measured there, the latest of each metric; `visits` is visit id -> resident id.

        Each: `at` (of the latest), `by`, `nurse`, `news2`, `values` [{metric, value, beyond: high|low|None, limit}].
        A visit at which nothing was measured is left out. Health: every look at somebody's values is in the audit.
        """
        now = self._clock()
        found: dict[str, Json] = {}
        with self._database.begin() as tx:
            for visit_id, resident_id in visits.items():
                rows = tx.proof.vitals(visit_id)
                if not rows:
                    continue
                own = {name: one["value"] for name, one in tx.rules.of(resident_id).thresholds.items()}
                found[visit_id] = {
                    "at": rows[-1]["at"],
                    "by": rows[-1]["responder"],
                    "nurse": bool(rows[-1]["nurse"]),
                    "news2": rows[-1]["news2"],
                    "values": _judged(rows, Thresholds(own)),
                }
                tx.audit.add(actor, "visit_vitals.read", f"residents:{resident_id}", {"visit": visit_id}, now)
        return found


def _judged(rows: Sequence[Json], thresholds: Thresholds) -> list[Json]:
    """The latest number of each metric with the limit that it is at or beyond."""
    latest: dict[str, Any] = {}
    for row in rows:
        latest.update(row["values"])
    judged: list[Json] = []
    for metric, (low, high) in _LIMITS.items():
        value = latest.get(metric)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        beyond, limit = None, None
        if high is not None and value >= thresholds.number(high):
            beyond, limit = "high", thresholds.number(high)
        elif low is not None and value <= thresholds.number(low):
            beyond, limit = "low", thresholds.number(low)
        judged.append({"metric": metric, "value": value, "beyond": beyond, "limit": limit})
    return judged
