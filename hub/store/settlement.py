"""Claims, the ledger, disputes and closed months as rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar

from hub.accounts import (
    ClaimStatus,
    Entitlement,
    Entry,
    Judged,
    Paid,
    Payer,
    Posting,
    ProviderTerms,
    Resident,
    Service,
    Share,
    StatusChange,
    Tariff,
    Terms,
    Used,
)
from hub.accounts.facts import Facts
from hub.ports.records import Actor, Json
from hub.ports.settlement import DisputeRow, MeantFor, ServiceClaim
from hub.store.session import Session, as_json, is_uuid

__all__ = ["SettlementDrawer"]

T = TypeVar("T")
_BATCH = 2_000
_EPOCH = date(1970, 1, 1)


class SettlementDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def alone(self) -> None:
        self._session.run("settlement_alone")

    def hold_month(self, provider_id: str, month: str) -> None:
        self._session.run("settlement_hold", provider_id=provider_id, month=month)

    def closed_months(self, provider_id: str) -> set[str]:
        return {row["month"] for row in self._session.all("settlement_closed", provider_id=provider_id)}

    # ---- what is judged ---------------------------------------------------------------------------------------------

    def facts(self, provider_id: str, start: datetime, end: datetime, closed: Collection[str]) -> list[Facts]:
        where = {"provider_id": provider_id, "start": start, "end": end, "closed": sorted(closed)}
        rows = self._session.all("settlement_facts", **where)
        return [_facts(row) for row in rows]

    def facts_of(self, order_id: str) -> Facts | None:
        row = self._session.one("settlement_facts_of", order_id=order_id)
        return None if row is None else _facts(row)

    def standing(self, order_ids: Collection[str]) -> dict[str, ServiceClaim]:
        rows = self._session.all("settlement_standing", ids=list(order_ids))
        return {row["order_id"]: ServiceClaim(**row) for row in rows}

    def asked(self, claim_ids: Collection[str]) -> set[str]:
        return {row["id"] for row in self._session.all("settlement_asked", ids=list(claim_ids))}

    def terms(self, services: Sequence[Service]) -> Terms:
        residents = sorted({one.resident_id for one in services})
        kinds = sorted({one.kind for one in services})
        cards = sorted({one.card_key for one in services if one.card_key is not None})
        since = min((one.on for one in services), default=_EPOCH).replace(day=1)
        run = self._session.all
        changes: dict[str, list[StatusChange]] = {}
        for row in run("settlement_changes", residents=residents):
            one = StatusChange(row["at"], row["before"] or "home", row["after"] or "home")
            changes.setdefault(row["resident_id"], []).append(one)
        entitlements: dict[str, list[Entitlement]] = {}
        for row in run("settlement_entitlements", residents=residents):
            entitlements.setdefault(row["resident_id"], []).append(
                Entitlement(**{**row, "kinds": frozenset(row["kinds"])})
            )
        used = run("settlement_used", residents=residents, since=since)
        capped = run("settlement_capped", residents=residents, since=since)
        return Terms(
            providers={
                row["id"]: ProviderTerms(
                    row["id"], frozenset(row["kinds"]), frozenset(row["area_ids"]), active=row["active"]
                )
                for row in run("settlement_providers")
            },
            tariffs=tuple(
                Tariff(**{**row, "area_ids": frozenset(row["area_ids"])})
                for row in run("settlement_tariffs", kinds=kinds)
            ),
            entitlements=entitlements,
            residents={
                row["id"]: Resident(row["status"], row["status_since"], tuple(changes.get(row["id"], ())))
                for row in run("settlement_statuses", residents=residents)
            },
            used={
                (row["id"], row["month"]): Used(row["visits"], int(row["minutes"] or 0), int(row["fen"]))
                for row in used
            },
            capped={
                (row["resident_id"], row["kind"], row["provider_id"], row["month"]): int(row["fen"]) for row in capped
            },
            paid=tuple(
                # From the day before: what began then may have gone on past midnight.
                Paid(**row)
                for row in run("settlement_paid", residents=residents, cards=cards, since=since - timedelta(days=1))
            ),
        )

    # ---- claims -----------------------------------------------------------------------------------------------------

    def write(self, ids: Sequence[str], judged: Sequence[Judged], month: str, actor: Actor, at: datetime) -> None:
        for pairs in _batches(list(zip(ids, judged, strict=True))):
            rows = [_claim_row(n, ident, one) for n, (ident, one) in enumerate(pairs)]
            stored = self._session.all(
                "settlement_write", rows=as_json(rows), month=month, at=at, user_id=actor.user_id
            )
            known = {row["order_id"]: row["id"] for row in stored}
            made = [(known[one.service.order_id], one) for _, one in pairs if one.service.order_id in known]
            self._shares([(claim, n, share) for claim, one in made for n, share in enumerate(one.shares)], month)
            self._take_meals(
                (claim, key)
                for claim, one in made
                if one.verdict != "refused"
                for key in _keys(one.service.card_key, one.service.meal_key)
            )

    def _shares(self, rows: Sequence[tuple[str, int, Share]], month: str) -> None:
        if not rows:
            return
        told = [
            {
                "claim_id": claim,
                "position": position,
                "payer": share.payer,
                "entitlement_id": share.entitlement_id,
                "fen": share.fen,
                "minutes": share.minutes,
                "copay": share.why.code == "copay",
                "why": share.why.to_json(),
            }
            for claim, position, share in rows
        ]
        self._session.run("settlement_shares_add", rows=as_json(told), month=month)

    def _take_meals(self, keys: Iterable[tuple[str, str]]) -> None:
        rows = [{"claim_id": claim, "key": key} for claim, key in keys]
        if rows:
            self._session.run("settlement_meals_take", rows=as_json(rows))

    def claim(self, claim_id: str, *, lock: bool = False) -> ServiceClaim | None:
        if not is_uuid(claim_id):
            return None
        row = self._session.one("settlement_claim_locked" if lock else "settlement_claim", id=claim_id)
        return None if row is None else ServiceClaim(**row)

    def shares(self, claim_id: str) -> list[tuple[Payer, int]]:
        return [(row["payer"], row["fen"]) for row in self._session.all("settlement_shares_of", id=claim_id)]

    def set_status(self, claim_id: str, status: ClaimStatus, *, price_fen: int | None = None) -> None:
        self._session.run("settlement_set_status", id=claim_id, status=status, price_fen=price_fen)

    def reviewed(self, claim_id: str, note: str, actor: Actor, at: datetime) -> None:
        self._session.run("settlement_reviewed", id=claim_id, note=note, user_id=actor.user_id, at=at)

    def add_shares(self, claim_id: str, month: str, shares: Sequence[Share], keys: Collection[str]) -> None:
        self._shares([(claim_id, position, share) for position, share in enumerate(shares)], month)
        self._take_meals((claim_id, key) for key in keys)

    def drop_shares(self, claim_id: str) -> None:
        self._session.run("settlement_shares_drop", id=claim_id)

    def free_meals(self, claim_id: str) -> None:
        self._session.run("settlement_meals_free", id=claim_id)

    # ---- the ledger -------------------------------------------------------------------------------------------------

    def post(self, entries: Sequence[Entry], provider_id: str, actor: Actor, at: datetime) -> None:
        for some in _batches(entries):
            rows = [
                {
                    "n": n,
                    "id": one.id,
                    "month": one.month,
                    "kind": one.kind,
                    "claim_id": one.about,
                    "reverses": one.reverses,
                    "note": one.note,
                }
                for n, one in enumerate(some)
            ]
            self._session.run(
                "ledger_post",
                rows=as_json(rows),
                provider_id=provider_id,
                at=at,
                user_id=actor.user_id,
                by_name=actor.name or actor.kind,
            )
            postings = [
                {"entry_id": one.id, "account": posting.account, "fen": posting.amount}
                for one in some
                for posting in one.postings
            ]
            self._session.run("ledger_postings_add", rows=as_json(postings))

    def entries(self, claim_id: str) -> list[Entry]:
        return [
            Entry(
                id=row["id"],
                month=row["month"],
                kind=row["kind"],
                postings=tuple(Posting(account, fen) for account, fen in row["postings"]),
                about=row["claim_id"],
                reverses=row["reverses"],
                note=row["note"],
            )
            for row in self._session.all("ledger_of_claim", id=claim_id)
        ]

    # ---- months and disputes ----------------------------------------------------------------------------------------

    def held_to(self, provider_id: str, month: str, following: str) -> int:
        moved = self._session.run("settlement_held_on", provider_id=provider_id, month=month, following=following)
        if moved:
            self._session.run("settlement_shares_on", provider_id=provider_id, month=month, following=following)
        return moved

    def close(self, provider_id: str, month: str, totals: Json, actor: Actor, at: datetime) -> int:
        closed = self._session.run("settlement_close_claims", provider_id=provider_id, month=month)
        self._session.run(
            "settlement_close",
            provider_id=provider_id,
            month=month,
            at=at,
            user_id=actor.user_id,
            by_name=actor.name or actor.kind,
            totals=as_json(totals),
        )
        return closed

    def totals(self, provider_id: str, month: str) -> Json:
        rows = self._session.all("settlement_totals", provider_id=provider_id, month=month)
        counts = self._session.all("settlement_counts_of", provider_id=provider_id, month=month)
        return {
            "payers": {row["payer"]: int(row["fen"]) for row in rows if row["side"] != "provider"},
            "provider_fen": -sum(int(row["fen"]) for row in rows if row["side"] == "provider"),
            "claims": {row["status"]: row["n"] for row in counts},
        }

    def raise_dispute(self, row: DisputeRow, reason: str, actor: Actor, at: datetime) -> None:
        self._session.run(
            "dispute_raise",
            id=row.id,
            claim_id=row.claim_id,
            side=row.side,
            wants=row.wants,
            reason=reason,
            at=at,
            user_id=actor.user_id,
            by_name=actor.name or actor.kind,
        )

    def dispute(self, dispute_id: str, *, lock: bool = False) -> DisputeRow | None:
        if not is_uuid(dispute_id):
            return None
        row = self._session.one("dispute_get_locked" if lock else "dispute_get", id=dispute_id)
        return None if row is None else DisputeRow(**row)

    def decide(
        self, dispute_id: str, decision: MeantFor, reason: str, entry_id: str | None, actor: Actor, at: datetime
    ) -> None:
        self._session.run(
            "dispute_decide",
            id=dispute_id,
            decision=decision,
            reason=reason,
            entry_id=entry_id,
            at=at,
            user_id=actor.user_id,
            by_name=actor.name or actor.kind,
        )


def _facts(row: Json) -> Facts:
    return Facts(**{**row, "flags": tuple(row["flags"]), "area_path": tuple(row["area_path"])})


def _batches(rows: Sequence[T]) -> Iterable[Sequence[T]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]


def _keys(card_key: str | None, meal_key: str | None) -> list[str]:
    found = [f"card|{card_key}"] if card_key else []
    return [*found, f"meal|{meal_key}"] if meal_key else found


def _claim_row(number: int, ident: str, judged: Judged) -> Json:
    service = judged.service
    return {
        "n": number,
        "id": ident,
        "order_id": service.order_id,
        "visit_id": service.visit_id,
        "provider_id": service.provider_id,
        "resident_id": service.resident_id,
        "kind": service.kind,
        "service_on": service.on,
        "started_at": service.started_at,
        "ended_at": service.ended_at,
        "minutes": service.minutes,
        "status": judged.verdict,
        "price_fen": judged.price_fen,
        "tariff_id": judged.tariff_id,
        "reasons": [why.to_json() for why in judged.reasons],
        "flags": service.flags,
        "card_key": service.card_key,
        "meal_key": service.meal_key,
    }
