"""Proof of visit: what a check-in or check-out proves, and what somebody must look at. Pure.

The six elements are those of electronic visit verification as practised in home care (21st Century Cures Act, section
12006): kind of service, person served, date, place, carer, begin and end. A radius of 150 m beside the accuracy that
the phone states is usual there; thirty minutes is the least for personal care (NICE NG21, 1.4.2).

A check is never refused: whoever stands at a door has come, whatever a phone believes. What does not fit is flagged
with its reasons, and a person decides. What only explains (sent later, late) is a note and fails nothing. Every number
is in `ProofLimits`; a time that a phone told is kept as told, beside the time at which the hub heard of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from dispatch.model import Place
from dispatch.travel import haversine_m

__all__ = [
    "ELEMENTS",
    "FINDINGS",
    "NO_PROOF_KINDS",
    "PROOF_LIMITS",
    "Arrival",
    "CheckKind",
    "Expected",
    "Finding",
    "Judged",
    "Late",
    "PhoneFix",
    "ProofLimits",
    "Told",
    "elements",
    "finding",
    "judge_arrival",
    "judge_leaving",
    "lateness",
    "missing_carers",
]

CheckKind = Literal["in", "out"]
Late = Literal["yellow", "red", "missed"]
Value = str | int | float | bool | None

ELEMENTS: Final = ("kind", "person", "date", "place", "carer", "times")
"""What a visit must prove, in the order in which it is read."""

NO_PROOF_KINDS: Final = frozenset({"grid_officer"})
"""Responders whose visits are never checked: a grid officer's visit is one tap (national guidance of 2023 against
formalism at the fingertips); check-in is for services that somebody is paid for."""

_WEAK_SOURCES: Final = frozenset({"manual", "last_known", "cell"})
"""Positions that say where a phone was believed to be, not where it is."""


@dataclass(frozen=True, slots=True)
class ProofLimits:
    """The numbers. `together`: so far apart two carers of one visit may arrive. `early`: before the wanted window."""

    radius_m: float = 150.0
    coarse_m: float = 500.0
    fix_age: timedelta = timedelta(minutes=10)
    ahead: timedelta = timedelta(minutes=2)
    later: timedelta = timedelta(minutes=10)
    much_later: timedelta = timedelta(hours=72)
    early: timedelta = timedelta(minutes=60)
    together: timedelta = timedelta(minutes=10)
    personal: timedelta = timedelta(minutes=30)
    short_share: float = 0.5
    yellow: timedelta = timedelta(minutes=15)
    red: timedelta = timedelta(minutes=30)
    missed: timedelta = timedelta(minutes=60)
    no_check_out: timedelta = timedelta(minutes=60)


PROOF_LIMITS: Final = ProofLimits()


@dataclass(frozen=True, slots=True)
class PhoneFix:
    """Where a phone says it is, WGS-84 degrees.

    `accuracy_m` None: it did not say; `at` None: at the time of the check.
    """

    lat: float
    lon: float
    accuracy_m: float | None = None
    source: str = "gnss"
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One check as it came in. `at`: the phone's own time; `recorded_at`: when the hub heard of it.

    `own`: by the carer's own account, not by somebody for the carer.
    """

    at: datetime
    recorded_at: datetime
    fix: PhoneFix | None = None
    own: bool = True


@dataclass(frozen=True, slots=True)
class Arrival:
    """A carer's arrival at the same visit; `left_at` None: still there."""

    responder_id: str
    at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What was ordered and of whom.

    `place`: where it is to be (None: nobody entered it); `anywhere`: it may be anywhere (an escort, an errand).
    `begin_from` to `begin_by`: when it was to begin, as ordered or as promised. `offered_at`: when the carer was asked.
    `absent`: the resident's status where it allows no service. `qualified`: the carer may do this kind on that day.
    """

    responder_id: str
    carers: int
    begin_from: datetime
    begin_by: datetime
    duration: timedelta
    offered_at: datetime
    personal: bool = False
    gate: bool = False
    place: Place | None = None
    anywhere: bool = False
    absent: str | None = None
    qualified: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found, in words. `fails` False: it explains, and needs nobody's look."""

    code: str
    fails: bool
    zh: str
    en: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a check proves. `distance_m` from the expected place (None: not known). `late` at this arrival."""

    findings: tuple[Finding, ...] = ()
    distance_m: float | None = None
    late: Late | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """Codes of what failed."""
        return tuple(one.code for one in self.findings if one.fails)

    @property
    def verified(self) -> bool:
        return not self.flags


FINDINGS: Final[Mapping[str, tuple[bool, str, str]]] = {
    "too_far": (
        True,
        "距服务地点 {distance_m} 米（允许 {allowed_m} 米）",
        "{distance_m} m from the place (allowed {allowed_m} m)",
    ),
    "no_fix": (True, "没有定位", "no position"),
    "fix_coarse": (True, "定位误差 {accuracy_m} 米，过大", "position accurate to {accuracy_m} m only"),
    "fix_old": (True, "定位是 {minutes} 分钟前后的", "the position is {minutes} min away from the check"),
    "fix_source": (True, "定位来源不可靠（{source}）", "the position was not measured ({source})"),
    "place_unknown": (True, "档案没有住址坐标，无法核对地点", "no coordinates on record: the place cannot be judged"),
    "clock_ahead": (True, "手机时间快 {minutes} 分钟", "the phone's clock is {minutes} min ahead"),
    "clock_behind": (
        True,
        "手机时间早于派单 {minutes} 分钟",
        "{minutes} min before it was offered, by the phone's clock",
    ),
    "sent_much_later": (True, "{hours} 小时后才上报", "reported {hours} h later"),
    "early": (True, "比约定早 {minutes} 分钟", "{minutes} min before the wanted time"),
    "not_own": (True, "不是本人签到", "not by the carer's own account"),
    "not_qualified": (True, "当天资质不符或已过期", "the carer's credential does not cover this kind on that day"),
    "resident_absent": (True, "老人当时状态为 {status}", "the resident was {status}"),
    "apart": (True, "两名护理员到达相差 {minutes} 分钟", "the two carers arrived {minutes} min apart"),
    "alone": (True, "应到 {wanted} 人，实到 {came} 人", "{came} of {wanted} carers came"),
    "no_check_in": (True, "没有签到", "no check-in"),
    "out_before_in": (True, "签退早于签到", "left before arriving, by the phone's clock"),
    "too_short": (
        True,
        "个人护理仅 {minutes} 分钟（至少 {least} 分钟）",
        "personal care of {minutes} min (at least {least})",
    ),
    "short": (True, "仅 {minutes} 分钟（计划 {planned} 分钟）", "{minutes} min of {planned} planned"),
    "no_check_out": (True, "超过计划 {minutes} 分钟仍未签退", "no check-out {minutes} min after the planned end"),
    "gate_missing": (True, "没有做浴前检查", "no check before the bath"),
    "gate_stopped": (True, "浴前检查不通过，仍报完成", "reported as done although the check before it said stop"),
    "sent_later": (False, "离线补报，晚 {minutes} 分钟", "sent {minutes} min later (no signal)"),
    "late": (False, "迟到 {minutes} 分钟", "{minutes} min late"),
    "accuracy_unknown": (False, "手机未给出定位误差", "the phone did not state its accuracy"),
}
"""Code -> (does it fail the check, Chinese, English)."""


def finding(code: str, **values: Value) -> Finding:
    """A finding in words. KeyError: there is no such code."""
    fails, zh, en = FINDINGS[code]
    return Finding(code, fails, zh.format(**values), en.format(**values), values)


def lateness(begin_by: datetime, at: datetime, limits: ProofLimits = PROOF_LIMITS) -> Late | None:
    """How late a visit is that has not begun at `at` (or began then)."""
    late = at - begin_by
    if late >= limits.missed:
        return "missed"
    if late >= limits.red:
        return "red"
    return "yellow" if late >= limits.yellow else None


def judge_arrival(
    told: Told, expected: Expected, others: Sequence[Arrival] = (), limits: ProofLimits = PROOF_LIMITS
) -> Judged:
    """A check-in. `others`: the arrivals of the visit's other carers that are known by now."""
    found, distance = _seen_so_far(told, expected, limits)
    begun = min(told.at, told.recorded_at)
    if expected.begin_from - begun > limits.early:
        found.append(finding("early", minutes=_minutes(expected.begin_from - begun)))
    late = lateness(expected.begin_by, begun, limits)
    if late is not None:
        found.append(finding("late", minutes=_minutes(begun - expected.begin_by), level=late))
    first = min((one.at for one in _others(others, expected)), default=None)
    if expected.carers > 1 and first is not None and abs(begun - first) > limits.together:
        found.append(finding("apart", minutes=_minutes(abs(begun - first))))
    return Judged(tuple(found), distance, late)


def judge_leaving(
    told: Told,
    expected: Expected,
    arrived_at: datetime | None,
    others: Sequence[Arrival] = (),
    *,
    done: bool = True,
    gate: Literal["pass", "stop"] | None = None,
    limits: ProofLimits = PROOF_LIMITS,
) -> Judged:
    """A check-out. `done` False: nobody claims the service (no answer, refused, aborted), so it may be short.

    `gate`: what the check before it said, where there must be one.
    """
    if not done and told.fix is None:
        # Nobody claims anything: a closed door needs no second proof of where it is.
        expected = replace(expected, anywhere=True)
    found, distance = _seen_so_far(told, expected, limits)
    if arrived_at is None:
        found.append(finding("no_check_in"))
    elif told.at < arrived_at:
        found.append(finding("out_before_in"))
    elif done:
        found += _length(told.at - arrived_at, expected, limits)
    if (
        done
        and expected.carers > 1
        and (came := 1 + len({one.responder_id for one in _others(others, expected)})) < expected.carers
    ):
        found.append(finding("alone", wanted=expected.carers, came=came))
    if done and expected.gate:
        if gate is None:
            found.append(finding("gate_missing"))
        elif gate == "stop":
            found.append(finding("gate_stopped"))
    return Judged(tuple(found), distance)


def missing_carers(
    expected: int, arrivals: Sequence[Arrival], now: datetime, limits: ProofLimits = PROOF_LIMITS
) -> Finding | None:
    """One carer arriving instead of two: known `together` after the first, and not before."""
    came = {one.responder_id for one in arrivals}
    if not came or len(came) >= expected or now - min(one.at for one in arrivals) < limits.together:
        return None
    return finding("alone", wanted=expected, came=len(came))


def elements(arrival: Judged | None, leaving: Judged | None, *, same_day: bool = True) -> Mapping[str, bool]:
    """Which of the six elements a visit has proved, by the flags of its two checks (None: there is none)."""
    flags = {*(arrival.flags if arrival else ("no_check_in",)), *(leaving.flags if leaving else ("no_check_out",))}
    return {name: (same_day if name == "date" else True) and not flags & _SPOILS[name] for name in ELEMENTS}


_TIMES: Final = frozenset({"clock_ahead", "clock_behind", "sent_much_later"})
_SPOILS: Final[Mapping[str, frozenset[str]]] = {
    "kind": frozenset({"not_qualified", "gate_missing", "gate_stopped"}),
    "person": frozenset({"resident_absent"}),
    "date": _TIMES,
    "place": frozenset({"too_far", "no_fix", "fix_coarse", "fix_old", "fix_source", "place_unknown", "no_check_in"}),
    "carer": frozenset({"not_own", "alone", "apart", "no_check_in"}),
    "times": _TIMES | {"no_check_in", "no_check_out", "out_before_in", "too_short", "short", "early"},
}


def _seen_so_far(told: Told, expected: Expected, limits: ProofLimits) -> tuple[list[Finding], float | None]:
    found = [*_clock(told, expected, limits)]
    place, distance = _place(told, expected, limits)
    found += place
    if not told.own:
        found.append(finding("not_own"))
    if not expected.qualified:
        found.append(finding("not_qualified"))
    if expected.absent is not None:
        found.append(finding("resident_absent", status=expected.absent))
    return found, distance


def _clock(told: Told, expected: Expected, limits: ProofLimits) -> Iterable[Finding]:
    gap = told.recorded_at - told.at
    if -gap > limits.ahead:
        yield finding("clock_ahead", minutes=_minutes(-gap))
    elif expected.offered_at - told.at > limits.ahead:
        yield finding("clock_behind", minutes=_minutes(expected.offered_at - told.at))
    elif gap > limits.much_later:
        yield finding("sent_much_later", hours=int(gap / timedelta(hours=1)))
    elif gap > limits.later:
        yield finding("sent_later", minutes=_minutes(gap))


def _place(told: Told, expected: Expected, limits: ProofLimits) -> tuple[list[Finding], float | None]:
    fix = told.fix
    if fix is None:
        return ([], None) if expected.anywhere else ([finding("no_fix")], None)
    distance = None if expected.place is None else haversine_m(Place(fix.lat, fix.lon), expected.place)
    if expected.anywhere:
        return [], distance
    found: list[Finding] = []
    if fix.source in _WEAK_SOURCES:
        found.append(finding("fix_source", source=fix.source))
    age = abs(told.at - fix.at) if fix.at is not None else timedelta(0)
    if age > limits.fix_age:
        found.append(finding("fix_old", minutes=_minutes(age)))
    accuracy = fix.accuracy_m or 0.0
    if fix.accuracy_m is None:
        found.append(finding("accuracy_unknown"))
    elif accuracy > limits.coarse_m:
        found.append(finding("fix_coarse", accuracy_m=round(accuracy)))
    if distance is None:
        found.append(finding("place_unknown"))
    elif distance > limits.radius_m + accuracy:
        found.append(finding("too_far", distance_m=round(distance), allowed_m=round(limits.radius_m + accuracy)))
    return found, distance


def _length(spent: timedelta, expected: Expected, limits: ProofLimits) -> Iterable[Finding]:
    if expected.personal and spent < min(limits.personal, expected.duration):
        least = _minutes(min(limits.personal, expected.duration))
        yield finding("too_short", minutes=_minutes(spent), least=least)
    elif spent < expected.duration * limits.short_share and expected.duration > limits.personal:
        yield finding("short", minutes=_minutes(spent), planned=_minutes(expected.duration))


def _others(others: Sequence[Arrival], expected: Expected) -> list[Arrival]:
    return [one for one in others if one.responder_id != expected.responder_id]


def _minutes(span: timedelta) -> int:
    return int(span / timedelta(minutes=1))
