"""Alarms: every press as it came, and those that people raise."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import Field

from hub.alarms import ALARM_TYPES
from hub.api.answers import JsonAnswer, page_body
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.fields import Time, Word
from hub.api.routes_incidents import States, expand_states
from hub.api.routing import Cursor, Filter, Limit, api_router
from hub.api.schemas import AlarmFromPerson
from hub.api.scope import own_resident
from hub.api.unrecorded import said_plainly
from hub.api.views import Alarm, AlarmRaised, ListOf, View
from hub.api.writes import Write
from hub.errors import ForbiddenError, NotFoundError
from hub.ports import AlarmFilter, Json
from hub.service import PATROL_MATTERS

__all__ = ["raise_alarm", "raised_view", "router"]

router = api_router("alarms")
_DESK = ("operator", "coordinator", "supervisor", "admin")


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


class AlarmKind(View):
    """A type of alarm with the level it has by itself."""

    id: str
    alarm_class: str = Field(alias="class")
    priority: str
    zh: str
    en: str


class MatterKind(View):
    """A matter of the grid: as which type and level it comes to the desk."""

    id: str
    type: str
    priority: str
    zh: str
    en: str


class AlarmKinds(View):
    types: list[AlarmKind]
    matters: list[MatterKind]
    resolve_h: dict[str, float] = Field(description="By level: hours until a reported matter must be resolved")


@router.get("/alarms/kinds", response_model=AlarmKinds, summary="What can be told, and at which level")
def show_kinds(hub: HubDep) -> Response:
    """For the desk's form: types but `cancel`, the grid's matters, by when what is reported must be resolved."""
    types = [
        {"id": one.id, "class": one.alarm_class, "priority": one.priority, "zh": one.zh, "en": one.en}
        for one in ALARM_TYPES.values()
        if one.id != "cancel"
    ]
    matters = [
        {"id": word, "type": one.type, "priority": one.priority, "zh": one.zh, "en": one.en}
        for word, one in PATROL_MATTERS.items()
    ]
    times = hub.services.matters.times.resolve
    resolve_h = {level: span.total_seconds() / 3600 for level, span in times.items()}
    return JsonAnswer({"types": types, "matters": matters, "resolve_h": resolve_h})


def raise_alarm(hub: Hub, who: Caller, fields: dict[str, Any]) -> tuple[str, str | None]:
    """Raises what a person says, within what that person may see; gives alarm id and incident id."""
    if fields.get("priority") is not None and who.role not in _DESK:
        raise ForbiddenError("only the desk chooses the level", field="priority")
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
