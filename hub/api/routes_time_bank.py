"""The time bank: volunteers' hours, seen, given away, spent and taken back."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from pydantic import Field

from hub.accounts.time_bank import account_of
from hub.api.answers import JsonAnswer
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.routing import Cursor, Filter, Limit, RecordId, Uid, api_router
from hub.api.schemas import Reason
from hub.api.schemas_settlement import GiftNew, SpendNew, TimeReview
from hub.api.scope import own_responders, person_of
from hub.api.views import ListOf, View
from hub.api.writes import Write
from hub.errors import BadRequestError, ForbiddenError, NotFoundError
from hub.ports import Json

__all__ = ["router"]

router = api_router("time bank")


class TimeAccount(View):
    id: str
    kind: str
    person_id: str
    name: str | None
    balance_min: int
    earned_min: int
    spent_min: int
    visits: int


class TimeStatement(TimeAccount):
    lines: list[dict[str, Any]] = Field(description="The newest first; `minutes` above zero came in")
    next: str | None


class TimeBankPage(ListOf[TimeAccount]):
    totals: dict[str, int]


class MyHours(View):
    account: dict[str, Any]
    waiting: list[dict[str, Any]] = Field(description="Visits whose proof somebody must look at first")
    people: list[dict[str, Any]] = Field(description="Whom a volunteer has served")


@router.get("/time-bank", response_model=TimeBankPage, summary="Accounts of the time bank")
def list_time_accounts(hub: HubDep, who: Who, q: Filter = None, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """An account of a provider sees its volunteers and those whom it serves."""
    hub.services.time_banking.bank()
    items, following = hub.reads.time_accounts(who.provider_id, q, limit, cursor)
    totals = hub.reads.time_totals(who.provider_id)
    return JsonAnswer({"items": items, "next": following, "totals": totals})


@router.get("/time-bank/waiting", response_model=ListOf[dict[str, Any]], summary="Hours that wait for a second look")
def list_waiting(hub: HubDep, who: Who, limit: Limit = 100) -> Response:
    return JsonAnswer({"items": hub.reads.time_waiting(who.provider_id, limit), "next": None})


@router.get("/time-bank/accounts/{account_id}", response_model=TimeStatement, summary="A statement")
def show_time_account(
    hub: HubDep, who: Who, account_id: RecordId, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    view = hub.reads.time_statement(account_id, limit, cursor, who.provider_id)
    if view is None:
        raise NotFoundError(f"no account {account_id}")
    return JsonAnswer(view)


@router.post("/time-bank/gifts", response_model=TimeStatement, status_code=201, summary="Give hours, for somebody")
def post_gift(hub: HubDep, write: Write, body: GiftNew) -> Response:
    """At the desk, as the holder of the account asks. 409 `not-enough-hours`: no account runs below nothing."""
    if body.from_account is None:
        raise BadRequestError("from_account: is missing", field="from_account")
    return _given(hub, write, body.from_account, body)


@router.post("/time-bank/spending", response_model=TimeStatement, status_code=201, summary="Spend hours, for somebody")
def post_spending(hub: HubDep, write: Write, body: SpendNew) -> Response:
    """At the desk, as the holder of the account asks."""
    if body.account is None:
        raise BadRequestError("account: is missing", field="account")
    return _spent(hub, write, body.account, body)


def _given(hub: Hub, write: Write, source: str, body: GiftNew) -> Response:
    return write.once(
        lambda: hub.services.time_banking.give(source, body.to_kind, body.to_id, body.minutes, body.note, write.actor),
        lambda _entry: _statement(hub, source),
        status=201,
    )


def _spent(hub: Hub, write: Write, account: str, body: SpendNew) -> Response:
    return write.once(
        lambda: hub.services.time_banking.spend(account, body.minutes, body.order_id, body.note, write.actor),
        lambda _entry: _statement(hub, account),
        status=201,
    )


def _statement(hub: Hub, account_id: str) -> Json:
    view = hub.reads.time_statement(account_id, 100, None)
    if view is None:
        raise NotFoundError(f"no account {account_id}")
    return view


@router.post("/time-bank/entries/{entry_id}/reverse", response_model=dict[str, str], summary="Take an entry back")
def reverse_entry(hub: HubDep, write: Write, entry_id: Uid, body: Reason) -> Response:
    """By its reversal: nothing in the books is ever changed. 409 where the hours have moved on."""

    def act() -> str:
        hub.services.time_banking.take_back(entry_id, body.reason, write.actor)
        return entry_id

    return write.once(act, lambda ident: {"id": ident})


@router.post("/time-bank/visits/{visit_id}/review", response_model=dict[str, str], summary="Bank flagged hours, or not")
def review_hours(hub: HubDep, who: Who, write: Write, visit_id: Uid, body: TimeReview) -> Response:
    def act() -> str:
        if who.provider_id is not None and body.responder_id not in own_responders(hub, who.provider_id):
            raise NotFoundError("no hours of this visit wait for a second look")
        hub.services.time_banking.review(visit_id, body.responder_id, body.accept, body.reason, write.actor)
        return visit_id

    return write.once(act, lambda ident: {"id": ident})


# ---- one's own ------------------------------------------------------------------------------------------------------


def _account_of(hub: Hub, who: Caller) -> str:
    """The account of a volunteer, of a resident or of a relative."""
    person = person_of(who)
    if who.role == "staff":
        me = hub.reads.record("responders", person)
        if me is None or me["kind"] != "volunteer":
            raise ForbiddenError("the time bank is for volunteers", code="no-volunteer")
        return account_of("volunteer", person)
    return account_of("contact" if who.role == "family" else "resident", person)


@router.get("/my/hours", response_model=MyHours, summary="My hours")
def my_hours(hub: HubDep, who: Who, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """What was banked, given and spent. A visit that has just ended is in it."""
    account_id = _account_of(hub, who)
    kind, _, person = account_id.partition(":")
    if kind == "volunteer":
        hub.services.time_banking.bank(responder_id=person)
    found = hub.reads.time_statement(account_id, limit, cursor)
    none = {"balance_min": 0, "earned_min": 0, "spent_min": 0, "visits": 0, "lines": [], "next": None}
    account = found or {"id": account_id, "kind": kind, "person_id": person, "name": None, **none}
    waiting = hub.reads.time_waiting(None, 50, person) if kind == "volunteer" else []
    people = hub.reads.time_people(person) if kind == "volunteer" else []
    return JsonAnswer({"account": account, "waiting": waiting, "people": people})


@router.post("/my/hours/gifts", response_model=TimeStatement, status_code=201, summary="Give some of my hours")
def give_my_hours(hub: HubDep, who: Who, write: Write, body: GiftNew) -> Response:
    """To a resident or relative by their number, or to another volunteer."""
    if body.from_account is not None:
        raise BadRequestError("from_account: one's own hours only", field="from_account")
    return _given(hub, write, _account_of(hub, who), body)


@router.post("/my/hours/spending", response_model=TimeStatement, status_code=201, summary="Pay with my hours")
def spend_my_hours(hub: HubDep, who: Who, write: Write, body: SpendNew) -> Response:
    """For an order, or for what the note says."""
    if body.account is not None:
        raise BadRequestError("account: one's own hours only", field="account")
    return _spent(hub, write, _account_of(hub, who), body)
