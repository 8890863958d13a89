"""Webhooks: other people's systems that want to know what happened."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import Response
from pydantic import Field, StringConstraints

from hub.api.answers import JsonAnswer, one
from hub.api.deps import Hub, HubDep
from hub.api.fields import TEXT, Change, Name, Request
from hub.api.routing import Cursor, Limit, Uid, api_router
from hub.api.views import ListOf
from hub.api.views_notices import NoticeView, WebhookMade, WebhookView
from hub.api.writes import Write
from hub.errors import NotFoundError
from hub.ports import Json

__all__ = ["router"]

router = api_router("webhooks")

Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=500), TEXT]
Event = Literal[
    "incident.raised",
    "incident.updated",
    "incident.resolved",
    "incident.closed",
    "assignment.updated",
    "order.updated",
    "test",
]
Events = Annotated[list[Event], Field(min_length=1, max_length=20)]


class WebhookFields(Request):
    """Where to, and what."""

    name: Name
    url: Url
    events: Events


class WebhookChange(Change):
    name: Name | None = None
    url: Url | None = None
    events: Events | None = None


def _view(hub: Hub, webhook_id: str) -> Json:
    found = hub.reads.webhook_views(hub.clock(), webhook_id)
    if not found:
        raise NotFoundError(f"no webhook {webhook_id}")
    return found[0]


@router.get("/webhooks", response_model=ListOf[WebhookView], summary="Webhooks, newest first")
def list_webhooks(hub: HubDep) -> Response:
    return JsonAnswer({"items": hub.reads.webhook_views(hub.clock()), "next": None})


@router.post("/webhooks", response_model=WebhookMade, status_code=201, summary="Add a webhook")
def post_webhook(hub: HubDep, write: Write, body: WebhookFields) -> Response:
    """`secret` is shown in this answer only; it hears of what happens from now on."""
    told: list[str] = []

    def act() -> str:
        webhook_id, secret = hub.services.webhooks.create(body.name, body.url, body.events, write.actor)
        told.append(secret)
        return webhook_id

    answer = write.once(act, lambda webhook_id: {**_view(hub, webhook_id), "secret": None}, status=201)
    return _with_secret(answer, told, 201)


@router.get("/webhooks/{webhook_id}", response_model=WebhookView, summary="One webhook")
def show_webhook(hub: HubDep, webhook_id: Uid) -> Response:
    return one(_view(hub, webhook_id))


@router.patch("/webhooks/{webhook_id}", response_model=WebhookView, summary="Change a webhook")
def patch_webhook(hub: HubDep, write: Write, webhook_id: Uid, body: WebhookChange) -> Response:
    def act() -> None:
        write.expect(_view(hub, webhook_id))
        hub.services.webhooks.change(webhook_id, write.actor, name=body.name, url=body.url, events=body.events)

    return write.once(act, lambda _done: _view(hub, webhook_id))


@router.delete("/webhooks/{webhook_id}", status_code=204, summary="Revoke a webhook")
def delete_webhook(hub: HubDep, write: Write, webhook_id: Uid) -> Response:
    """Nothing is sent to it any more; its deliveries stay listed."""
    hub.services.webhooks.revoke(webhook_id, write.actor)
    return Response(status_code=204)


@router.post("/webhooks/{webhook_id}/rotate", response_model=WebhookMade, summary="Give it a new secret")
def post_rotate(hub: HubDep, write: Write, webhook_id: Uid) -> Response:
    """For a day both secrets sign. The new one is shown in this answer only."""
    told: list[str] = []

    def act() -> None:
        told.append(hub.services.webhooks.rotate(webhook_id, write.actor))

    answer = write.once(act, lambda _done: {**_view(hub, webhook_id), "secret": None})
    return _with_secret(answer, told, 200)


@router.post("/webhooks/{webhook_id}/test", response_model=NoticeView, status_code=201, summary="Send it an event test")
def post_webhook_test(hub: HubDep, write: Write, webhook_id: Uid) -> Response:
    return write.once(
        lambda: hub.services.webhooks.test(webhook_id, write.actor),
        lambda done: hub.reads.notice(done) or {},
        status=201,
    )


@router.get(
    "/webhooks/{webhook_id}/deliveries", response_model=ListOf[NoticeView], summary="What was sent to it, newest first"
)
def list_deliveries(hub: HubDep, webhook_id: Uid, limit: Limit = 100, cursor: Cursor = None) -> Response:
    _view(hub, webhook_id)
    items, following = hub.reads.notices(limit, cursor, party=f"webhook:{webhook_id}")
    return JsonAnswer({"items": items, "next": following})


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
    response_model=NoticeView,
    status_code=201,
    summary="Send it once more",
)
def post_redeliver(hub: HubDep, write: Write, webhook_id: Uid, delivery_id: Uid) -> Response:
    """Under the same event id where it never arrived; a new delivery where it did."""
    return write.once(
        lambda: hub.services.webhooks.redeliver(webhook_id, delivery_id, write.actor),
        lambda done: hub.reads.notice(done) or {},
        status=201,
    )


def _with_secret(answer: JsonAnswer, told: list[str], status: int) -> Response:
    """The first answer carries the secret; what is remembered for a repeat does not."""
    if not told:
        return answer
    body = {**_decoded(answer), "secret": told[0]}
    return JsonAnswer(body, status_code=status)


def _decoded(answer: JsonAnswer) -> Json:
    found: Json = msgspec.json.decode(answer.body)
    return found
