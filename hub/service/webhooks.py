"""Other people's systems that want to know: who they are, and what happened as notices for them.

Events come from the timeline: what is committed is told, in order, once looked at and tried until it is taken. Nothing
of the alarm path waits for it.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.notices import Notice
from hub.ports import Actor, Database, Json, Transaction
from hub.ports.notices import WebhookRow
from hub.service.notifying import notify

__all__ = ["WEBHOOK_EVENTS", "WebhookDesk", "event_of_entry"]

WEBHOOK_EVENTS: Final = (
    "incident.raised",
    "incident.updated",
    "incident.resolved",
    "incident.closed",
    "assignment.updated",
    "order.updated",
    "test",
)

Views = Callable[[Collection[str]], Mapping[str, Json]]
"""Present views of incidents or orders by id."""

_LIVES: Final = timedelta(days=3)
_OLD_SECRET: Final = timedelta(hours=24)
_AT_ONCE: Final = 200
_RESIDENT: Final = ("id", "name", "age", "sex", "address", "status")
_STEPS: Final = frozenset({"offered", "accepted", "declined", "en_route", "on_scene", "completed", "stood_down"})
_SILENT: Final = frozenset({"notified"})
"""Not told on: a webhook's own tries would otherwise tell of themselves."""


def event_of_entry(subject_kind: str, kind: str) -> str | None:
    """The event an entry of the timeline is, by its subject and kind; None: it is none."""
    if kind in _SILENT:
        return None
    if subject_kind in ("order", "visit"):
        return "order.updated"
    if subject_kind != "incident":
        return None
    if kind in ("raised", "resolved", "closed"):
        return f"incident.{kind}"
    return "assignment.updated" if kind in _STEPS else "incident.updated"


def new_secret() -> str:
    """In the form that libraries for the Standard Webhooks signature take."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


class WebhookDesk:
    """Each call is one transaction. Secrets are shown once, when they are made."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    def create(self, name: str, url: str, events: Collection[str], actor: Actor) -> tuple[str, str]:
        """Gives (id, secret). It hears of what happens from now on."""
        now = self._clock()
        _check(url, events)
        secret = new_secret()
        with self._database.begin() as tx:
            row = WebhookRow(
                self._new_id(), name, url, tuple(events), secret, None, None, tx.notices.last_seq(), None, 1
            )
            tx.notices.add_webhook(row, actor.user_id, now)
            tx.audit.add(actor, "webhook.create", f"webhook:{row.id}", {"name": name, "host": _host(url)}, now)
        return row.id, secret

    def change(
        self, webhook_id: str, actor: Actor, *, name: str | None, url: str | None, events: Collection[str] | None
    ) -> None:
        """Another name, address or choice of events."""
        now = self._clock()
        with self._database.begin() as tx:
            row = _live(tx, webhook_id)
            _check(url or row.url, row.events if events is None else events)
            given = None if events is None else tuple(events)
            tx.notices.change_webhook(webhook_id, name=name, url=url, events=given)
            detail: Json = {"name": name, "host": _host(url) if url else None, "events": list(given or ())}
            tx.audit.add(actor, "webhook.change", f"webhook:{webhook_id}", detail, now)

    def rotate(self, webhook_id: str, actor: Actor) -> str:
        """A new secret; for a day both sign, so that the receiver can change at leisure."""
        now, secret = self._clock(), new_secret()
        with self._database.begin() as tx:
            _live(tx, webhook_id)
            tx.notices.rotate_webhook(webhook_id, secret, now + _OLD_SECRET)
            tx.audit.add(actor, "webhook.rotate", f"webhook:{webhook_id}", {}, now)
        return secret

    def revoke(self, webhook_id: str, actor: Actor) -> None:
        """Nothing is sent any more; what waited is withdrawn."""
        now = self._clock()
        with self._database.begin() as tx:
            _live(tx, webhook_id)
            tx.notices.revoke_webhook(webhook_id, now)
            tx.audit.add(actor, "webhook.revoke", f"webhook:{webhook_id}", {}, now)

    def test(self, webhook_id: str, actor: Actor) -> str:
        """Sends it an event `test`; gives the delivery's id."""
        now = self._clock()
        with self._database.begin() as tx:
            _live(tx, webhook_id)
            payload: Json = {"event": "test", "at": now.isoformat(), "by": actor.name}
            return _tell(tx, webhook_id, "test", payload, None, now)

    def redeliver(self, webhook_id: str, delivery_id: str, actor: Actor) -> str:
        """Sends what was sent once more, under the same event id: a receiver that has it knows it."""
        now = self._clock()
        with self._database.begin() as tx:
            _live(tx, webhook_id)
            row = tx.notices.get(delivery_id, lock=True)
            if row is None or row.party != f"webhook:{webhook_id}":
                raise NotFoundError(f"no delivery {delivery_id}")
            if row.state == "waiting" and row.claimed_by is None:
                tx.notices.stir(row.id, now)
                return row.id
            tx.audit.add(actor, "webhook.redeliver", f"webhook:{webhook_id}", {"delivery": delivery_id}, now)
            if row.state in ("failed", "expired"):
                tx.notices.stir(row.id, now)
                return row.id
            return _tell(tx, webhook_id, str(row.params["event"]), dict(row.params["payload"]), None, now)

    # --- what happened, as notices

    def pump(self, incidents: Views, orders: Views) -> int:
        """Looks at the next entries of the timeline for each webhook; gives how many notices were made."""
        now = self._clock()
        with self._database.begin() as tx:
            hooks = tx.notices.webhooks(lock=True)
            if not hooks or tx.notices.last_seq() <= min(hook.after_seq for hook in hooks):
                return 0
            made = 0
            for hook in hooks:
                made += self._pump(tx, hook, incidents, orders, now)
            return made

    def _pump(self, tx: Transaction, hook: WebhookRow, incidents: Views, orders: Views, now: datetime) -> int:
        entries = tx.notices.entries_after(hook.after_seq, _AT_ONCE)
        if not entries:
            return 0
        wanted = [
            (entry, event)
            for entry in entries
            if (event := event_of_entry(entry["subject_kind"], entry["kind"])) is not None and event in hook.events
        ]
        about = {
            kind: {entry["subject_id"] for entry, _ in wanted if entry["subject_kind"] == kind}
            for kind in ("incident", "order")
        }
        views = {"incident": incidents(sorted(about["incident"])), "order": orders(sorted(about["order"]))}
        for entry, event in wanted:
            payload = _payload(entry, event, views.get(entry["subject_kind"], {}).get(entry["subject_id"]))
            _tell(tx, hook.id, event, payload, f"webhook/{hook.id}/{entry['seq']}", now)
        tx.notices.move_webhook(hook.id, entries[-1]["seq"])
        return len(wanted)


def _payload(entry: Json, event: str, view: Json | None) -> Json:
    subject = dict(view) if view is not None else {"id": entry["subject_id"]}
    if isinstance(subject.get("resident"), dict):
        # Illness, drugs and the way in stay with the desk.
        subject["resident"] = {name: subject["resident"].get(name) for name in _RESIDENT}
    return {
        "event": event,
        "seq": entry["seq"],
        "at": entry["at"].isoformat(),
        "kind": entry["kind"],
        "actor": {"kind": entry["actor_kind"], "name": entry["actor_name"]},
        "entry": entry["body"],
        "order" if entry["subject_kind"] in ("order", "visit") else "incident": subject,
    }


def _tell(tx: Transaction, webhook_id: str, event: str, payload: Json, key: str | None, now: datetime) -> str:
    told = Notice(
        None,
        f"webhook:{webhook_id}",
        "webhook",
        "event",
        {"event": event, "payload": payload},
        lane="routine",
        until="sent",
        expires_at=now + _LIVES,
        key=key,
    )
    return notify(tx, told, now=now).id


def _live(tx: Transaction, webhook_id: str) -> WebhookRow:
    row = tx.notices.webhook(webhook_id)
    if row is None:
        raise NotFoundError(f"no webhook {webhook_id}")
    if row.revoked_at is not None:
        raise ConflictError("the webhook was revoked", code="revoked")
    return row


def _host(url: str) -> str:
    return urlsplit(url).hostname or "?"


def _check(url: str, events: Collection[str]) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.username or parts.password or parts.fragment:
        raise BadRequestError("url: http:// or https://, a host, no user name and no fragment", field="url")
    unknown = sorted(set(events) - set(WEBHOOK_EVENTS))
    if unknown or not events:
        raise BadRequestError(f"events: some of {', '.join(WEBHOOK_EVENTS)}", field="events")
