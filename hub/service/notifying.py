"""Asking for somebody to be told something, and taking it back. Inside the caller's transaction; senders do the rest.

What was asked for is a row that commits with whatever made it necessary, and what is taken back is gone with the
commit of whatever made it pointless: nobody is notified after an accept.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from hub.clock import new_id
from hub.errors import BadRequestError
from hub.notices import LATE_AFTER, LIVES, TEMPLATES, Notice, NoticeRef, party_of, reached_by
from hub.ports import EntryRow, Transaction
from hub.ports.notices import NoticeRow

__all__ = ["Notice", "NoticeRef", "notice_row", "notify", "withdraw"]


def notice_row(notice: Notice, *, now: datetime) -> NoticeRow:
    """A notice as it is kept. BadRequestError where party, template or parameters are wrong."""
    party_of(notice.to)
    template = TEMPLATES.get(notice.template)
    if template is None:
        raise BadRequestError(f"there is no template {notice.template!r}", field="template")
    missing = [name for name in template.required if notice.params.get(name) in (None, "")]
    unknown = sorted(set(notice.params) - {*template.required, *template.optional})
    if missing or unknown:
        words = [f"{name} is missing" for name in missing] + [f"there is no {name}" for name in unknown]
        raise BadRequestError(f"template {notice.template}: {', '.join(words)}", field="params")
    if notice.until != "sent" and notice.incident_id is None and notice.assignment_id is None:
        raise BadRequestError("a notice about no incident is worth sending until it is sent", field="until")
    expires_at = notice.expires_at or now + LIVES[notice.lane]
    if expires_at <= now:
        raise BadRequestError("expires_at lies in the past", field="expires_at")
    then = notice.then or (template.then or {}).get(notice.channel, ())
    due_at = max(now, notice.due_at or now)
    late_after = notice.late_after or LATE_AFTER[notice.channel]
    return NoticeRow(
        id=new_id(),
        lane=notice.lane,
        channel=notice.channel,
        party=notice.to,
        template=notice.template,
        until=notice.until,
        created_at=now,
        due_at=due_at,
        expires_at=expires_at,
        params=dict(notice.params),
        incident_id=notice.incident_id,
        assignment_id=notice.assignment_id,
        next_channels=tuple(channel for channel in then if channel != notice.channel),
        key=notice.key,
        late_at=due_at + late_after if notice.lane == "alarm" else None,
    )


def notify(tx: Transaction, notice: Notice, *, now: datetime) -> NoticeRef:
    """Keeps a notice; it is sent after the commit. BadRequestError where party, template or parameters are wrong."""
    row = notice_row(notice, now=now)
    kept = tx.notices.add(row)
    return NoticeRef(kept, made=kept == row.id)


def withdraw(
    tx: Transaction,
    incident_id: str,
    reason: str,
    *,
    now: datetime,
    reached: Literal["claimed", "accepted", "closed"] = "accepted",
    keep: Collection[str] = (),
) -> int:
    """Takes back what has not left yet and is worth nothing now that the incident was claimed, accepted or closed.

    `keep`: assignments whose notices stay (a second responder who is still wanted). Gives how many; each is on the
    timeline with the reason.
    """
    rows = tx.notices.withdraw(incident_id, reached_by(reached), keep, reason, now)
    for row in rows:
        tx.timeline.add(
            EntryRow(
                at=now,
                subject_kind="incident",
                subject_id=incident_id,
                kind="notified",
                body={
                    "notice_id": row.id,
                    "channel": row.channel,
                    "to": row.party,
                    "template": row.template,
                    "result": "withdrawn",
                    "reason": reason,
                },
            )
        )
    return len(rows)
