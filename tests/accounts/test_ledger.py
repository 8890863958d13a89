"""The books, whatever is done to them in whatever order: nothing made or lost, nothing twice, nothing rewritten."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from hub.accounts import AccountsError, Book, Entry, Posting, balances, claim_entry, reversal
from hub.accounts.time_bank import EXPIRED, GIVEN, GUARDED, SPENT, account_of, earned, expired, expiring, gift, spent

AT = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
MONTHS = ["2026-10", "2026-11", "2026-12"]
PAYERS = st.sampled_from(["subsidy", "long_term_care", "charity", "family"])


class Ledger(RuleBasedStateMachine):
    """Claims, reversals and closings, beside a plain picture of what must be true."""

    entries = Bundle("entries")

    def __init__(self) -> None:
        super().__init__()
        self.book = Book()
        self.numbers = itertools.count(1)
        self.frozen: dict[str, tuple[Entry, ...]] = {}
        self.paid: dict[str, int] = {}

    @rule(
        target=entries,
        claim=st.sampled_from("abcd"),
        month=st.sampled_from(MONTHS),
        shares=st.lists(st.tuples(PAYERS, st.integers(1, 10_000)), min_size=1, max_size=4),
    )
    def pay(self, claim: str, month: str, shares: list[tuple[str, int]]) -> str | None:
        ident = f"e{next(self.numbers)}"
        entry = claim_entry(ident, month, claim, "P1", "R1", shares)  # type: ignore[arg-type]
        assert balances([entry])["provider:P1"] == -sum(fen for _, fen in shares)
        may = month not in self.frozen and claim not in self.paid
        try:
            self.book.post(entry)
        except AccountsError:
            assert not may
            return None
        assert may
        self.paid[claim] = sum(fen for _, fen in shares)
        return ident

    @rule(ident=entries, month=st.sampled_from(MONTHS))
    def undo(self, ident: str | None, month: str) -> None:
        first = next((one for one in self.book.entries if one.id == ident), None)
        if first is None:
            return
        done = any(one.reverses == ident for one in self.book.entries)
        try:
            self.book.post(reversal(first, f"r{next(self.numbers)}", month))
        except AccountsError:
            assert done or month in self.frozen
            return
        assert not done
        assert month not in self.frozen
        self.paid.pop(str(first.about))

    @rule(month=st.sampled_from(MONTHS))
    def close(self, month: str) -> None:
        try:
            self.book.close(month)
        except AccountsError:
            assert month in self.frozen
            return
        self.frozen[month] = tuple(one for one in self.book.entries if one.month == month)

    @rule(amount=st.integers(-5, 5), other=st.integers(-5, 5))
    def what_does_not_balance(self, amount: int, other: int) -> None:
        entry = Entry(f"x{next(self.numbers)}", "2027-01", "claim", (Posting("a", amount), Posting("b", other)))
        if amount + other or not amount:
            with pytest.raises(AccountsError):
                self.book.post(entry)

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        assert sum(balances(self.book.entries).values()) == 0
        assert -self.book.balance("provider:P1") == sum(self.paid.values())

    @invariant()
    def a_closed_month_stays_as_it_was(self) -> None:
        for month, was in self.frozen.items():
            assert tuple(one for one in self.book.entries if one.month == month) == was


class TimeBank(RuleBasedStateMachine):
    """Hours earned, given away, spent and expired."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book(guarded=GUARDED)
        self.numbers = itertools.count(1)
        self.people = dict.fromkeys(["volunteer:V1", "volunteer:V2", "resident:R1"], 0)

    def _post(self, entry: Entry, account: str, minutes: int, target: str | None) -> None:
        try:
            self.book.post(entry)
        except AccountsError:
            assert self.people[account] < minutes
            return
        self.people[account] -= minutes
        if target in self.people:
            self.people[str(target)] += minutes

    @rule(who=st.sampled_from(["V1", "V2"]), visit=st.sampled_from("abcdef"), minutes=st.integers(1, 240))
    def bank(self, who: str, visit: str, minutes: int) -> None:
        about = f"{visit}|{who}"
        entry = earned(f"t{next(self.numbers)}", AT, account_of("volunteer", who), minutes, about)
        known = any(one.about == about for one in self.book.entries)
        try:
            self.book.post(entry)
        except AccountsError:
            assert known
            return
        assert not known
        self.people[account_of("volunteer", who)] += minutes

    @rule(pick=st.permutations(["volunteer:V1", "volunteer:V2", "resident:R1"]), minutes=st.integers(1, 300))
    def give(self, pick: list[str], minutes: int) -> None:
        self._post(gift(f"t{next(self.numbers)}", AT, pick[0], pick[1], minutes, None), pick[0], minutes, pick[1])

    @rule(who=st.sampled_from(["volunteer:V1", "volunteer:V2", "resident:R1"]), minutes=st.integers(1, 300))
    def spend(self, who: str, minutes: int) -> None:
        self._post(spent(f"t{next(self.numbers)}", AT, who, minutes, None, "陪诊"), who, minutes, None)

    @rule(who=st.sampled_from(["volunteer:V1", "volunteer:V2", "resident:R1"]))
    def expire(self, who: str) -> None:
        held = [(AT, one.amount) for entry in self.book.entries for one in entry.postings if one.account == who]
        minutes = expiring(held, datetime(2027, 1, 1, tzinfo=UTC))
        assert minutes == self.people[who]
        if minutes:
            self._post(expired(f"t{next(self.numbers)}", AT, who, minutes), who, minutes, None)

    @invariant()
    def nobody_owes_and_nothing_is_lost(self) -> None:
        assert sum(balances(self.book.entries).values()) == 0
        for account, minutes in self.people.items():
            assert self.book.balance(account) == minutes >= 0
        given, gone = self.book.balance(GIVEN), self.book.balance(SPENT) + self.book.balance(EXPIRED)
        assert -given == gone + sum(self.people.values())


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestTimeBank = TimeBank.TestCase
TestTimeBank.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_a_reversal_is_not_reversed_and_must_fit() -> None:
    book = Book()
    first = claim_entry("1", "2026-11", "c", "P1", "R1", [("subsidy", 500)])
    book.post(first)
    undone = reversal(first, "2", "2026-12", "钱付错了")
    book.post(undone)
    with pytest.raises(AccountsError, match="not reversed"):
        reversal(undone, "3", "2026-12")
    with pytest.raises(AccountsError, match="already"):
        book.post(reversal(first, "4", "2026-12"))
    wrong = Entry("5", "2026-12", "reversal", (Posting("payer:subsidy", -1), Posting("provider:P1", 1)), "c", "9")
    with pytest.raises(AccountsError, match="exactly one entry"):
        book.post(wrong)
    assert book.totals("2026-12") == {"payer:subsidy": -500, "provider:P1": 500}
    book.post(claim_entry("6", "2026-12", "c", "P1", "R1", [("family", 500)]))
    assert book.balance("family:R1") == 500


def test_gifts_are_between_two_people_and_of_something() -> None:
    with pytest.raises(AccountsError, match="own account"):
        gift("1", AT, "volunteer:V1", "volunteer:V1", 10, None)
    with pytest.raises(AccountsError, match="1 or more"):
        spent("1", AT, "volunteer:V1", 0, None, None)
