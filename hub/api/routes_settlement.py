"""The end of the month: claims, their evidence and disputes, months closed for good, statements and files."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import Field

from hub.accounts import ClaimStatus, Payer
from hub.api.answers import JsonAnswer, one
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.routing import Cursor, Filter, Limit, Uid, api_router
from hub.api.schemas_settlement import ClaimsNew, ClaimsPreview, Decision, DisputeNew, Month, MonthClose, ReviewNew
from hub.api.scope import own_resident, provider_wanted
from hub.api.settlement_files import as_csv, as_xlsx, file_rows
from hub.api.views import ListOf, View
from hub.api.writes import Write
from hub.errors import ForbiddenError, NotFoundError
from hub.ports import ClaimFilter, DisputeSide, Json
from hub.service import ClaimsWanted

__all__ = ["router"]

router = api_router("settlement")
_HOME = frozenset({"family", "resident"})
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
AskedMonth = Annotated[Month, Query(description="2026-11")]


class Claim(View):
    id: str
    number: int
    order_id: str
    order_number: int
    visit_id: str
    provider: dict[str, Any]
    resident: dict[str, Any]
    kind: str
    month: str = Field(description="In whose books it stands")
    service_on: str
    status: ClaimStatus
    price_fen: int
    paid_fen: int = Field(description="By the last word of the ledger")
    reasons: list[dict[str, Any]] = Field(description="`code`, `zh`, `en`, `values`; the first says why it is refused")
    flags: list[str]
    shares: list[dict[str, Any]]
    dispute: dict[str, Any] | None
    version: int


class ClaimDetail(Claim):
    disputes: list[dict[str, Any]]
    entries: list[dict[str, Any]]
    evidence: dict[str, Any] = Field(description="Checks, tasks, photos' digests, meal, timeline, changes of status")


class ClaimsAnswer(View):
    provider_id: str
    month: str
    digest: str
    services: int
    counts: dict[str, int]
    payers: dict[str, int]
    fen: int
    refusals: list[dict[str, Any]]
    lines: list[dict[str, Any]] = Field(description="What is refused or held first; at most 500")


class MonthState(View):
    provider: dict[str, Any]
    month: str
    claims: int
    statuses: dict[str, int]
    payers: dict[str, dict[str, int]]
    fen: int
    refusals: list[dict[str, Any]]
    disputes_open: int
    closed: dict[str, Any] | None


class MonthClosed(View):
    provider_id: str
    month: str
    closed: int
    held_on: int = Field(description="Waiting for a second look: they went to the next month")
    payers: dict[str, int]
    provider_fen: int


class Statement(View):
    month: str
    provider_id: str
    lines: list[dict[str, Any]]
    totals: dict[str, int]
    fen: int


class Dispute(View):
    id: str
    claim_id: str
    side: DisputeSide
    wants: Literal["paid", "refused"]
    reason: str
    decision: Literal["paid", "refused"] | None
    version: int


def _seen(hub: Hub, who: Caller, claim_id: str) -> Json:
    view = hub.reads.claim_view(claim_id)
    if view is None or (who.provider_id is not None and view["provider"]["id"] != who.provider_id):
        raise NotFoundError(f"no claim {claim_id}")
    if who.role in _HOME and view["resident"]["id"] != own_resident(hub, who):
        raise NotFoundError(f"no claim {claim_id}")
    return view


def _own(who: Caller, provider_id: str) -> str:
    if who.provider_id not in (None, provider_id):
        raise NotFoundError(f"no provider {provider_id}", field="provider_id")
    return provider_id


@router.get("/settlements", response_model=ListOf[Claim], summary="Claims")
def list_claims(
    hub: HubDep,
    who: Who,
    month: Annotated[Month | None, Query(description="2026-11")] = None,
    provider: Filter = None,
    status: Annotated[ClaimStatus | None, Query()] = None,
    payer: Annotated[Payer | None, Query()] = None,
    kind: Filter = None,
    q: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """In the order in which the services were given. A family sees its resident's, a provider its own."""
    resident = own_resident(hub, who) if who.role in _HOME else None
    where = ClaimFilter(month, provider_wanted(who, provider), status, payer, kind, resident, q)
    items, following = hub.reads.claims_page(where, limit, cursor)
    return JsonAnswer({"items": items, "next": following})


@router.get("/settlements/months", response_model=ListOf[MonthState], summary="A month, provider by provider")
def list_months(hub: HubDep, who: Who, month: AskedMonth, provider: Filter = None) -> Response:
    """Counts, totals by payer as the ledger has them, why claims were refused, and who closed it."""
    return JsonAnswer({"items": hub.reads.months_view(month, provider_wanted(who, provider)), "next": None})


@router.post("/settlements/preview", response_model=ClaimsAnswer, summary="What would be claimed")
def preview_claims(hub: HubDep, who: Who, write: Write, body: ClaimsPreview) -> Response:
    """Writes nothing. `digest` goes into the POST that makes them."""
    del write  # nothing is written, and a kept answer would be an old one
    return JsonAnswer(hub.services.settling.preview(_wanted(who, body)))


@router.post("/settlements", response_model=ClaimsAnswer, status_code=201, summary="Make the claims")
def post_claims(hub: HubDep, who: Who, write: Write, body: ClaimsNew) -> Response:
    """Each service once: what stands already is left alone, what was refused in an open month is judged anew. 409
    `preview-changed` where the digest is no longer true, `month-closed` for a closed month.
    """
    wanted = _wanted(who, body)
    return write.once(
        lambda: hub.services.settling.commit(wanted, body.digest, write.actor), lambda done: done, status=201
    )


def _wanted(who: Caller, body: ClaimsPreview) -> ClaimsWanted:
    return ClaimsWanted(
        _own(who, body.provider_id), body.month, frozenset(body.kinds), from_on=body.from_on, to_on=body.to_on
    )


@router.post("/settlements/close", response_model=MonthClosed, summary="Close a month")
def close_month(hub: HubDep, who: Who, write: Write, body: MonthClose) -> Response:
    """For good: nothing in it changes any more, and nothing opens it again. Corrections stand in the next month."""
    _own(who, body.provider_id)
    return write.once(lambda: hub.services.settling.close(body.provider_id, body.month, write.actor), lambda done: done)


@router.get("/settlements/statement", response_model=Statement, summary="A provider's month by payer and kind")
def show_statement(
    hub: HubDep, who: Who, month: AskedMonth, provider: Annotated[str, Query(max_length=64)]
) -> Response:
    """What was claimed, what was corrected, and the sum, which is the ledger's."""
    return JsonAnswer(hub.reads.statement(month, _own(who, provider)))


@router.get("/settlements/export", summary="A month as a file", response_class=Response)
def export_month(
    hub: HubDep,
    who: Who,
    month: AskedMonth,
    provider: Filter = None,
    format: Annotated[Literal["csv", "xlsx"], Query()] = "xlsx",
    lang: Annotated[Literal["zh", "en"], Query()] = "zh",
) -> Response:
    """One row a claim and payer; refused ones with their reason. Its totals are the ledger's. Every file is audited."""
    own = provider_wanted(who, provider)
    rows = file_rows(hub.reads.export_rows(month, own), hub.zone, lang)
    name = f"settlement-{month}{'-' + own if own else ''}.{format}"
    with hub.database.begin() as tx:
        detail = {"month": month, "rows": len(rows), "format": format}
        tx.audit.add(
            who.actor, "settlement.export", f"providers:{own}" if own else None, detail, hub.clock(), who.address
        )
    content: Any = as_csv(rows, lang) if format == "csv" else as_xlsx(rows, name, lang)
    safe = "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "_" for char in name)
    headers = {"Content-Disposition": f'attachment; filename="{safe}"', "Cache-Control": "no-store"}
    return Response(content, media_type=_TYPES[format], headers=headers)


@router.get("/settlements/disputes", response_model=ListOf[Dispute], summary="Disputes, the oldest first")
def list_disputes(
    hub: HubDep,
    who: Who,
    state: Annotated[Literal["open", "all"], Query()] = "open",
    provider: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    items, following = hub.reads.disputes_page(provider_wanted(who, provider), state == "open", limit, cursor)
    return JsonAnswer({"items": items, "next": following})


@router.post("/settlements/disputes/{dispute_id}/decide", response_model=ClaimDetail, summary="Decide a dispute")
def decide_dispute(hub: HubDep, who: Who, write: Write, dispute_id: Uid, body: Decision) -> Response:
    """By somebody else than whoever raised it, never by the provider. What it changes is an entry of the claim's month
    or, where that is closed, of the next open one.
    """
    return write.once(
        lambda: hub.services.disputing.decide(
            dispute_id, body.decision, body.reason, write.actor, version=write.version
        ),
        lambda claim_id: _seen(hub, who, claim_id),
    )


@router.get("/settlements/{claim_id}", response_model=ClaimDetail, summary="One claim with its evidence")
def show_claim(hub: HubDep, who: Who, claim_id: Uid) -> Response:
    """Checks at the door, tasks, digests of photos, the meal, the timeline, the resident's changes of status."""
    view = _seen(hub, who, claim_id)
    with hub.database.begin() as tx:
        tx.audit.add(who.actor, "settlement.read", f"claims:{claim_id}", {}, hub.clock(), who.address)
    return one(view)


@router.post("/settlements/{claim_id}/review", response_model=ClaimDetail, summary="A second look at a held claim")
def review_claim(hub: HubDep, who: Who, write: Write, claim_id: Uid, body: ReviewNew) -> Response:
    """The provider's own people may drop it; the district accepts it."""

    def act() -> str:
        _seen(hub, who, claim_id)
        hub.services.settling.review(
            claim_id,
            body.accept,
            body.reason,
            write.actor,
            provider=who.provider_id is not None,
            version=write.version,
        )
        return claim_id

    return write.once(act, lambda ident: _seen(hub, who, ident))


@router.post("/settlements/{claim_id}/disputes", response_model=ClaimDetail, status_code=201, summary="Dispute a claim")
def post_dispute(hub: HubDep, who: Who, write: Write, claim_id: Uid, body: DisputeNew) -> Response:
    """By its provider where nothing was paid, by the family or the district where it was. Each side once."""

    def act() -> str:
        _seen(hub, who, claim_id)
        side: DisputeSide = "family" if who.role in _HOME else "provider" if who.provider_id is not None else "payer"
        if side == "payer" and who.role not in ("coordinator", "supervisor", "admin"):
            raise ForbiddenError("a dispute is for the district, the provider or the family")
        hub.services.disputing.raise_dispute(claim_id, side, body.reason, write.actor)
        return claim_id

    return write.once(act, lambda ident: _seen(hub, who, ident), status=201)
