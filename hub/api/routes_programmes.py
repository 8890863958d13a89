"""The visit programme (探访关爱): who is visited how often, one tap, who was not visited yet."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import AfterValidator

from dispatch import GROUPS
from hub.api.answers import JsonAnswer, one
from hub.api.deps import Hub, HubDep, Who
from hub.api.masking import masked_phone, masks
from hub.api.routes_reports import Format, report_answer
from hub.api.routing import Filter, Limit, RecordId, api_router
from hub.api.schemas_everyday import MemberDecision, ProgrammeChange, ProgrammeNew, VisitTap
from hub.api.scope import person_of
from hub.api.views import ListOf
from hub.api.views_everyday import CoverageRow, MyVisits, Participant, Programme, TapDone, VisitResultView
from hub.api.writes import Write
from hub.errors import BadRequestError, NotFoundError
from hub.ports import Json
from hub.service import participant_json

__all__ = ["Month", "router"]

router = api_router("programmes")


def _month(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        if len(text) != 7:
            raise ValueError
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise BadRequestError("month: give it like 2026-11", field="month") from None


Month = Annotated[
    str | None, Query(max_length=7, description="Like 2026-11; this month where not given"), AfterValidator(_month)
]


def _programme(hub: Hub, programme_id: str) -> Json:
    view = hub.reads.record("programmes", programme_id)
    if view is None:
        raise NotFoundError(f"no programme {programme_id}")
    return view


@router.get("/programmes", response_model=ListOf[Programme], summary="Visit programmes")
def list_programmes(hub: HubDep) -> Response:
    """`groups`: every group there is, with its names."""
    groups = [{"id": group.id, "zh": group.zh, "en": group.en} for group in GROUPS.values()]
    page = hub.reads.records("programmes", 500, None)
    return JsonAnswer({"items": page.items, "next": None, "groups": groups})


@router.post("/programmes", response_model=Programme, status_code=201, summary="Add a programme")
def post_programme(hub: HubDep, who: Who, write: Write, body: ProgrammeNew) -> Response:
    fields: dict[str, Any] = body.model_dump(exclude_unset=True)
    return write.once(
        lambda: hub.services.everyday.programmes.add(fields, who.actor),
        lambda programme_id: _programme(hub, programme_id),
        status=201,
        headers=lambda view: {"Location": f"/api/v1/programmes/{view['id']}"},
    )


@router.get("/programmes/{record_id}", response_model=Programme, summary="One programme")
def show_programme(hub: HubDep, record_id: RecordId) -> Response:
    return one(_programme(hub, record_id))


@router.patch("/programmes/{record_id}", response_model=Programme, summary="Change a programme")
def patch_programme(hub: HubDep, who: Who, write: Write, record_id: RecordId, body: ProgrammeChange) -> Response:
    fields = body.model_dump(exclude_unset=True)

    def act() -> None:
        hub.services.everyday.programmes.change(record_id, fields, who.actor, version=write.version)

    return write.once(act, lambda _done: _programme(hub, record_id))


def _counted(one: Json, only: str) -> bool:
    """Whether a number of the coverage counts this person."""
    return only == "all" or (one["target"] > 0 and (only == "wanted" or bool(one[only])))


@router.get("/programmes/{record_id}/people", response_model=ListOf[Participant], summary="Who takes part")
def list_people(
    hub: HubDep,
    who: Who,
    record_id: RecordId,
    month: Month = None,
    area: Filter = None,
    only: Literal["all", "wanted", "pending", "visited", "behind"] = "all",
    own: Annotated[bool, Query(description="Not of those below the area; without `area`: of none")] = False,
    limit: Limit = 500,
) -> Response:
    """`wanted`: to be visited in the month; of these `pending`: not yet, `visited`: once at least, `behind`: less often
    than by today. `total` counts them all, whatever `limit` shows.
    """
    found = hub.services.everyday.programmes.month(record_id, month, area_id=area)  # type: ignore[arg-type]
    people = [
        one for one in map(participant_json, found) if _counted(one, only) and (not own or one["area_id"] == area)
    ]
    items = people[:limit]
    if masks(who):
        for item in items:
            item["resident"]["phone"] = masked_phone(item["resident"]["phone"])
    return JsonAnswer({"items": items, "next": None, "total": len(people)})


@router.post("/programmes/{record_id}/people/{resident_id}", response_model=Participant, summary="Decide for one")
def decide_for(
    hub: HubDep, who: Who, write: Write, record_id: RecordId, resident_id: RecordId, body: MemberDecision
) -> Response:
    """Put in, put out, or a risk of its own; with the reason."""
    desk = hub.services.everyday.programmes

    def act() -> None:
        desk.decide(record_id, resident_id, body.stands, body.risk, body.reason, who.actor)

    def view(_done: None) -> Json:
        found = [one for one in desk.month(record_id) if one.person.id == resident_id]
        return participant_json(found[0]) if found else {"resident": {"id": resident_id}, "stands": body.stands}

    return write.once(act, view)


@router.get("/programmes/{record_id}/coverage", response_model=ListOf[CoverageRow], summary="Not visited yet, by grid")
def show_coverage(
    hub: HubDep, record_id: RecordId, month: Month = None, area: Filter = None, format: Format = "json"
) -> Response:
    rows = hub.services.everyday.programmes.coverage(record_id, month, area)  # type: ignore[arg-type]
    return report_answer(rows, format, f"programme-{month or hub.services.everyday.programmes.today():%Y-%m}")


@router.get("/programmes/{record_id}/results", response_model=ListOf[VisitResultView], summary="What was tapped")
def list_results(
    hub: HubDep,
    record_id: RecordId,
    resident: Filter = None,
    days: Annotated[int, Query(ge=1, le=400)] = 31,
    limit: Limit = 100,
) -> Response:
    items = hub.services.everyday.programmes.results(record_id, resident, days, limit)
    return JsonAnswer({"items": items, "next": None})


@router.post("/programmes/{record_id}/results", response_model=TapDone, status_code=201, summary="One tap")
def post_result(hub: HubDep, who: Who, write: Write, record_id: RecordId, body: VisitTap) -> Response:
    """ "Needs help" opens a matter at once; "moved" and "in hospital" one to be verified: a tap silences nothing."""

    def act() -> tuple[str, str | None]:
        return hub.services.everyday.programmes.record(
            record_id,
            body.resident_id,
            body.result,
            who.actor,
            at=body.at,
            note=body.note,
            by_phone=body.by_phone,
        )

    return write.once(act, lambda done: {"id": done[0], "incident_id": done[1], "result": body.result}, status=201)


@router.get("/my/programme", response_model=MyVisits, summary="Whom I have still to visit")
def my_programme(hub: HubDep, who: Who) -> Response:
    """In the areas I serve, this month, over all programmes: those overdue first, then by risk."""
    desk = hub.services.everyday.programmes
    return JsonAnswer({"items": desk.mine(person_of(who)), "month": desk.today().replace(day=1)})
