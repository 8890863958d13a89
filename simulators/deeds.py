"""What people of a story do, one function a verb: each looks first, does only what is still to be done, and follows
where somebody else was quicker. To add a verb: a line in `acts.VERBS`, a function here, a line in `DEEDS`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from simulators.acts import Act
from simulators.seats import NotHereError, NotYetError, RefusedError
from simulators.service_deeds import claims, gate, meal, meals, replan, visit
from simulators.stage import Stage

__all__ = ["DEEDS", "Deed"]

Words = Mapping[str, Any]
"""What a deed found out, for the words in braces of a caption."""
Deed = Callable[[Stage, Act], Awaitable[Words]]

_ANSWERED_WITHIN_S: Final = 30.0
_NEXT: Final = {"offered": "accept", "accepted": "en-route", "en_route": "on-scene", "on_scene": "complete"}
_ORDER: Final = ("accept", "en-route", "on-scene", "complete")
_STATE_AFTER: Final = ("accepted", "en_route", "on_scene", "completed")
_LIVE: Final = ("open", "acknowledged", "in_progress")
_ASKED: Final = ("offered", "accepted", "en_route", "on_scene", "completed", "stood_down", "declined")


async def _say(_stage: Stage, _act: Act) -> Words:
    return {}


async def _beat(stage: Stage, act: Act) -> Words:
    """The beat happens, and the hub has taken it: what people do about it comes after it. Whoever is never answered
    (a device without a network, say) holds up nobody for long.
    """
    assert act.beat is not None
    if not stage.counted(act):
        stage.beat(act.beat)
        stage.count(act)
    if not stage.told(act.beat) and stage.waited_s(act) < _ANSWERED_WITHIN_S:
        raise NotYetError(f"{act.beat} is not answered yet")
    return {}


async def _claim(stage: Stage, act: Act) -> Words:
    incident = await stage.incident(act)
    if incident["acknowledged_by"] is not None or incident["state"] not in _LIVE:
        return {"by": (incident["acknowledged_by"] or {}).get("name", "")}
    await stage.turn(act)
    done = await stage.write(act, f"/incidents/{incident['id']}/acknowledge", {})
    assert act.who is not None
    stage.claimed[incident["id"]] = act.who
    return {"by": done["acknowledged_by"]["name"]}


async def _call(stage: Stage, act: Act) -> Words:
    """A call out: to the resident, or to the number (or contact) named by `to`."""
    incident = await stage.incident(act)
    resident_id = stage.resident_id(act)
    party, number = f"resident:{resident_id}", (incident["resident"] or {}).get("phone") or "resident"
    if act.to is not None:
        party, number = act.to, act.to
    calls = incident.get("calls") or []
    if any(one["direction"] == "out" and one["party"] == party and one["outcome"] == act.outcome for one in calls):
        return {}
    await stage.turn(act, incident)
    assert act.who is not None
    body: dict[str, Any] = {
        "direction": "out",
        "number": number,
        "party": party,
        "incident_id": incident["id"],
        "resident_id": resident_id,
        "outcome": act.outcome,
    }
    if act.note is not None:
        body["note"] = act.note
    await stage.seats.post(act.who, "/calls", body)
    return {}


async def _call_tier(stage: Stage, act: Act) -> Words:
    """Those of the plan's first tier are called, unless they have been."""
    incident = await stage.incident(act)
    asked = [one for one in incident["assignments"] if one["state"] in _ASKED]
    if not asked:
        await stage.turn(act, incident)
        incident = await stage.write(act, f"/incidents/{incident['id']}/escalate", {})
        asked = [one for one in incident["assignments"] if one["state"] in _ASKED]
    if not asked:
        raise NotYetError("nobody has been asked yet")
    names = [one["responder"]["name"] for one in asked]
    return {"names": "、".join(names), "count": len(names)}


async def _assign(stage: Stage, act: Act) -> Words:
    incident = await stage.incident(act)
    assert act.to is not None
    wanted = [one for one in incident["assignments"] if one["responder"]["name"] == act.to]
    if any(one["state"] in ("offered", "accepted", "en_route", "on_scene", "completed") for one in wanted):
        return {}
    await stage.turn(act, incident)
    responder_id = wanted[0]["responder"]["id"] if wanted else await _responder(stage, act, incident["id"], act.to)
    body = {"responder_id": responder_id} | ({} if act.note is None else {"note": act.note})
    await stage.write(act, f"/incidents/{incident['id']}/assign", body)
    return {}


async def _responder(stage: Stage, act: Act, incident_id: str, name: str) -> str:
    assert act.who is not None
    items = (await stage.seats.get(act.who, f"/incidents/{incident_id}/candidates"))["items"]
    found = [one["responder"]["id"] for one in items if one["responder"]["name"] == name]
    if not found:
        raise NotYetError(f"{name} is no candidate")
    return str(found[0])


async def _note(stage: Stage, act: Act) -> Words:
    incident = await stage.incident(act)
    await stage.turn(act, incident)
    await stage.write(act, f"/incidents/{incident['id']}/note", {"text": act.note})
    return {}


async def _close(stage: Stage, act: Act) -> Words:
    incident = await stage.incident(act)
    if incident["state"] in _LIVE:
        await stage.turn(act, incident)
        if incident["acknowledged_by"] is None:
            await stage.write(act, f"/incidents/{incident['id']}/acknowledge", {})
        body = {"disposition": act.disposition, "summary": act.note}
        await stage.write(act, f"/incidents/{incident['id']}/close", body)
    stage.claimed.pop(incident["id"], None)
    return {}


async def _status(stage: Stage, act: Act) -> Words:
    """Where the resident is from now on; gives how many services of the day are cancelled thereby."""
    assert act.who is not None
    resident_id = stage.resident_id(act)
    current = await stage.seats.get(act.who, f"/residents/{resident_id}")
    if current["status"] != act.status:
        await stage.turn(act)
        body = {"status": act.status} | ({} if act.note is None else {"reason": act.note})
        await stage.write(act, f"/residents/{resident_id}/status", body)
    orders = (await stage.seats.get(act.who, "/orders", resident=resident_id, state="cancelled"))["items"]
    return {"cancelled": len(orders)}


async def _pick_up(stage: Stage, act: Act) -> Words:
    """Somebody's telephone rings, the person picks up and listens; a link in a short message does as well, later."""
    if stage.phones is None:
        raise NotHereError("there are no telephones here")
    assert act.to is not None
    ring = stage.phones.rings(act.to)
    if ring is not None:
        await stage.phones.pick_up(ring)
    elif act.to not in stage.phones.links:
        raise NotYetError(f"{act.to}'s telephone does not ring")
    return {}


async def _press_key(stage: Stage, act: Act) -> Words:
    """Somebody on the telephone presses a key; where it rang too long, the button behind the link."""
    if stage.phones is None:
        raise NotHereError("there are no telephones here")
    assert act.to is not None
    ring = stage.phones.rings(act.to)
    if ring is not None:
        return {"result": await stage.phones.press(ring, act.press or "1")}
    action = "accept" if act.press == "1" else "decline"
    if await stage.phones.follow_link(act.to, action):
        return {"result": action}
    raise NotYetError(f"{act.to}'s telephone does not ring")


async def _step(stage: Stage, act: Act) -> Words:
    """The person's own next steps on the phone, up to and including the one wanted."""
    assert act.who is not None
    assert act.step is not None
    resident_id = stage.resident_id(act)
    items = (await stage.seats.get(act.who, "/my/tasks"))["items"]
    mine = [
        item
        for item in items
        if item.get("incident") and (item["incident"].get("resident") or {}).get("id") == resident_id
    ]
    if not mine:
        if stage.found.get(resident_id) is not None and act.step == "complete":
            return {}
        raise NotYetError(f"{act.who} has no task for {act.resident}")
    task = mine[0]
    following = task["next"]
    while following is not None and _ORDER.index(following) <= _ORDER.index(act.step):
        body: dict[str, Any] = {}
        if following == act.step and act.note is not None:
            body["note"] = act.note
        if following == "complete":
            body["outcome"] = act.outcome or "done"
        if following == "on-scene" and (fix := _fix_of(task)) is not None:
            body["fix"] = fix
        done = await stage.write(act, f"/assignments/{task['assignment']['id']}/{following}", body)
        following = _NEXT.get(done["state"])
    return {}


def _fix_of(task: Mapping[str, Any]) -> dict[str, Any] | None:
    resident = task["incident"].get("resident") or {}
    if resident.get("lat") is None or resident.get("lon") is None:
        return None
    return {"lat": resident["lat"], "lon": resident["lon"], "accuracy_m": 12, "source": "gnss"}


async def _sees_coming(stage: Stage, act: Act) -> Words:
    """The family's page says who is coming, and in how many minutes."""
    assert act.who is not None
    found = await stage.seats.get(act.who, "/my/help")
    coming = [one for one in found["coming"] if one["state"] != "completed"]
    if not coming:
        raise NotYetError(f"{act.who}'s page names nobody yet")
    eta_s = coming[0].get("eta_s")
    return {"name": coming[0]["name"], "minutes": 1 if eta_s is None else max(1, round(eta_s / 60))}


async def _silent_together(stage: Stage, act: Act) -> Words:
    """Many silent devices stand in the technical list as one line: all of them, and no line beside it."""
    assert act.who is not None
    found = await stage.seats.get(act.who, "/incidents", state="live", limit=200, **{"class": "technical"})
    together = [
        one for one in found["items"] if one["type"] == "offline" and one["device"] is None and one["resident"] is None
    ]
    if len(together) != 1:
        raise NotYetError(f"{len(together)} silences of many are known")
    devices = (await stage.seats.get(act.who, "/devices", silent="true", limit=500))["items"]
    keys = {reason["values"].get("key") for reason in together[0]["reasons"]}
    behind = sum(one["upstream"] in keys for one in devices)
    if behind < act.count:
        raise NotYetError(f"{behind} of {act.count} are known to be silent")
    return {"lines": len(together)}


async def _may_not_supervise(stage: Stage, act: Act) -> Words:
    """Whoever resolved a matter tries to confirm it, and is refused."""
    incident = await stage.incident(act)
    if incident["state"] in _LIVE:
        raise NotYetError("it is not resolved yet")
    if incident["supervision"] == "done":
        return {"why": ""}
    try:
        await stage.write(act, f"/incidents/{incident['id']}/supervise", {"verdict": "confirmed"})
    except RefusedError as error:
        if error.status != 403:
            raise
        return {"why": str(error)}
    raise NotHereError("the hub let somebody supervise the own matter")


async def _supervise(stage: Stage, act: Act) -> Words:
    incident = await stage.incident(act)
    if incident["supervision"] == "required" and incident["state"] == "resolved":
        body = {"verdict": "confirmed"} | ({} if act.note is None else {"note": act.note})
        await stage.write(act, f"/incidents/{incident['id']}/supervise", body)
    elif incident["state"] in _LIVE:
        raise NotYetError("it is not resolved yet")
    assert act.who is not None
    timeline = (await stage.seats.get(act.who, f"/incidents/{incident['id']}/timeline", limit=500))["items"]
    return {"entries": len(timeline)}


DEEDS: Final[Mapping[str, Deed]] = {
    "say": _say,
    "beat": _beat,
    "claim": _claim,
    "call": _call,
    "call_tier": _call_tier,
    "assign": _assign,
    "note": _note,
    "close": _close,
    "status": _status,
    "pick_up": _pick_up,
    "press_key": _press_key,
    "step": _step,
    "sees_coming": _sees_coming,
    "silent_together": _silent_together,
    "may_not_supervise": _may_not_supervise,
    "supervise": _supervise,
    "meals": meals,
    "meal": meal,
    "visit": visit,
    "gate": gate,
    "replan": replan,
    "claims": claims,
}
