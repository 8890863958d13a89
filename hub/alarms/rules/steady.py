"""From a finding to a verdict: what keeps a rule from chattering, and a matter from being forgotten.

The rules, each with the harm it prevents:

- Once raised, a matter is held while it stays bad: one alarm, not one for each reading.
- It is over when it has looked good, beyond the line with its margin, for a while: a value that dances on the limit is
  one matter. Between limit and margin, and where nothing is known, it is neither over nor new.
- It is raised once more where it has become more urgent, and after some hours in which it stayed bad: whoever closed
  the first one hears that it is not over. An old matter nobody can judge any more is dropped without a word.
- The key says what it is about: two runners, or a runner that lost its memory, raise one alarm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from hub.alarms.model import Priority, Reason, priority_rank
from hub.alarms.rules.model import Finding, Standing, Verdict

__all__ = ["Steadiness", "settle"]


@dataclass(frozen=True, slots=True)
class Steadiness:
    """`clear_s`: so long it must look good; `again_s`: raised again after so long; `forget_s`: unknown for so long.

    `each_mark`: another mark is another matter (a dose, a day), however the last one stands.
    """

    clear_s: float = 600
    again_s: float = 6 * 3600
    forget_s: float = 24 * 3600
    each_mark: bool = False


def settle(
    rule: str,
    resident_id: str,
    alarm_type: str,
    priority: Priority,
    finding: Finding,
    standing: Standing | None,
    steadiness: Steadiness,
    *,
    now: datetime,
) -> Verdict:
    """What becomes of the rule. `priority` is the rule's own; the finding may have another."""
    wanted = finding.priority or priority

    def verdict(
        kind: Literal["raise", "hold", "clear", "quiet"],
        keep: Standing | None,
        *more: Reason,
        key: str = "",
        look_at: datetime | None = None,
    ) -> Verdict:
        urgency = wanted if kind == "raise" or keep is None else keep.priority
        reasons = (*finding.reasons, *more)
        return Verdict(rule, kind, alarm_type, urgency, reasons, keep, key, _sooner(finding.look_at, look_at))

    def raised(mark: str, times: int, *more: Reason) -> Verdict:
        fresh = Standing(mark, now, wanted, times, now)
        key = f"{rule}|{resident_id}|{mark}|{wanted}|{times}"
        return verdict("raise", fresh, *more, key=key, look_at=now + timedelta(seconds=steadiness.again_s))

    if standing is None:
        return raised(finding.mark, 1) if finding.kind == "bad" else verdict("quiet", None)
    if finding.kind == "bad":
        if steadiness.each_mark and finding.mark != standing.mark:
            return raised(finding.mark, 1)
        if priority_rank(wanted) < priority_rank(standing.priority):
            worse = Reason("worse", f"more urgent than before: {wanted} after {standing.priority}")
            return raised(standing.mark, standing.times, worse)
        again_at = standing.raised_at + timedelta(seconds=steadiness.again_s)
        if now >= again_at and not steadiness.each_mark:
            hours = round((now - standing.raised_at).total_seconds() / 3600, 1)
            still = Reason("still", f"still so, {hours:g} h after it was raised", {"hours": hours})
            return raised(standing.mark, standing.times + 1, still)
        return verdict("hold", replace(standing, seen_at=now, good_since=None), look_at=again_at)
    if finding.kind == "good":
        since = standing.good_since or now
        over_at = since + timedelta(seconds=steadiness.clear_s)
        if now >= over_at:
            return verdict(
                "clear", None, Reason("over", "good again for long enough", {"raised_for_s": _age(standing, now)})
            )
        return verdict("hold", replace(standing, seen_at=now, good_since=since), look_at=over_at)
    if finding.kind == "grey":
        return verdict("hold", replace(standing, seen_at=now, good_since=None))
    forget_at = (standing.seen_at or standing.raised_at) + timedelta(seconds=steadiness.forget_s)
    if now >= forget_at:
        return verdict("clear", None, Reason("forgotten", "nothing has been known of it for too long"))
    return verdict("hold", replace(standing, good_since=None), look_at=forget_at)


def _sooner(*times: datetime | None) -> datetime | None:
    return min((one for one in times if one is not None), default=None)


def _age(standing: Standing, now: datetime) -> int:
    return int((now - standing.raised_at).total_seconds())
