"""Banked hours as rows, and as pages see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from hub.accounts import Entry, Posting, month_of
from hub.errors import BadRequestError, ConflictError
from hub.ports.records import Actor, Json
from hub.ports.time_bank import BankedVisit, TimeEntry
from hub.store.reads_base import ReadsBase, bounded, cursor_values, page
from hub.store.session import Session, as_json, is_uuid

__all__ = ["TimeBankDrawer", "TimeBankReadsPostgres"]


class TimeBankDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def to_bank(self, limit: int, responder_id: str | None = None) -> list[BankedVisit]:
        # Two bankers at once would both find the same visits; the second waits here and finds them banked.
        self._session.run("time_banking")
        rows = self._session.all("time_to_bank", limit=limit, responder_id=responder_id)
        return [_visit(row) for row in rows]

    def visit_to_bank(self, visit_id: str, responder_id: str) -> BankedVisit | None:
        if not is_uuid(visit_id):
            return None
        self._session.run("time_banking")
        row = self._session.one("time_visit", visit_id=visit_id, responder_id=responder_id)
        return None if row is None else _visit(row)

    def review(self, visit_id: str, responder_id: str, accepted: bool, reason: str, actor: Actor, at: datetime) -> None:
        self._session.run(
            "time_review",
            visit_id=visit_id,
            responder_id=responder_id,
            accepted=accepted,
            reason=reason,
            at=at,
            user_id=actor.user_id,
            by_name=actor.name or actor.kind,
        )

    def open_account(self, account_id: str, kind: str, person_id: str) -> None:
        self._session.run("time_account_open", id=account_id, kind=kind, person_id=person_id)

    def balances(self, account_ids: Collection[str]) -> dict[str, int]:
        rows = self._session.all("time_balances_of", ids=sorted(account_ids))
        return {row["id"]: int(row["balance_min"]) for row in rows}

    def post(self, rows: Sequence[TimeEntry], actor: Actor) -> None:
        if not rows:
            return
        entries = [
            {
                "n": n,
                "id": row.entry.id,
                "kind": row.entry.kind,
                "at": row.at,
                "visit_id": row.visit_id,
                "responder_id": row.responder_id,
                "order_id": row.order_id,
                "reverses": row.entry.reverses,
                "note": row.entry.note,
            }
            for n, row in enumerate(rows)
        ]
        self._session.run("time_post", rows=as_json(entries), user_id=actor.user_id, by_name=actor.name or actor.kind)
        postings = [
            {"entry_id": row.entry.id, "account_id": one.account, "minutes": one.amount}
            for row in rows
            for one in row.entry.postings
        ]
        try:
            self._session.run("time_postings_add", rows=as_json(postings))
        except BadRequestError as error:
            if error.extra.get("constraint") == "time_accounts_no_debt":
                raise ConflictError("there are not enough hours on this account", code="not-enough-hours") from error
            raise

    def entry(self, entry_id: str) -> TimeEntry | None:
        row = self._session.one("time_entry", id=entry_id) if is_uuid(entry_id) else None
        if row is None:
            return None
        postings = tuple(Posting(account, minutes) for account, minutes in row["postings"])
        about = row["order_id"] or row["visit_id"]
        month = month_of(row["at"].date())
        entry = Entry(row["id"], month, row["kind"], postings, about, row["reverses"], row["note"])
        return TimeEntry(entry, row["at"], row["visit_id"], row["responder_id"], row["order_id"])

    def reversed(self, entry_id: str) -> bool:
        return self._session.one("time_reversed", id=entry_id) is not None

    def movements(self, account_id: str) -> list[tuple[datetime, int]]:
        return [(row["at"], int(row["minutes"])) for row in self._session.all("time_movements", id=account_id)]

    def holders(self) -> list[str]:
        return [row["id"] for row in self._session.all("time_holders")]


def _visit(row: Json) -> BankedVisit:
    return BankedVisit(**{**row, "flags": tuple(row["flags"])})


class TimeBankReadsPostgres(ReadsBase):
    def time_accounts(
        self, provider_id: str | None, q: str | None, limit: int, cursor: str | None
    ) -> tuple[list[Json], str | None]:
        """By id; the bank's own accounts are no accounts of people."""
        (after,) = cursor_values(cursor, (str,), ("",))
        text = (q or "").strip()
        like = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        params: dict[str, Any] = {"provider_id": provider_id, "q": text or None, "like": like}
        with self._session() as session:
            rows = session.all("time_accounts_page", **params, after=after, limit=bounded(limit) + 1)
        found = page(rows, limit, ("id",), lambda row: row["view"])
        return found.items, found.next_cursor

    def time_statement(
        self, account_id: str, limit: int, cursor: str | None, provider_id: str | None = None
    ) -> Json | None:
        """The account with its lines, the newest first. None where there is none, or not one of this provider's."""
        (before,) = cursor_values(cursor, (int,), (2**62,))
        with self._session() as session:
            row = session.one("time_account", id=account_id, provider_id=provider_id)
            if row is None:
                return None
            rows = session.all("time_lines", id=account_id, before=before, limit=bounded(limit) + 1)
        found = page(rows, limit, ("number",), lambda line: line["view"])
        return {**row["view"], "lines": found.items, "next": found.next_cursor}

    def time_waiting(self, provider_id: str | None, limit: int, responder_id: str | None = None) -> list[Json]:
        rows = self._ask("time_waiting", provider_id=provider_id, responder_id=responder_id, limit=bounded(limit))
        return [row["view"] for row in rows]

    def time_people(self, responder_id: str) -> list[Json]:
        return self._ask("time_people", responder_id=responder_id)

    def time_totals(self, provider_id: str | None) -> Json:
        row = self._ask("time_totals", provider_id=provider_id)[0]
        return {name: int(value or 0) for name, value in row.items()}
