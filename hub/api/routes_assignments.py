"""Assignments: a responder's steps, by the responder or by an operator for one."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from hub.api.answers import one
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.routing import Uid, api_router
from hub.api.schemas import AllWell, StepAccept, StepComplete, StepDecline, StepOnScene
from hub.api.scope import may_see_assignment, provider_may_see
from hub.api.views import Assignment
from hub.api.writes import Write, Writing
from hub.errors import NotFoundError
from hub.ports import Json
from hub.service import StepName

__all__ = ["router", "step_details"]

router = api_router("assignments")


def _view(hub: Hub, who: Caller, assignment_id: str) -> Json:
    view = hub.reads.assignments_by_id([assignment_id]).get(assignment_id)
    if view is None or not may_see_assignment(who, view) or not provider_may_see(hub, who, view):
        raise NotFoundError(f"no assignment {assignment_id}")
    return view


def step_details(body: StepAccept | None) -> dict[str, Any]:
    """The step's own fields; a fix as the JSON object of the contract."""
    if body is None:
        return {}
    given = body.model_dump(exclude_none=True)
    if isinstance(body, StepComplete) and body.vitals is not None:
        given["vitals"] = body.vitals.model_dump(exclude_unset=True)
    if isinstance(given.get("fix"), dict) and "observed_at" in given["fix"]:
        given["fix"]["observed_at"] = given["fix"]["observed_at"].isoformat()
    return given


def _step(write: Writing, assignment_id: str, step: StepName, body: StepAccept | None) -> Response:
    def act() -> None:
        # Whose it is comes first: to others it does not exist.
        _view(write.hub, write.caller, assignment_id)
        write.hub.services.dispatching.step(
            assignment_id, step, write.actor, version=write.version, **step_details(body)
        )

    return write.once(act, lambda _done: _view(write.hub, write.caller, assignment_id))


@router.get("/assignments/{assignment_id}", response_model=Assignment, summary="One assignment")
def show_assignment(hub: HubDep, who: Who, assignment_id: Uid) -> Response:
    """Staff see their own."""
    return one(_view(hub, who, assignment_id))


@router.post("/assignments/{assignment_id}/accept", response_model=Assignment, summary="I go")
def accept(write: Write, assignment_id: Uid, body: StepAccept | None = None) -> Response:
    """`at`: when it happened on the phone; the hub keeps both times. A step done already is answered as done."""
    return _step(write, assignment_id, "accept", body)


@router.post("/assignments/{assignment_id}/decline", response_model=Assignment, summary="I cannot")
def decline(write: Write, assignment_id: Uid, body: StepDecline) -> Response:
    return _step(write, assignment_id, "decline", body)


@router.post("/assignments/{assignment_id}/en-route", response_model=Assignment, summary="I am on my way")
def en_route(write: Write, assignment_id: Uid, body: StepAccept | None = None) -> Response:
    return _step(write, assignment_id, "en-route", body)


@router.post("/assignments/{assignment_id}/on-scene", response_model=Assignment, summary="I am there")
def on_scene(write: Write, assignment_id: Uid, body: StepOnScene | None = None) -> Response:
    return _step(write, assignment_id, "on-scene", body)


@router.post("/assignments/{assignment_id}/all-well", response_model=Assignment, summary="All is well here")
def all_well(write: Write, assignment_id: Uid, body: AllWell | None = None) -> Response:
    """Whoever is on scene answers the hub (or an operator who asked): the welfare clock begins again, at `at`."""

    def act() -> None:
        _view(write.hub, write.caller, assignment_id)
        at = body.at if body else None
        write.hub.services.dispatching.all_well(assignment_id, write.actor, at=at, version=write.version)

    return write.once(act, lambda _done: _view(write.hub, write.caller, assignment_id))


@router.post("/assignments/{assignment_id}/complete", response_model=Assignment, summary="It is done")
def complete(write: Write, assignment_id: Uid, body: StepComplete) -> Response:
    return _step(write, assignment_id, "complete", body)
