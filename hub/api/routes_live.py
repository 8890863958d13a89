"""Live: counters, the stream of events, and the long poll for where streams do not pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from anyio import to_thread
from fastapi import Header, Query, Response
from sse_starlette import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from hub.api.answers import JsonAnswer
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.routing import api_router
from hub.api.scope import sees_event
from hub.api.views_live import Changes, Summary
from hub.clock import monotonic
from hub.errors import UnavailableError
from hub.feed import Subscription
from hub.ports import UserRow

__all__ = ["router"]

router = api_router("live")

BEAT_S = 5.0
RECHECK_S = 10.0
"""A stream whose session was ended closes within that time."""
_SEND_TIMEOUT_S = 20.0
Place = Annotated[str | None, Query(max_length=64, description="`epoch-seq`: everything after it")]


@router.get("/summary", response_model=Summary, summary="Counters: what an empty queue shows")
def show_summary(hub: HubDep, who: Who) -> Response:
    found = hub.reads.summary(who.user_id)
    if who.provider_id is not None:
        # Emergencies stay with the district's desk: nothing of them is counted for anybody else.
        none = {"unclaimed": dict.fromkeys(found["unclaimed"], 0), "devices": {"online": 0, "total": 0}}
        found |= {**none, "mine": 0, "last_alarm_at": None, "technical_open": 0}
    return JsonAnswer(found)


@router.get(
    "/stream",
    summary="Server-sent events",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "See docs/wire/http-v1.md"}},
)
async def open_stream(
    hub: HubDep,
    who: Who,
    cursor: Place = None,
    last_event_id: Annotated[str | None, Header(max_length=64)] = None,
) -> Response:
    """Resumes after `Last-Event-ID` (else `cursor`); `reset` where that is too old. `hb` every 5 s."""
    accepts = await run_in_threadpool(sees_event, hub, who)
    subscription = await hub.feed.subscribe(accepts, after=last_event_id or cursor)
    return EventSourceResponse(
        _events(hub, who, subscription),
        ping=0,
        send_timeout=_SEND_TIMEOUT_S,
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


async def _events(hub: Hub, who: Caller, subscription: Subscription) -> AsyncIterator[bytes]:
    """Frames until the page leaves, the session ends or the server stops."""
    beat_at = monotonic() + BEAT_S
    check_at = monotonic() + RECHECK_S
    checking: asyncio.Future[bool] | None = None
    try:
        # At once: the page knows that nothing on the way holds the stream back.
        yield b"retry: 1000\n\n" + hub.feed.heartbeat().frame
        while not subscription.ended:
            events = await subscription.batch(max(0.0, min(beat_at, check_at) - monotonic()))
            if events:
                yield b"".join(event.frame for event in events)
            now = monotonic()
            if now >= beat_at:
                beat_at = now + BEAT_S
                yield hub.feed.heartbeat().frame
            # Aside: the beat does not wait for a database that is silent.
            if checking is not None and checking.done():
                if not checking.result():
                    return
                checking = None
            if now >= check_at:
                check_at = now + RECHECK_S
                if checking is None:
                    checking = asyncio.ensure_future(to_thread.run_sync(_still_in, hub, who, abandon_on_cancel=True))
                    checking.add_done_callback(lambda _: subscription.nudge())
    finally:
        if checking is not None:
            checking.cancel()
        subscription.close()


def _still_in(hub: Hub, who: Caller) -> bool:
    """Whether the session goes on, with the same rights. While the database is away nobody is thrown out."""
    try:
        found = hub.sessions.find(who.token, extend=False)
    except UnavailableError:
        return True
    user = who.found.user
    return found is not None and _rights(found.user) == _rights(user)


def _rights(user: UserRow) -> tuple[str, str | None, str | None]:
    return user.role, user.person_id, user.provider_id


@router.get("/changes", response_model=Changes, summary="The long poll in place of a stream")
async def poll_changes(
    hub: HubDep,
    who: Who,
    since: Place = None,
    wait: Annotated[float, Query(ge=0, le=60, allow_inf_nan=False, description="Seconds to wait for news")] = 20.0,
) -> Response:
    """The same events; `reset: true` where `since` is missing or too old: fetch the snapshot again."""
    accepts = await run_in_threadpool(sees_event, hub, who)
    if not since:
        place = await run_in_threadpool(hub.reads.cursor)
        return JsonAnswer({"events": [], "reset": True, "cursor": str(place)})
    subscription = await hub.feed.subscribe(accepts, after=since, provisional=False)
    try:
        until = monotonic() + wait
        events = await subscription.batch(0)
        while not events and not subscription.ended and monotonic() < until:
            events = await subscription.batch(max(0.0, until - monotonic()))
    finally:
        subscription.close()
    if any(event.name == "reset" for event in events):
        place = await run_in_threadpool(hub.reads.cursor)
        return JsonAnswer({"events": [], "reset": True, "cursor": str(place)})
    told = [{"event": event.name, "id": event.ident, "data": msgspec.Raw(event.data)} for event in events]
    last = next((event.ident for event in reversed(events) if event.ident), since)
    return JsonAnswer({"events": told, "reset": False, "cursor": last})
