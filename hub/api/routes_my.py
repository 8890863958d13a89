"""One's own: what a responder has to do; help for a resident and the family."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import Response

from hub.api.answers import JsonAnswer
from hub.api.deps import HubDep, Who
from hub.api.routes_alarms import raise_alarm, raised_view
from hub.api.routes_home import help_view
from hub.api.routes_meal_rounds import meal_stops
from hub.api.routes_medical import add_particulars
from hub.api.routing import Filter, Limit, api_router
from hub.api.schemas import Fix, HelpWanted, OwnPosition, StaffSos
from hub.api.schemas_rota import MyRota
from hub.api.scope import orderable_residents, person_of
from hub.api.views import AlarmRaised, ListOf
from hub.api.views_everyday import OrderFor
from hub.api.views_positions import PositionKept
from hub.api.views_services import Help, Tasks
from hub.api.writes import Write
from hub.errors import ConflictError
from hub.ports import Json

__all__ = ["router"]

router = api_router("my")


def fix_body(fix: Fix) -> Json:
    """A fix that was sent as the JSON object of the contract."""
    body = fix.model_dump(exclude_none=True)
    if "observed_at" in body:
        body["observed_at"] = body["observed_at"].isoformat()
    return body


@router.get("/my/tasks", response_model=Tasks, summary="What I have to do")
def my_tasks(hub: HubDep, who: Who) -> Response:
    """Critical first; `next` is the step the big button does. `cursor` opens a stream that misses nothing."""
    place = hub.reads.cursor()
    items = hub.reads.tasks_of(person_of(who))
    stops = meal_stops(hub, person_of(who), items)
    add_particulars(hub, items, who.found.user.language)
    kits = hub.services.visits.kits([item["order"]["id"] for item in items if item["order"]], person_of(who))
    about = [(item["incident"] or item["order"] or {}).get("resident") for item in items]
    photos = hub.services.homes.allowing({resident["id"] for resident in about if resident}, "photos")
    for item, resident in zip(items, about, strict=True):
        if item["order"] is not None:
            item["kit"] = kits.get(item["order"]["id"])
            if item["order"]["id"] in stops:
                item["meal"] = stops[item["order"]["id"]]
        item["photos"] = resident is None or resident["id"] in photos
    phone = hub.settings.site.phone
    return JsonAnswer({"items": items, "server_time": hub.clock(), "cursor": str(place), "phone": phone})


@router.get("/my/residents", response_model=ListOf[OrderFor], summary="Whom I may order a service for")
def my_residents(hub: HubDep, who: Who, q: Filter = None, limit: Limit = 500) -> Response:
    """Those I have a task with first, then those at home in the areas that I look after, by name. A grid officer, a
    carer, a nurse and a doctor look after an area; everybody else goes where they are sent.
    """
    return JsonAnswer({"items": orderable_residents(hub, who, q, limit), "next": None})


@router.get("/my/shifts", response_model=MyRota, summary="When I am on duty")
def my_shifts(hub: HubDep, who: Who) -> Response:
    """Those that have not ended yet, the next first, after overrides and swaps; one's swaps, and whom to ask."""
    return JsonAnswer(hub.services.rota_board.mine(person_of(who)))


@router.post("/my/sos", response_model=AlarmRaised, status_code=201, summary="I need help myself")
def staff_sos(hub: HubDep, who: Who, write: Write, body: StaffSos | None = None) -> Response:
    """A member of staff in danger: `sos` where they are, with name and number. 409 without an area to look in."""

    def act() -> tuple[str, str | None]:
        me = hub.reads.record("responders", person_of(who)) or {}
        areas = me.get("area_ids") or []
        if not areas:
            raise ConflictError("no area is known for you: call the desk", code="no-area")
        said = [f"{me.get('name')} {me.get('phone') or ''}".strip(), body.note if body else None]
        fields = {
            "type": "sos",
            "channel": "app",
            "caller": me["id"],
            "area_id": areas[0],
            "note": " · ".join(filter(None, said)),
        }
        if me.get("phone"):
            fields["phone"] = me["phone"]
        if body and body.fix:
            fields["fix"] = fix_body(body.fix)
        return raise_alarm(hub, who, fields)

    return write.once(act, lambda done: raised_view(hub, done[0], done[1]), status=201)


@router.post("/my/position", response_model=PositionKept, summary="Where I am, on my way")
def my_position(hub: HubDep, write: Write, body: OwnPosition) -> Response:
    """While an emergency is accepted or anything is on the way: the desk sees it and the arrival is reckoned anew.

    409 (`not-under-way`) at any other time: the phone stops telling. The newest counts; `kept` false with `why` where
    it is too vague (`rough`), `old`, or another one is newer (`older`).
    """
    seen = hub.services.under_way.seen(write.actor, fix_body(body.fix))
    arrivals = [asdict(one) for one in seen.arrivals]
    return JsonAnswer({"kept": seen.kept, "why": seen.why, "arrivals": arrivals})


@router.get("/my/help", response_model=Help, summary="Help, who is coming, today's services")
def my_help(hub: HubDep, who: Who) -> Response:
    """What concerns health or habits is shown to the family as far as the resident allows it."""
    return JsonAnswer(help_view(hub, who))


@router.post("/my/help", response_model=AlarmRaised, status_code=201, summary="Call for help")
def call_for_help(hub: HubDep, who: Who, write: Write, body: HelpWanted | None = None) -> Response:
    """Raises `sos` from the app for one's own resident."""
    fields = {"type": "sos", "channel": "app"}
    if body and body.note:
        fields["note"] = body.note
    return write.once(
        lambda: raise_alarm(hub, who, dict(fields)), lambda done: raised_view(hub, done[0], done[1]), status=201
    )
