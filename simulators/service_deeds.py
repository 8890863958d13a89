"""What people of a story do about everyday services: a meal's taps, the steps of a visit, the bathing gate, the day
planned anew, the month's claims. Each looks first and does only what is still to be done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from simulators.acts import Act
from simulators.seats import NotHereError, NotYetError, RefusedError
from simulators.stage import Stage

__all__ = ["claims", "gate", "meal", "meals", "replan", "visit"]

Words = Mapping[str, Any]

_STEPS: Final = {"accept": "accept", "en-route": "start", "on-scene": "check-in", "complete": "check-out"}
_NEXT: Final = {"offered": "accept", "accepted": "en-route", "en_route": "on-scene", "on_scene": "complete"}
_ORDER: Final = ("accept", "en-route", "on-scene", "complete")
_CHINA: Final = timezone(timedelta(hours=8))
_MEALS: Final = ("meal_delivery", "meal_dine_in")
_PLAN_WITHIN: Final = 60


async def _tasks(stage: Stage, act: Act, kinds: tuple[str, ...]) -> list[dict[str, Any]]:
    """The person's visits of these kinds, in the order of the way."""
    assert act.who is not None
    items = (await stage.seats.get(act.who, "/my/tasks"))["items"]
    mine = [item for item in items if item.get("order") and item["order"]["kind"] in kinds]
    return sorted(mine, key=lambda item: str(item["order"]["wanted_from"]))


async def _task(stage: Stage, act: Act, kinds: tuple[str, ...]) -> dict[str, Any] | None:
    resident_id = stage.resident_id(act)
    mine = await _tasks(stage, act, kinds)
    return next((item for item in mine if (item["order"].get("resident") or {}).get("id") == resident_id), None)


async def meals(stage: Stage, act: Act) -> Words:
    """Hands over the next `count` meals of the round; the door of `resident` is left for later.

    What is left says how far it is: a tap whose answer was lost may have counted.
    """
    await stage.needs(act, "/visits/{visit_id}/meal")
    skipped = stage.resident_id(act)
    while True:
        mine = await _tasks(stage, act, _MEALS)
        following = [item for item in mine if (item["order"].get("resident") or {}).get("id") != skipped]
        if act.key not in stage.rounds and len(following) >= act.count:
            stage.rounds[act.key] = len(following) - act.count
        if act.key not in stage.rounds:
            raise NotYetError(f"{act.who} has {len(following)} of {act.count} meals to bring")
        if len(following) <= stage.rounds[act.key]:
            break
        visit_id = following[0]["assignment"]["visit_id"]
        body: dict[str, Any] = {"result": "handed_over"} | _fix(following[0])
        await stage.write(act, f"/visits/{visit_id}/meal", body)
    return {"count": act.count}


async def meal(stage: Stage, act: Act) -> Words:
    """One tap at the resident's door: `outcome` handed_over, left_with (`note` says whom) or no_answer."""
    await stage.needs(act, "/visits/{visit_id}/meal")
    task = await _task(stage, act, _MEALS)
    if task is None:
        if stage.counted(act):
            return {}
        raise NotYetError(f"{act.who} has no meal for {act.resident}")
    body: dict[str, Any] = {"result": act.outcome} | _fix(task)
    if act.outcome == "left_with":
        body["left_with"] = act.note
    elif act.note is not None:
        body["note"] = act.note
    stage.count(act)  # before it: an answer may be lost, and then there is no task left to say so
    await stage.write(act, f"/visits/{task['assignment']['visit_id']}/meal", body)
    return {}


async def visit(stage: Stage, act: Act) -> Words:
    """The person's steps at a visit of `kind`, up to and including `step`."""
    assert act.step is not None
    assert act.kind is not None
    task = await _task(stage, act, (act.kind,))
    if task is None:
        if stage.counted(act):
            return {}
        raise NotYetError(f"{act.who} has no {act.kind} at {act.resident}")
    following = task["next"]
    while following is not None and _ORDER.index(following) <= _ORDER.index(act.step):
        body: dict[str, Any] = _fix(task) if following == "on-scene" else {}
        if following == "complete":
            body["outcome"] = act.outcome or "done"
            stage.count(act)
        done = await stage.write(act, f"/visits/{task['assignment']['visit_id']}/{_STEPS[following]}", body)
        mine = [one for one in done["assignments"] if one["id"] == task["assignment"]["id"]]
        following = _NEXT.get(mine[0]["state"]) if mine else None
    return {}


async def gate(stage: Stage, act: Act) -> Words:
    """The check before a bath: consent given, blood pressure as `note` has it ("186/108")."""
    await stage.needs(act, "/visits/{visit_id}/gate")
    task = await _task(stage, act, (act.kind or "bathing",))
    if task is None:
        if stage.counted(act):
            return {}
        raise NotYetError(f"{act.who} is not at {act.resident}")
    systolic, _, diastolic = (act.note or "").partition("/")
    body = {
        "consent": "given",
        "vitals": {"systolic_mmhg": int(systolic), "diastolic_mmhg": int(diastolic)},
    }
    await stage.write(act, f"/visits/{task['assignment']['visit_id']}/gate", body)
    stage.count(act)
    return {}


async def replan(stage: Stage, act: Act) -> Words:
    """The resident's new visit of `kind` is put into the day: planned around what is frozen, and published."""
    await stage.needs(act, "/plans/replan")
    assert act.who is not None
    orders = (await stage.seats.get(act.who, "/orders", resident=stage.resident_id(act), kind=act.kind or ""))["items"]
    wanted = [one for one in orders if one["state"] == "requested" and (one["attributes"] or {}).get("after_gate")]
    if not wanted:
        given = [one for one in orders if (one["attributes"] or {}).get("after_gate") and one["visit"]["assignments"]]
        if given:
            return _planned(given[0], 0.0)
        raise NotYetError(f"no {act.kind} is asked for {act.resident}")
    await stage.turn(act)
    order = wanted[0]
    day = datetime.fromisoformat(order["wanted_from"]).astimezone(_CHINA).date().isoformat()
    began = asyncio.get_running_loop().time()
    body = {"date": day, "events": [{"kind": "urgent", "order_id": order["id"]}]}
    plan = await stage.write(act, "/plans/replan", body)
    for _ in range(_PLAN_WITHIN):
        if plan["state"] != "running":
            break
        await asyncio.sleep(1.0)
        plan = await stage.seats.get(act.who, f"/plans/{plan['id']}")
    took = asyncio.get_running_loop().time() - began
    if plan["state"] != "ready":
        raise NotHereError(f"the plan is {plan['state']}")
    if any(one["order_id"] == order["id"] for one in plan["unplanned"]):
        why = next(one["reason"] for one in plan["unplanned"] if one["order_id"] == order["id"])
        raise NotHereError(f"{act.kind} cannot be planned: {why}")
    await stage.write(act, f"/plans/{plan['id']}/publish", {})
    return _planned(await stage.seats.get(act.who, f"/orders/{order['id']}"), took)


def _planned(order: Mapping[str, Any], seconds: float) -> Words:
    names = [one["responder"]["name"] for one in order["visit"]["assignments"]]
    return {"name": "、".join(names) or "—", "seconds": f"{seconds:.1f}"}


async def claims(stage: Stage, act: Act) -> Words:
    """The provider's claims of this month, of `kind` meals: looked at first, then made."""
    await stage.needs(act, "/settlements/preview")
    assert act.who is not None
    month = datetime.now(_CHINA).strftime("%Y-%m")
    asked = {"provider_id": act.to, "month": month, "kinds": list(_MEALS)}
    shown = await stage.write(act, "/settlements/preview", asked)
    if shown["services"] < act.count and not stage.counted(act):
        raise NotYetError(f"{shown['services']} services so far")
    if not stage.counted(act):
        await stage.turn(act)
        try:
            shown = await stage.write(act, "/settlements", {**asked, "digest": shown["digest"]})
        except RefusedError as error:
            raise NotYetError(str(error)) from None
        stage.count(act)
    refused = [one for one in shown["lines"] if one.get("verdict") == "refused" or one.get("status") == "refused"]
    reasons = [one["reasons"][0] for one in refused if one.get("reasons")]
    return {
        "services": shown["services"],
        "refused": shown["counts"].get("refused", len(refused)),
        "why_zh": "；".join(dict.fromkeys(one["zh"] for one in reasons)),
        "why_en": "; ".join(dict.fromkeys(one["en"] for one in reasons)),
    }


def _fix(task: Mapping[str, Any]) -> dict[str, Any]:
    resident = (task.get("order") or {}).get("resident") or {}
    if resident.get("lat") is None or resident.get("lon") is None:
        return {}
    return {"fix": {"lat": resident["lat"], "lon": resident["lon"], "accuracy_m": 12, "source": "gnss"}}
