"""Provider organisations, what their services cost, and who pays for whom."""

from __future__ import annotations

from fastapi import Response
from pydantic import Field

from hub.api.answers import one
from hub.api.deps import HubDep, Who
from hub.api.records import add_record, change_record, list_answer, record_view
from hub.api.routing import Cursor, Filter, Limit, RecordId, api_router
from hub.api.schemas_settlement import EntitlementFields, ProviderFields, TariffFields
from hub.api.scope import provider_record
from hub.api.views import ListOf, View
from hub.api.writes import Write

__all__ = ["router"]

router = api_router("providers")


class Provider(View):
    id: str
    name: str
    kind: str
    kinds: list[str] = Field(description="Service kinds it gives; empty: all")
    area_ids: list[str]
    active: bool
    version: int


class Tariff(View):
    id: str
    kind: str
    provider_id: str | None
    unit: str
    price_fen: int
    cap_fen: int | None
    from_on: str
    to_on: str | None
    version: int


class Entitlement(View):
    id: str
    resident_id: str
    payer: str
    kinds: list[str]
    unit: str
    quota: int | None
    copay_percent: int
    priority: int
    from_on: str
    to_on: str | None
    version: int


@router.get("/providers", response_model=ListOf[Provider], summary="Provider organisations")
def list_providers(hub: HubDep, who: Who, q: Filter = None, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """An account of a provider sees its own."""
    return list_answer(hub, "providers", limit, cursor, q=q, provider=who.provider_id)


@router.get("/providers/{record_id}", response_model=Provider, summary="One provider")
def show_provider(hub: HubDep, who: Who, record_id: RecordId) -> Response:
    provider_record(hub, who, "providers", record_id)
    return one(record_view(hub, "providers", record_id))


@router.post("/providers", response_model=Provider, status_code=201, summary="Add a provider")
def post_provider(write: Write, body: ProviderFields) -> Response:
    """Whose staff and stations name it, and whose accounts carry it, belong to it."""
    return add_record(write, "providers", body, needed=("name",))


@router.patch("/providers/{record_id}", response_model=Provider, summary="Change a provider")
def patch_provider(write: Write, record_id: RecordId, body: ProviderFields) -> Response:
    return change_record(write, "providers", record_id, body)


@router.get("/tariffs", response_model=ListOf[Tariff], summary="What services cost")
def list_tariffs(
    hub: HubDep,
    who: Who,
    kind: Filter = None,
    of: Filter = None,
    q: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """`of`: the provider's own. An account of a provider sees its own and everybody's."""
    return list_answer(hub, "tariffs", limit, cursor, kind=kind, provider_id=of, q=q, provider=who.provider_id)


@router.get("/tariffs/{record_id}", response_model=Tariff, summary="One tariff")
def show_tariff(hub: HubDep, who: Who, record_id: RecordId) -> Response:
    provider_record(hub, who, "tariffs", record_id)
    return one(record_view(hub, "tariffs", record_id))


@router.post("/tariffs", response_model=Tariff, status_code=201, summary="Add a tariff")
def post_tariff(write: Write, body: TariffFields) -> Response:
    """The provider's own is before everybody's, one for areas before one for all, the latest before earlier ones."""
    return add_record(write, "tariffs", body, needed=("kind", "price_fen", "from_on"))


@router.patch("/tariffs/{record_id}", response_model=Tariff, summary="Change a tariff")
def patch_tariff(write: Write, record_id: RecordId, body: TariffFields) -> Response:
    """Claims that stand are not touched by it."""
    return change_record(write, "tariffs", record_id, body)


@router.get("/entitlements", response_model=ListOf[Entitlement], summary="Who pays for whom")
def list_entitlements(
    hub: HubDep,
    who: Who,
    resident: Filter = None,
    payer: Filter = None,
    q: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    return list_answer(
        hub, "entitlements", limit, cursor, resident_id=resident, payer=payer, q=q, provider=who.provider_id
    )


@router.get("/entitlements/{record_id}", response_model=Entitlement, summary="One entitlement")
def show_entitlement(hub: HubDep, who: Who, record_id: RecordId) -> Response:
    provider_record(hub, who, "entitlements", record_id)
    return one(record_view(hub, "entitlements", record_id))


@router.post("/entitlements", response_model=Entitlement, status_code=201, summary="Add an entitlement")
def post_entitlement(write: Write, body: EntitlementFields) -> Response:
    """`quota` counts a month, in `unit`; the co-payment is the family's."""
    return add_record(write, "entitlements", body, needed=("resident_id", "payer", "from_on"))


@router.patch("/entitlements/{record_id}", response_model=Entitlement, summary="Change an entitlement")
def patch_entitlement(write: Write, record_id: RecordId, body: EntitlementFields) -> Response:
    """Of whom it is and who pays stays; claims that stand are not touched by it."""
    return change_record(write, "entitlements", record_id, body)
