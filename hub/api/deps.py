"""What every endpoint starts from: the parts of the hub, who calls, and whether that is allowed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Annotated, Literal, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry
from starlette.concurrency import run_in_threadpool

from hub.api.gate import Gate
from hub.api.problems import UnauthorizedError, reader_of
from hub.api.provider_roles import open_to_providers
from hub.api.public_gate import PublicGate
from hub.api.roles import TABLE
from hub.api.sessions import Found, SessionBook
from hub.api.signin import SignIn
from hub.clock import Clock, IdSource
from hub.errors import ForbiddenError
from hub.feed import Feed
from hub.ports import Actor, ActorKind, Database, Json, Reads, Role, UserRow
from hub.service import Services
from hub.settings import Settings
from hub.wording import Language

__all__ = [
    "COOKIE",
    "Caller",
    "Hub",
    "HubDep",
    "Reader",
    "Who",
    "actor_of",
    "caller_of",
    "check_origin",
    "guard",
    "hub_of",
]

COOKIE = "hub_session"
_log = logging.getLogger("hub.api")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_ACTOR_KINDS: dict[Role, ActorKind] = {
    "staff": "responder",
    "family": "family",
    "resident": "resident",
    "integrator": "integrator",
}


@dataclass(frozen=True, slots=True)
class Hub:
    """The parts endpoints work with; made once by `create_api`."""

    database: Database
    reads: Reads
    services: Services
    feed: Feed
    settings: Settings
    clock: Clock
    new_id: IdSource
    zone: tzinfo
    sessions: SessionBook
    sign_in: SignIn
    readiness: Callable[[], Json]
    registry: CollectorRegistry
    gate: Gate
    public_gate: PublicGate
    retention_days: Json


def actor_of(user: UserRow) -> Actor:
    """The account as the one who did something."""
    return Actor(
        kind=_ACTOR_KINDS.get(user.role, "operator"),
        name=user.name,
        user_id=user.id,
        role=user.role,
        person_id=user.person_id,
    )


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody signed in."""

    found: Found
    via: Literal["cookie", "bearer"]
    token: str
    address: str

    @property
    def role(self) -> Role:
        return self.found.user.role

    @property
    def user_id(self) -> str:
        return self.found.user.id

    @property
    def person_id(self) -> str | None:
        return self.found.user.person_id

    @property
    def provider_id(self) -> str | None:
        """The provider to whose rows this account is bound; None for the district's own and for staff, whose rows are
        their tasks.
        """
        return None if self.role == "staff" else self.found.user.provider_id

    @property
    def actor(self) -> Actor:
        """How the timeline names this person."""
        return actor_of(self.found.user)


async def hub_of(request: Request) -> Hub:
    """The parts of the hub."""
    return cast("Hub", request.app.state.hub)


HubDep = Annotated[Hub, Depends(hub_of)]


def _token_of(request: Request) -> tuple[str, Literal["cookie", "bearer"]] | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip(), "bearer"
    cookie = request.cookies.get(COOKIE)
    return (cookie, "cookie") if cookie else None


async def caller_of(request: Request) -> Caller | None:
    """Who calls; None where nobody is signed in."""
    held = _token_of(request)
    if held is None:
        return None
    token, via = held
    hub = await hub_of(request)
    found = hub.sessions.peek(token) or await run_in_threadpool(hub.sessions.find, token)
    return None if found is None else Caller(found, via, token, address_of(request))


def address_of(request: Request) -> str:
    """The caller's address, a trusted proxy's word included."""
    return request.client.host if request.client else "?"


def _same_host(request: Request, origin: str) -> bool:
    try:
        asked = urlsplit(origin)
        here = urlsplit(f"//{request.headers.get('host', '')}")
        default = 443 if asked.scheme == "https" else 80
        return (
            asked.scheme in ("http", "https")
            and asked.hostname is not None
            and (asked.hostname, asked.port or default) == (here.hostname, here.port or default)
        )
    except ValueError:
        return False


def check_origin(request: Request, *, strict: bool = True) -> None:
    """ForbiddenError where a write with a cookie does not come from our own pages.

    Browsers always send one of the two headers with a write. `strict` False also takes a request with neither: a
    program that signs in, which holds no cookie anybody could ride on.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        ours = site == "same-origin"
    elif origin is not None:
        ours = _same_host(request, origin)
    else:
        ours = not strict
    if not ours:
        raise ForbiddenError(
            "a write with a session cookie needs Sec-Fetch-Site: same-origin or an Origin equal to this host",
            code="cross-site",
        )


async def guard(request: Request, caller: Annotated[Caller | None, Depends(caller_of)]) -> None:
    """Looks the request's own route up in the table of roles."""
    template = getattr(request.scope.get("route"), "path", "")
    access = TABLE.get((request.method, template))
    if access == "public":
        return
    if caller is None:
        raise UnauthorizedError("sign in first")
    if access is None or caller.role not in access:
        raise ForbiddenError(f"{caller.role} may not {request.method} {template or request.url.path}")
    if caller.provider_id is not None and not open_to_providers(request.method, template):
        raise ForbiddenError("not for an account of a provider", code="provider-account")
    if caller.via == "cookie" and request.method not in _SAFE:
        check_origin(request)


async def _signed_in(caller: Annotated[Caller | None, Depends(caller_of)]) -> Caller:
    if caller is None:
        raise UnauthorizedError("sign in first")
    return caller


Who = Annotated[Caller, Depends(_signed_in)]
Reader = Annotated[Language | None, Depends(reader_of)]
"""The language that the caller asks for, for sentences inside of answers; None for a program that names none."""
