"""Reports from patrol: a grid officer tells of a matter, with kind, place and photo; the desk sees the photo."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from fastapi import Response
from pydantic import StringConstraints

from hub.api.deps import HubDep, Who
from hub.api.fields import Request, Text, Time, Word
from hub.api.routes_alarms import raised_view
from hub.api.routing import Uid, api_router
from hub.api.schemas import Fix
from hub.api.scope import person_of
from hub.api.views import AlarmRaised
from hub.api.writes import Write
from hub.errors import BadRequestError, ConflictError
from hub.service import PHOTO_BYTES

__all__ = ["router"]

router = api_router("my")


class PatrolReport(Request):
    """What was seen. `area_id` absent: the first area I serve. `photo`: a JPEG in base64, 200 kB at most before it."""

    kind: Literal["help", "lost", "fire_risk", "water", "way", "equipment", "other"]
    area_id: Word | None = None
    note: Text | None = None
    fix: Fix | None = None
    photo: Annotated[str, StringConstraints(min_length=8, max_length=PHOTO_BYTES * 4 // 3 + 8)] | None = None
    at: Time | None = None


@router.post("/my/matters", response_model=AlarmRaised, status_code=201, summary="I saw something on patrol")
def report_matter(hub: HubDep, who: Who, write: Write, body: PatrolReport) -> Response:
    """Becomes a matter with its deadline. `other` needs a note. 409 without an area."""
    if body.kind == "other" and not (body.note or "").strip():
        raise BadRequestError("note: say in a few words what it is", field="note")
    try:
        photo = base64.b64decode(body.photo, validate=True) if body.photo else None
    except (binascii.Error, ValueError):
        raise BadRequestError("photo: must be base64", field="photo") from None

    def act() -> tuple[str, str | None]:
        me = hub.reads.record("responders", person_of(who)) or {}
        areas = list(me.get("area_ids") or [])
        area_id = body.area_id or (areas[0] if areas else None)
        if area_id is None:
            raise ConflictError("no area is known for you: say where it is", code="no-area")
        fields = {"kind": body.kind, "area_id": area_id, "note": body.note, "at": body.at, "phone": me.get("phone")}
        if body.fix is not None:
            fix = body.fix.model_dump(exclude_none=True)
            if "observed_at" in fix:
                fix["observed_at"] = fix["observed_at"].isoformat()
            fields["fix"] = fix
        return hub.services.patrols.report(fields, photo, who.actor)

    return write.once(act, lambda done: raised_view(hub, done[0], done[1]), status=201)


@router.get(
    "/incidents/{incident_id}/photos/{photo_id}", summary="A photo of a reported matter", response_class=Response
)
def show_matter_photo(hub: HubDep, who: Who, incident_id: Uid, photo_id: Uid) -> Response:
    """A JPEG. Every look is in the audit."""
    return Response(
        hub.services.patrols.photo(incident_id, photo_id, who.actor),
        media_type="image/jpeg",
        headers={"Cache-Control": "private, no-store", "Content-Disposition": 'inline; filename="photo.jpg"'},
    )
