"""The time bank: hours given are banked as minutes, spent or given away, and never run below nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

from hub.accounts.ledger import Entry, Posting, check_entry
from hub.accounts.model import AccountsError, month_of

__all__ = [
    "EXPIRED",
    "GIVEN",
    "GUARDED",
    "SPENT",
    "HolderKind",
    "account_of",
    "banked_minutes",
    "earned",
    "expired",
    "expiring",
    "gift",
    "spent",
]

HolderKind = Literal["volunteer", "resident", "contact"]
GUARDED: Final = ("volunteer:", "resident:", "contact:")
"""Accounts of people: they may never be overdrawn."""
GIVEN: Final = "bank:given"
SPENT: Final = "bank:spent"
EXPIRED: Final = "bank:expired"
_MOST_MINUTES: Final = 24 * 60


def account_of(kind: HolderKind, person_id: str) -> str:
    return f"{kind}:{person_id}"


def banked_minutes(started_at: datetime, ended_at: datetime, ordered_min: int) -> int:
    """Whole minutes from the door to the door, at most what was ordered: staying longer is a present."""
    given = int((ended_at - started_at).total_seconds() // 60)
    return max(0, min(given, ordered_min, _MOST_MINUTES))


def _entry(
    kind: Literal["earned", "gift", "spent", "expired"],
    entry_id: str,
    at: datetime,
    minutes: int,
    source: str,
    target: str,
    about: str | None,
    note: str | None,
) -> Entry:
    if minutes <= 0:
        raise AccountsError("minutes must be 1 or more", "minutes")
    if source == target:
        raise AccountsError("nobody gives to the own account", "own-account")
    postings = (Posting(target, minutes), Posting(source, -minutes))
    entry = Entry(entry_id, month_of(at.date()), kind, postings, about, None, note)
    check_entry(entry)
    return entry


def earned(entry_id: str, at: datetime, account: str, minutes: int, about: str) -> Entry:
    """A visit was completed: the bank owes its minutes. `about` names the visit and the volunteer."""
    return _entry("earned", entry_id, at, minutes, GIVEN, account, about, None)


def gift(entry_id: str, at: datetime, source: str, target: str, minutes: int, note: str | None) -> Entry:
    """Minutes go to a named resident, a relative or another volunteer."""
    return _entry("gift", entry_id, at, minutes, source, target, None, note)


def spent(entry_id: str, at: datetime, account: str, minutes: int, about: str | None, note: str | None) -> Entry:
    """Minutes pay for a service."""
    return _entry("spent", entry_id, at, minutes, account, SPENT, about, note)


def expired(entry_id: str, at: datetime, account: str, minutes: int) -> Entry:
    """What lay longer than the site's policy allows."""
    return _entry("expired", entry_id, at, minutes, account, EXPIRED, None, None)


def expiring(postings: Iterable[tuple[datetime, int]], before: datetime) -> int:
    """Minutes of an account that came in before then and are still there; what leaves takes the oldest first."""
    came = left = 0
    for at, minutes in postings:
        if minutes > 0 and at < before:
            came += minutes
        elif minutes < 0:
            left -= minutes
    return max(0, came - left)
