"""Sending what people must be told: claimed in one transaction, sent outside of any, marked in another.

At least once: a process that dies between sending and marking leaves a row that becomes due again when its lease is
over, and is sent once more under the same key. Whether it is still worth sending is judged inside the claim, while the
incident is held: nobody can accept or close it between that look and the commit.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from hub.clock import Clock, IdSource
from hub.notices import TEMPLATES, Channel, Lane, Wordings, party_of, stands, worded
from hub.notices.pacing import QuietHours, free_at, most_tries, retry_at, room
from hub.notices.rendering import fitting, render
from hub.ports import Database, Transaction
from hub.ports.notices import Message, NoticeRow, NoticeTry, Outlet, Person, SendFailedError, Sent
from hub.service.following import Following, entry

__all__ = ["Counted", "Parcel", "Sending", "Wording", "count_nothing", "digest_of"]

log = logging.getLogger(__name__)

Counted = Callable[[Lane, Channel, str, float], None]
"""Told of each try: lane, channel, result, seconds since it was due first."""


def count_nothing(_lane: Lane, _channel: Channel, _result: str, _lag_s: float) -> None:
    """For whoever counts nothing."""


_LEASE: Mapping[Lane, timedelta] = {"alarm": timedelta(seconds=30), "routine": timedelta(seconds=120)}
_BUSY = timedelta(milliseconds=200)
_WIDER = 10
"""Routine messages of one chat group go together: so many times the rows are looked at."""
_LONGEST_TOGETHER = 1500
_TOGETHER: frozenset[Channel] = frozenset({"chat", "mail"})


@dataclass(frozen=True, slots=True)
class Wording:
    """What every message may speak of. `public_url`: under which phones and gateways reach this hub; empty: not."""

    site: str = ""
    desk: str = ""
    public_url: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message under way, and the notices in it: one, or several routine ones for one reader."""

    job: str
    rows: tuple[NoticeRow, ...]
    message: Message
    name: str


def digest_of(token: str) -> bytes:
    """What is kept of a token: a stolen table accepts nothing."""
    return hashlib.sha256(token.encode()).digest()


class Sending:
    """Thread-safe: several workers and several processes share the work."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        new_id: IdSource,
        following: Following,
        *,
        outlets: Mapping[Channel, Outlet],
        wording: Wording,
        quiet: QuietHours | None = None,
        counted: Counted = count_nothing,
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._following = following
        self.outlets = outlets
        self._wording = wording
        self._quiet = quiet
        self._counted = counted

    def due(self, lane: Lane) -> list[Channel]:
        """Channels of which something is due now."""
        with self._database.begin() as tx:
            return tx.notices.due_channels(lane, self._clock())

    def run_once(self, lane: Lane, channel: Channel, limit: int = 20) -> int:
        """Claims and delivers up to `limit` messages one after the other; gives how many."""
        parcels = self.claim(lane, channel, limit)
        for parcel in parcels:
            self.deliver(parcel)
        return len(parcels)

    # --- claiming

    def claim(self, lane: Lane, channel: Channel, limit: int) -> list[Parcel]:
        """Messages that may leave now, at most `limit`. What is not worth sending any more is withdrawn."""
        now = self._clock()
        outlet = self.outlets.get(channel)
        together = lane == "routine" and channel in _TOGETHER
        with self._database.begin() as tx:
            rows = tx.notices.ripe(lane, channel, now, limit * _WIDER if together else limit)
            if not rows:
                return []
            tx.notices.unknown([row for row in rows if row.claimed_by is not None], now)
            if outlet is None:
                for row in rows:
                    self._following.give_up(tx, row, f"the channel {channel} is not set up", now)
                return []
            rows = self._awake(tx, rows, now)
            rows = self._standing(tx, rows, now)
            people = tx.notices.people({row.party for row in rows})
            addressed = [
                (row, person, address)
                for row in rows
                for person in [people.get(row.party, Person())]
                if (address := self._address(tx, row, person, now)) is not None
            ]
            words = tx.notices.wordings()
            bundles = _bundled(addressed, words) if together else [[one] for one in addressed]
            paced = self._paced(tx, outlet, bundles, lane, now, limit)
            return [self._parcel(tx, bundle, words, now) for bundle in paced]

    def _awake(self, tx: Transaction, rows: list[NoticeRow], now: datetime) -> list[NoticeRow]:
        """Routine notices wait for the end of the quiet hours; other people's systems do not sleep."""
        kept = []
        for row in rows:
            until = None if self._quiet is None or row.channel == "webhook" else self._quiet.until(now, row.lane)
            if until is None:
                kept.append(row)
            elif until >= row.expires_at:
                self._following.give_up(tx, row, "its time is over before the quiet hours are", now)
            else:
                tx.notices.put_off([row.id], until)
        return kept

    def _standing(self, tx: Transaction, rows: list[NoticeRow], now: datetime) -> list[NoticeRow]:
        about = [row for row in rows if row.until != "sent"]
        incidents, assignments = tx.notices.standing(
            {row.incident_id for row in about if row.incident_id},
            {row.assignment_id for row in about if row.assignment_id},
        )
        kept = []
        for row in rows:
            if row.until == "sent":
                kept.append(row)
                continue
            if row.incident_id is not None and row.incident_id not in incidents:
                tx.notices.put_off([row.id], now + _BUSY)  # in somebody's hands this moment: perhaps an accept
                continue
            state, shelved = incidents.get(row.incident_id or "", (None, False))
            asks = TEMPLATES[row.template].asks and row.assignment_id is not None
            assignment = assignments.get(row.assignment_id or "", "gone") if asks else None
            why = stands(row.until, incident=state, assignment=assignment, shelved=shelved)
            if why is None:
                kept.append(row)
            elif tx.notices.end(row.id, "withdrawn", why, now):
                tx.timeline.add(*entry(row, "withdrawn", now, reason=why))
                self._counted(row.lane, row.channel, "withdrawn", 0.0)
        return kept

    def _address(self, tx: Transaction, row: NoticeRow, person: Person, now: datetime) -> str | None:
        kind, ident = party_of(row.party)
        address = ""
        if row.attempts >= most_tries(row.lane, row.channel):
            self._following.give_up(tx, row, f"tried {row.attempts} times", now)
            return None
        if row.channel in ("voice", "sms"):
            address = ident if kind == "number" else person.phone
        elif row.channel == "push":
            address = "push" if person.pushes else ""
        elif row.channel == "webhook":
            webhook = tx.notices.webhook(ident) if kind == "webhook" else None
            address = webhook.url if webhook is not None and webhook.revoked_at is None else ""
        elif kind in ("group", "mail"):
            address = ident
        if not address:
            self._following.give_up(tx, row, f"{person.name or row.party} has no address for {row.channel}", now)
            return None
        return address

    def _paced(
        self, tx: Transaction, outlet: Outlet, bundles: list[list[_Addressed]], lane: Lane, now: datetime, limit: int
    ) -> list[list[_Addressed]]:
        """As many as the rate has room for; the others wait until it has."""
        kept: list[list[_Addressed]] = []
        by_bucket: dict[str, list[list[_Addressed]]] = {}
        for bundle in bundles:
            by_bucket.setdefault(outlet.bucket(bundle[0][2]), []).append(bundle)
        for bucket in sorted(by_bucket):  # several buckets' turns are taken in one order
            waiting = by_bucket[bucket]
            rule = outlet.rule(waiting[0][0][2])
            free = limit - len(kept)
            if rule is not None:
                recent = tx.notices.recent(bucket, now - rule.per)
                free = min(free, room(recent, rule, lane, now))
                if len(waiting) > free:
                    later = free_at([*recent, *[now] * free], rule, lane, now)
                    rest = [row.id for bundle in waiting[free:] for row, _, _ in bundle]
                    tx.notices.put_off(rest, max(later, now + _BUSY))
            kept += waiting[:free]
        return kept

    def _parcel(self, tx: Transaction, bundle: list[_Addressed], words: Wordings, now: datetime) -> Parcel:
        row, person, address = bundle[0]
        job = self._new_id()
        outlet = self.outlets[row.channel]
        message = self._message(tx, row, person, address, words, now)
        if len(bundle) > 1:
            texts = [self._message(tx, one, who, address, words, now).full for one, who, _ in bundle]
            message = replace(message, full="\n".join(texts), short="\n".join(texts), key=job)
        tries = [NoticeTry(one.id, one.attempts + 1, one.channel, outlet.bucket(address), job) for one, _, _ in bundle]
        tx.notices.claim(tries, job, now, now + _LEASE[row.lane])
        claimed = tuple(replace(one, attempts=one.attempts + 1, claimed_by=job) for one, _, _ in bundle)
        return Parcel(job, claimed, message, person.name)

    def _message(
        self, tx: Transaction, row: NoticeRow, person: Person, address: str, words: Wordings, now: datetime
    ) -> Message:
        message = Message(
            key=row.id,
            channel=row.channel,
            lane=row.lane,
            template=row.template,
            language=person.language,
            address=address,
            expires_at=row.expires_at,
            now=now,
            pushes=person.pushes,
        )
        if row.template == "event":
            webhook = tx.notices.webhook(party_of(row.party)[1])
            assert webhook is not None  # its address was found
            old = webhook.old_secret if webhook.old_until is not None and webhook.old_until > now else None
            return replace(
                message,
                event=str(row.params["event"]),
                body=_body(row.params),
                secrets=(webhook.secret, old) if old else (webhook.secret,),
            )
        template = worded(row.template, words)
        link = None
        if template.asks and row.assignment_id is not None and row.channel != "voice" and self._wording.public_url:
            link = f"{self._wording.public_url}/t/{self._token(tx, row, 'link')}"
        answer_url = None
        if row.channel == "voice" and self._wording.public_url:
            answer_url = f"{self._wording.public_url}/api/v1/voice/{self._token(tx, row, 'voice')}"
        said = render(
            template, row.params, person.language, site=self._wording.site, link=link, desk=self._wording.desk
        )
        return replace(
            message,
            title=said.title,
            short=said.short,
            spoken=said.spoken,
            full=said.full,
            values=said.values,
            link=link,
            answer_url=answer_url,
        )

    def _token(self, tx: Transaction, row: NoticeRow, purpose: str) -> str:
        token = secrets.token_urlsafe(24)  # 192 bits
        tx.notices.keep_token(digest_of(token), row, purpose, row.expires_at)
        return token

    # --- sending and marking

    def deliver(self, parcel: Parcel) -> None:
        """Sends one message and marks its notices. UnavailableError: it may have left, and is sent again later."""
        outlet = self.outlets[parcel.message.channel]
        try:
            sent = outlet.send(parcel.message)
        except SendFailedError as error:
            self._failed(parcel, error)
        except Exception as error:
            log.exception("%s: a message could not be sent", parcel.message.channel)
            self._failed(parcel, SendFailedError(f"an error of the hub's own: {type(error).__name__}"))
        else:
            self._sent(parcel, sent)

    def _sent(self, parcel: Parcel, sent: Sent) -> None:
        now = self._clock()
        with self._database.begin() as tx:
            tx.notices.push_gone(sent.gone, now)
            for row in parcel.rows:
                state = tx.notices.sent(row, parcel.job, now, sent.ref, sent.outcome)
                result = "sent" if state == "sent" else "sent_too_late"
                tx.timeline.add(*entry(row, result, now, name=parcel.name, note=sent.note))
                if row.channel == "voice":
                    self._following.placed(tx, row, parcel.message.address, parcel.message.now)
                    if sent.outcome is not None and state == "sent":
                        self._following.ended(tx, row, sent.outcome, now)
        self._count(parcel, "sent", now)

    def _failed(self, parcel: Parcel, error: SendFailedError) -> None:
        now = self._clock()
        with self._database.begin() as tx:
            tx.notices.push_gone(error.gone, now)
            for row in parcel.rows:
                again = retry_at(row.id, row.attempts, row.lane, now, error.after_s)
                last = error.final or row.attempts >= most_tries(row.lane, row.channel) or again >= row.expires_at
                tried = tx.notices.failed(row, parcel.job, now, error.detail, again_at=None if last else again)
                if not tried:
                    continue  # it was taken back meanwhile
                if last:
                    self._following.over(tx, row, error.detail, now, name=parcel.name)
                else:
                    tx.timeline.add(*entry(row, "failed", now, reason=error.detail, name=parcel.name, again_at=again))
        self._count(parcel, "failed", now)

    def _count(self, parcel: Parcel, result: str, now: datetime) -> None:
        for row in parcel.rows:
            self._counted(row.lane, row.channel, result, (now - row.created_at).total_seconds())


_Addressed = tuple[NoticeRow, Person, str]


def _bundled(found: Sequence[_Addressed], words: Wordings) -> list[list[_Addressed]]:
    """Routine notices for one reader in as few messages as hold them; a failed one goes alone, the others with it no
    further."""
    groups: dict[tuple[str, str], list[_Addressed]] = {}
    alone: list[list[_Addressed]] = []
    for one in found:
        row, person, address = one
        if row.attempts > 1:
            alone.append([one])
        else:
            groups.setdefault((address, person.language), []).append(one)
    bundles: list[list[_Addressed]] = []
    for members in groups.values():
        texts = [
            f"{index}:" + render(worded(row.template, words), row.params, "zh").full
            for index, (row, _, _) in enumerate(members)
        ]
        parts = fitting(texts, _LONGEST_TOGETHER)
        bundles += [[members[int(text.partition(":")[0])] for text in part] for part in parts]
    return sorted([*bundles, *alone], key=lambda bundle: (bundle[0][0].due_at, bundle[0][0].id))


def _body(params: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(params["payload"])
