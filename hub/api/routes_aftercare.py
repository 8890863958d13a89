"""Orders open to claim, what people think of a service, and asking afterwards."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Response

from hub.api.answers import JsonAnswer
from hub.api.deps import HubDep, Who
from hub.api.routing import Limit, Uid, api_router
from hub.api.schemas_everyday import Rating, ReturnVisitDone
from hub.api.scope import order_view, person_of
from hub.api.views import ListOf
from hub.api.views_everyday import OpenOrder, ReturnVisitDue
from hub.api.views_services import Order
from hub.api.writes import Write

__all__ = ["router"]

router = api_router("services")
_HOME = frozenset({"family", "resident"})


@router.get("/my/open-orders", response_model=ListOf[OpenOrder], summary="What I may claim")
def my_open_orders(hub: HubDep, who: Who) -> Response:
    """What is open near me and what I am qualified for, nearest first. Whose it is stays hidden until it is claimed."""
    return JsonAnswer({"items": hub.services.everyday.open_orders.near(person_of(who)), "next": None})


@router.post("/orders/{order_id}/claim", response_model=Order, summary="I take it")
def claim_order(hub: HubDep, who: Who, write: Write, order_id: Uid) -> Response:
    """The first has it. 409 `already-claimed` says in `by` who was faster."""
    me = person_of(who)
    return write.once(
        lambda: hub.services.everyday.open_orders.claim(order_id, me, who.actor),
        lambda _done: order_view(hub, who, order_id),
    )


@router.post("/orders/{order_id}/satisfaction", response_model=Order, summary="How it was")
def rate_order(hub: HubDep, who: Who, write: Write, order_id: Uid, body: Rating) -> Response:
    """By resident or family, or by the desk that asked by telephone. The last word counts; a complaint is a matter."""
    given_by: Literal["resident", "family", "phone"] = "phone"
    if who.role in _HOME:
        given_by = "resident" if who.role == "resident" else "family"

    def act() -> None:
        order_view(hub, who, order_id)
        hub.services.everyday.satisfaction.rate(
            order_id, body.score, body.words, given_by, who.actor, complaint=body.complaint
        )

    return write.once(act, lambda _done: order_view(hub, who, order_id))


@router.get("/return-visits", response_model=ListOf[ReturnVisitDue], summary="Whom to ask how it was")
def list_return_visits(
    hub: HubDep,
    due: bool = True,
    done: Annotated[bool, Query(description="Those that were asked, the latest first")] = False,
    outcome: Annotated[Literal["content", "not_content", "not_given", "unreachable"] | None, Query()] = None,
    limit: Limit = 100,
) -> Response:
    """The longest due first; `due=false` also those that have time. `outcome` narrows those that are done."""
    if done:
        ids = hub.reads.asked_about(outcome, limit)
        orders = hub.reads.orders_by_id(ids)
        wanted = [(ident, orders[ident]["return_visit"]["due_at"]) for ident in ids if ident in orders]
    else:
        found = hub.services.everyday.satisfaction.due(hub.clock() if due else None, limit, None)
        orders = hub.reads.orders_by_id([row["order_id"] for row in found])
        wanted = [(row["order_id"], row["due_at"]) for row in found if row["order_id"] in orders]
    items = [{"order_id": ident, "due_at": at, "order": orders[ident]} for ident, at in wanted]
    return JsonAnswer({"items": items, "next": None, "server_time": hub.clock()})


@router.post("/orders/{order_id}/return-visit", response_model=Order, summary="Somebody asked, or shall ask")
def return_visit(hub: HubDep, who: Who, write: Write, order_id: Uid, body: ReturnVisitDone) -> Response:
    """Without `outcome` it is put on the list. Unreachable comes again the next day, three times in all."""
    desk = hub.services.everyday.satisfaction

    def act() -> None:
        order_view(hub, who, order_id)
        if body.outcome is None:
            desk.ask_for(order_id, who.actor)
        else:
            desk.visited(order_id, body.way, body.outcome, body.note, who.actor)

    return write.once(act, lambda _done: order_view(hub, who, order_id))
