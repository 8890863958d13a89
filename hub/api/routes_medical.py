"""Questions to the community doctor, vitals rounds, what each kind must know, and what came of visits."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal

from fastapi import Query, Response

from dispatch.particulars import particulars_json, said_lines, unsaid
from hub.api.answers import JsonAnswer, one
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.routing import Filter, Limit, Uid, api_router
from hub.api.schemas import Reason
from hub.api.schemas_meals import TeleconsultAnswer, TeleconsultNew, VisitResultsNew, VitalsRoundNew
from hub.api.scope import may_see_order, person_of
from hub.api.views import ListOf
from hub.api.views_meals import KindFields, Teleconsult, Teleconsults, VisitResults, VitalsRoundDay
from hub.api.views_services import Order
from hub.api.writes import Write
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Json, OrderFilter, TeleconsultFilter
from hub.service import fields_of

__all__ = ["add_particulars", "router"]

router = api_router("services")
_MOST = 60


@router.get("/service-fields", response_model=KindFields, summary="What an order of each kind must say")
def list_fields(hub: HubDep) -> Response:
    """`order`: with the order's attributes; `done`: the results of its visit. Each with its type and both labels."""
    with hub.database.begin() as tx:
        items = {kind: particulars_json(fields_of(tx, kind)) for kind in sorted(tx.reference.ids("service_kinds"))}
    return JsonAnswer({"items": items})


def add_particulars(hub: Hub, tasks: list[Json], language: str) -> None:
    """Puts what the order said under its note, a line a field in the reader's language, and gives the task what is to
    be said after the visit (`results`).
    """
    orders = [task for task in tasks if task["order"] is not None]
    if not orders:
        return
    with hub.database.begin() as tx:
        known = {kind: fields_of(tx, kind) for kind in {task["order"]["kind"] for task in orders}}
    for task in orders:
        fields = known[task["order"]["kind"]]
        said = task["order"]["attributes"]
        lines = said_lines(fields.order, said, hub.zone)["en" if language == "en" else "zh"]
        if missing := unsaid(fields.order, said):
            lines.append(
                f"Not said yet: {', '.join(one.en for one in missing)}"
                if language == "en"
                else f"尚未说明：{'、'.join(one.zh for one in missing)}"
            )
        if lines:
            task["order"]["note"] = "\n".join([*filter(None, [task["order"]["note"]]), *lines])
        if fields.done:
            task["results"] = particulars_json(fields)["done"]


@router.get("/visits/{visit_id}/results", response_model=VisitResults, summary="What came of a visit")
def show_results(hub: HubDep, who: Who, visit_id: Uid) -> Response:
    _visible(hub, who, visit_id)
    found = hub.reads.visit_results(visit_id)
    if found is None:
        raise NotFoundError(f"visit {visit_id} has no results")
    return one(found)


@router.post("/visits/{visit_id}/results", response_model=VisitResults, summary="Say what came of it")
def post_results(hub: HubDep, who: Who, write: Write, visit_id: Uid, body: VisitResultsNew) -> Response:
    """The amount paid, the receipt, what was fetched: by the kind's fields."""

    def act() -> None:
        _visible(hub, who, visit_id)
        hub.services.visit_results.record(visit_id, body.results, who.actor, at=body.at, whole=body.whole)

    return write.once(act, lambda _done: hub.reads.visit_results(visit_id) or {})


def _visible(hub: Hub, who: Caller, visit_id: str) -> None:
    order = hub.reads.order_of_visit(visit_id)
    if order is None or not may_see_order(hub, who, order):
        raise NotFoundError(f"no visit {visit_id}")


@router.get("/vitals-rounds", response_model=VitalsRoundDay, summary="The vitals rounds of one day")
def list_vitals_rounds(
    hub: HubDep,
    who: Who,
    day: Annotated[date | None, Query(alias="date", description="Local day of the hub; absent: today")] = None,
) -> Response:
    """Who is due, and of whom values were taken: each with the limit of the resident's own that it is beyond.

    Health: every look at somebody's values is in the audit.
    """
    wanted = day or hub.clock().astimezone(hub.zone).date()
    begin = datetime.combine(wanted, time.min, tzinfo=hub.zone)
    where = OrderFilter(kind="vitals_round", day_from=begin, day_to=begin + timedelta(days=1))
    orders = [one for one in hub.reads.orders(where, 500, None).items if one["state"] != "cancelled"]
    visits = {str(one["visit"]["id"]): str(one["resident"]["id"]) for one in orders}
    taken = hub.services.vitals_rounds.taken(visits, who.actor)
    items = [{**one, "taken": taken.get(str(one["visit"]["id"]))} for one in orders]
    return JsonAnswer({"items": items, "next": None, "day": wanted, "server_time": hub.clock()})


@router.post("/vitals-rounds", response_model=ListOf[Order], status_code=201, summary="Order a round of short visits")
def post_vitals_round(hub: HubDep, who: Who, write: Write, body: VitalsRoundNew) -> Response:
    """One order a person who is at home, all of one window; the day's plan makes the round of them."""
    ids = list(body.resident_ids)
    if body.area_id is not None:
        ids += [
            str(row["id"])
            for row in hub.reads.records("residents", 500, None, area=body.area_id, status="home").items
            if row.get("served") and row["id"] not in ids
        ]
    if not ids:
        raise BadRequestError("nobody is meant: give resident_ids or an area with people at home", field="resident_ids")
    if len(ids) > _MOST:
        raise BadRequestError(f"{len(ids)} people are more than one round: {_MOST} at most", field="resident_ids")
    begin, end = (
        datetime.combine(body.day, time.fromisoformat(at), tzinfo=hub.zone) for at in (body.begins, body.ends)
    )

    def act() -> list[str]:
        made: list[str] = []
        for resident_id in ids:
            fields = {
                "kind": "vitals_round",
                "resident_id": resident_id,
                "wanted_from": begin,
                "wanted_to": end,
                "attributes": {"measure": body.measure} if body.measure else {},
                **({"note": body.note} if body.note else {}),
            }
            try:
                made.append(hub.services.care.create_order(fields, who.actor))
            except ConflictError:
                continue  # went into hospital since the list was made
        return made

    return write.once(
        act, lambda made: {"items": list(hub.reads.orders_by_id(made).values()), "next": None}, status=201
    )


# --- teleconsults


@router.get("/teleconsults", response_model=Teleconsults, summary="Questions to the community doctor, open ones first")
def list_teleconsults(
    hub: HubDep,
    who: Who,
    state: Annotated[Literal["requested", "answered", "withdrawn"] | None, Query()] = None,
    resident: Filter = None,
    incident: Annotated[str | None, Query(pattern=r"^[0-9a-fA-F-]{36}$")] = None,
    limit: Limit = 100,
) -> Response:
    """Staff see what was asked of them, or of whichever doctor answers first."""
    where = TeleconsultFilter(state, resident, incident, person_of(who) if who.role == "staff" else None)
    items = hub.reads.teleconsults(where, limit) if _may_list(hub, who) else []
    return JsonAnswer({"items": items, "next": None})


def _may_list(hub: Hub, who: Caller) -> bool:
    if who.role != "staff":
        return True
    with hub.database.begin() as tx:
        return tx.medical.responder_kind(person_of(who)) == "doctor"


def _consult(hub: Hub, who: Caller, consult_id: str) -> Json:
    found = hub.reads.teleconsult(consult_id)
    if found is None or (who.role == "staff" and not _may_list(hub, who) and found["requested_by"] != who.actor.name):
        raise NotFoundError(f"no teleconsult {consult_id}")
    return found


@router.post("/teleconsults", response_model=Teleconsult, status_code=201, summary="Ask the community doctor")
def post_teleconsult(hub: HubDep, who: Who, write: Write, body: TeleconsultNew) -> Response:
    """The latest values of the last 30 days go with it."""
    return write.once(
        lambda: hub.services.teleconsults.request(body.model_dump(exclude_none=True), who.actor),
        lambda consult_id: hub.reads.teleconsult(consult_id) or {},
        status=201,
        headers=lambda view: {"Location": f"/api/v1/teleconsults/{view['id']}"},
    )


@router.get("/teleconsults/{consult_id}", response_model=Teleconsult, summary="One question")
def show_teleconsult(hub: HubDep, who: Who, consult_id: Uid) -> Response:
    return one(_consult(hub, who, consult_id))


@router.post("/teleconsults/{consult_id}/answer", response_model=Teleconsult, summary="Advice, a visit, or 120")
def answer_teleconsult(hub: HubDep, who: Who, write: Write, consult_id: Uid, body: TeleconsultAnswer) -> Response:
    """By the doctor, or by the desk for one who said it on the telephone (`doctor_id`). `visit` orders a nurse within
    four hours; `120` raises at once.
    """
    return write.once(
        lambda: hub.services.teleconsults.answer(
            consult_id, body.advice, body.text, who.actor, by=body.doctor_id, version=write.version
        ),
        lambda _done: hub.reads.teleconsult(consult_id) or {},
    )


@router.post("/teleconsults/{consult_id}/withdraw", response_model=Teleconsult, summary="Take it back")
def withdraw_teleconsult(hub: HubDep, who: Who, write: Write, consult_id: Uid, body: Reason) -> Response:
    return write.once(
        lambda: hub.services.teleconsults.withdraw(consult_id, body.reason, who.actor),
        lambda _done: hub.reads.teleconsult(consult_id) or {},
    )
