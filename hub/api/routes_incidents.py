"""Incidents: the queue, one matter with everything around it, and what is done about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import Query, Response

from hub.alarms.model import LIVE_STATES, AlarmClass, Priority
from hub.api.answers import JsonAnswer, one, page_body
from hub.api.deps import HubDep, Who
from hub.api.routing import Cursor, Filter, Limit, Uid, api_router
from hub.api.schemas import Assign, Close, Note, Nothing, OptionalReason, Reason, Shelve, Supervise, TransferTo
from hub.api.schemas_rota import Loop
from hub.api.scope import incident_view, may_see_incident, person_of
from hub.api.views import CandidateList, Incident, IncidentDetail, IncidentPage, ListOf, TimelineEntry
from hub.api.writes import Write, Writing
from hub.errors import NotFoundError
from hub.ports import IncidentFilter, Json
from hub.service import recommendation_json

__all__ = ["expand_states", "router"]

router = api_router("incidents")

StateWord = Literal["live", "open", "acknowledged", "in_progress", "resolved", "closed"]
States = Annotated[list[StateWord], Query(description="`live`: open, acknowledged or in progress. May be repeated")]


def expand_states(words: list[StateWord]) -> tuple[str, ...]:
    """`live` as the three states it means; in a stable order, each once."""
    found: dict[str, None] = {}
    for word in words:
        found.update(dict.fromkeys(sorted(LIVE_STATES) if word == "live" else [word]))
    return tuple(found)


@router.get("/incidents", response_model=IncidentPage, summary="The queue")
def list_incidents(
    hub: HubDep,
    who: Who,
    state: States = [],  # noqa: B006
    alarm_class: Annotated[list[AlarmClass], Query(alias="class")] = [],  # noqa: B006
    priority: Annotated[list[Priority], Query()] = [],  # noqa: B006
    area: Filter = None,
    assignee: Filter = None,
    resident: Filter = None,
    supervision: Annotated[Literal["none", "required", "done"] | None, Query()] = None,
    q: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Also carries `cursor`: a stream opened with it misses nothing. Staff see what they are assigned to."""
    # Before the list: what happens between the two is then told twice, not never.
    place = hub.reads.cursor()
    if who.provider_id is not None:
        # Emergencies stay with the district's desk; the page of a provider gets its cursor all the same.
        return JsonAnswer({"items": [], "next": None, "cursor": str(place)})
    if who.role == "staff":
        tasks = hub.reads.tasks_of(person_of(who))
        mine = [task["incident"] for task in tasks if task.get("incident")]
        wanted = set(expand_states(state))
        items = [row for row in mine if not wanted or row["state"] in wanted]
        return JsonAnswer({"items": items[:limit], "next": None, "cursor": str(place)})
    where = IncidentFilter(
        states=expand_states(state),
        classes=tuple(alarm_class),
        priorities=tuple(priority),
        area_id=area,
        assignee=assignee,
        resident_id=resident,
        supervision=supervision,
        q=q,
    )
    return JsonAnswer(page_body(hub.reads.incidents(where, limit, cursor), cursor=str(place)))


@router.get("/incidents/{incident_id}", response_model=IncidentDetail, summary="One incident")
def show_incident(hub: HubDep, who: Who, incident_id: Uid) -> Response:
    """With its alarms, contacts, plan, calls, and what one must know of the resident."""
    view = hub.reads.incident_detail(incident_id)
    if view is None or not may_see_incident(hub, who, view):
        raise NotFoundError(f"no incident {incident_id}")
    return one(view)


@router.get("/incidents/{incident_id}/timeline", response_model=ListOf[TimelineEntry], summary="Its timeline")
def show_timeline(hub: HubDep, who: Who, incident_id: Uid, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """Newest first. Nobody can change what is written here."""
    incident_view(hub, who, incident_id)
    return JsonAnswer(page_body(hub.reads.timeline("incident", incident_id, limit, cursor)))


@router.get("/incidents/{incident_id}/candidates", response_model=CandidateList, summary="Who could go")
def show_candidates(hub: HubDep, incident_id: Uid) -> Response:
    """Responders on duty with the reasons for and against, best first; those who cannot go come last."""
    return JsonAnswer(recommendation_json(hub.services.recommending.of_incident(incident_id)))


@router.get("/incidents/{incident_id}/loop", response_model=Loop, summary="Who has which part in it")
def show_loop(hub: HubDep, incident_id: Uid) -> Response:
    """Who reported, who patrols there, who is responsible, resolved and supervised; the deadline, the return visit."""
    return JsonAnswer(hub.services.matters.loop(incident_id))


def _answer(write: Writing, incident_id: str, act: Callable[[], object]) -> Response:
    def view(_done: object) -> Json:
        return incident_view(write.hub, write.caller, incident_id)

    return write.once(act, view)


@router.post("/incidents/{incident_id}/acknowledge", response_model=Incident, summary="Claim it")
def acknowledge(write: Write, incident_id: Uid, _body: Nothing | None = None) -> Response:
    """409 where somebody else was first; it says who and when."""
    handling = write.hub.services.handling
    return _answer(write, incident_id, lambda: handling.acknowledge(incident_id, write.actor, version=write.version))


@router.post("/incidents/{incident_id}/release", response_model=Incident, summary="Give it back to the queue")
def release(write: Write, incident_id: Uid, body: OptionalReason | None = None) -> Response:
    handling = write.hub.services.handling
    reason = body.reason if body else None
    return _answer(
        write, incident_id, lambda: handling.release(incident_id, write.actor, reason, version=write.version)
    )


@router.post("/incidents/{incident_id}/touch", response_model=Incident, summary="Renew the claim")
def touch(write: Write, incident_id: Uid, _body: Nothing | None = None) -> Response:
    """The holder is at it: a claim that nobody touches returns to the queue."""
    handling = write.hub.services.handling
    return _answer(write, incident_id, lambda: handling.touch(incident_id, write.actor))


@router.post("/incidents/{incident_id}/assign", response_model=Incident, summary="Send somebody")
def assign(write: Write, incident_id: Uid, body: Assign) -> Response:
    """Offers the incident to a responder. The operator decides; what speaks against it stands on the timeline."""
    dispatching = write.hub.services.dispatching
    return _answer(
        write,
        incident_id,
        lambda: dispatching.assign(incident_id, body.responder_id, write.actor, body.note, version=write.version),
    )


@router.post("/incidents/{incident_id}/transfer", response_model=Incident, summary="Hand it to another operator")
def transfer(write: Write, incident_id: Uid, body: TransferTo) -> Response:
    """By its holder, or by a supervisor who takes it over."""
    handling = write.hub.services.handling
    return _answer(
        write,
        incident_id,
        lambda: handling.transfer(incident_id, write.actor, body.user_id, body.reason, version=write.version),
    )


@router.post("/incidents/{incident_id}/escalate", response_model=Incident, summary="Call the next tier now")
def escalate(write: Write, incident_id: Uid, body: OptionalReason | None = None) -> Response:
    handling = write.hub.services.handling
    reason = body.reason if body else None
    return _answer(
        write, incident_id, lambda: handling.escalate(incident_id, write.actor, reason, version=write.version)
    )


@router.post("/incidents/{incident_id}/note", response_model=Incident, summary="A line on the timeline")
def note(write: Write, incident_id: Uid, body: Note) -> Response:
    handling = write.hub.services.handling
    return _answer(
        write, incident_id, lambda: handling.note(incident_id, write.actor, body.text, version=write.version)
    )


@router.post("/incidents/{incident_id}/shelve", response_model=Incident, summary="Out of the queue for a while")
def shelve(write: Write, incident_id: Uid, body: Shelve) -> Response:
    """Comes back by itself at `until` (or after `minutes`)."""
    handling = write.hub.services.handling
    until = body.until or write.hub.clock() + timedelta(minutes=body.minutes or 0)
    return _answer(
        write,
        incident_id,
        lambda: handling.shelve(incident_id, write.actor, until, body.reason, version=write.version),
    )


@router.post("/incidents/{incident_id}/unshelve", response_model=Incident, summary="Back from the shelf")
def unshelve(write: Write, incident_id: Uid, body: OptionalReason | None = None) -> Response:
    handling = write.hub.services.handling
    reason = body.reason if body else None
    return _answer(
        write, incident_id, lambda: handling.unshelve(incident_id, write.actor, reason, version=write.version)
    )


@router.post("/incidents/{incident_id}/close", response_model=Incident, summary="Resolve it")
def close(write: Write, incident_id: Uid, body: Close) -> Response:
    """Some dispositions, and a sample, wait for a supervisor afterwards: another person."""
    handling = write.hub.services.handling
    return _answer(
        write,
        incident_id,
        lambda: handling.close(incident_id, write.actor, body.disposition, body.summary, version=write.version),
    )


@router.post("/incidents/{incident_id}/reopen", response_model=Incident, summary="Back to the queue")
def reopen(write: Write, incident_id: Uid, body: Reason) -> Response:
    handling = write.hub.services.handling
    return _answer(
        write, incident_id, lambda: handling.reopen(incident_id, write.actor, body.reason, version=write.version)
    )


@router.post("/incidents/{incident_id}/supervise", response_model=Incident, summary="Confirm or return it")
def supervise(write: Write, incident_id: Uid, body: Supervise) -> Response:
    """Never by whoever resolved it."""
    handling = write.hub.services.handling
    return _answer(
        write,
        incident_id,
        lambda: handling.supervise(incident_id, write.actor, body.verdict, body.note, version=write.version),
    )
