"""Bringing devices in: what a new device said, decoded live; the report for its maker; makers' integrations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Query, Response

from devices import FAMILIES, DeviceRef, Uplink
from devices.topics import is_device_id
from hub.api.answers import JsonAnswer, one
from hub.api.deps import Hub, HubDep, Who
from hub.api.routing import Filter, Limit, RecordId, api_router
from hub.api.views_onboarding import (
    ConformanceReport,
    HeardList,
    IntegrationGiven,
    IntegrationList,
    IntegrationNew,
    NewcomerList,
    OnboardedDevice,
    RetakenList,
    WatchAsked,
    WatchGiven,
)
from hub.api.writes import Write
from hub.conformance import Heard, assess
from hub.decode import DecodedLine
from hub.errors import NotFoundError
from hub.ports import IntegrationRow, Json
from hub.service.quarantine import Retaken

__all__ = ["router"]

router = api_router("onboarding")
_SHOWN = 4096
_CONTROLS = frozenset(range(32)) - {9, 10, 13}


@router.get("/onboarding/devices", response_model=NewcomerList, summary="Devices nobody added yet, and watched ones")
def list_newcomers(hub: HubDep, limit: Limit = 100) -> Response:
    items = hub.services.onboarding.newcomers(limit)
    return JsonAnswer({"items": items, "server_time": hub.clock()})


@router.get("/onboarding/unread", response_model=HeardList, summary="Pushes that named no device or could not be read")
def list_unread(hub: HubDep, limit: Limit = 50) -> Response:
    rows = hub.services.onboarding.heard("", limit)
    items = [_message(row, None, {}) for row in rows]
    return JsonAnswer({"items": items, "server_time": hub.clock()})


@router.get("/onboarding/devices/{device_id}", response_model=OnboardedDevice, summary="A new device")
def show_newcomer(hub: HubDep, device_id: RecordId) -> Response:
    row, watch = hub.services.onboarding.device(device_id)
    if row is None and watch is None:
        raise NotFoundError(f"nothing was heard of device {device_id}")
    return one(
        {
            "device": row,
            "watched_until": watch.until if watch else None,
            "watched_by": watch.asked_by if watch else None,
        }
    )


@router.get("/onboarding/devices/{device_id}/uplinks", response_model=HeardList, summary="What it said lately, decoded")
def list_uplinks(hub: HubDep, device_id: RecordId, family: Filter = None, limit: Limit = 50) -> Response:
    """Newest first, of the last two days. `family` reads them as another family's than the device's own."""
    known, profile = _known(hub, device_id, family)
    rows = hub.services.onboarding.heard(device_id, limit)
    items = [_message(row, known or row["family"], profile, device_id) for row in rows]
    return JsonAnswer({"items": items, "server_time": hub.clock()})


@router.get(
    "/onboarding/devices/{device_id}/conformance", response_model=ConformanceReport, summary="The report for its maker"
)
def show_conformance(
    hub: HubDep, device_id: RecordId, family: Filter = None, limit: Annotated[int, Query(ge=1, le=200)] = 200
) -> Response:
    """Of the messages `uplinks` shows, the oldest first."""
    known, profile = _known(hub, device_id, family)
    rows = hub.services.onboarding.heard(device_id, limit)
    name = known or next((row["family"] for row in rows if row["family"]), None)
    if name is None:
        raise NotFoundError(f"nothing was heard of device {device_id}")
    heard = list(_heard(reversed(rows), name, profile, device_id))
    return JsonAnswer({**assess(name, heard, hub.clock()).to_json(), "device_id": device_id})


@router.post("/onboarding/devices/{device_id}/replay", response_model=RetakenList, summary="Take what it said before")
def post_replay(hub: HubDep, write: Write, device_id: RecordId) -> Response:
    """What was kept aside of a device that is added by now, the oldest first, with the time it came; 500 at a time.

    An alarm among it is raised now. What cannot be taken waits on in `/quarantine` with its reason.
    """

    def view(done: Retaken) -> Json:
        refused = [{"id": row_id, "reason": reason} for row_id, reason in done.refused]
        return {"taken": done.taken, "refused": refused, "more": done.more}

    return write.once(lambda: hub.services.quarantine.replay_of(device_id, write.actor, write.caller.address), view)


@router.post(
    "/onboarding/devices/{device_id}/watch", response_model=WatchGiven, status_code=201, summary="Keep all it says, raw"
)
def post_watch(hub: HubDep, write: Write, device_id: RecordId, body: WatchAsked) -> Response:
    """For so many minutes; kept two days. The device need not have been heard yet."""

    def act() -> datetime:
        return hub.services.onboarding.watch(device_id, timedelta(minutes=body.minutes), write.actor).until

    return write.once(act, lambda until: {"device_id": device_id, "until": until}, status=201)


@router.delete("/onboarding/devices/{device_id}/watch", status_code=204, summary="Keep no more of it")
def delete_watch(hub: HubDep, who: Who, device_id: RecordId) -> Response:
    hub.services.onboarding.unwatch(device_id, who.actor)
    return Response(status_code=204)


# --- makers' clouds ---------------------------------------------------------------------------------------------------


@router.get("/onboarding/integrations", response_model=IntegrationList, summary="Makers' clouds that may push")
def list_integrations(hub: HubDep) -> Response:
    return JsonAnswer({"items": [_integration(row) for row in hub.services.pushes.all()]})


@router.post(
    "/onboarding/integrations", response_model=IntegrationGiven, status_code=201, summary="Let a maker's cloud push"
)
def post_integration(hub: HubDep, write: Write, body: IntegrationNew) -> Response:
    """`secret` is told in this answer and never again (nor by a repeated `Idempotency-Key`)."""
    told: list[str] = []

    def act() -> None:
        given = hub.services.pushes.add(
            body.name,
            body.family,
            body.scheme,
            write.actor,
            secret=body.secret,
            devices=body.devices,
            rate_per_s=body.rate_per_s,
            cipher_key=body.cipher_key,
        )
        told.append(given.secret)

    def view(_done: None) -> Json:
        where = f"/api/v1/intake/{body.family}"
        return {"name": body.name, "family": body.family, "scheme": body.scheme, "secret": None, "address": where}

    answer = write.once(act, view, status=201)
    # The stored answer must not hold it, so it is put in afterwards.
    return one({**view(None), "secret": told[0]}, 201) if told else answer


@router.post(
    "/onboarding/integrations/{name}/revoke", response_model=IntegrationList, summary="Take no more of a cloud's pushes"
)
def revoke_integration(hub: HubDep, write: Write, name: RecordId) -> Response:
    return write.once(
        lambda: hub.services.pushes.revoke(name, write.actor),
        lambda _done: {"items": [_integration(row) for row in hub.services.pushes.all()]},
    )


def _integration(row: IntegrationRow) -> Json:
    return {
        "name": row.name,
        "family": row.family,
        "scheme": row.scheme,
        "devices": row.devices,
        "rate_per_s": row.rate_per_s,
        "created_at": row.created_at,
        "created_by": row.created_by,
        "revoked_at": row.revoked_at,
        "last_used_at": row.last_used_at,
        "last_refused_at": row.last_refused_at,
        "last_refusal": row.last_refusal,
    }


# --- messages ---------------------------------------------------------------------------------------------------------


def _known(hub: Hub, device_id: str, family: str | None) -> tuple[str | None, Json]:
    """The family to read it by, and its profile."""
    if family is not None and family not in FAMILIES:
        raise NotFoundError(f"there is no device family {family}", field="family")
    if not is_device_id(device_id):
        raise NotFoundError(f"{device_id} is not a device id")
    row, watch = hub.services.onboarding.device(device_id)
    if row is None and watch is None:
        raise NotFoundError(f"nothing was heard of device {device_id}")
    return family or (row["family"] if row else None), dict(row["profile"] or {}) if row else {}


def _decoded(row: Json, family: str, profile: Json, device_id: str) -> DecodedLine:
    uplink = Uplink(bytes(row["payload"]), row["received_at"], row["topic"] or "")
    decoded = FAMILIES[family].codec.decode(uplink, DeviceRef(device_id, family, profile))
    return DecodedLine(0, decoded, hex=not FAMILIES[family].text)


def _heard(rows: Iterator[Json], family: str, profile: Json, device_id: str) -> Iterator[Heard]:
    for row in rows:
        at: datetime = row["received_at"]
        found = _decoded(row, family, profile, device_id).decoded
        yield Heard(found, bytes(row["payload"]), at, at.isoformat(timespec="seconds"))


def _message(row: Json, family: str | None, profile: Json, device_id: str = "") -> dict[str, Any]:
    payload = bytes(row["payload"])
    found: dict[str, Any] = {"events": [], "replies": [], "error": None}
    skew = None
    if family in FAMILIES:
        line = _decoded(row, str(family), profile, device_id)
        found = line.to_json() | {"error": line.decoded.error}
        times = [event.observed_at for event in line.decoded.events if event.observed_at and not event.buffered]
        skew = (times[0] - row["received_at"]).total_seconds() if times else None
    return {
        **{name: row[name] for name in ("received_at", "lane", "topic", "outcome", "reason")},
        "size": len(payload),
        "hex": payload[:_SHOWN].hex(),
        "text": _text(payload[:_SHOWN]),
        **found,
        "clock_skew_s": skew,
    }


def _text(payload: bytes) -> str | None:
    if not _CONTROLS.isdisjoint(payload):
        return None
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        return None
