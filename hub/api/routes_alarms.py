"""Alarms: every press as it came, and those that people raise."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response

from hub.api.answers import JsonAnswer, page_body
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.fields import Time, Word
from hub.api.routes_incidents import States, expand_states
from hub.api.routing import Cursor, Filter, Limit, api_router
from hub.api.schemas import AlarmFromPerson
from hub.api.scope import own_resident
from hub.api.unrecorded import said_plainly
from hub.api.views import Alarm, AlarmRaised, ListOf
from hub.api.writes import Write
from hub.errors import ForbiddenError, NotFoundError
from hub.ports import AlarmFilter, Json

__all__ = ["raise_alarm", "raised_view", "router"]

router = api_router("alarms")


@router.get("/alarms", response_model=ListOf[Alarm], summary="Every press as it came")
def list_alarms(
    hub: HubDep,
    state: States = [],  # noqa: B006
    resident: Filter = None,
    area: Filter = None,
    type: Annotated[list[Word], Query(max_length=50)] = [],  # noqa: B006
    since: Annotated[Time | None, Query(description="Received at or after")] = None,
    q: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Newest first; `state` is that of the incident each belongs to."""
    where = AlarmFilter(
        states=expand_states(state), resident_id=resident, area_id=area, types=tuple(type), since=since, q=q
    )
    return JsonAnswer(page_body(hub.reads.alarms(where, limit, cursor)))


def raise_alarm(hub: Hub, who: Caller, fields: dict[str, Any]) -> tuple[str, str | None]:
    """Raises what a person says, within what that person may see; gives alarm id and incident id."""
    if who.role in ("family", "resident"):
        own = own_resident(hub, who)
        if fields.setdefault("resident_id", own) != own:
            raise ForbiddenError("an alarm for your own resident only")
        fields.pop("area_id", None)
    return hub.services.intake.raise_from_person(fields, who.actor)


def raised_view(hub: Hub, alarm_id: str, incident_id: str | None) -> Json:
    """The alarm and the incident it belongs to."""
    incident = hub.reads.incidents_by_id([incident_id]).get(incident_id) if incident_id else None
    alarm = hub.reads.record("alarms", alarm_id)
    if alarm is None:
        raise NotFoundError(f"no alarm {alarm_id}")
    return {"alarm": alarm, "incident": incident}


@router.post("/alarms", response_model=AlarmRaised, status_code=201, summary="Raise what a person says")
def post_alarm(hub: HubDep, who: Who, write: Write, body: AlarmFromPerson) -> Response:
    """By telephone, at the desk, from the app or an area's page; by the same rules as a device's press.

    503 with `not-recorded`: the database is away, nothing was kept, act by telephone. `unsure`: look when it is back.
    """
    fields = body.model_dump(exclude_none=True)
    if "fix" in fields and "observed_at" in fields["fix"]:
        fields["fix"]["observed_at"] = fields["fix"]["observed_at"].isoformat()
    with said_plainly():
        return write.once(
            lambda: raise_alarm(hub, who, fields), lambda done: raised_view(hub, done[0], done[1]), status=201
        )
