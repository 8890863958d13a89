"""Where makers' clouds push to: `/intake/{family}`. Proved by what the maker can do, committed, then answered.

See docs/wire/intake.md. A signed-in account is of no use here, and an integration's secret of none anywhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import Path, Request, Response
from starlette.concurrency import run_in_threadpool

from devices import Reply
from hub.api.answers import JsonAnswer
from hub.api.deps import Hub, HubDep, address_of
from hub.api.problems import problem, reader_of
from hub.api.routing import api_router
from hub.service import Pushes
from hub.service.pushes import RefusedError, Taken
from hub.service.signatures import Push

__all__ = ["MAX_PUSH", "router"]

MAX_PUSH = 256 * 1024
"""Bytes of one push. What makers gather is some dozens of messages; a picture belongs elsewhere."""

router = api_router("intake")

FamilyName = Annotated[str, Path(max_length=40, description="A device family, such as `onenet`")]


async def _push(request: Request, hub: Hub, family: str) -> Push | Response:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_PUSH:
            detail = f"a push may have {MAX_PUSH} bytes: send fewer messages at once"
            return problem(
                413, detail, language=reader_of(request), instance=request.url.path, headers={"Connection": "close"}
            )
    return Push(
        method=request.method,
        family=family,
        query={name: value[:2000] for name, value in request.query_params.items()},
        headers={name.lower(): value[:2000] for name, value in request.headers.items()},
        body=bytes(body),
        received_at=hub.clock(),
        raw_query=request.url.query,
        address=address_of(request),
    )


def _identified(hub: Hub, pushes: Pushes, push: Push) -> Any:
    try:
        trusted = pushes.identify(push)
    except RefusedError:
        hub.gate.failed(push.address)
        raise
    hub.gate.admit(trusted.integration.name, trusted.integration.rate_per_s)
    return trusted


@router.get("/intake/{family}", summary="A maker's cloud checks this address")
async def get_intake(request: Request, hub: HubDep, family: FamilyName) -> Response:
    """OneNET sends `msg`, `nonce` and `signature` and wants `msg` back."""
    push = await _push(request, hub, family)
    if isinstance(push, Response):
        return push

    def answer() -> bytes:
        pushes = hub.services.pushes
        return pushes.handshake(_identified(hub, pushes, push))

    return Response(await run_in_threadpool(answer), media_type="text/plain; charset=utf-8")


@router.post("/intake/{family}", summary="A maker's cloud pushes")
async def post_intake(request: Request, hub: HubDep, family: FamilyName) -> Response:
    """The body is the maker's own. Success means committed; anything else means: send it again."""
    push = await _push(request, hub, family)
    if isinstance(push, Response):
        return push

    def answer() -> Response:
        pushes = hub.services.pushes
        trusted = _identified(hub, pushes, push)
        return _answer(family, pushes.take(trusted))

    return await run_in_threadpool(answer)


def _answer(family: str, taken: Taken) -> Response:
    """As the maker wants it. A word of the codec without a topic is the whole answer (`Success`)."""
    words = [reply.payload for reply in taken.replies if not reply.topic]
    if family == "watch":
        return Response(b"".join(dict.fromkeys(words)) or b"Success", media_type="text/plain; charset=utf-8")
    if family == "owntracks":
        return JsonAnswer([])  # the app takes an array of what friends published; there is nothing to tell it
    body: dict[str, Any] = {"code": 0, "message": "success", "taken": len(taken.outcomes), "repeated": taken.repeated}
    if family == "care":
        body["replies"] = _told(taken.replies)
    return JsonAnswer(body)


def _told(replies: Sequence[Reply]) -> list[dict[str, Any]]:
    """What the devices must hear, for a bridge to hand on: `{"topic", "payload"}` each."""
    return [{"topic": reply.topic, "payload": msgspec.json.decode(reply.payload)} for reply in replies if reply.topic]
