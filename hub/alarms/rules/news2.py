"""NEWS2, the National Early Warning Score 2 (Royal College of Physicians, 2017), exactly as its table.

Only for values that a nurse measured or entered: a wrist reads the skin and must never be scored. What was not measured
is not guessed: with less than all seven it is a partial score, and says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal

from hub.alarms.model import Reason

__all__ = ["CONSCIOUSNESS", "PARAMETERS", "POSSIBLE", "Consciousness", "Measured", "News2", "news2"]

Consciousness = Literal["alert", "confusion", "voice", "pain", "unresponsive"]
CONSCIOUSNESS: Final[tuple[Consciousness, ...]] = ("alert", "confusion", "voice", "pain", "unresponsive")
Response = Literal["routine", "low", "urgent", "emergency"]

PARAMETERS: Final = (
    "respiration_rpm",
    "spo2_pct",
    "oxygen",
    "systolic_mmhg",
    "heart_rate_bpm",
    "consciousness",
    "temperature_c",
)
"""The seven, in the order of the chart."""

POSSIBLE: Final[Mapping[str, tuple[float, float]]] = {
    "respiration_rpm": (1, 90),
    "spo2_pct": (30, 100),
    "systolic_mmhg": (30, 300),
    "heart_rate_bpm": (10, 300),
    "temperature_c": (25.0, 45.0),
}
"""What lies outside was not measured on a living person: a slip of the pen or a device's word for "no value"."""

# Each line: up to and including this value, so many points; the last line has no end.
_Steps = tuple[tuple[float, int], ...]
_END: Final = math.inf
_RESPIRATION: Final[_Steps] = ((8, 3), (11, 1), (20, 0), (24, 2), (_END, 3))
_SPO2_SCALE_1: Final[_Steps] = ((91, 3), (93, 2), (95, 1), (_END, 0))
_SPO2_SCALE_2_AIR: Final[_Steps] = ((83, 3), (85, 2), (87, 1), (_END, 0))
_SPO2_SCALE_2_OXYGEN: Final[_Steps] = ((83, 3), (85, 2), (87, 1), (92, 0), (94, 1), (96, 2), (_END, 3))
_SYSTOLIC: Final[_Steps] = ((90, 3), (100, 2), (110, 1), (219, 0), (_END, 3))
_PULSE: Final[_Steps] = ((40, 3), (50, 1), (90, 0), (110, 1), (130, 2), (_END, 3))
_TEMPERATURE: Final[_Steps] = ((35.0, 3), (36.0, 1), (38.0, 0), (39.0, 1), (_END, 2))


@dataclass(frozen=True, slots=True)
class Measured:
    """What a nurse measured; None: not measured. `oxygen`: True on supplemental oxygen, False on air."""

    respiration_rpm: float | None = None
    spo2_pct: float | None = None
    oxygen: bool | None = None
    systolic_mmhg: float | None = None
    heart_rate_bpm: float | None = None
    consciousness: Consciousness | None = None
    temperature_c: float | None = None


@dataclass(frozen=True, slots=True)
class News2:
    """The score. `points`: those of each parameter that was scored. `response`: what the total calls for."""

    total: int
    points: Mapping[str, int]
    scale: Literal[1, 2]
    response: Response
    reasons: tuple[Reason, ...]
    not_scored: Mapping[str, str] = field(default_factory=dict)

    @property
    def known(self) -> int:
        return len(self.points)

    @property
    def partial(self) -> bool:
        return self.known < len(PARAMETERS)

    @property
    def words(self) -> tuple[str, str]:
        """(Chinese, English), as it must be read: never "NEWS2 = 3" where something is missing."""
        if self.partial:
            return f"部分评分 {self.total}（{self.known}/7 项）", f"partial score {self.total} ({self.known} of 7)"
        return f"NEWS2 = {self.total}", f"NEWS2 = {self.total}"

    def summary(self) -> dict[str, int | bool | str]:
        """As it is kept and sent: of how many of the seven it is made, its words, what it calls for."""
        zh, en = self.words
        return {
            "total": self.total,
            "known": self.known,
            "of": len(PARAMETERS),
            "partial": self.partial,
            "zh": zh,
            "en": en,
            "response": self.response,
        }


def news2(measured: Measured, *, scale_2: bool = False) -> News2:
    """Scores what was measured. `scale_2`: a target of 88-92 % is on record for this person (never else).

    Values are rounded as the chart is written: whole numbers, temperature to a tenth, halves upwards. ValueError names
    a value that nobody can have.
    """
    for name, (low, high) in POSSIBLE.items():
        value = getattr(measured, name)
        if value is not None and not low <= value <= high:
            raise ValueError(f"{name}: {value:g} is impossible, it must lie between {low:g} and {high:g}")
    if measured.consciousness is not None and measured.consciousness not in CONSCIOUSNESS:
        raise ValueError(f"consciousness: one of {', '.join(CONSCIOUSNESS)}, not {measured.consciousness}")
    points: dict[str, int] = {}
    missing: dict[str, str] = {}
    for name in PARAMETERS:
        if getattr(measured, name) is None:
            missing[name] = "not measured"
            continue
        scored = _score(name, measured, scale_2)
        if scored is None:
            missing[name] = "above the target of 88-92 %: air or oxygen must be known"
        else:
            points[name] = scored
    total = sum(points.values())
    response = _response(total, points)
    found = News2(total, points, 2 if scale_2 else 1, response, (), missing)
    single = [name for name, one in points.items() if one == 3]
    values: dict[str, str | int | float | bool | None] = {
        "total": total,
        "known": found.known,
        "of": len(PARAMETERS),
        "scale": found.scale,
        "response": response,
        **{name: getattr(measured, name) for name in points},
    }
    said = " · ".join(dict.fromkeys(found.words))
    reasons = [Reason("news2", said, values)]
    if single:
        reasons.append(Reason("news2_red", f"three points for {', '.join(single)}", dict.fromkeys(single, 3)))
    return News2(total, points, found.scale, response, tuple(reasons), missing)


def _score(name: str, measured: Measured, scale_2: bool) -> int | None:
    if name == "oxygen":
        return 2 if measured.oxygen else 0
    if name == "consciousness":
        return 0 if measured.consciousness == "alert" else 3
    value = _rounded(getattr(measured, name), 1 if name == "temperature_c" else 0)
    if name == "spo2_pct" and scale_2:
        if value > 92 and measured.oxygen is None:
            return None
        return _points(_SPO2_SCALE_2_OXYGEN if measured.oxygen else _SPO2_SCALE_2_AIR, value)
    return _points(_TABLES[name], value)


_TABLES: Final[Mapping[str, _Steps]] = {
    "respiration_rpm": _RESPIRATION,
    "spo2_pct": _SPO2_SCALE_1,
    "systolic_mmhg": _SYSTOLIC,
    "heart_rate_bpm": _PULSE,
    "temperature_c": _TEMPERATURE,
}


def _rounded(value: float, places: int) -> float:
    step = Decimal(1).scaleb(-places)
    return float(Decimal(repr(float(value))).quantize(step, rounding=ROUND_HALF_UP))


def _points(steps: _Steps, value: float) -> int:
    return next(points for limit, points in steps if value <= limit)


def _response(total: int, points: Mapping[str, int]) -> Response:
    """7 and more: emergency; 5, 6 or three points for one: urgent; 1 to 4: low. Of a partial score: at least that."""
    if total >= 7:
        return "emergency"
    if total >= 5 or 3 in points.values():
        return "urgent"
    return "low" if total else "routine"
