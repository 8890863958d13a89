"""Photos of a visit: taken on the phone, kept with the assignment, seen by those who may see it."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import Response
from pydantic import StringConstraints

from hub.api.answers import JsonAnswer
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.fields import Request, Time
from hub.api.routing import Uid, api_router
from hub.api.scope import may_see_assignment, provider_may_see
from hub.api.views_home import Photos
from hub.api.writes import Write
from hub.errors import BadRequestError, ForbiddenError, NotFoundError
from hub.ports import Json
from hub.service import PHOTO_BYTES

__all__ = ["router"]

router = api_router("photos")


class PhotoNew(Request):
    """A JPEG in base64, 200 kB at most before the encoding; `at`: when it was taken."""

    content: Annotated[str, StringConstraints(min_length=8, max_length=PHOTO_BYTES * 4 // 3 + 8)]
    at: Time | None = None


def _assignment(hub: Hub, who: Caller, assignment_id: str) -> Json:
    view = hub.reads.assignments_by_id([assignment_id]).get(assignment_id)
    if view is None or not may_see_assignment(who, view) or not provider_may_see(hub, who, view):
        raise NotFoundError(f"no assignment {assignment_id}")
    return view


def _resident_of(hub: Hub, view: Json) -> str | None:
    """Whose home it is: a picture of it needs that resident's permission."""
    if view["incident_id"]:
        matter = hub.reads.incidents_by_id([view["incident_id"]]).get(view["incident_id"])
    else:
        matter = hub.reads.order_of_visit(view["visit_id"])
    resident = (matter or {}).get("resident")
    return str(resident["id"]) if resident else None


@router.get("/assignments/{assignment_id}/photos", response_model=Photos, summary="Photos of an assignment")
def list_photos(hub: HubDep, who: Who, assignment_id: Uid) -> Response:
    _assignment(hub, who, assignment_id)
    return JsonAnswer({"items": hub.services.homes.photos(assignment_id)})


@router.post("/assignments/{assignment_id}/photos", response_model=Photos, status_code=201, summary="Add a photo")
def post_photo(hub: HubDep, who: Who, write: Write, assignment_id: Uid, body: PhotoNew) -> Response:
    """By whoever goes or went. 409 `no-consent` where the resident has not agreed; the same picture again is one."""
    try:
        content = base64.b64decode(body.content, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequestError("content: must be base64", field="content") from None

    def act() -> None:
        view = _assignment(hub, who, assignment_id)
        if view["on_scene_at"] is None:
            raise ForbiddenError("photos are taken on scene; say first that you have arrived", code="not-on-scene")
        hub.services.homes.add_photo(assignment_id, _resident_of(hub, view), content, body.at, who.actor)

    return write.once(act, lambda _done: {"items": hub.services.homes.photos(assignment_id)}, status=201)


@router.get("/photos/{photo_id}", summary="One photo", response_class=Response)
def show_photo(hub: HubDep, who: Who, photo_id: Uid) -> Response:
    """A JPEG. Every look is in the audit."""
    assignment_id, content = hub.services.homes.photo(photo_id)
    _assignment(hub, who, assignment_id)
    hub.services.homes.saw_photo(photo_id, who.actor)
    return Response(
        content,
        media_type="image/jpeg",
        headers={"Cache-Control": "private, no-store", "Content-Disposition": 'inline; filename="photo.jpg"'},
    )
