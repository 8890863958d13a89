"""Double entry, append-only: every entry adds up to nothing, and what was wrong is reversed, never changed.

Money: a claim debits each payer's account and credits the provider's. Minutes of the time bank are kept by the same
rules, with another unit. `Book` holds the rules; the store repeats them as constraints, so that no other way in exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hub.accounts.model import AccountsError, Payer

__all__ = [
    "Book",
    "Entry",
    "EntryKind",
    "Posting",
    "balances",
    "check_entry",
    "claim_entry",
    "payer_account",
    "provider_account",
    "reversal",
]

EntryKind = Literal["claim", "reversal", "earned", "gift", "spent", "expired"]


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount on an account: above zero a debit (owed by it), below a credit."""

    account: str
    amount: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the books. `about`: the claim (or visit, or order) it belongs to; `reverses`: the entry it undoes."""

    id: str
    month: str
    kind: EntryKind
    postings: tuple[Posting, ...]
    about: str | None = None
    reverses: str | None = None
    note: str | None = None


def payer_account(payer: Payer, resident_id: str) -> str:
    """The account that pays. Each family has one of its own; funds have one each."""
    return f"family:{resident_id}" if payer == "family" else f"payer:{payer}"


def provider_account(provider_id: str) -> str:
    return f"provider:{provider_id}"


def check_entry(entry: Entry) -> None:
    """AccountsError unless it has two accounts or more, each once, none with zero, and they add up to nothing."""
    accounts = [posting.account for posting in entry.postings]
    if len(accounts) < 2 or len(set(accounts)) != len(accounts):
        raise AccountsError("an entry needs two accounts or more, each of them once", "postings")
    if any(posting.amount == 0 for posting in entry.postings):
        raise AccountsError("an amount of zero says nothing", "postings")
    total = sum(posting.amount for posting in entry.postings)
    if total:
        raise AccountsError(f"the entry does not balance: {total} remains", "unbalanced")


def claim_entry(
    entry_id: str, month: str, claim_id: str, provider_id: str, resident_id: str, shares: Iterable[tuple[Payer, int]]
) -> Entry:
    """The entry that pays a claim: each payer debited by its share, the provider credited with all of it."""
    owed: dict[str, int] = {}
    for payer, fen in shares:
        account = payer_account(payer, resident_id)
        owed[account] = owed.get(account, 0) + fen
    postings = tuple(Posting(account, fen) for account, fen in owed.items() if fen)
    total = sum(posting.amount for posting in postings)
    entry = Entry(entry_id, month, "claim", (*postings, Posting(provider_account(provider_id), -total)), claim_id)
    check_entry(entry)
    return entry


def reversal(entry: Entry, entry_id: str, month: str, note: str | None = None) -> Entry:
    """The entry that undoes another, in a month that may be a later one."""
    if entry.kind == "reversal":
        raise AccountsError("a reversal is not reversed: make the entry again", "reversal")
    undone = tuple(Posting(posting.account, -posting.amount) for posting in entry.postings)
    return Entry(entry_id, month, "reversal", undone, entry.about, entry.id, note)


def balances(entries: Iterable[Entry]) -> dict[str, int]:
    """What each account stands at; they add up to nothing."""
    found: dict[str, int] = {}
    for entry in entries:
        for posting in entry.postings:
            found[posting.account] = found.get(posting.account, 0) + posting.amount
    return found


@dataclass(slots=True)
class Book:
    """The books of one provider, or of the time bank.

    `guarded` are the prefixes of accounts that may never be overdrawn (their balance, turned round, stays at or above
    zero): `volunteer:` and its like. A month that is closed takes nothing and cannot be opened again.
    """

    guarded: tuple[str, ...] = ()
    _entries: list[Entry] = field(default_factory=list)
    _closed: set[str] = field(default_factory=set)

    @property
    def entries(self) -> Sequence[Entry]:
        return tuple(self._entries)

    @property
    def closed(self) -> frozenset[str]:
        return frozenset(self._closed)

    def balance(self, account: str) -> int:
        return balances(self._entries).get(account, 0)

    def post(self, entry: Entry) -> None:
        """AccountsError where a rule forbids it: then nothing was written."""
        check_entry(entry)
        if entry.month in self._closed:
            raise AccountsError(f"{entry.month} is closed: correct it in the next open month", "month-closed")
        if any(one.id == entry.id for one in self._entries):
            raise AccountsError(f"the entry {entry.id} is there already", "twice")
        undone = {one.reverses for one in self._entries if one.reverses}
        if entry.kind == "reversal":
            if entry.reverses in undone:
                raise AccountsError("it is reversed already", "twice")
            first = next((one for one in self._entries if one.id == entry.reverses), None)
            if first is None or reversal(first, entry.id, entry.month).postings != entry.postings:
                raise AccountsError("a reversal undoes exactly one entry that is there", "reversal")
        elif entry.about is not None and any(
            one.about == entry.about and one.kind == entry.kind and one.id not in undone for one in self._entries
        ):
            raise AccountsError(f"{entry.about} is in the books already", "twice")
        after = balances([*self._entries, entry])
        for posting in entry.postings:
            if posting.account.startswith(self.guarded) and self.guarded and after[posting.account] < 0:
                raise AccountsError(f"{posting.account} has not enough", "no-debt")
        self._entries.append(entry)

    def close(self, month: str) -> None:
        """Closes a month for good. AccountsError where it is closed."""
        if month in self._closed:
            raise AccountsError(f"{month} is closed already", "month-closed")
        self._closed.add(month)

    def totals(self, month: str) -> Mapping[str, int]:
        """By account, of one month."""
        return balances(entry for entry in self._entries if entry.month == month)
