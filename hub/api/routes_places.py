"""Areas, stations, and the contacts of residents."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import Query, Response

from hub.api.answers import JsonAnswer, one, page_body
from hub.api.area_shapes import contains, shape_of
from hub.api.deps import Hub, HubDep, Who
from hub.api.masking import masked_contact, masks
from hub.api.records import add_record, change_record, list_answer, record_view
from hub.api.routing import Cursor, Filter, Limit, RecordId, api_router
from hub.api.schemas_records import AreaFields, ContactFields, StationFields
from hub.api.scope import provider_record
from hub.api.views import Contact, ListOf
from hub.api.views_records import Area, AreaAt, AreaNode, Station, StationContacts
from hub.api.writes import Write
from hub.errors import ConflictError, NotFoundError
from hub.ports import Transaction

__all__ = ["router"]

router = api_router("places")


@router.get("/areas/tree", response_model=ListOf[AreaNode], summary="The tree of areas with its people")
def show_area_tree(hub: HubDep) -> Response:
    """Every area, parents before children, without boundaries: residents, grid officers and stations of each."""
    return JsonAnswer({"items": hub.reads.area_tree(), "next": None})


@router.get("/areas/at", response_model=AreaAt, summary="In which area a place lies")
def show_area_at(
    hub: HubDep,
    lat: Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)],
    lon: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)],
) -> Response:
    """By the boundaries, the lowest of the tree first; WGS-84. People may choose another one by hand."""
    with hub.database.begin() as tx:
        shapes = tx.register.shapes()
    for row in shapes:
        shape = shape_of(row["id"], row["name"], row["kind"], row["boundary"])
        if shape is not None and contains(shape, lat, lon):
            path = record_view(hub, "areas", shape.id)["path"]
            return JsonAnswer({"area": {"id": shape.id, "name": shape.name, "kind": shape.kind}, "path": path})
    return JsonAnswer({"area": None, "path": []})


@router.get("/areas", response_model=ListOf[Area], summary="Areas")
def list_areas(
    hub: HubDep,
    limit: Limit = 100,
    cursor: Cursor = None,
    parent: Filter = None,
    kind: Filter = None,
    active: bool | None = None,
    q: Filter = None,
) -> Response:
    """`active` true: without those that were retired."""
    wanted = None if active is None else str(active).lower()
    return list_answer(hub, "areas", limit, cursor, parent_id=parent, kind=kind, active=wanted, q=q)


@router.get("/areas/{record_id}", response_model=Area, summary="One area")
def show_area(hub: HubDep, record_id: RecordId) -> Response:
    return one(record_view(hub, "areas", record_id))


@router.post("/areas", response_model=Area, status_code=201, summary="Add an area")
def post_area(write: Write, body: AreaFields) -> Response:
    """Its path follows from `parent_id`."""
    return add_record(write, "areas", body, needed=("kind", "name"))


@router.patch("/areas/{record_id}", response_model=Area, summary="Change an area")
def patch_area(write: Write, record_id: RecordId, body: AreaFields) -> Response:
    """`active` false retires it: 409 `area-in-use` while anybody lives in it or anything stands in it."""

    def check(tx: Transaction) -> None:
        if "active" not in body.model_fields_set or body.active:
            return
        hanging = {name: count for name, count in tx.register.hanging_on(record_id).items() if count}
        if hanging:
            words = ", ".join(f"{name} {count}" for name, count in hanging.items())
            raise ConflictError(f"there is still something in it: {words}", code="area-in-use", hanging=hanging)

    return change_record(write, "areas", record_id, body, check=check)


@router.get("/stations", response_model=ListOf[Station], summary="Stations")
def list_stations(
    hub: HubDep,
    who: Who,
    limit: Limit = 100,
    cursor: Cursor = None,
    area: Filter = None,
    kind: Filter = None,
    q: Filter = None,
) -> Response:
    """An account of a provider sees its own and the district's."""
    return list_answer(hub, "stations", limit, cursor, area=area, kind=kind, q=q, provider=who.provider_id)


@router.get("/stations/{record_id}", response_model=Station, summary="One station")
def show_station(hub: HubDep, who: Who, record_id: RecordId) -> Response:
    provider_record(hub, who, "stations", record_id)
    return one(record_view(hub, "stations", record_id))


@router.post("/stations", response_model=Station, status_code=201, summary="Add a station")
def post_station(write: Write, body: StationFields) -> Response:
    """A care station, meal point, clinic or social-work station."""
    return add_record(write, "stations", body, needed=("kind", "name"))


@router.patch("/stations/{record_id}", response_model=Station, summary="Change a station")
def patch_station(write: Write, record_id: RecordId, body: StationFields) -> Response:
    return change_record(write, "stations", record_id, body)


@router.get("/contacts", response_model=ListOf[Contact], summary="Contacts")
def list_contacts(
    hub: HubDep,
    who: Who,
    limit: Limit = 100,
    cursor: Cursor = None,
    resident: Filter = None,
    phone: Filter = None,
    station: Filter = None,
    unconfirmed_days: Annotated[int | None, Query(ge=0, le=3650)] = None,
    q: Filter = None,
) -> Response:
    """For pages of the desk the numbers are masked: `/residents/{id}/reveal` opens them. `unconfirmed_days`: of people
    who are served, and not confirmed for so many days; `station`: of people in a station's area.
    """
    before = None if unconfirmed_days is None else str(_today(hub) - timedelta(days=unconfirmed_days))
    found = hub.reads.records(
        "contacts",
        limit,
        cursor,
        resident_id=resident,
        phone=phone,
        station=station,
        unconfirmed_before=before,
        q=q,
        provider=who.provider_id,
    )
    body = page_body(found)
    if masks(who):
        body["items"] = [masked_contact(view) for view in body["items"]]
    return JsonAnswer(body)


@router.get("/contacts/{record_id}", response_model=Contact, summary="One contact")
def show_contact(hub: HubDep, who: Who, record_id: RecordId) -> Response:
    provider_record(hub, who, "contacts", record_id)
    view = record_view(hub, "contacts", record_id)
    return one(masked_contact(view) if masks(who) else view)


@router.post("/contacts", response_model=Contact, status_code=201, summary="Add a contact")
def post_contact(who: Who, write: Write, body: ContactFields) -> Response:
    """`position` is the order of calling."""
    shown = masked_contact if masks(who) else None
    return add_record(write, "contacts", body, needed=("resident_id", "name"), shown=shown)


@router.patch("/contacts/{record_id}", response_model=Contact, summary="Change a contact")
def patch_contact(who: Who, write: Write, record_id: RecordId, body: ContactFields) -> Response:
    return change_record(write, "contacts", record_id, body, shown=masked_contact if masks(who) else None)


@router.post("/contacts/{record_id}/confirm", response_model=Contact, summary="The number was tried and is right")
def post_confirm(who: Who, write: Write, record_id: RecordId) -> Response:
    """`confirmed_on` becomes today, by the site's clock."""
    body = ContactFields(confirmed_on=_today(write.hub))
    return change_record(write, "contacts", record_id, body, shown=masked_contact if masks(who) else None)


@router.delete("/contacts/{record_id}", status_code=204, summary="Remove a contact")
def delete_contact(hub: HubDep, who: Who, record_id: RecordId) -> Response:
    """Nothing of the person is kept but the line in the audit. 409 `has-account` while an account hangs on it."""
    with hub.database.begin() as tx:
        had = tx.register.held("contacts", record_id)
        if had is None:
            raise NotFoundError(f"no contact {record_id}")
        accounts = tx.register.accounts_of(record_id)
        if accounts:
            raise ConflictError(
                f"an account hangs on this contact: {', '.join(accounts)}; switch it off first",
                code="has-account",
                accounts=accounts,
            )
        tx.register.remove_contact(record_id)
        detail = {"fields": ["contacts"], "changes": {"contacts": [had["name"], None]}}
        for subject in (f"contacts:{record_id}", f"residents:{had['resident_id']}"):
            tx.audit.add(who.actor, "contacts.remove", subject, detail, hub.clock(), who.address)
    return Response(status_code=204)


@router.get("/reports/contacts", response_model=ListOf[StationContacts], summary="Contacts to be confirmed, by station")
def report_contacts(hub: HubDep, days: Annotated[int, Query(ge=0, le=3650)] = 180) -> Response:
    """Of residents who are served. A number nobody tried for half a year may ring somewhere else by now."""
    items = hub.reads.contacts_by_station(_today(hub) - timedelta(days=days))
    return JsonAnswer({"items": items, "next": None})


def _today(hub: Hub) -> date:
    return hub.clock().astimezone(hub.zone).date()
