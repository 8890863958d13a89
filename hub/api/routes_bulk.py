"""Many incidents at once: only the lowest level, only with a reason."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from pydantic import Field

from hub.api.deps import Hub, Reader
from hub.api.fields import Request, SaidText, Uuid
from hub.api.routing import api_router
from hub.api.views import Incident, Named, View
from hub.api.writes import Write
from hub.ports import Json
from hub.service import Together
from hub.wording import Language, worded

__all__ = ["router"]

router = api_router("incidents")


class Several(Request):
    """Which incidents, and why so many at once."""

    ids: Annotated[list[Uuid], Field(min_length=1, max_length=200)]
    reason: SaidText


class Refusal(View):
    id: str
    code: str
    detail: str
    by: Named | None = None
    at: str | None = None


class BulkAnswer(View):
    """What became of each."""

    done: list[Incident]
    refused: list[Refusal]


def _view(hub: Hub, done: Together, language: Language | None) -> Json:
    found = hub.reads.incidents_by_id(done.done)
    refused = [worded(one, language, "detail") for one in done.refused]
    return {"done": [found[one] for one in done.done if one in found], "refused": refused}


@router.post("/incidents/bulk-acknowledge", response_model=BulkAnswer, summary="Claim many of the lowest level")
def acknowledge_many(write: Write, reader: Reader, body: Several) -> Response:
    """Anything above `low` is refused (`bulk-refused`) and stays in the queue; the others are claimed all the same."""
    desk = write.hub.services.claiming_together
    return write.once(
        lambda: desk.acknowledge(body.ids, write.actor, body.reason), lambda done: _view(write.hub, done, reader)
    )


@router.post("/incidents/bulk-release", response_model=BulkAnswer, summary="Give many back to the queue")
def release_many(write: Write, reader: Reader, body: Several) -> Response:
    """Only what the caller holds: the way back from claiming many."""
    desk = write.hub.services.claiming_together
    return write.once(
        lambda: desk.release(body.ids, write.actor, body.reason), lambda done: _view(write.hub, done, reader)
    )
