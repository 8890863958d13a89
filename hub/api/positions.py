"""Where a resident was last: who may see it, and how much of it.

How old and how sure a position is belongs to the desk's daily work: whether a tracker does its duty. Where somebody is,
is opened for one resident at a time, with a reason, and audited (POST `/residents/{id}/reveal`); an open incident tells
its own. Field staff see the incident they go to; families and accounts of providers see nothing of it here.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.alarms.positions import metres_between, prefer, read_fix
from hub.api.deps import Caller, Hub
from hub.ports import Json

__all__ = ["masked_position", "with_position"]

_ELSEWHERE = frozenset({"staff", "family", "resident"})


def with_position(hub: Hub, who: Caller, view: Json) -> Json:
    """A resident with `position`: the best of what the devices told last, null where there is none."""
    if who.role in _ELSEWHERE or who.provider_id is not None:
        return view
    now, best = hub.clock(), None
    for row in hub.reads.positions_of(str(view["id"])):
        fix = {**row["last_fix"], **_age(row["last_fix"], now)}
        if prefer(best and best["fix"], fix).new:
            best = {"fix": fix, "device": {"id": row["id"], "name": row["name"], "family": row["family"]}}
    if best is None:
        return {**view, "position": None}
    fix = {name: value for name, value in best["fix"].items() if name != "age_s"}
    found = read_fix(best["fix"])
    home = (view["lat"], view["lon"])
    apart = None if found is None or None in home else round(metres_between(found.point, home))
    return {**view, "position": {**fix, "device": best["device"], "apart_m": apart}}


def _age(fix: Json, now: datetime) -> Json:
    """How old it is by now: among several devices the one that tells of now comes before one that told long ago."""
    at = fix.get("observed_at")
    age = now - datetime.fromisoformat(at) if at else None
    return {} if age is None else {"age_s": max(timedelta(0), age).total_seconds()}


def masked_position(position: Json) -> Json:
    """How sure and how old, not where."""
    return {name: value for name, value in position.items() if name not in ("lat", "lon", "apart_m")}
