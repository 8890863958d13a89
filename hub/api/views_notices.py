"""What answers look like: notices, channels, templates, webhooks, pushes."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from hub.api.views import View
from hub.notices import Channel, Lane, Language, Until
from hub.ports import NoticeState

__all__ = [
    "ChannelTried",
    "NoticeDetail",
    "NoticeView",
    "NotifyOverview",
    "PushKey",
    "TemplateDetail",
    "TemplateTried",
    "VoiceHeard",
    "WebhookMade",
    "WebhookView",
]


class NoticeView(View):
    """Something somebody must be told. Telephone numbers and mail addresses are masked in `name`."""

    id: str
    lane: Lane
    channel: Channel
    party: str
    name: str | None
    template: str
    until: Until
    state: NoticeState
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    attempts: int
    sent_at: datetime | None
    ended_at: datetime | None
    outcome: str | None = Field(description="Of a call or a question: answered, busy, no_answer, failed, accepted, …")
    reason: str | None
    incident_id: str | None
    incident_number: int | None
    assignment_id: str | None
    before_id: str | None = Field(description="The notice it took over from")
    next_channels: list[str]
    event: str | None = Field(description="Of a webhook's delivery")


class NoticeTried(View):
    number: int
    at: datetime
    ended_at: datetime | None
    result: str | None
    reason: str | None


class NoticeDetail(NoticeView):
    tries: list[NoticeTried]


class ChannelState(View):
    channel: Channel
    provider: str | None = Field(description="None: it is not set up")
    groups: list[str] = Field(description="Chat groups by name")


class LaneCount(View):
    lane: Lane
    channel: Channel
    waiting: int
    oldest_due_s: float
    sent_hour: int
    failed_hour: int
    last_sent_at: datetime | None
    last_error: str | None


class WordingState(View):
    version: int = Field(description="0: never changed")
    changed: bool = Field(description="Whether other words are in force than the hub's own")
    changed_at: datetime | None
    standard: dict[str, str] = Field(description="The hub's own words")


class WordingVersion(View):
    language: Language
    version: int
    standard: bool = Field(description="The hub's own words were put in force again")
    title: str | None
    short: str | None
    spoken: str | None
    full: str | None
    note: str | None
    at: datetime
    by: str | None


class PartFault(View):
    part: str
    text: str


class TemplateTried(View):
    said: dict[str, str] | None = Field(description="title, short, spoken, full, segments; null where there are faults")
    faults: list[PartFault]
    remarks: list[PartFault]


class TemplateView(View):
    name: str
    required: list[str]
    optional: list[str]
    asks: bool
    placeholders: dict[str, list[str]] = Field(description="What may stand in {…}, by part")
    zh: dict[str, str] = Field(description="The words in force: title, short, spoken, full")
    en: dict[str, str]
    zh_state: WordingState
    en_state: WordingState
    segments: dict[str, int] = Field(description="Short messages the bare text is, by language")
    registered: bool = Field(description="Whether the short message provider has a registered text for it")


class TemplateDetail(TemplateView):
    versions: list[WordingVersion]


class NotifyOverview(View):
    """What is set up, how it goes, what is said. Never a secret."""

    channels: list[ChannelState]
    counts: list[LaneCount]
    templates: list[TemplateView]
    quiet_from: str | None
    quiet_to: str | None
    links: bool = Field(description="Whether messages can carry links: HUB_NOTIFY__PUBLIC_URL is set")
    key_presses: bool = Field(description="Whether a key press is taken: HUB_VOICE__CALLBACK_SECRET is set too")


class ChannelTried(View):
    id: str


class WebhookView(View):
    id: str
    name: str
    url: str
    events: list[str]
    created_at: datetime
    revoked_at: datetime | None
    old_secret_until: datetime | None = Field(description="Until then both secrets sign")
    last_sent_at: datetime | None
    last_error: str | None
    waiting: int
    failed: int = Field(description="Of the last seven days")
    version: int


class WebhookMade(WebhookView):
    secret: str | None = Field(description="Only in the answer that makes it")


class PushKey(View):
    public_key: str | None = Field(description="None: pushes are not set up here")


class VoiceHeard(View):
    result: str | None
    say: str | None = Field(description="What may be read to the person now")
