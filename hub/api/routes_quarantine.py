"""What was kept aside: looking at it, having it taken again, letting it go."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response
from pydantic import Field

from hub.api.answers import JsonAnswer, one
from hub.api.deps import HubDep, Reader
from hub.api.fields import Request, SaidText
from hub.api.routing import Filter, Limit, api_router
from hub.api.views import ListOf, View
from hub.api.writes import Write
from hub.ports import Json
from hub.ports.quarantine import QuarantinedRow
from hub.wording import Language, in_language

__all__ = ["DiscardReason", "Quarantined", "quarantined_json", "router"]

router = api_router("administration")

RowId = Annotated[int, Path(ge=1, le=2**62, description="Its number in quarantine")]
_SHOWN = 64 * 1024


class Quarantined(View):
    """An uplink kept aside. The payload is given as text where it is UTF-8, and always as base64."""

    id: int
    received_at: str
    lane: str
    device_id: str | None
    family: str | None
    topic: str | None
    why: Literal["failed", "unadopted", "revoked", "nameless"]
    reason: str
    size: int = Field(description="Bytes of the payload")
    payload_text: str | None
    payload_base64: str
    state: Literal["waiting", "replayed", "discarded"]
    settled_at: str | None
    settled_name: str | None
    outcome: str | None = Field(description="Of the replay; of a discarded one, why")
    tries: int = Field(description="Replays that did not come off")
    last_error: str | None


class DiscardReason(Request):
    """Why it may go."""

    reason: SaidText


def quarantined_json(row: QuarantinedRow, language: Language | None = None) -> Json:
    """A row as pages and programs read it."""
    shown = row.payload[:_SHOWN]
    try:
        text: str | None = shown.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    return {
        "id": row.id,
        "received_at": row.received_at.isoformat(),
        "lane": row.lane,
        "device_id": row.device_id,
        "family": row.family,
        "topic": row.topic,
        "why": row.why,
        "reason": in_language(row.reason, language),
        "size": len(row.payload),
        "payload_text": text,
        "payload_base64": base64.b64encode(shown).decode("ascii"),
        "state": row.state,
        "settled_at": row.settled_at.isoformat() if row.settled_at else None,
        "settled_name": row.settled_name,
        "outcome": row.outcome,
        "tries": row.tries,
        "last_error": in_language(row.last_error, language) if row.last_error else None,
    }


@router.get("/quarantine", response_model=ListOf[Quarantined], summary="Uplinks that were kept aside")
def list_quarantine(
    hub: HubDep,
    reader: Reader,
    state: Annotated[Literal["waiting", "replayed", "discarded", "all"], Query()] = "waiting",
    device: Filter = None,
    limit: Limit = 100,
    cursor: Annotated[int, Query(ge=0, le=2**62, description="`next` of the page before")] = 0,
) -> Response:
    """In the order of receipt."""
    wanted: Any = None if state == "all" else state
    rows = hub.services.quarantine.page(state=wanted, device_id=device, after=cursor, limit=limit + 1)
    shown = rows[:limit]
    following = str(shown[-1].id) if len(rows) > limit else None
    return JsonAnswer({"items": [quarantined_json(row, reader) for row in shown], "next": following})


@router.get("/quarantine/{quarantine_id}", response_model=Quarantined, summary="One uplink kept aside")
def show_quarantine(hub: HubDep, reader: Reader, quarantine_id: RowId) -> Response:
    return one(quarantined_json(hub.services.quarantine.show(quarantine_id), reader))


@router.post("/quarantine/{quarantine_id}/replay", response_model=Quarantined, summary="Have it taken again")
def replay_quarantine(hub: HubDep, write: Write, reader: Reader, quarantine_id: RowId) -> Response:
    """By the ordinary path, with the time it came. 409 where it is settled already or still cannot be taken."""
    return write.once(
        lambda: hub.services.quarantine.replay(quarantine_id, write.actor, write.caller.address),
        lambda row: quarantined_json(row, reader),
    )


@router.post("/quarantine/{quarantine_id}/discard", response_model=Quarantined, summary="Let it go")
def discard_quarantine(
    hub: HubDep, write: Write, reader: Reader, quarantine_id: RowId, body: DiscardReason
) -> Response:
    """It stays listed as discarded, with who did it and why."""
    return write.once(
        lambda: hub.services.quarantine.discard(quarantine_id, body.reason, write.actor, write.caller.address),
        lambda row: quarantined_json(row, reader),
    )
