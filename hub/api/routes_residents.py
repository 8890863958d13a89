"""Residents: who they are, where they are, and what their devices measured."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import Query, Response

from hub.api.answers import JsonAnswer, one, page_body
from hub.api.changes import told_changes, who_was_first
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.fields import Request as Fields
from hub.api.fields import Text, Time
from hub.api.masking import masked_contact, masked_resident, masks
from hub.api.positions import with_position
from hub.api.records import add_record, change_record, record_view
from hub.api.routes_home import for_family
from hub.api.routing import Cursor, Filter, Limit, RecordId, api_router
from hub.api.schemas_records import ContactOrder, ResidentFields, StatusChange
from hub.api.scope import may_see_resident
from hub.api.views import Contact, ListOf
from hub.api.views_desk import BaselineHour, Revealed
from hub.api.views_records import ObservationList, RecordChange, Resident
from hub.api.writes import Write
from hub.care import ResidentStatus
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import IncidentFilter, Json, Transaction

__all__ = ["router"]

router = api_router("residents")
Resolution = Literal["raw", "auto", "minute", "hour", "day", "1m", "5m", "15m", "1h", "1d"]
_LONGEST = timedelta(days=3_700)
_MATCH = ("id", "name", "born_on", "address", "status", "why")
_NO_PAPERS = frozenset({"staff", "family"})
"""Who has no use for the number of somebody's ID card."""
_STATUS = ("status", "status_since", "status_until", "status_reason")


def _resident(hub: Hub, who: Caller, resident_id: str) -> Json:
    if not may_see_resident(hub, who, resident_id):
        raise NotFoundError(f"no resident {resident_id}")
    return record_view(hub, "residents", resident_id)


@router.get("/residents", response_model=ListOf[Resident], summary="Residents")
def list_residents(
    hub: HubDep,
    who: Who,
    area: Filter = None,
    status: Annotated[ResidentStatus | None, Query()] = None,
    phone: Filter = None,
    q: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """`area` includes everything below it; `q` is a part of name, id, address or
    telephone number. For pages of the desk: masked."""
    page = hub.reads.records(
        "residents", limit, cursor, area=area, status=status, phone=phone, q=q, provider=who.provider_id
    )
    body = page_body(page)
    if masks(who):
        body["items"] = [masked_resident(view) for view in body["items"]]
    return JsonAnswer(body)


@router.get("/residents/{resident_id}", response_model=Resident, summary="One resident")
def show_resident(hub: HubDep, who: Who, resident_id: RecordId) -> Response:
    """Staff see whom they are assigned to; a family and a resident their own. Every look is in the audit.

    For pages of the desk: masked (`masked` names what); POST `/reveal` opens it.
    """
    view = with_position(hub, who, _resident(hub, who, resident_id))
    with hub.database.begin() as tx:
        tx.audit.add(who.actor, "residents.read", f"residents:{resident_id}", {}, hub.clock(), who.address)
    if who.role in _NO_PAPERS:
        view = {**view, "id_number": None}
    return one(masked_resident(view) if masks(who) else for_family(hub, who, view))


class RevealReason(Fields):
    """Why; may stay empty while an incident of the resident is open."""

    reason: Text | None = None


@router.post("/residents/{resident_id}/reveal", response_model=Revealed, summary="Open what is masked")
def post_reveal(hub: HubDep, who: Who, write: Write, resident_id: RecordId, body: RevealReason) -> Response:
    """The whole record and its contacts. Needs a reason unless an incident of the resident is live; audited with it."""
    del write  # a look writes nothing but its line in the audit; kept answers would hold the record a second time
    view = with_position(hub, who, _resident(hub, who, resident_id))
    live = hub.reads.incidents(IncidentFilter(states=("live",), resident_id=resident_id), 1, None).items
    if not live and not body.reason:
        raise BadRequestError("reason: nothing is open here, so say why you look", field="reason")
    contacts = hub.reads.records("contacts", 100, None, resident_id=resident_id).items
    detail = {"reason": body.reason} | ({"incident_id": live[0]["id"]} if live else {})
    with hub.database.begin() as tx:
        tx.audit.add(who.actor, "residents.reveal", f"residents:{resident_id}", detail, hub.clock(), who.address)
    return JsonAnswer({"resident": view, "contacts": contacts})


Duplicates = Annotated[
    Literal["ask", "accept"],
    Query(description="`ask`: 409 `duplicate` where somebody with this ID number, or name and birthday, is there"),
]


def _refuse_duplicates(tx: Transaction, body: ResidentFields, duplicates: str, had: Json) -> None:
    """ConflictError with `matches` where the register has the same person already, as far as one can tell.

    Asked only where what people are told apart by is given anew; two people may really share a name and a birthday,
    so whoever looked may go on with `accept`.
    """
    if duplicates == "accept" or not {"id_number", "name", "born_on"} & body.model_fields_set:
        return
    person = {**had, **body.model_dump(exclude_unset=True)}
    found = tx.register.alike([person])
    if found:
        names = ", ".join(f"{one.name} ({one.id})" for one in found)
        matches = [{name: getattr(one, name) for name in _MATCH} for one in found]
        raise ConflictError(f"already in the register: {names}", code="duplicate", matches=matches)


@router.post("/residents", response_model=Resident, status_code=201, summary="Add a resident")
def post_resident(who: Who, write: Write, body: ResidentFields, duplicates: Duplicates = "ask") -> Response:
    """409 `duplicate` with `matches` where the person seems to be there; `duplicates=accept` adds all the same."""
    return add_record(
        write,
        "residents",
        body,
        needed=("name",),
        check=lambda tx: _refuse_duplicates(tx, body, duplicates, {}),
        shown=masked_resident if masks(who) else None,
    )


@router.patch("/residents/{resident_id}", response_model=Resident, summary="Change a resident")
def patch_resident(
    who: Who, write: Write, resident_id: RecordId, body: ResidentFields, duplicates: Duplicates = "ask"
) -> Response:
    """412 says by whom, when and what was changed meanwhile (`by`, `at`, `fields`)."""

    def check(tx: Transaction) -> None:
        _refuse_duplicates(tx, body, duplicates, tx.register.held("residents", resident_id) or {})

    shown = masked_resident if masks(who) else None
    return change_record(write, "residents", resident_id, body, check=check, shown=shown)


@router.get("/residents/{resident_id}/changes", response_model=ListOf[RecordChange], summary="Who changed the record")
def list_changes(hub: HubDep, resident_id: RecordId, limit: Limit = 50) -> Response:
    """Newest first, with what stood there before and after; of what is masked only that it was changed."""
    record_view(hub, "residents", resident_id)
    return JsonAnswer({"items": hub.reads.changes_of(f"residents:{resident_id}", limit), "next": None})


@router.post("/residents/{resident_id}/contacts/order", response_model=ListOf[Contact], summary="Who is called first")
def post_contact_order(hub: HubDep, who: Who, write: Write, resident_id: RecordId, body: ContactOrder) -> Response:
    """All contacts of the resident, in the order of calling; 409 where one was added or removed meanwhile."""

    def contacts() -> list[Json]:
        return hub.reads.records("contacts", 100, None, resident_id=resident_id).items

    def act() -> None:
        record_view(hub, "residents", resident_id)
        before = [one["id"] for one in sorted(contacts(), key=lambda one: (one["position"], one["id"]))]
        if sorted(before) != sorted(body.ids):
            raise ConflictError("the contacts are others by now: look again", code="contacts-changed")
        with hub.database.begin() as tx:
            tx.register.order_contacts(resident_id, body.ids)
            detail = {"fields": ["contacts"], "changes": {"contacts": [before, body.ids]}}
            tx.audit.add(who.actor, "residents.contacts", f"residents:{resident_id}", detail, hub.clock(), who.address)

    def view(_done: None) -> Json:
        ordered = sorted(contacts(), key=lambda one: (one["position"], one["id"]))
        return {"items": [masked_contact(one) for one in ordered] if masks(who) else ordered, "next": None}

    return write.once(act, view)


@router.post("/residents/{resident_id}/status", response_model=Resident, summary="Where the resident is")
def post_status(hub: HubDep, who: Who, write: Write, resident_id: RecordId, body: StatusChange) -> Response:
    """From the moment of absence: no order and (but for `away`) no alarm of the resident's own devices. `until` is the
    day on which to ask again; nobody comes home by a calendar.
    """

    def act() -> None:
        before = _resident(hub, who, resident_id)
        with who_was_first(hub, "residents", resident_id):
            write.expect(before)
        hub.services.care.set_resident_status(
            resident_id, body.status, body.reason, who.actor, since=body.since, until=body.until
        )
        after = _resident(hub, who, resident_id)
        told = told_changes(*({name: one.get(name) for name in _STATUS} for one in (before, after)))
        if told:
            detail = {"fields": sorted(told), "changes": told}
            with hub.database.begin() as tx:
                tx.audit.add(
                    who.actor, "residents.status", f"residents:{resident_id}", detail, hub.clock(), who.address
                )

    def view(_done: None) -> Json:
        found = _resident(hub, who, resident_id)
        return masked_resident(found) if masks(who) else found

    return write.once(act, view)


@router.get("/residents/{resident_id}/observations", response_model=ObservationList, summary="What was measured")
def show_observations(
    hub: HubDep,
    who: Who,
    resident_id: RecordId,
    metric: Annotated[str, Query(pattern=r"^[a-z][a-z0-9_]{0,40}$", description="e.g. heart_rate_bpm")],
    start: Annotated[Time | None, Query(alias="from")] = None,
    end: Annotated[Time | None, Query(alias="to")] = None,
    resolution: Annotated[Resolution, Query(description="raw, auto, or the width of a bin")] = "raw",
    cursor: Cursor = None,
) -> Response:
    """The last 24 hours where no span is given; at most ten years.

    An item is a record (`raw`: `at`, `value`, `state`, `device_id`; 2,000 a page) or a bin (`at`: its begin, `min`,
    `avg`, `max`, `n`, and for words `states`: how many records said which). No item: nothing was observed. Bins are
    wider than asked for where there would be more than 2,000 of them, or where the narrower ones are no longer kept;
    `auto` gives records where they are few, and else bins that fit. `resolution` and `bin_s` (0: records) say what was
    chosen.
    """
    until = end or hub.clock()
    since = start or until - timedelta(hours=24)
    if since >= until:
        raise BadRequestError("from must be earlier than to", field="from")
    if until - since > _LONGEST:
        raise BadRequestError(f"at most {_LONGEST.days} days at once", field="from")
    _resident(hub, who, resident_id)
    found = hub.reads.observations(resident_id, metric, since, until, resolution, cursor)
    body = {"items": found.items, "next": found.next_cursor, "resolution": found.resolution, "bin_s": found.bin_s}
    return JsonAnswer(body)


@router.get("/residents/{resident_id}/baseline", response_model=ListOf[BaselineHour], summary="The usual values")
def show_baseline(
    hub: HubDep,
    who: Who,
    resident_id: RecordId,
    metric: Annotated[str, Query(pattern=r"^[a-z][a-z0-9_]{0,40}$", description="e.g. heart_rate_bpm")],
    days: Annotated[int, Query(ge=1, le=90)] = 28,
) -> Response:
    """By hour of the site's day: the tenth, fiftieth and ninetieth of a hundred values of the last days."""
    _resident(hub, who, resident_id)
    zone = hub.settings.site.time_zone
    rows = hub.reads.baseline(resident_id, metric, hub.clock(), days, zone)
    return JsonAnswer({"items": rows, "next": None})
