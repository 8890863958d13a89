"""Silences, maintenance and test windows: never without a scope, a reason, an end and a name."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import Field

from hub.api.answers import JsonAnswer, one
from hub.api.deps import HubDep
from hub.api.fields import Request, SaidText, Time, Word
from hub.api.routing import Cursor, Limit, Uid, api_router
from hub.api.views import ListOf, View
from hub.api.writes import Write

__all__ = ["SilenceEnd", "SilenceNew", "router"]

router = api_router("silences")


class SilenceNew(Request):
    """A device, an area, a type, or several of them together: what is given must all fit. Times need an offset."""

    kind: Literal["silence", "maintenance", "test"] = "silence"
    device_id: Word | None = None
    area_id: Word | None = Field(default=None, description="The area and all below it")
    type: Word | None = Field(default=None, description="An alarm type; health and whereabouts only by their name")
    starts_at: Time | None = Field(default=None, description="Now where absent or past")
    ends_at: Time
    reason: SaidText


class SilenceEnd(Request):
    """Why it ends before its time."""

    reason: SaidText


class Silence(View):
    id: str
    kind: Literal["silence", "maintenance", "test"]
    type: str | None
    starts_at: str
    ends_at: str = Field(description="Moved to the moment where somebody ended it early")
    planned_end: str
    reason: str
    set_by: str
    set_at: str
    ended_by: str | None
    end_reason: str | None
    settled_at: str | None = Field(description="What stood at its end was raised then")
    state: Literal["coming", "in_force", "over"]


class SilenceRow(Silence):
    device: dict[str, Any] | None
    area: dict[str, Any] | None
    silenced: int = Field(description="Alarms held back so far")
    raised: int = Field(description="Of these stood at its end, and were raised then")


class SilenceDetail(Silence):
    device_id: str | None
    area_id: str | None
    version: int
    held_back: list[dict[str, Any]] = Field(description="By device, resident and type: how often, first and last")


@router.get("/silences", response_model=ListOf[SilenceRow], summary="What is silenced, was, and will be")
def list_silences(
    hub: HubDep,
    state: Annotated[Literal["in_force", "coming", "over", "all"], Query()] = "in_force",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """The newest first."""
    items, following = hub.reads.windows_page(state, hub.clock(), limit, cursor)
    return JsonAnswer({"items": items, "next": following})


@router.post("/silences", response_model=SilenceDetail, status_code=201, summary="Set a silence or maintenance window")
def post_silence(hub: HubDep, write: Write, body: SilenceNew) -> Response:
    """No emergency is ever silenced, nor anything critical, nor what a person says. Alarms of the scope are written
    down, counted and answered to their device. What stands at the end is raised once. Over an area, or over a type
    everywhere, a supervisor sets it.
    """
    return write.once(
        lambda: hub.services.windows.set(body.model_dump(exclude_none=True), write.actor),
        hub.services.windows.view,
        status=201,
        headers=lambda view: {"Location": f"/api/v1/silences/{view['id']}"},
    )


@router.get("/silences/{window_id}", response_model=SilenceDetail, summary="One, with what it held back")
def show_silence(hub: HubDep, window_id: Uid) -> Response:
    return one(hub.services.windows.view(window_id))


@router.post("/silences/{window_id}/end", response_model=SilenceDetail, summary="End it before its time")
def end_silence(hub: HubDep, write: Write, window_id: Uid, body: SilenceEnd) -> Response:
    """409 where it is over already. What stands is raised within seconds."""

    def end() -> str:
        hub.services.windows.end(window_id, body.reason, write.actor, version=write.version)
        return window_id

    return write.once(end, hub.services.windows.view)
