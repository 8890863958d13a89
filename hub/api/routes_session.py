"""Signing in and out, and one's own settings."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from typing import Literal

from fastapi import Request, Response

from hub.api.answers import JsonAnswer
from hub.api.deps import COOKIE, Caller, Hub, HubDep, Who, address_of, check_origin
from hub.api.routing import api_router
from hub.api.schemas import SessionChange, SessionNew
from hub.api.sessions import Found, SessionKind
from hub.api.views_records import Session
from hub.api.writes import Write
from hub.errors import ConflictError, UnavailableError
from hub.ports import Json, SessionRow, UserRow

__all__ = ["router", "user_view"]

router = api_router("session")
_PERSONS = frozenset({"staff", "family", "resident"})


def user_view(user: UserRow) -> Json:
    """An account as pages see it; never its hash."""
    return {
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "role": user.role,
        "person_id": user.person_id,
        "language": user.language,
        "theme": user.theme,
        "active": user.active,
        "phone": user.phone,
        "provider_id": user.provider_id,
        "version": user.version,
    }


def _session_view(hub: Hub, user: UserRow, session: SessionRow) -> Json:
    on_duty = session.on_duty
    if user.role == "staff" and user.person_id and not hub.feed.dark:
        # Who is signed in can be said without the database; only the person's duty then is as the seat knew it.
        with suppress(UnavailableError):
            responder = hub.reads.record("responders", user.person_id)
            on_duty = bool(responder["on_duty"]) if responder else on_duty
    return {
        "user": user_view(user),
        "on_duty": on_duty,
        "kind": session.kind,
        "expires_at": session.expires_at,
        "server_time": hub.clock(),
        "time_zone": hub.settings.site.time_zone,
    }


def is_loopback(host: str | None) -> bool:
    """Whether the browser speaks to its own machine: only there a cookie may travel without TLS."""
    if host is None:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _set_cookie(request: Request, response: Response, token: str, max_age: int) -> None:
    secure = request.url.scheme == "https" or not is_loopback(request.url.hostname)
    response.set_cookie(COOKIE, token, max_age=max_age, path="/", secure=secure, httponly=True, samesite="lax")


@router.post("/session", response_model=Session, summary="Sign in")
def open_session(request: Request, hub: HubDep, wanted: SessionNew) -> Response:
    """Sets an HttpOnly cookie; `token: true` answers with a bearer token instead. Throttled by name and address."""
    check_origin(request, strict=False)
    address = address_of(request)
    user = hub.sign_in.check(wanted.username, wanted.password, address)
    kind: SessionKind = "console"
    span: timedelta | None = timedelta(hours=hub.settings.session.hours)
    if wanted.token:
        kind, span = "token", None
    elif wanted.bound and user.role in _PERSONS:
        kind, span = "phone", None
    token, session = hub.sessions.open(
        user,
        kind,
        # Whoever signs in at a seat of the desk is there to answer; the others say so themselves.
        on_duty=kind == "console" and user.role == "operator",
        address=address,
        agent=request.headers.get("user-agent"),
        span=span,
    )
    body = _session_view(hub, user, session)
    if wanted.token:
        return JsonAnswer({**body, "token": token})
    response = JsonAnswer(body)
    _set_cookie(request, response, token, int((session.expires_at - session.created_at).total_seconds()))
    return response


@router.get("/session", response_model=Session, summary="Who am I")
def show_session(request: Request, hub: HubDep, who: Who) -> Response:
    """Who is signed in; 401 where nobody is. Renews the cookie of a sliding session."""
    response = JsonAnswer(_session_view(hub, who.found.user, who.found.session))
    if who.via == "cookie":
        left = (who.found.session.expires_at - hub.clock()).total_seconds()
        _set_cookie(request, response, who.token, max(1, int(left)))
    return response


@router.patch("/session", response_model=Session, summary="Change one's own settings")
def change_session(hub: HubDep, who: Who, write: Write, change: SessionChange) -> Response:
    """Language and theme belong to the user, `on_duty` to the seat (and to the responder, for staff)."""

    def act() -> Found:
        return _change(hub, who, change)

    def view(found: Found) -> Json:
        return _session_view(hub, found.user, found.session)

    return write.once(act, view)


def _change(hub: Hub, who: Caller, change: SessionChange) -> Found:
    given = change.model_fields_set
    with hub.database.begin() as tx:
        user = tx.users.get(who.user_id) or who.found.user
        session = who.found.session
        looks: dict[str, Literal["zh", "en", "auto", "light", "dark"]] = {}
        if "language" in given:
            looks["language"] = change.language
        if "theme" in given:
            looks["theme"] = change.theme
        if looks:
            user = replace(user, **looks, version=user.version + 1)  # type: ignore[arg-type]
            tx.users.save(user)
        if "on_duty" in given:
            tx.users.set_seat_on_duty(session.token_hash, change.on_duty)
            if user.role == "staff" and user.person_id:
                tx.responders.set_on_duty(user.person_id, change.on_duty)
            detail = {"on_duty": change.on_duty}
            tx.audit.add(who.actor, "session.duty", f"user:{user.id}", detail, hub.clock(), who.address)
            session = replace(session, on_duty=change.on_duty)
    hub.sessions.forget_user(user.id)
    return Found(session, user)


@router.delete("/session", status_code=204, summary="Sign out")
def close_session(hub: HubDep, who: Who) -> Response:
    """Ends this session; the cookie is taken back. Refused at the desk while one holds incidents: nobody walks away
    from an open matter. Hand it on, give it back, or hand over the shift.
    """
    if who.found.session.kind == "console":
        with suppress(UnavailableError), hub.database.begin() as tx:
            held = tx.desk.held_by(who.user_id)
            if held:
                raise ConflictError(f"{len(held)} open incidents are yours", code="claims-open", incidents=held)
    hub.sessions.close(who.found.session.token_hash)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return response
