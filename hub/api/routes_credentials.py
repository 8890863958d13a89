"""How devices sign in: rotate, revoke, restore; claims by QR code; and the questions of an EMQX broker."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import Header, Response
from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

from hub.api.answers import JsonAnswer, one
from hub.api.deps import Hub, HubDep
from hub.api.fields import Request, SaidText, Word
from hub.api.records import record_view
from hub.api.routing import RecordId, api_router
from hub.api.views_records import Device, DeviceAdded
from hub.api.views_technical import ClaimMade, ClaimTaken
from hub.api.writes import Write, Writing
from hub.errors import UnavailableError
from hub.ports import Json
from hub.settings import parse_mqtt_url

__all__ = ["router"]

router = api_router("credentials")


class Why(Request):
    reason: SaidText


class ClaimNew(Request):
    days: Annotated[int, Strict(), Field(ge=1, le=90)] = 30


class ClaimTake(Request):
    """What the installer scanned, and whose device it becomes."""

    token: Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=200)]
    resident_id: Word


class BrokerAsks(BaseModel):
    """What EMQX sends; more than this is ignored."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    clientid: Annotated[str, Field(max_length=300)] = ""
    username: Annotated[str, Field(max_length=300)] = ""
    password: Annotated[str, Field(max_length=1000)] = ""
    topic: Annotated[str, Field(max_length=2000)] = ""
    action: Annotated[str, Field(max_length=20)] = ""


def _with_secret(write: Writing, device_id: str, act: Callable[[], str | None]) -> JsonAnswer:
    """The secret is told in this answer and never stored with it."""
    told: list[str | None] = []

    def view(_done: None) -> Json:
        return {"device": record_view(write.hub, "devices", device_id), "secret": None}

    answer = write.once(lambda: told.append(act()), view)
    return answer if not told else one({**view(None), "secret": told[0]})


@router.post("/devices/{device_id}/rotate", response_model=DeviceAdded, summary="A new credential")
def post_rotate(hub: HubDep, write: Write, device_id: RecordId) -> Response:
    """Told once; the old one is refused at once."""
    return _with_secret(write, device_id, lambda: hub.services.credentials.rotate(device_id, write.actor))


@router.post("/devices/{device_id}/revoke", response_model=Device, summary="Sign a device off for good")
def post_revoke(hub: HubDep, write: Write, device_id: RecordId, body: Why) -> Response:
    """The broker ends its connection; what still comes from it by other ways is kept aside and raises nothing."""
    return write.once(
        lambda: hub.services.credentials.revoke(device_id, body.reason, write.actor),
        lambda _done: record_view(hub, "devices", device_id),
    )


@router.post("/devices/{device_id}/restore", response_model=DeviceAdded, summary="Take a revocation back")
def post_restore(hub: HubDep, write: Write, device_id: RecordId, body: Why) -> Response:
    """With a new credential: the old one may be known to somebody."""
    return _with_secret(write, device_id, lambda: hub.services.credentials.restore(device_id, body.reason, write.actor))


@router.post("/devices/{device_id}/claim", response_model=ClaimMade, status_code=201, summary="Print a claim")
def post_claim(hub: HubDep, write: Write, device_id: RecordId, body: ClaimNew) -> Response:
    """`url` is what the QR code carries; an older claim of the device is worth nothing any more."""
    made: list[tuple[str, Any]] = []

    def view(_done: None) -> Json:
        return {"device_id": device_id, "token": None, "url": None, "expires_at": None}

    answer = write.once(
        lambda: made.append(hub.services.claims.make(device_id, write.actor, days=body.days)), view, status=201
    )
    if not made:
        return answer
    token, expires_at = made[0]
    told = {"device_id": device_id, "token": token, "url": f"/m/claim#{token}", "expires_at": expires_at}
    return JsonAnswer(told, status_code=201)


@router.post("/devices/claim", response_model=ClaimTaken, summary="Bind a scanned device to a resident")
def post_claim_taken(hub: HubDep, write: Write, body: ClaimTake) -> Response:
    """Once; 409 `claim-used`, `claim-expired`. The answer says what is left to set on the device."""
    token = body.token.rpartition("#")[2]

    def view(device_id: str) -> Json:
        device = record_view(hub, "devices", device_id)
        profile = hub.reads.record("device_profiles", device["profile_id"]) or {}
        return {"device": device, "resident": device["resident"], "setup": profile.get("setup", []), "state": "bound"}

    return write.once(lambda: hub.services.claims.take(token, body.resident_id, write.actor), view)


# --- EMQX. A status of 4xx or 5xx would mean "ignore me and go on": whatever is wrong, the answer is a plain denial.


def _answer(hub: Hub, authorization: str | None, ask: Callable[[], str | None]) -> JsonAnswer:
    secret = hub.settings.broker.hook_secret
    given = (authorization or "").removeprefix("Bearer ").encode()
    if secret is None or not hmac.compare_digest(given, secret.get_secret_value().encode()):
        why: str | None = "the hook's secret is wrong or not set"
    else:
        try:
            why = ask()
        except UnavailableError as error:
            why = error.detail
    result: Literal["allow", "deny"] = "allow" if why is None else "deny"
    return JsonAnswer({"result": result, "is_superuser": False, **({"reason": why} if why else {})})


def _hub_itself(hub: Hub, body: BrokerAsks, *, password: bool) -> bool:
    """The hub's own connections: the account of HUB_MQTT__URL."""
    url = hub.settings.mqtt.url
    address = parse_mqtt_url(url.get_secret_value()) if url is not None else None
    if address is None or address.username is None or not body.clientid.startswith("hub-"):
        return False
    own = body.username == address.username or (
        hub.settings.mqtt.user_per_connection and body.username.startswith(f"{address.username}-")
    )
    fits = not password or hmac.compare_digest(body.password.encode(), (address.password or "").encode())
    return own and fits


Bearer = Annotated[str | None, Header(max_length=300)]


@router.post("/broker/auth", summary="May this client sign in? (EMQX)")
def post_broker_auth(hub: HubDep, body: BrokerAsks, authorization: Bearer = None) -> Response:
    """Always 200 with `result` allow or deny: any other status would let EMQX go on to its next authenticator."""

    def ask() -> str | None:
        if _hub_itself(hub, body, password=True):
            return None
        return hub.services.credentials.admits(body.username, body.password, body.clientid)

    return _answer(hub, authorization, ask)


@router.post("/broker/acl", summary="May this client use this topic? (EMQX)")
def post_broker_acl(hub: HubDep, body: BrokerAsks, authorization: Bearer = None) -> Response:
    """A device writes its own `up/#` and reads its own `down/#`."""

    def ask() -> str | None:
        if _hub_itself(hub, body, password=False):
            return None
        if body.action not in ("publish", "subscribe"):
            return "action: publish or subscribe"
        access: Literal["publish", "subscribe"] = "publish" if body.action == "publish" else "subscribe"
        return hub.services.credentials.may(body.username, body.clientid, body.topic, access)

    return _answer(hub, authorization, ask)
