"""Nobody answered the door: what a courier saw, and what the home says about it. One alarm with both reasons.

A closed door alone is a weak sign: people are in the garden. It is raised at once all the same, for somebody must look;
how urgent it is decides what else is known. No sign of moving for longer than half of what is usual makes it a matter
of high priority. That the person moved a moment ago calms nobody (they may have moved towards the floor), but it is
said. Sensors that are silent themselves prove nothing, as everywhere.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.alarms.model import Priority, Reason
from hub.alarms.rules.daily import WEAK_SHARE, last_sign_at, quiet_limit, watching
from hub.alarms.rules.model import Picture

__all__ = ["nobody_answered"]


def nobody_answered(
    picture: Picture, now: datetime, *, at: datetime, what: str, values: dict[str, str | int | float | bool | None]
) -> tuple[Priority, tuple[Reason, ...]]:
    """Priority and reasons of the alarm. `at`: when it was at the door; `what`: for what ("lunch, stop 9 of 22").

    `values`: what a reader may want to count by (order, stop, courier).
    """
    clock = at.astimezone(picture.zone).strftime("%H:%M")
    facts = {**values, "at": at.isoformat()}
    reasons = [Reason("no_answer", f"no answer at the door at {clock}: {what}", facts)]
    priority: Priority = "medium"
    sign_at = last_sign_at(picture, now)
    if sign_at is None:
        return priority, tuple(reasons)
    since = sign_at.astimezone(picture.zone).strftime("%H:%M")
    quiet_h = (now - sign_at) / timedelta(hours=1)
    told: dict[str, str | int | float | bool | None] = {"sign_at": sign_at.isoformat(), "quiet_h": round(quiet_h, 2)}
    if not watching(picture, now):
        reasons.append(Reason("sensors_silent", f"last sign of moving at {since}; the sensors are silent", told))
        return priority, tuple(reasons)
    limit, _ = quiet_limit(picture, now)
    told["limit_h"] = round(limit, 2)
    if quiet_h >= limit * WEAK_SHARE or quiet_h >= picture.thresholds.number("inactivity_floor_h"):
        reasons.append(Reason("no_motion", f"no motion since {since}", told))
        priority = "high"
    else:
        reasons.append(Reason("moved", f"last sign of moving at {since}", told))
    return priority, tuple(reasons)
