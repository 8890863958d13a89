"""What people must be told, and the tries to tell them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from hub.notices.model import Channel, Lane, Language, Until
from hub.notices.templates import Words
from hub.notices.wording import Wordings
from hub.ports.notices import NoticeRow, NoticeState, NoticeTry, Person, PushTarget, TokenRow, WebhookRow
from hub.ports.records import Actor, Json
from hub.store.session import Session, as_json, is_uuid

__all__ = ["NoticesDrawer"]

_RINGS_AT_MOST = timedelta(minutes=5)


class NoticesDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, row: NoticeRow) -> str:
        made = self._session.value(
            "notices_add",
            id=row.id,
            lane=row.lane,
            channel=row.channel,
            party=row.party,
            template=row.template,
            params=as_json(dict(row.params)),
            until=row.until,
            incident_id=row.incident_id,
            assignment_id=row.assignment_id,
            next_channels=list(row.next_channels),
            before_id=row.before_id,
            key=row.key,
            created_at=row.created_at,
            due_at=row.due_at,
            late_at=row.late_at,
            expires_at=row.expires_at,
        )
        if made is None:
            made = self._session.value("notices_by_key", key=row.key)
        else:
            self._session.run("notices_notify")
        return str(made)

    def withdraw(
        self, incident_id: str, until: Collection[Until], keep: Collection[str], reason: str, at: datetime
    ) -> list[NoticeRow]:
        rows = self._session.all(
            "notices_withdraw", incident_id=incident_id, until=list(until), keep=list(keep), reason=reason, at=at
        )
        return sorted((_row(row) for row in rows), key=lambda row: row.id)

    def of_incident(self, incident_id: str) -> Sequence[NoticeRow]:
        return self._rows("notices_of_incident", incident_id=incident_id)

    def get(self, notice_id: str, *, lock: bool = False) -> NoticeRow | None:
        if not is_uuid(notice_id):
            return None
        found = self._session.one("notices_get_locked" if lock else "notices_get", id=notice_id)
        return _row(found) if found else None

    # --- sending

    def due_channels(self, lane: Lane, now: datetime) -> list[Channel]:
        return [row["channel"] for row in self._session.all("notices_due_channels", lane=lane, now=now)]

    def ripe(self, lane: Lane, channel: Channel, now: datetime, limit: int) -> list[NoticeRow]:
        rows = self._rows("notices_ripe", lane=lane, channel=channel, now=now, limit=limit)
        return sorted(rows, key=lambda row: (row.due_at, row.id))

    def standing(
        self, incident_ids: Collection[str], assignment_ids: Collection[str]
    ) -> tuple[Mapping[str, tuple[str, bool]], Mapping[str, str]]:
        incidents = self._session.all("notices_incidents", ids=list(incident_ids)) if incident_ids else []
        assignments = self._session.all("notices_assignments", ids=list(assignment_ids)) if assignment_ids else []
        return (
            {row["id"]: (row["state"], row["shelved"]) for row in incidents},
            {row["id"]: row["state"] for row in assignments},
        )

    def people(self, parties: Collection[str]) -> Mapping[str, Person]:
        rows = self._session.all("notices_people", parties=list(parties)) if parties else []
        return {
            row["party"]: Person(row["name"], row["phone"], row["language"], tuple(map(_target, row["pushes"])))
            for row in rows
        }

    def wordings(self) -> Wordings:
        rows = self._session.all("notices_wordings")
        return {
            (row["template"], row["language"]): Words(row["title"], row["short"], row["spoken"], row["full"])
            for row in rows
        }

    def wording_states(self) -> list[Json]:
        return [row["view"] for row in self._session.all("notice_wording_states")]

    def wording_versions(self, template: str) -> list[Json]:
        return [row["view"] for row in self._session.all("notice_wording_versions", template=template)]

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
        made = self._session.value(
            "notices_wording_add",
            template=template,
            language=language,
            version=version,
            standard=words is None,
            title=words.title if words else None,
            short=words.short if words else None,
            spoken=words.spoken if words else None,
            full=words.full if words else None,
            note=note,
            changed_by=by.user_id,
            now=now,
        )
        return made is not None

    def recent(self, bucket: str, since: datetime) -> list[datetime]:
        self._session.run("notices_lock_bucket", bucket=bucket)
        return [row["at"] for row in self._session.all("notices_recent", bucket=bucket, since=since)]

    def claim(self, tries: Sequence[NoticeTry], claimed_by: str, now: datetime, lease_until: datetime) -> None:
        rows = [one._asdict() for one in tries]
        self._session.run("notices_claim", rows=as_json(rows), claimed_by=claimed_by, now=now, lease_until=lease_until)

    def put_off(self, notice_ids: Collection[str], due_at: datetime) -> None:
        if notice_ids:
            self._session.run("notices_put_off", ids=list(notice_ids), due_at=due_at)

    def sent(
        self, row: NoticeRow, claimed_by: str, now: datetime, ref: str | None, outcome: str | None
    ) -> NoticeState | None:
        self._session.run("notices_try_ended", id=row.id, number=row.attempts, now=now, result="sent", reason=None)
        state: NoticeState | None = self._session.value(
            "notices_sent", id=row.id, claimed_by=claimed_by, now=now, ref=ref, outcome=outcome
        )
        return state

    def failed(self, row: NoticeRow, claimed_by: str, now: datetime, reason: str, *, again_at: datetime | None) -> bool:
        self._session.run("notices_try_ended", id=row.id, number=row.attempts, now=now, result="failed", reason=reason)
        done = self._session.value(
            "notices_failed", id=row.id, claimed_by=claimed_by, now=now, reason=reason, again_at=again_at
        )
        return done is not None

    def end(self, notice_id: str, state: NoticeState, reason: str, now: datetime) -> bool:
        return self._session.value("notices_end", id=notice_id, state=state, reason=reason, now=now) is not None

    def unknown(self, rows: Sequence[NoticeRow], now: datetime) -> None:
        for row in rows:
            reason = "the hub stopped before it knew"
            self._session.run(
                "notices_try_ended", id=row.id, number=row.attempts, now=now, result="unknown", reason=reason
            )

    def late(self, now: datetime, limit: int) -> list[NoticeRow]:
        return self._rows("notices_late", now=now, limit=limit)

    def expired(self, now: datetime, limit: int) -> list[NoticeRow]:
        return self._rows("notices_expired", now=now, limit=limit)

    def followed(self, notice_id: str) -> bool:
        return bool(self._session.value("notices_followed", id=notice_id))

    def settle(self, notice_id: str, outcome: str, now: datetime) -> bool:
        return self._session.value("notices_settle", id=notice_id, outcome=outcome, now=now) is not None

    def ringing(self, limit: int, now: datetime) -> list[NoticeRow]:
        return self._rows("notices_ringing", limit=limit, since=now - _RINGS_AT_MOST)

    def hung_up(self, notice_id: str, now: datetime) -> None:
        self._session.run("notices_hung_up", id=notice_id, now=now)

    def next_at(self, lane: Lane) -> datetime | None:
        found: datetime | None = self._session.value("notices_next", lane=lane)
        return found

    # --- links and key presses

    def keep_token(self, digest: bytes, row: NoticeRow, purpose: str, expires_at: datetime) -> None:
        self._session.run(
            "notices_keep_token",
            digest=digest,
            notice_id=row.id,
            purpose=purpose,
            party=row.party,
            assignment_id=row.assignment_id,
            expires_at=expires_at,
        )

    def token(self, digest: bytes, *, lock: bool = False) -> TokenRow | None:
        if lock and self._session.one("notices_token_lock", digest=digest) is None:
            return None
        found = self._session.one("notices_token", digest=digest)
        return TokenRow(**found) if found else None

    def use_token(self, digest: bytes, action: str, answer: str, now: datetime) -> None:
        self._session.run("notices_use_token", digest=digest, action=action, answer=answer[:500], now=now)

    def prune(self, before: datetime) -> int:
        return self._session.run("notices_prune", before=before)

    def call_of(self, notice_id: str) -> Json | None:
        return self._session.one("calls_of_notice", id=notice_id)

    def stir(self, notice_id: str, now: datetime) -> None:
        self._session.run("notices_stir", id=notice_id, now=now)
        self._session.run("notices_notify")

    # --- webhooks and browsers

    def webhooks(self, *, lock: bool = False) -> list[WebhookRow]:
        return [_webhook(row) for row in self._session.all("webhooks_locked" if lock else "webhooks_all")]

    def webhook(self, webhook_id: str) -> WebhookRow | None:
        found = self._session.one("webhooks_get", id=webhook_id) if is_uuid(webhook_id) else None
        return _webhook(found) if found else None

    def add_webhook(self, row: WebhookRow, created_by: str | None, now: datetime) -> None:
        self._session.run(
            "webhooks_add",
            id=row.id,
            name=row.name,
            url=row.url,
            events=list(row.events),
            secret=row.secret,
            after_seq=row.after_seq,
            now=now,
            created_by=created_by,
        )

    def change_webhook(
        self, webhook_id: str, *, name: str | None, url: str | None, events: Sequence[str] | None
    ) -> None:
        given = None if events is None else list(events)
        self._session.run("webhooks_change", id=webhook_id, name=name, url=url, events=given)

    def rotate_webhook(self, webhook_id: str, secret: str, old_until: datetime) -> None:
        self._session.run("webhooks_rotate", id=webhook_id, secret=secret, old_until=old_until)

    def revoke_webhook(self, webhook_id: str, now: datetime) -> None:
        self._session.run("webhooks_revoke", id=webhook_id, now=now)
        self._session.run("webhooks_drop_waiting", party=f"webhook:{webhook_id}", now=now)

    def move_webhook(self, webhook_id: str, seq: int) -> None:
        self._session.run("webhooks_move", id=webhook_id, seq=seq)

    def last_seq(self) -> int:
        return int(self._session.value("timeline_last"))

    def entries_after(self, seq: int, limit: int) -> list[Json]:
        return self._session.all("timeline_after", seq=seq, limit=limit)

    def subscribe(self, target: PushTarget, user_id: str, now: datetime) -> None:
        self._session.run("push_subscribe", user_id=user_id, now=now, **target._asdict())

    def unsubscribe(self, endpoint: str, user_id: str) -> None:
        self._session.run("push_unsubscribe", endpoint=endpoint, user_id=user_id)

    def push_gone(self, target_ids: Collection[str], now: datetime) -> None:
        if target_ids:
            self._session.run("push_gone", ids=list(target_ids), now=now)

    def _rows(self, name: str, /, **params: object) -> list[NoticeRow]:
        return [_row(row) for row in self._session.all(name, **params)]


def _row(found: Json) -> NoticeRow:
    return NoticeRow(**{**found, "next_channels": tuple(found["next_channels"])})


def _webhook(found: Json) -> WebhookRow:
    return WebhookRow(**{**found, "events": tuple(found["events"])})


def _target(found: Json) -> PushTarget:
    return PushTarget(found["id"], found["endpoint"], b64decode(found["p256dh"]), b64decode(found["auth"]))
