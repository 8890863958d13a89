"""How far an incident's plan has come, as the desk sees it: each tier, whom it reached by what, what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub.alarms import (
    DEFAULT_PLAN,
    LIVE_STATES,
    NOT_REACHED,
    ROLE_LABELS,
    Asked,
    PlanRun,
    PlanTier,
    ResponsePlan,
    next_tiers,
    plan_from_json,
    run_from_json,
)
from hub.ports import Json

__all__ = ["plan_progress"]

_WAYS: Final[Mapping[str, tuple[str, str]]] = {
    "key": ("持钥匙人开门", "Whoever has a key opens"),
    "guard": ("物业保安到场", "The property guard comes"),
    "police": ("拨打 110，民警见证开门", "Police (110) witness the opening"),
}


def plan_progress(row: Json) -> Json:
    """The view of `PlanReads.plan_of`'s row."""
    plan = DEFAULT_PLAN if row["plan"] is None else plan_from_json(row["plan"])
    run = run_from_json(row["plan_run"])
    live = row["state"] in LIVE_STATES and row["class"] not in ("technical", "test")
    return {
        "incident_id": row["id"],
        "plan": {"id": plan.id, "zh": plan.zh, "en": plan.en, "version": plan.version if row["plan"] else 0},
        "chosen": row["chosen"],
        "round": row["plan_round"],
        "state": run.state,
        "since": run.since,
        "due_at": run.due_at if live else None,
        "reason": run.reason,
        "voice": _voice(plan, run, row),
        "tiers": _tiers(plan, run, row, live=live),
        "access": _access(plan, row),
        "card": plan.card,
    }


def _voice(plan: ResponsePlan, run: PlanRun, row: Json) -> Json:
    party = f"resident:{row['resident_id']}"
    calls = [one for one in row["calls"] if one["party"] == party]
    spoken = run.state == "spoken" or any(one["outcome"] == "answered" for one in calls)
    failed = bool(calls) or any(mark.reason.startswith(NOT_REACHED) for mark in run.marks)
    state = "reached" if spoken else "running" if run.state == "voice" else "failed" if failed else "waiting"
    return {
        "seconds": plan.voice.seconds_for(row["type"]),
        "state": state,
        "due_at": run.due_at if run.state == "voice" else None,
        "number": row["phone"],
        "calls": calls,
    }


def _tiers(plan: ResponsePlan, run: PlanRun, row: Json, *, live: bool) -> list[Json]:
    to_come = [index for index in next_tiers(plan, run) if run.state != "exhausted" and index != run.tier]
    stopped = run.state == "stopped" or not live
    found = []
    for index, tier in enumerate(plan.tiers):
        marks = [mark for mark in run.marks if mark.tier == index]
        last = marks[-1] if marks else None
        asked = [one for mark in marks for one in mark.asked]
        if last is not None and last.state == "skipped":
            state = "skipped"
        elif index == run.tier and run.state == "calling":
            state = "running"
        elif last is not None:
            state = "empty" if last.state == "empty" and not asked else "done"
        else:
            state = "stood_down" if stopped else "next" if to_come and index == to_come[0] else "later"
        found.append(
            {
                "code": tier.code,
                "zh": tier.zh,
                "en": tier.en,
                "mode": tier.mode,
                "wait_s": tier.wait_s,
                "channels": list(tier.channels),
                "parties": [_party(tier, place) for place in range(len(tier.parties))],
                "state": state,
                "at": marks[0].at if marks else None,
                "due_at": run.due_at if state == "running" and live else None,
                "reason": run.reason if state == "stood_down" else last.reason if last else "",
                "by": last.by if last else None,
                "people": [_person(one, row) for one in asked],
            }
        )
    return found


def _party(tier: PlanTier, place: int) -> Json:
    party = tier.parties[place]
    zh, en = ROLE_LABELS[party.role]
    return {"role": party.role, "part": party.part, "most": party.most, "zh": zh, "en": en}


def _person(asked: Asked, row: Json) -> Json:
    assignment = _first(row["assignments"], lambda one: one["id"] == asked.assignment_id)
    notices = [
        one
        for one in row["notices"]
        if (one["assignment_id"] == asked.assignment_id if asked.assignment_id else one["party"] == asked.ref)
    ]
    state: str
    if assignment is not None:
        state = assignment["state"]
    elif asked.ref.startswith("number:"):
        number = asked.ref.partition(":")[2]
        state = "called" if any(one["number"] == number for one in row["calls"]) else "to_call"
    else:
        state = "told"
    return {
        "ref": asked.ref,
        "name": asked.name,
        "role": asked.role,
        "part": asked.part,
        "phone": assignment["phone"] if assignment and assignment["phone"] else asked.phone,
        "why": asked.why,
        "assignment_id": asked.assignment_id,
        "state": state,
        "reason": assignment["reason"] if assignment else None,
        "channels": [{name: one[name] for name in ("channel", "state", "outcome", "reason", "at")} for one in notices],
    }


def _access(plan: ResponsePlan, row: Json) -> Json:
    contacts: Sequence[Json] = row["contacts"]
    who: Mapping[str, list[Json]] = {
        "key": [{"name": one["name"], "phone": one["phone"]} for one in contacts if one["has_key"]],
        "guard": [{"name": one["name"], "phone": one["phone"]} for one in contacts if one["kind"] == "guard"],
        "police": [{"name": "110", "phone": "110"}],
    }
    on_file = (row["access"] or {}).get("entry_consent")
    return {
        "ways": [{"way": way, "zh": _WAYS[way][0], "en": _WAYS[way][1], "who": who[way]} for way in plan.access.ways],
        "consent": plan.access.consent,
        "consent_on_file": on_file if isinstance(on_file, str | bool) else None,
        "zh": plan.access.zh,
        "en": plan.access.en,
    }


def _first(rows: Sequence[Json], fits: Any) -> Json | None:
    return next((one for one in rows if fits(one)), None)
