"""Notices and their tries, the channels, and what is said: for the page 通知."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import Path, Response
from pydantic import StringConstraints

from hub.api.answers import JsonAnswer, one
from hub.api.deps import Hub, HubDep
from hub.api.fields import TEXT, Line, Request
from hub.api.routing import Cursor, Filter, Limit, Uid, api_router
from hub.api.views import ListOf
from hub.api.views_notices import (
    ChannelTried,
    NoticeDetail,
    NoticeView,
    NotifyOverview,
    TemplateDetail,
    TemplateTried,
)
from hub.api.writes import Write
from hub.errors import BadRequestError, NotFoundError
from hub.notices import CHANNELS, TEMPLATES, Language, Notice, Words
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


TemplateName = Annotated[str, Path(max_length=64, pattern=r"^[a-z_]+$")]
_Part = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000), TEXT]


class WordsReset(Request):
    language: Language
    note: Line | None = None


class WordsTried(Request):
    """Placeholders are written {name}; an empty `spoken` or `full` says the short text."""

    language: Language
    title: _Part
    short: _Part
    spoken: _Part = ""
    full: _Part = ""

    def words(self) -> Words:
        return Words(self.title, self.short, self.spoken, self.full)


class WordsNew(WordsTried):
    note: Line | None = None


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
            "templates": [_template(hub, row) for row in hub.services.wordings.overview()],
            "quiet_from": given.quiet_from.strftime("%H:%M") if quiet else None,
            "quiet_to": given.quiet_to.strftime("%H:%M") if quiet else None,
            "links": given.public_url is not None,
            "key_presses": bool(given.public_url and hub.settings.voice.callback_secret.get_secret_value()),
        }
    )


def _template(hub: Hub, row: Json) -> Json:
    template = TEMPLATES[row["name"]]
    bare = dict.fromkeys((*template.required, *template.optional), "…")
    worded = replace(template, zh=Words(**row["zh"]), en=Words(**row["en"]))
    return {
        **row,
        "segments": {
            "zh": segments(render(worded, bare, "zh", site=hub.settings.site.name).short),
            "en": segments(render(worded, bare, "en", site=hub.settings.site.name).short),
        },
        "registered": hub.settings.sms.provider == "generic" or template.name in hub.settings.sms.templates,
    }


@router.get("/notify/templates/{template}", response_model=TemplateDetail, summary="What a notice says, and said")
def show_template(hub: HubDep, template: TemplateName) -> Response:
    """Both languages, what may stand in each part, the hub's own words, every wording there was."""
    return one(_template(hub, hub.services.wordings.show(template)))


@router.post(
    "/notify/templates/{template}/preview", response_model=TemplateTried, summary="Try words, changing nothing"
)
def preview_template(hub: HubDep, write: Write, template: TemplateName, body: WordsTried) -> Response:
    """As somebody would read and hear them, with made-up values. `faults` forbid the words, `remarks` do not."""
    return write.once(lambda: hub.services.wordings.preview(template, body.language, body.words()), lambda found: found)


@router.post("/notify/templates/{template}/words", response_model=TemplateDetail, summary="Change what a notice says")
def post_words(hub: HubDep, write: Write, template: TemplateName, body: WordsNew) -> Response:
    """From the next message on. `If-Match`: the language's version (0: never changed). 422 names the part."""

    def act() -> None:
        hub.services.wordings.change(template, body.language, body.words(), body.note, write.version, write.actor)

    return write.once(act, lambda _done: _template(hub, hub.services.wordings.show(template)))


@router.post("/notify/templates/{template}/reset", response_model=TemplateDetail, summary="The hub's own words again")
def reset_words(hub: HubDep, write: Write, template: TemplateName, body: WordsReset) -> Response:
    def act() -> None:
        hub.services.wordings.change(template, body.language, None, body.note, write.version, write.actor)

    return write.once(act, lambda _done: _template(hub, hub.services.wordings.show(template)))


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
