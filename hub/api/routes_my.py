"""One's own: what a responder has to do; help for a resident and the family."""

from __future__ import annotations

from fastapi import Response

from hub.api.answers import JsonAnswer
from hub.api.deps import HubDep, Who
from hub.api.routes_alarms import raise_alarm, raised_view
from hub.api.routing import api_router
from hub.api.schemas import HelpWanted
from hub.api.scope import own_resident, person_of
from hub.api.views import AlarmRaised, Help, Tasks
from hub.api.writes import Write
from hub.errors import NotFoundError

__all__ = ["router"]

router = api_router("my")


@router.get("/my/tasks", response_model=Tasks, summary="What I have to do")
def my_tasks(hub: HubDep, who: Who) -> Response:
    """Critical first; `next` is the step the big button does. `cursor` opens a stream that misses nothing."""
    place = hub.reads.cursor()
    items = hub.reads.tasks_of(person_of(who))
    return JsonAnswer({"items": items, "server_time": hub.clock(), "cursor": str(place)})


@router.get("/my/help", response_model=Help, summary="Help, who is coming, today's services")
def my_help(hub: HubDep, who: Who) -> Response:
    place = hub.reads.cursor()
    resident_id = own_resident(hub, who)
    view = hub.reads.help_of(resident_id, hub.clock())
    if view is None:
        raise NotFoundError(f"no resident {resident_id}")
    return JsonAnswer({**view, "server_time": hub.clock(), "cursor": str(place)})


@router.post("/my/help", response_model=AlarmRaised, status_code=201, summary="Call for help")
def call_for_help(hub: HubDep, who: Who, write: Write, body: HelpWanted | None = None) -> Response:
    """Raises `sos` from the app for one's own resident."""
    fields = {"type": "sos", "channel": "app"}
    if body and body.note:
        fields["note"] = body.note
    return write.once(
        lambda: raise_alarm(hub, who, dict(fields)), lambda done: raised_view(hub, done[0], done[1]), status=201
    )
