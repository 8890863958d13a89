"""Home: what a resident allows, where they are, and what their family may be shown."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Response

from hub.api.answers import JsonAnswer
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.fields import Flag, Request, SaidText, Text
from hub.api.routing import Cursor, Filter, Limit, RecordId, api_router
from hub.api.scope import own_resident
from hub.api.views_home import ConsentOverview, Consents
from hub.api.views_services import Help
from hub.api.writes import Write
from hub.errors import ConflictError, NotFoundError
from hub.ports import Json, Purpose
from hub.ports.home import ConsentFilter

__all__ = ["for_family", "help_view", "router"]

router = api_router("home")

_HEALTH = ("conditions", "medications", "allergies", "ability_level", "notes")


class MyStatus(Request):
    """At home, or away for a while. Hospital and everything after it is the desk's to say."""

    status: Literal["home", "away"]
    reason: Text | None = None


class MyConsent(Request):
    purpose: Purpose
    granted: Flag


class ConsentNoted(MyConsent):
    """As the desk writes it down: who said it, and how."""

    note: SaidText


def for_family(hub: Hub, who: Caller, view: Json) -> Json:
    """A resident as the own family sees them: without what concerns health, unless the resident allows it."""
    if who.role != "family" or hub.services.homes.allowing([str(view["id"])], "health"):
        return view
    empty: Json = {name: [] if isinstance(view[name], list) else None for name in _HEALTH if name in view}
    return {**view, **empty, **({"warnings": []} if "warnings" in view else {})}


def help_view(hub: Hub, who: Caller) -> Json:
    """Everything the page of a family or resident shows."""
    place = hub.reads.cursor()
    resident_id = own_resident(hub, who)
    now = hub.clock()
    view = hub.reads.help_of(resident_id, now.astimezone(hub.zone))
    if view is None:
        raise NotFoundError(f"no resident {resident_id}")
    shown = hub.services.homes.shown(resident_id, all_of_it=who.role == "resident")
    return {
        **view,
        "resident": for_family(hub, who, view["resident"]),
        "today": [_told(order) for order in view["today"]],
        "shown": {name: shown[name] for name in ("heard_at", "values")},
        "consents": {"items": shown["consents"], "may_change": who.role == "resident"},
        "phone": hub.settings.site.phone,
        "server_time": now,
        "cursor": str(place),
    }


def _told(order: Json) -> Json:
    """A service as those at home see it: when somebody came and went; what a check looks like is for the reviewers."""
    visit = order["visit"]
    told = ("id", "kind", "at", "responder_id")
    checks = [{name: one[name] for name in told} for one in visit.get("checks") or ()]
    return {**order, "visit": {**visit, "checks": checks}}


def _consents(hub: Hub, resident_id: str, *, may_change: bool) -> Json:
    return {"items": hub.services.homes.consents(resident_id), "may_change": may_change}


@router.get("/my/consents", response_model=Consents, summary="What the resident allows")
def my_consents(hub: HubDep, who: Who) -> Response:
    return JsonAnswer(_consents(hub, own_resident(hub, who), may_change=who.role == "resident"))


@router.post("/my/consents", response_model=Consents, summary="Allow something, or take it back")
def post_my_consent(hub: HubDep, who: Who, write: Write, body: MyConsent) -> Response:
    """Only the resident's own account; from the moment it is taken back nothing more is shown. Audited."""
    resident_id = own_resident(hub, who)
    return write.once(
        lambda: hub.services.homes.decide(resident_id, body.purpose, body.granted, who.actor),
        lambda items: {"items": items, "may_change": True},
    )


@router.post("/my/status", response_model=Help, summary="I am away; I am back")
def post_my_status(hub: HubDep, who: Who, write: Write, body: MyStatus) -> Response:
    """Away: services to come are cancelled, whoever was to go is told; a press on a worn watch still calls for help."""
    resident_id = own_resident(hub, who)

    def act() -> None:
        now = hub.reads.record("residents", resident_id) or {}
        if now.get("status") not in ("home", "away"):
            raise ConflictError(
                f"the desk has it that the resident is {now.get('status')}; only the desk can change that",
                code="not-yours",
                status_of_resident=now.get("status"),
            )
        hub.services.care.set_resident_status(resident_id, body.status, body.reason, who.actor)

    return write.once(act, lambda _done: help_view(hub, who))


@router.get("/consents", response_model=ConsentOverview, summary="Who allows what")
def list_consents(
    hub: HubDep,
    purpose: Annotated[Purpose | None, Query()] = None,
    given: Annotated[bool | None, Query(description="Only those who allow it, or who do not")] = None,
    area: Filter = None,
    q: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Residents by id with what is in force; whoever moved away or died is left out."""
    where = ConsentFilter(purpose=purpose, given=given, area_id=area, q=q)
    rows, following, counts = hub.services.homes.overview(where, limit, cursor)
    return JsonAnswer({"items": rows, "next": following, "counts": counts})


@router.get("/residents/{resident_id}/consents", response_model=Consents, summary="What a resident allows")
def show_consents(hub: HubDep, resident_id: RecordId) -> Response:
    _known(hub, resident_id)
    return JsonAnswer(_consents(hub, resident_id, may_change=True))


@router.post("/residents/{resident_id}/consents", response_model=Consents, summary="Write a resident's consent down")
def post_consent(hub: HubDep, who: Who, write: Write, resident_id: RecordId, body: ConsentNoted) -> Response:
    """For residents without an account: on paper or by telephone; `note` says how. Audited."""
    return write.once(
        lambda: hub.services.homes.decide(resident_id, body.purpose, body.granted, who.actor, note=body.note),
        lambda items: {"items": items, "may_change": True},
    )


def _known(hub: Hub, resident_id: str) -> None:
    if hub.reads.record("residents", resident_id) is None:
        raise NotFoundError(f"no resident {resident_id}")
