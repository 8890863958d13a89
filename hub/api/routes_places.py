"""Areas, stations, and the contacts of residents."""

from __future__ import annotations

from fastapi import Response

from hub.api.answers import JsonAnswer, one, page_body
from hub.api.deps import HubDep, Who
from hub.api.masking import masked_contact, masks
from hub.api.records import add_record, change_record, list_answer, record_view
from hub.api.routing import Cursor, Filter, Limit, RecordId, api_router
from hub.api.schemas_records import AreaFields, ContactFields, StationFields
from hub.api.scope import provider_record
from hub.api.views import Contact, ListOf
from hub.api.views_records import Area, Station
from hub.api.writes import Write

__all__ = ["router"]

router = api_router("places")


@router.get("/areas", response_model=ListOf[Area], summary="Areas")
def list_areas(
    hub: HubDep, limit: Limit = 100, cursor: Cursor = None, parent: Filter = None, kind: Filter = None, q: Filter = None
) -> Response:
    return list_answer(hub, "areas", limit, cursor, parent_id=parent, kind=kind, q=q)


@router.get("/areas/{record_id}", response_model=Area, summary="One area")
def show_area(hub: HubDep, record_id: RecordId) -> Response:
    return one(record_view(hub, "areas", record_id))


@router.post("/areas", response_model=Area, status_code=201, summary="Add an area")
def post_area(write: Write, body: AreaFields) -> Response:
    """Its path follows from `parent_id`."""
    return add_record(write, "areas", body, needed=("kind", "name"))


@router.patch("/areas/{record_id}", response_model=Area, summary="Change an area")
def patch_area(write: Write, record_id: RecordId, body: AreaFields) -> Response:
    return change_record(write, "areas", record_id, body)


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
    q: Filter = None,
) -> Response:
    """For pages of the desk the numbers are masked: `/residents/{id}/reveal` opens them."""
    found = hub.reads.records(
        "contacts", limit, cursor, resident_id=resident, phone=phone, q=q, provider=who.provider_id
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
def post_contact(write: Write, body: ContactFields) -> Response:
    """`position` is the order of calling."""
    return add_record(write, "contacts", body, needed=("resident_id", "name"))


@router.patch("/contacts/{record_id}", response_model=Contact, summary="Change a contact")
def patch_contact(write: Write, record_id: RecordId, body: ContactFields) -> Response:
    return change_record(write, "contacts", record_id, body)
