"""Devices: the register, and commands to them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import Query, Response

from devices.dialects import commands_of
from hub.api.answers import JsonAnswer, one, page_body
from hub.api.deps import Hub, HubDep
from hub.api.records import change_record, list_answer, record_view
from hub.api.routing import Cursor, Filter, Limit, RecordId, api_router
from hub.api.schemas_records import Command, DeviceFields, DeviceNew
from hub.api.views import ListOf
from hub.api.views_records import Device, DeviceAdded, DeviceCommand, DeviceHistory
from hub.api.writes import Write
from hub.errors import NotFoundError
from hub.ports import Json

__all__ = ["router"]

router = api_router("devices")


@router.get("/devices", response_model=ListOf[Device], summary="Devices")
def list_devices(
    hub: HubDep,
    resident: Filter = None,
    area: Filter = None,
    station: Filter = None,
    family: Filter = None,
    profile: Filter = None,
    online: Annotated[Literal["true", "false", "never"] | None, Query(description="never: not heard yet")] = None,
    battery_below: Annotated[int | None, Query(ge=1, le=101)] = None,
    silent: Annotated[bool | None, Query(description="Found silent by supervision")] = None,
    adopted: Annotated[bool | None, Query(description="false: reported without having been added")] = None,
    revoked: Annotated[bool | None, Query()] = None,
    q: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    return list_answer(
        hub,
        "devices",
        limit,
        cursor,
        resident_id=resident,
        area=area,
        station=station,
        family=family,
        profile=profile,
        online=online,
        battery_below=None if battery_below is None else str(battery_below),
        silent=_word(silent),
        adopted=_word(adopted),
        revoked=_word(revoked),
        q=q,
    )


def _word(value: bool | None) -> str | None:
    return None if value is None else "true" if value else "false"


@router.get("/devices/{device_id}", response_model=Device, summary="One device")
def show_device(hub: HubDep, device_id: RecordId) -> Response:
    view = record_view(hub, "devices", device_id)
    return one({**view, "capabilities": list(commands_of(view["family"]))})


@router.post("/devices", response_model=DeviceAdded, status_code=201, summary="Add or adopt a device")
def post_device(hub: HubDep, write: Write, body: DeviceNew) -> Response:
    """`secret` is told in this answer and never again (nor by a repeated `Idempotency-Key`)."""
    told: list[str | None] = []

    def act() -> None:
        told.append(
            hub.services.devices.add(
                body.id,
                body.family,
                body.resident_id,
                write.actor,
                name=body.name,
                profile_id=body.profile_id,
                upstream=body.upstream,
                area_id=body.area_id,
            )
        )

    def view(_done: None) -> Json:
        return {"device": record_view(hub, "devices", body.id), "secret": None}

    answer = write.once(act, view, status=201, headers=lambda _view: {"Location": f"/api/v1/devices/{body.id}"})
    if not told or told[0] is None:
        return answer
    # The stored answer must not hold it, so it is put in afterwards.
    return one(
        {"device": record_view(hub, "devices", body.id), "secret": told[0]},
        201,
        {"Location": f"/api/v1/devices/{body.id}"},
    )


@router.patch("/devices/{device_id}", response_model=Device, summary="Change a device")
def patch_device(hub: HubDep, write: Write, device_id: RecordId, body: DeviceFields) -> Response:
    """A new `resident_id` (null: nobody's) and a new profile are told in `/devices/{id}/history`; readings stay whose
    they were.
    """
    fields = body.model_dump(exclude_unset=True)
    return change_record(
        write,
        "devices",
        device_id,
        body,
        check=lambda tx: hub.services.devices.note_change(tx, device_id, fields, write.actor),
    )


@router.get("/devices/{device_id}/history", response_model=DeviceHistory, summary="What became of a device")
def list_history(hub: HubDep, device_id: RecordId, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """The newest first: added, whose it was from when, revoked and restored, its commands. `names`: of residents."""
    record_view(hub, "devices", device_id)
    found = page_body(hub.reads.timeline("device", device_id, limit, cursor))
    ids = {
        entry["body"].get(name)
        for entry in found["items"]
        for name in ("resident_id", "before")
        if entry["kind"] in ("added", "bound", "unbound")
    }
    people = {ident: hub.reads.record("residents", ident) for ident in sorted(filter(None, ids))}
    return JsonAnswer({**found, "names": {ident: one["name"] for ident, one in people.items() if one is not None}})


@router.post("/devices/{device_id}/commands", response_model=DeviceCommand, status_code=202, summary="Send a command")
def post_command(hub: HubDep, write: Write, device_id: RecordId, body: Command) -> Response:
    """Kept until it is answered, has failed or expires. 409 (`cannot`) where the family has no such command."""
    fields = dict(body.model_extra or {})
    lives = timedelta(seconds=body.expires_in_s) if body.expires_in_s is not None else None

    def act() -> str:
        return hub.services.commands.give(
            device_id, body.command, fields, write.actor, incident_id=body.incident_id, lives=lives
        )

    return write.once(
        act,
        lambda command_id: _command_view(hub, device_id, command_id),
        status=202,
        headers=lambda view: {"Location": f"/api/v1/devices/{device_id}/commands/{view['id']}"},
    )


@router.get("/devices/{device_id}/commands", response_model=ListOf[DeviceCommand], summary="Commands to a device")
def list_commands(hub: HubDep, device_id: RecordId, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """The newest first."""
    record_view(hub, "devices", device_id)
    return JsonAnswer(page_body(hub.reads.commands(device_id, limit, cursor)))


@router.get(
    "/devices/{device_id}/commands/{command_id}", response_model=DeviceCommand, summary="What became of a command"
)
def show_command(hub: HubDep, device_id: RecordId, command_id: RecordId) -> Response:
    return one(_command_view(hub, device_id, command_id))


def _command_view(hub: Hub, device_id: str, command_id: str) -> Json:
    view = hub.reads.command(device_id, command_id)
    if view is None:
        raise NotFoundError(f"no command {command_id} for device {device_id}")
    return view
