"""What somebody must be told, and until when it is worth telling. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from hub.errors import BadRequestError

__all__ = [
    "CHANNELS",
    "LANES",
    "LATE_AFTER",
    "LIVES",
    "PARTY_KINDS",
    "Channel",
    "Lane",
    "Language",
    "Notice",
    "NoticeRef",
    "Until",
    "party_of",
    "reached_by",
    "stands",
]

Channel = Literal["voice", "sms", "chat", "mail", "push", "webhook"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)

Lane = Literal["alarm", "routine"]
LANES: tuple[Lane, ...] = get_args(Lane)
"""Two lanes with workers and budgets of their own: an alarm never waits behind a meal notice."""

Language = Literal["zh", "en"]

Until = Literal["claimed", "accepted", "closed", "sent"]
"""How far the incident may go before the notice is worth nothing: an operator has it, a responder has it, it is over;
`sent`: it is always worth sending (a result, a word to somebody who was stood down)."""

PARTY_KINDS: Final = ("responder", "contact", "resident", "user", "group", "number", "mail", "webhook")

LATE_AFTER: Final[Mapping[Channel, timedelta]] = {
    "voice": timedelta(seconds=45),
    "sms": timedelta(seconds=30),
    "chat": timedelta(seconds=30),
    "mail": timedelta(seconds=120),
    "push": timedelta(seconds=15),
    "webhook": timedelta(seconds=60),
}
"""On the alarm lane: not sent (a call: not answered) after so long, the next channel begins."""

LIVES: Final[Mapping[Lane, timedelta]] = {"alarm": timedelta(minutes=30), "routine": timedelta(hours=24)}
"""How long a notice is tried where nothing else was said."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell somebody.

    `to`: `kind:id`, kind one of `PARTY_KINDS` (`responder:S1`, `contact:C1`, `user:…`, `group:night`, `number:138…`);
    the address is looked up when it is sent. `params` must hold what the template asks for. `then`: channels that
    follow, each when the one before failed, or was late on the alarm lane; None: what the template says. With
    `assignment_id` the person can accept or decline (key press, link), and it is sent only while that assignment is
    offered. `key`: the same key again is the same notice. `late_after`: see `LATE_AFTER`.
    """

    incident_id: str | None
    to: str
    channel: Channel
    template: str
    params: Mapping[str, Any] = field(default_factory=dict)
    lane: Lane = "alarm"
    expires_at: datetime | None = None
    assignment_id: str | None = None
    until: Until = "accepted"
    then: tuple[Channel, ...] = ()
    key: str | None = None
    due_at: datetime | None = None
    late_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class NoticeRef:
    """A notice that is kept. `made` False: there was one under this key already; it is that one."""

    id: str
    made: bool = True


def party_of(to: str) -> tuple[str, str]:
    """`kind:id` taken apart. BadRequestError where it is none."""
    kind, colon, ident = to.partition(":")
    if not colon or kind not in PARTY_KINDS or not ident.strip():
        raise BadRequestError(f"to: write kind:id, kind one of {', '.join(PARTY_KINDS)}, not {to[:60]!r}", field="to")
    return kind, ident


_WORTH: Final[Mapping[Until, frozenset[str]]] = {
    "claimed": frozenset({"open"}),
    "accepted": frozenset({"open", "acknowledged"}),
    "closed": frozenset({"open", "acknowledged", "in_progress"}),
}


def stands(until: Until, *, incident: str | None, assignment: str | None = None, shelved: bool = False) -> str | None:
    """Whether a notice is still worth sending: None, or why not. Judged anew whenever it is about to leave.

    `incident`, `assignment`: their states now, None where the notice is about none. One that asks a person to take an
    assignment is judged by that assignment: a second responder may be asked while the first is on the way.
    """
    if until == "sent":
        return None
    if assignment is not None:
        if assignment != "offered":
            return f"the assignment is {assignment}"
        return None if incident is None or incident in _WORTH["closed"] else f"the incident is {incident}"
    if incident is not None and incident not in _WORTH[until]:
        return f"the incident is {incident}"
    if shelved and until == "claimed":
        return "the incident is shelved"
    return None


def reached_by(step: Literal["claimed", "accepted", "closed"]) -> tuple[Until, ...]:
    """Which notices are worth nothing once the incident has come so far."""
    order: tuple[Until, ...] = ("claimed", "accepted", "closed")
    return order[: order.index(step) + 1]
