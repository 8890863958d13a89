"""The gate before a bath: vital signs and consent first; outside the limits nobody is bathed that day. Pure.

The limits are data: `GATE_LIMITS` unless the kind's record says otherwise (`attributes.gate_limits` of a service kind:
`{"systolic_mmhg": [100, 150]}`, null for no bound). Blood pressure and temperature are those at which visiting baths
are called off in Japan, where they are an everyday service (systolic 160, diastolic 100, 37.5 degrees); pulse and
oxygen those beyond which NEWS2 gives two points and more. A site's own doctor sets others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, Literal

__all__ = ["GATE_LIMITS", "Consent", "GateLimit", "GateReason", "GateVerdict", "gate_limits", "judge_gate"]

Consent = Literal["given", "refused", "unable"]
"""What the resident said; `unable`: could not say, and nobody may say it for them at the tub."""


@dataclass(frozen=True, slots=True)
class GateLimit:
    """One value, both bounds inclusive (None: none). `required`: not measured is a stop."""

    metric: str
    zh: str
    en: str
    unit: str
    low: float | None = None
    high: float | None = None
    required: bool = True


GATE_LIMITS: Final[Mapping[str, GateLimit]] = {
    one.metric: one
    for one in (
        GateLimit("systolic_mmhg", "收缩压", "Systolic pressure", "mmHg", 90, 159),
        GateLimit("diastolic_mmhg", "舒张压", "Diastolic pressure", "mmHg", None, 99),
        GateLimit("heart_rate_bpm", "心率", "Pulse", "/min", 41, 110),
        GateLimit("temperature_c", "体温", "Temperature", "°C", 35.5, 37.4),
        GateLimit("spo2_pct", "血氧", "Oxygen saturation", "%", 94, None, required=False),
    )
}


@dataclass(frozen=True, slots=True)
class GateReason:
    """Why it stops, in words."""

    code: str
    zh: str
    en: str
    values: Mapping[str, str | float | None]


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """`outcome`: how the visit ends where it stops. `nurse`: a nurse must look at the resident."""

    verdict: Literal["pass", "stop"]
    reasons: tuple[GateReason, ...] = ()
    outcome: Literal["aborted", "refused"] | None = None
    nurse: bool = False


def gate_limits(own: Mapping[str, Any] | None) -> Mapping[str, GateLimit]:
    """The limits of a kind: the defaults with what its record says over them. ValueError names what it cannot be."""
    found = dict(GATE_LIMITS)
    for metric, bounds in (own or {}).items():
        if metric not in found:
            raise ValueError(f"gate_limits.{metric}: there is no such value, one of {', '.join(found)}")
        if not isinstance(bounds, list | tuple) or len(bounds) != 2 or not all(_bound(one) for one in bounds):
            raise ValueError(f"gate_limits.{metric}: write [lowest, highest], null for no bound")
        low, high = bounds
        if low is not None and high is not None and low > high:
            raise ValueError(f"gate_limits.{metric}: the lowest is above the highest")
        was = found[metric]
        found[metric] = GateLimit(metric, was.zh, was.en, was.unit, low, high, was.required)
    return found


def judge_gate(
    values: Mapping[str, float], consent: Consent, limits: Mapping[str, GateLimit] = GATE_LIMITS
) -> GateVerdict:
    """Pass, or stop with every reason. Whoever refuses is not sent a nurse for it; whoever is out of range is."""
    out: list[GateReason] = []
    for limit in limits.values():
        value = values.get(limit.metric)
        if value is None or not isfinite(value):
            if limit.required:
                said = {"metric": limit.metric}
                out.append(GateReason("not_measured", f"{limit.zh}未测", f"{limit.en} not measured", said))
            continue
        if limit.low is not None and value < limit.low:
            out.append(_outside(limit, value, "too_low", "低于", "below", limit.low))
        elif limit.high is not None and value > limit.high:
            out.append(_outside(limit, value, "too_high", "高于", "above", limit.high))
    nurse = any(one.code != "not_measured" for one in out)
    if consent == "refused":
        out.insert(0, GateReason("refused", "老人不同意", "the resident does not agree", {}))
    elif consent == "unable":
        out.insert(0, GateReason("unable", "老人无法表示同意", "the resident cannot say whether they agree", {}))
        nurse = True
    if not out:
        return GateVerdict("pass")
    return GateVerdict("stop", tuple(out), "refused" if consent == "refused" and not nurse else "aborted", nurse)


def _outside(limit: GateLimit, value: float, code: str, zh: str, en: str, bound: float) -> GateReason:
    return GateReason(
        code,
        f"{limit.zh} {value:g} {limit.unit}，{zh} {bound:g}",
        f"{limit.en} {value:g} {limit.unit}, {en} {bound:g}",
        {"metric": limit.metric, "value": value, "limit": bound},
    )


def _bound(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value))
