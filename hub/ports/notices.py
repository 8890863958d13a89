"""What people must be told, as rows; and what sends them, as Protocols."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from hub.errors import HubError
from hub.notices.model import Channel, Lane, Language, Until
from hub.notices.pacing import RateRule
from hub.notices.templates import Words
from hub.notices.wording import Wordings
from hub.ports.records import Actor, Json

__all__ = [
    "CallOutcome",
    "Message",
    "NoticeReads",
    "NoticeRow",
    "NoticeState",
    "NoticeTry",
    "Notices",
    "Outlet",
    "Person",
    "PushTarget",
    "SendFailedError",
    "Sent",
    "Standing",
    "TokenRow",
    "WebhookRow",
]

NoticeState = Literal["waiting", "sent", "failed", "expired", "withdrawn"]
CallOutcome = Literal["answered", "busy", "no_answer", "failed"]


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice for one party by one channel; what follows it (`next_channels`) becomes a row of its own.

    `claimed_by` names the try that is under way, or was when its process died.
    """

    id: str
    lane: Lane
    channel: Channel
    party: str
    template: str
    until: Until
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    params: Mapping[str, Any] = field(default_factory=dict)
    incident_id: str | None = None
    assignment_id: str | None = None
    next_channels: tuple[Channel, ...] = ()
    before_id: str | None = None
    key: str | None = None
    late_at: datetime | None = None
    state: NoticeState = "waiting"
    attempts: int = 0
    claimed_by: str | None = None
    outcome: str | None = None
    reason: str | None = None
    provider_ref: str | None = None


class NoticeTry(NamedTuple):
    """One try. Tries of one message (several routine notices in one) share `message`."""

    notice_id: str
    number: int
    channel: Channel
    bucket: str
    message: str


class Standing(NamedTuple):
    """How the matter of a notice stands now: states of incident and assignment, None where there is none."""

    incident: str | None
    assignment: str | None
    shelved: bool = False


class PushTarget(NamedTuple):
    """A browser that takes pushes."""

    id: str
    endpoint: str
    p256dh: bytes
    auth: bytes


@dataclass(frozen=True, slots=True)
class Person:
    """How a party is reached. Empty: not at all by that channel."""

    name: str = ""
    phone: str = ""
    language: Language = "zh"
    pushes: tuple[PushTarget, ...] = ()


class TokenRow(NamedTuple):
    """What a link or a key press stands for: one person, one assignment, one purpose. `used_at` None: not used yet."""

    notice_id: str
    purpose: Literal["link", "voice"]
    party: str
    assignment_id: str | None
    expires_at: datetime
    used_at: datetime | None
    action: str | None
    answer: str | None
    incident_id: str | None
    template: str
    language: Language
    params: Mapping[str, Any]


class WebhookRow(NamedTuple):
    """Somebody else's system that wants to know. `old_secret` signs beside the new one until `old_until`."""

    id: str
    name: str
    url: str
    events: tuple[str, ...]
    secret: str
    old_secret: str | None
    old_until: datetime | None
    after_seq: int
    revoked_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class Message:
    """What an outlet sends. `key` is the same for every try of it: a provider that knows it sends it once.

    `address`: a telephone number, a chat group's name, a mail address, a webhook's URL. `values`: the parameters as
    words, for providers that keep the text themselves. `answer_url`, `token`: where a key press or a call's outcome is
    told, and by what. `ring_s`: how long a telephone rings.
    """

    key: str
    channel: Channel
    lane: Lane
    template: str
    language: Language
    address: str
    expires_at: datetime
    now: datetime
    title: str = ""
    short: str = ""
    spoken: str = ""
    full: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    link: str | None = None
    answer_url: str | None = field(default=None, repr=False)
    ring_s: int = 40
    pushes: tuple[PushTarget, ...] = ()
    body: bytes = b""
    event: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider has it. `ref`: its name for it. `outcome`: of a call whose end is known already.

    `gone`: ids of push targets where nobody is any more.
    """

    ref: str | None = None
    outcome: CallOutcome | None = None
    note: str | None = None
    gone: tuple[str, ...] = ()


class SendFailedError(HubError):
    """It did not leave. `final`: trying again is of no use; `after_s`: not before so many seconds.

    `detail` is shown to people: it never holds a secret or a whole address.
    """

    code = "send-failed"
    status = 502

    def __init__(
        self, detail: str, *, final: bool = False, after_s: float | None = None, gone: tuple[str, ...] = ()
    ) -> None:
        super().__init__(detail)
        self.final = final
        self.after_s = after_s
        self.gone = gone


class Outlet(Protocol):
    """One channel as it is configured. Thread-safe: several workers send at once."""

    provider: str

    def bucket(self, address: str, /) -> str:
        """By what the rate is counted: the robot, the gateway."""

    def rule(self, address: str, /) -> RateRule | None:
        """None: no limit."""

    def send(self, message: Message, /) -> Sent:
        """Hands it over, within some seconds. SendFailedError."""

    def look(self, ref: str, /) -> CallOutcome | None:
        """Of a call: how it went; None: it still rings, or nobody knows."""

    def hang_up(self, ref: str, /) -> None:
        """Of a call: it need not ring any more. Nothing where it is over. SendFailedError."""

    def check(self) -> str:
        """Whether it would work, in plain words, without sending anything. SendFailedError says what is wrong."""


class Notices(Protocol):
    def add(self, row: NoticeRow) -> str:
        """Keeps it; gives its id, or that of the one with the same key."""

    def withdraw(
        self, incident_id: str, until: Collection[Until], keep: Collection[str], reason: str, at: datetime
    ) -> list[NoticeRow]:
        """Gives up what has not left yet of an incident's notices of these kinds, but for the assignments in `keep`."""

    def of_incident(self, incident_id: str) -> Sequence[NoticeRow]:
        """All of them, the oldest first."""

    def get(self, notice_id: str, *, lock: bool = False) -> NoticeRow | None: ...

    def due_channels(self, lane: Lane, now: datetime) -> list[Channel]:
        """Channels of which something is due."""

    def ripe(self, lane: Lane, channel: Channel, now: datetime, limit: int) -> list[NoticeRow]:
        """Due ones, locked (SKIP LOCKED), the longest due first."""

    def standing(
        self, incident_ids: Collection[str], assignment_ids: Collection[str]
    ) -> tuple[Mapping[str, tuple[str, bool]], Mapping[str, str]]:
        """Incidents (state, shelved) and assignments (state). Incidents are held until the commit: nobody can accept
        or close meanwhile. One that somebody holds now is missing: try again in a moment."""

    def people(self, parties: Collection[str]) -> Mapping[str, Person]:
        """How the parties are reached. A party that is not there is missing."""

    def wordings(self) -> Wordings:
        """What the site says in place of the hub's own words."""

    def wording_states(self) -> list[Json]:
        """The newest wording of each template and language that was ever changed."""

    def wording_versions(self, template: str) -> list[Json]:
        """Every wording of a template there was, the newest first."""

    def wording_add(
        self,
        template: str,
        language: Language,
        version: int,
        words: Words | None,
        note: str | None,
        by: Actor,
        now: datetime,
    ) -> bool:
        """Keeps the next version of the words; None: the hub's own again. False: that version is there already."""

    def recent(self, bucket: str, since: datetime) -> list[datetime]:
        """When messages of a bucket left since; nobody else may judge the bucket until the commit."""

    def claim(self, tries: Sequence[NoticeTry], claimed_by: str, now: datetime, lease_until: datetime) -> None:
        """The tries begin: counted, and not due again before `lease_until`."""

    def put_off(self, notice_ids: Collection[str], due_at: datetime) -> None:
        """Not now; no try is counted."""

    def sent(
        self, row: NoticeRow, claimed_by: str, now: datetime, ref: str | None, outcome: str | None
    ) -> NoticeState | None:
        """It has left. Gives its state: `withdrawn` where it was taken back while it left; None: it is gone."""

    def failed(self, row: NoticeRow, claimed_by: str, now: datetime, reason: str, *, again_at: datetime | None) -> bool:
        """The try failed; `again_at` None: the last. False: it was taken back, or is in other hands."""

    def end(self, notice_id: str, state: NoticeState, reason: str, now: datetime) -> bool:
        """Ends one that waits. False: it did not wait any more."""

    def unknown(self, rows: Sequence[NoticeRow], now: datetime) -> None:
        """The tries under way ended with their process: nobody knows whether they arrived."""

    def late(self, now: datetime, limit: int) -> list[NoticeRow]:
        """Alarm lane: unsent, or sent as a call and not answered, at their time (locked; not given again)."""

    def expired(self, now: datetime, limit: int) -> list[NoticeRow]:
        """Ended as expired."""

    def followed(self, notice_id: str) -> bool:
        """Whether the next channel has begun already."""

    def settle(self, notice_id: str, outcome: str, now: datetime) -> bool:
        """How a call went, or what the person answered; the first word stays. False: it was known."""

    def ringing(self, limit: int, now: datetime) -> list[NoticeRow]:
        """Calls that were placed and of which nothing more is known; the withdrawn ones among them ring in vain."""

    def hung_up(self, notice_id: str, now: datetime) -> None: ...

    def next_at(self, lane: Lane) -> datetime | None:
        """When the next of a lane is due."""

    def keep_token(self, digest: bytes, row: NoticeRow, purpose: str, expires_at: datetime) -> None: ...

    def token(self, digest: bytes, *, lock: bool = False) -> TokenRow | None: ...

    def use_token(self, digest: bytes, action: str, answer: str, now: datetime) -> None: ...

    def prune(self, before: datetime) -> int:
        """Forgets ended notices made before, with their tries and tokens; gives how many."""

    # --- webhooks and browsers

    def webhooks(self, *, lock: bool = False) -> list[WebhookRow]:
        """Those in force. `lock`: only those nobody else is working on."""

    def webhook(self, webhook_id: str) -> WebhookRow | None: ...

    def add_webhook(self, row: WebhookRow, created_by: str | None, now: datetime) -> None: ...

    def change_webhook(
        self, webhook_id: str, *, name: str | None, url: str | None, events: Sequence[str] | None
    ) -> None: ...

    def rotate_webhook(self, webhook_id: str, secret: str, old_until: datetime) -> None: ...

    def revoke_webhook(self, webhook_id: str, now: datetime) -> None: ...

    def move_webhook(self, webhook_id: str, seq: int) -> None: ...

    def last_seq(self) -> int:
        """The last entry of the timeline."""

    def entries_after(self, seq: int, limit: int) -> list[Json]:
        """Entries of the timeline, oldest first: seq, at, subject_kind, subject_id, kind, body."""

    def subscribe(self, target: PushTarget, user_id: str, now: datetime) -> None: ...

    def unsubscribe(self, endpoint: str, user_id: str) -> None: ...

    def push_gone(self, target_ids: Collection[str], now: datetime) -> None: ...

    def call_of(self, notice_id: str) -> Json | None:
        """The last call this notice made: id, started_at, answered_at, ended_at, outcome."""

    def stir(self, notice_id: str, now: datetime) -> None:
        """One that failed or waits is tried again now."""


class NoticeReads(Protocol):
    """What pages show of notices. JSON views, the newest first."""

    def notices(self, limit: int, cursor: str | None, **where: str | None) -> tuple[list[Json], str | None]:
        """`where`: incident, state, channel, lane, party. Those of webhooks only where asked for."""

    def notice(self, notice_id: str) -> Json | None:
        """One with its tries."""

    def webhook_views(self, now: datetime, webhook_id: str | None = None) -> list[Json]:
        """Never with a secret."""

    def notice_counts(self, now: datetime) -> list[Json]:
        """A row a lane and channel: waiting, oldest_due_s, sent_hour, failed_hour, last_sent_at, last_error."""
