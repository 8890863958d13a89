"""The books as pages and files see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.accounts import PAYERS
from hub.ports.records import Json
from hub.ports.settlement import ClaimFilter
from hub.store.reads_base import FIRST_ID, ReadsBase, bounded, cursor_values, page
from hub.store.session import is_uuid

__all__ = ["SettlementReadsPostgres"]

_STATUSES = ("claimed", "held", "refused", "disputed", "accepted", "closed")


class SettlementReadsPostgres(ReadsBase):
    def claims_page(self, where: ClaimFilter, limit: int, cursor: str | None) -> tuple[list[Json], str | None]:
        """In the order in which the services were given."""
        started_at, after = cursor_values(cursor, (datetime, bytes), ("-infinity", FIRST_ID))
        q = (where.q or "").strip()
        like = "%" + q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        params: dict[str, Any] = {**where._asdict(), "q": q or None, "like": like}
        with self._session() as session:
            rows = session.all("claims_page", **params, started_at=started_at, after=after, limit=bounded(limit) + 1)
        found = page(rows, limit, ("started_at", "id"), lambda row: row["view"])
        return found.items, found.next_cursor

    def claim_view(self, claim_id: str) -> Json | None:
        if not is_uuid(claim_id):
            return None
        rows = self._ask("claim_view", id=claim_id)
        if not rows:
            return None
        row = rows[0]
        evidence = {
            name: row[name] for name in ("checks", "tasks", "assignments", "meal", "timeline", "statuses", "review")
        }
        return {**row["claim"], "disputes": row["disputes"], "entries": row["entries"], "evidence": evidence}

    def months_view(self, month: str, provider_id: str | None) -> list[Json]:
        """Only providers that are paid; those without a claim are there with nothing."""
        with self._session() as session:
            counts = session.all("settlement_month_counts", month=month, provider_id=provider_id)
            payers = session.all("settlement_month_payers", month=month, provider_id=provider_id)
            refusals = session.all("settlement_month_refusals", month=month, provider_id=provider_id)
            states = {
                row["id"]: row for row in session.all("settlement_month_states", month=month, provider_id=provider_id)
            }
        found: dict[str, Json] = {}
        for row in counts:
            one = found.setdefault(row["id"], _empty(row, month, states.get(row["id"], {})))
            if row["status"] is not None:
                one["statuses"][row["status"]] = row["n"]
                one["claims"] += row["n"]
        for row in payers:
            if row["id"] in found:
                one = found[row["id"]]
                one["payers"][row["payer"]] = {"fen": int(row["fen"]), "claims": row["claims"]}
                one["fen"] += int(row["fen"])
        for row in refusals:
            if row["id"] in found:
                found[row["id"]]["refusals"].append({name: row[name] for name in ("code", "zh", "en", "n")})
        return list(found.values())

    def disputes_page(
        self, provider_id: str | None, open_only: bool, limit: int, cursor: str | None
    ) -> tuple[list[Json], str | None]:
        """The oldest first."""
        raised_at, after = cursor_values(cursor, (datetime, bytes), ("-infinity", FIRST_ID))
        with self._session() as session:
            rows = session.all(
                "disputes_page",
                raised_at=raised_at,
                after=after,
                provider_id=provider_id,
                open_only=open_only,
                limit=bounded(limit) + 1,
            )
        found = page(rows, limit, ("raised_at", "id"), lambda row: {**row["view"], "claim": row["claim"]})
        return found.items, found.next_cursor

    def statement(self, month: str, provider_id: str) -> Json:
        with self._session() as session:
            rows = session.all("settlement_statement", month=month, provider_id=provider_id)
        lines = [{**row, **{name: int(row[name]) for name in ("claimed_fen", "corrected_fen", "fen")}} for row in rows]
        totals = {payer: sum(one["fen"] for one in lines if one["payer"] == payer) for payer in PAYERS}
        return {
            "month": month,
            "provider_id": provider_id,
            "lines": lines,
            "totals": totals,
            "fen": sum(totals.values()),
        }

    def export_rows(self, month: str, provider_id: str | None) -> list[Json]:
        with self._session() as session:
            return session.all("settlement_export", month=month, provider_id=provider_id)


def _empty(row: Json, month: str, state: Json) -> Json:
    return {
        "provider": {"id": row["id"], "name": row["name"], "kind": row["kind"]},
        "month": month,
        "claims": 0,
        "statuses": dict.fromkeys(_STATUSES, 0),
        "payers": {payer: {"fen": 0, "claims": 0} for payer in PAYERS},
        "fen": 0,
        "refusals": [],
        "disputes_open": state.get("disputes_open", 0),
        "closed": state.get("closed"),
    }
