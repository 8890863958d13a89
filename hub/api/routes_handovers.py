"""The end of a shift, in two signatures."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from pydantic import Field

from hub.api.answers import JsonAnswer, one
from hub.api.deps import Hub, HubDep, Who
from hub.api.fields import Request, Text, Time, Uuid
from hub.api.routing import Cursor, Limit, Uid, api_router
from hub.api.views import ListOf
from hub.api.views_desk import Handover
from hub.api.writes import Write
from hub.errors import NotFoundError
from hub.ports import Json

__all__ = ["router"]

router = api_router("handovers")


class HandoverNew(Request):
    """When the shift began; twelve hours ago where not given."""

    shift_from: Time | None = None


class HandoverSign(Request):
    """What the next one must know beside the list."""

    remarks: Text | None = None


class HandoverAccept(Request):
    """The open items the incoming person has gone through, by incident id."""

    ticked: Annotated[list[Uuid], Field(max_length=5000)]


def _view(hub: Hub, handover_id: str) -> Json:
    view = hub.reads.handover_view(handover_id)
    if view is None:
        raise NotFoundError(f"no hand-over {handover_id}")
    return view


@router.get("/handovers", response_model=ListOf[Handover], summary="Hand-overs, newest first")
def list_handovers(hub: HubDep, limit: Limit = 100, cursor: Cursor = None) -> Response:
    items, following = hub.reads.handover_list(limit, cursor)
    return JsonAnswer({"items": items, "next": following})


@router.post("/handovers", response_model=Handover, status_code=201, summary="Draw up one's own hand-over")
def post_handover(hub: HubDep, who: Who, write: Write, body: HandoverNew) -> Response:
    """Gives the one under way where there is one."""
    return write.once(
        lambda: hub.services.handovers.begin(who.actor, body.shift_from),
        lambda row_id: _fresh(hub, row_id),
        status=201,
        headers=lambda view: {"Location": f"/api/v1/handovers/{view['id']}"},
    )


@router.get("/handovers/{handover_id}", response_model=Handover, summary="One hand-over")
def show_handover(hub: HubDep, handover_id: Uid) -> Response:
    """A draft shows the desk as it is now; a signed one as it was at the signature."""
    return one(_fresh(hub, handover_id))


def _fresh(hub: Hub, handover_id: str) -> Json:
    view = _view(hub, handover_id)
    if view["state"] != "draft":
        return view
    row_from = hub.services.handovers.shift_from(handover_id)
    return {**view, "body": hub.services.handovers.body(row_from)}


@router.post("/handovers/{handover_id}/sign", response_model=Handover, summary="First signature")
def post_sign(hub: HubDep, who: Who, write: Write, handover_id: Uid, body: HandoverSign) -> Response:
    """By the outgoing person; the desk is written down as it is now."""
    return write.once(
        lambda: hub.services.handovers.sign(handover_id, who.actor, body.remarks, version=write.version),
        lambda _done: _view(hub, handover_id),
    )


@router.post("/handovers/{handover_id}/accept", response_model=Handover, summary="Second signature")
def post_accept(hub: HubDep, who: Who, write: Write, handover_id: Uid, body: HandoverAccept) -> Response:
    """By another person, who has gone through every open item; what the outgoing one holds becomes theirs."""
    ticked = {ident.lower() for ident in body.ticked}
    return write.once(
        lambda: hub.services.handovers.accept(handover_id, who.actor, ticked, version=write.version),
        lambda _done: _view(hub, handover_id),
    )


@router.post("/handovers/{handover_id}/cancel", response_model=Handover, summary="Take it back")
def post_cancel(hub: HubDep, who: Who, write: Write, handover_id: Uid) -> Response:
    """By whoever made it, before the second signature."""
    return write.once(
        lambda: hub.services.handovers.cancel(handover_id, who.actor, version=write.version),
        lambda _done: _view(hub, handover_id),
    )
