"""Notices and their tries, the channels, and what is said: for the page 通知."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Response
from pydantic import StringConstraints

from hub.api.answers import JsonAnswer, one
from hub.api.deps import Hub, HubDep
from hub.api.fields import TEXT, Request
from hub.api.routing import Cursor, Filter, Limit, Uid, api_router
from hub.api.views import ListOf
from hub.api.views_notices import ChannelTried, NoticeDetail, NoticeView, NotifyOverview
from hub.api.writes import Write
from hub.errors import BadRequestError, NotFoundError
from hub.notices import CHANNELS, TEMPLATES, Notice, Template
from hub.notices.rendering import render, segments
from hub.ports import Json
from hub.service import notify

__all__ = ["router"]

router = api_router("notices")

_STATES = ("waiting", "sent", "failed", "expired", "withdrawn")


class ChannelTest(Request):
    """`to`: a telephone number, a chat group's name or a mail address."""

    channel: Literal["voice", "sms", "chat", "mail"]
    to: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), TEXT]


@router.get("/notices", response_model=ListOf[NoticeView], summary="Notices, newest first")
def list_notices(
    hub: HubDep,
    incident: Filter = None,
    state: Filter = None,
    channel: Filter = None,
    lane: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Deliveries of webhooks only with `channel=webhook`."""
    if state is not None and state not in _STATES:
        raise BadRequestError(f"state: one of {', '.join(_STATES)}", field="state")
    where = {"incident": incident, "state": state, "channel": channel, "lane": lane}
    items, following = hub.reads.notices(limit, cursor, **where)
    return JsonAnswer({"items": items, "next": following})


@router.get("/notices/{notice_id}", response_model=NoticeDetail, summary="One notice with its tries")
def show_notice(hub: HubDep, notice_id: Uid) -> Response:
    found = hub.reads.notice(notice_id)
    if found is None:
        raise NotFoundError(f"no notice {notice_id}")
    return one(found)


@router.get("/notify", response_model=NotifyOverview, summary="Channels, how they do, and what is said")
def show_overview(hub: HubDep) -> Response:
    given = hub.settings.notify
    quiet = given.quiet_from != given.quiet_to
    outlets = hub.services.sending.outlets
    return JsonAnswer(
        {
            "channels": [
                {
                    "channel": channel,
                    "provider": outlets[channel].provider if channel in outlets else None,
                    "groups": sorted(hub.settings.chat.groups) if channel == "chat" else [],
                }
                for channel in CHANNELS
            ],
            "counts": hub.reads.notice_counts(hub.clock()),
            "templates": [_template(hub, row) for row in TEMPLATES.values() if row.name != "event"],
            "quiet_from": given.quiet_from.strftime("%H:%M") if quiet else None,
            "quiet_to": given.quiet_to.strftime("%H:%M") if quiet else None,
            "links": given.public_url is not None,
            "key_presses": bool(given.public_url and hub.settings.voice.callback_secret.get_secret_value()),
        }
    )


def _template(hub: Hub, row: Template) -> Json:
    bare = dict.fromkeys((*row.required, *row.optional), "…")
    return {
        "name": row.name,
        "required": list(row.required),
        "optional": list(row.optional),
        "asks": row.asks,
        "zh": {"title": row.zh.title, "short": row.zh.short, "spoken": row.zh.spoken, "full": row.zh.full},
        "en": {"title": row.en.title, "short": row.en.short, "spoken": row.en.spoken, "full": row.en.full},
        "segments": {
            "zh": segments(render(row, bare, "zh", site=hub.settings.site.name).short),
            "en": segments(render(row, bare, "en", site=hub.settings.site.name).short),
        },
        "registered": hub.settings.sms.provider == "generic" or row.name in hub.settings.sms.templates,
    }


@router.post("/notify/test", response_model=ChannelTried, status_code=201, summary="Send a test by a channel")
def post_test(hub: HubDep, write: Write, body: ChannelTest) -> Response:
    """It takes the ordinary way, on the alarm lane; its notice says what became of it."""
    kind = {"voice": "number", "sms": "number", "chat": "group", "mail": "mail"}[body.channel]
    now = hub.clock()

    def act() -> str:
        with hub.database.begin() as tx:
            asked = Notice(None, f"{kind}:{body.to}", body.channel, "test", lane="alarm", until="sent")
            tx.audit.add(write.actor, "notify.test", f"channel:{body.channel}", {}, now)
            return notify(tx, asked, now=now).id

    return write.once(act, lambda notice_id: {"id": notice_id}, status=201)
