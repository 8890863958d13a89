"""Device profiles: what is known of a model that its wire does not say."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Response
from pydantic import AfterValidator, Field, Strict, StringConstraints

from devices import FAMILIES, DeviceRef, Uplink
from devices.profiles import check_profile
from hub.api.answers import one
from hub.api.deps import HubDep
from hub.api.fields import Change, Free, Line, Name, NewId, Request, Text, Word, storable
from hub.api.records import list_answer, record_view
from hub.api.routing import Cursor, Filter, Limit, RecordId, api_router
from hub.api.views import ListOf, View
from hub.api.views_technical import DeviceProfile
from hub.api.writes import Write
from hub.decode import DecodedLine
from hub.errors import BadRequestError

__all__ = ["ProfileChange", "ProfileNew", "router"]

router = api_router("device profiles")
_TABLE = "device_profiles"

Interval = Annotated[int, Strict(), Field(ge=1, le=2_678_400)]
Reading = Annotated[dict[str, Any], Field(max_length=50), AfterValidator(storable)]
Steps = Annotated[list[dict[str, Any]], Field(max_length=50), AfterValidator(storable)]


class ProfileNew(Request):
    """A profile. What the family's codec takes in `reading` is in docs/howto/add-a-device.md."""

    id: NewId
    family: Word
    zh: Name
    en: Name
    model: Line | None = None
    interval_s: Interval | None = None
    silence: Free = Field(default_factory=dict)
    reading: Reading = Field(default_factory=dict)
    setup: Steps = Field(default_factory=list)
    note: Text | None = None


class ProfileChange(Change):
    """Changes of a profile; `silence`, `reading` and `setup` are replaced whole."""

    zh: Name = ""
    en: Name = ""
    model: Line | None = None
    interval_s: Interval | None = None
    silence: Free = Field(default_factory=dict)
    reading: Reading = Field(default_factory=dict)
    setup: Steps = Field(default_factory=list)
    note: Text | None = None


@router.get("/device-profiles", response_model=ListOf[DeviceProfile], summary="Device profiles")
def list_profiles(
    hub: HubDep, family: Filter = None, q: Filter = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    return list_answer(hub, _TABLE, limit, cursor, family=family, q=q)


@router.get("/device-profiles/{profile_id}", response_model=DeviceProfile, summary="One device profile")
def show_profile(hub: HubDep, profile_id: RecordId) -> Response:
    return one(record_view(hub, _TABLE, profile_id))


@router.post("/device-profiles", response_model=DeviceProfile, status_code=201, summary="Add a device profile")
def post_profile(hub: HubDep, write: Write, body: ProfileNew) -> Response:
    """Every fault is named: 422 with the field."""
    return write.once(
        lambda: hub.services.profiles.add(body.model_dump(), write.actor),
        lambda profile_id: record_view(hub, _TABLE, profile_id),
        status=201,
        headers=lambda view: {"Location": f"/api/v1/device-profiles/{view['id']}"},
    )


class Trial(Request):
    """One message, and what a profile would say in `reading`. `hex`: the message is given as hexadecimal digits."""

    family: Word
    reading: Reading = Field(default_factory=dict)
    message: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
    hex: Annotated[bool, Strict()] = False
    topic: Annotated[str, StringConstraints(max_length=300)] = ""
    device_id: Annotated[str, StringConstraints(max_length=64)] = ""


class Tried(View):
    events: list[Any] = Field(description="What the hub would understand")
    replies: list[Any]
    error: str | None


@router.post("/device-profiles/try", response_model=Tried, summary="Read a message by a profile, nothing kept")
def try_profile(hub: HubDep, write: Write, body: Trial) -> Response:
    """Before it is saved: what would become of a message. 422 where the profile itself is wrong."""
    family = FAMILIES.get(body.family)
    if family is None:
        raise BadRequestError(f"family: there is no device family {body.family}", field="family")
    wrong = check_profile(
        {"id": "try", "family": body.family, "zh": "-", "en": "-", "interval_s": 300, "reading": body.reading}
        | {"silence": {}, "setup": [], "model": None, "note": None}
    )
    if wrong:
        raise BadRequestError("; ".join(wrong), field="reading")
    try:
        payload = bytes.fromhex(body.message) if body.hex else body.message.encode()
    except ValueError:
        raise BadRequestError("message: hexadecimal digits, two a byte", field="message") from None
    reference = DeviceRef(body.device_id or "try", body.family, body.reading)
    found = family.codec.decode(Uplink(payload, hub.clock(), body.topic), reference)
    read = DecodedLine(0, found, hex=not family.text).to_json() | {"error": found.error}
    return write.once(lambda: read, lambda answer: answer)


@router.patch("/device-profiles/{profile_id}", response_model=DeviceProfile, summary="Change a device profile")
def patch_profile(hub: HubDep, write: Write, profile_id: RecordId, body: ProfileChange) -> Response:
    """Devices follow within seconds: how their messages are read and when they count as silent."""
    changes = body.model_dump(exclude_unset=True)
    return write.once(
        lambda: hub.services.profiles.change(profile_id, changes, write.actor, version=write.version),
        lambda _done: record_view(hub, _TABLE, profile_id),
    )
