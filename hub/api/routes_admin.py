"""Administration: accounts, tokens, the audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fastapi import Response

from hub.api.answers import JsonAnswer, one, page_body
from hub.api.deps import Hub, HubDep, Who
from hub.api.passwords import hash_password
from hub.api.routes_session import user_view
from hub.api.routing import Cursor, Filter, Limit, Uid, api_router
from hub.api.schemas import TokenNew, UserChange, UserNew
from hub.api.views import ListOf
from hub.api.views_records import AuditRow, Token, TokenGiven, User
from hub.api.writes import Write
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Role, Transaction, UserRow

__all__ = ["router"]

router = api_router("administration")
OF_PROVIDER_ROLES = frozenset[Role]({"staff", "coordinator", "supervisor"})
_PERSON_OF: dict[Role, str] = {"staff": "responders", "family": "contacts", "resident": "residents"}


def _user(hub: Hub, user_id: str) -> UserRow:
    with hub.database.begin() as tx:
        user = tx.users.get(user_id)
    if user is None:
        raise NotFoundError(f"no user {user_id}")
    return user


def _check_person(hub: Hub, role: Role, person_id: str | None) -> None:
    table = _PERSON_OF.get(role)
    if table is None:
        return
    single = table.removesuffix("s")
    if person_id is None:
        raise BadRequestError(f"person_id: an account of role {role} needs its {single}", field="person_id")
    if hub.reads.record(table, person_id) is None:
        raise BadRequestError(f"person_id: there is no {single} {person_id}", field="person_id")


@router.get("/users", response_model=ListOf[User], summary="Accounts")
def list_users(
    hub: HubDep, role: Filter = None, q: Filter = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    return JsonAnswer(page_body(hub.reads.records("users", limit, cursor, role=role, q=q)))


@router.get("/users/{user_id}", response_model=User, summary="One account")
def show_user(hub: HubDep, user_id: Uid) -> Response:
    return one(user_view(_user(hub, user_id)))


@router.post("/users", response_model=User, status_code=201, summary="Add an account")
def post_user(hub: HubDep, write: Write, body: UserNew) -> Response:
    """Staff, family and residents' accounts belong to a person: `person_id`. One of a provider sees its rows alone."""
    _check_person(hub, body.role, body.person_id)
    _check_provider(hub, body.role, body.provider_id)

    def act() -> str:
        user = UserRow(
            id=hub.new_id(),
            username=body.username,
            name=body.name,
            role=body.role,
            person_id=body.person_id,
            password_hash=hash_password(body.password),
            language=body.language,
            phone=body.phone or None,
        )
        with hub.database.begin() as tx:
            tx.users.insert(user)
            detail = {"username": user.username, "role": user.role}
            tx.audit.add(write.actor, "users.add", f"users:{user.id}", detail, hub.clock(), write.caller.address)
        return user.id

    return write.once(act, lambda user_id: user_view(_user(hub, user_id)), status=201)


@router.patch("/users/{user_id}", response_model=User, summary="Change an account")
def patch_user(hub: HubDep, write: Write, user_id: Uid, body: UserChange) -> Response:
    """A new password, another role or `active: false` ends the account's sessions (but for the one that asks)."""
    given = body.model_dump(exclude_unset=True)
    password = given.pop("password", None)

    def act() -> None:
        if user_id == write.caller.user_id and (given.get("active") is False or given.get("role", "admin") != "admin"):
            raise ConflictError("nobody takes the own account's rights away: ask another administrator")
        user = _user(hub, user_id)
        write.expect(user_view(user))
        changed = replace(user, **given, version=user.version + 1)
        changed = replace(changed, phone=changed.phone or None)
        _check_person(hub, changed.role, changed.person_id)
        _check_provider(hub, changed.role, changed.provider_id)
        if password is not None:
            changed = replace(changed, password_hash=hash_password(password))
        with hub.database.begin() as tx:
            tx.users.save(changed)
            if password is not None or not changed.active or _rights(changed) != _rights(user):
                _end_sessions(tx, user_id, keep=write.caller.found.session.token_hash)
            fields = sorted([*given, *(["password"] if password is not None else [])])
            tx.audit.add(
                write.actor, "users.change", f"users:{user_id}", {"fields": fields}, hub.clock(), write.caller.address
            )
        hub.sessions.forget_user(user_id)

    return write.once(act, lambda _done: user_view(_user(hub, user_id)))


def _rights(user: UserRow) -> tuple[Role, str | None]:
    return user.role, user.provider_id


def _check_provider(hub: Hub, role: Role, provider_id: str | None) -> None:
    if provider_id is None:
        return
    if role not in OF_PROVIDER_ROLES:
        raise BadRequestError(f"provider_id: an account of role {role} belongs to no provider", field="provider_id")
    if hub.reads.record("providers", provider_id) is None:
        raise BadRequestError(f"provider_id: there is no provider {provider_id}", field="provider_id")


def _end_sessions(tx: Transaction, user_id: str, *, keep: bytes | None = None) -> None:
    tx.users.close_sessions_of(user_id, keep=keep)


@router.post("/users/{user_id}/tokens", response_model=TokenGiven, status_code=201, summary="A bearer token")
def post_token(hub: HubDep, who: Who, user_id: Uid, write: Write, body: TokenNew) -> Response:
    """Told once. For an integrator's account. DELETE /tokens/{id} ends this one, DELETE of its sessions every one."""
    user = _user(hub, user_id)
    if user.role != "integrator" or not user.active:
        raise ConflictError(f"tokens are for active integrators; {user.username} is {user.role}", code="not-integrator")
    if write.key is not None:
        raise BadRequestError("a token is told once: it has no second answer", field="Idempotency-Key")
    token, session = hub.sessions.open(
        user,
        "token",
        address=who.address,
        agent=body.label or None,
        span=timedelta(days=body.days),
        issued_by=who.actor.name,
    )
    with hub.database.begin() as tx:
        detail = {"days": body.days, "label": body.label, "token": session.id}
        tx.audit.add(who.actor, "users.token", f"users:{user_id}", detail, hub.clock(), who.address)
    return JsonAnswer({"id": session.id, "token": token, "expires_at": session.expires_at}, status_code=201)


@router.get("/tokens", response_model=ListOf[Token], summary="Bearer tokens that are still good")
def list_tokens(
    hub: HubDep, user: Filter = None, role: Filter = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """The latest first: whose, for what, how far it reaches, who issued it, when it was last used and when it ends."""
    return JsonAnswer(page_body(hub.reads.tokens(hub.clock(), limit, cursor, user_id=user, role=role)))


@router.delete("/tokens/{token_id}", status_code=204, summary="End one bearer token")
def delete_token(hub: HubDep, who: Who, token_id: Uid) -> Response:
    """Refused from now on (another process of the same hub may believe it three seconds longer); streams end."""
    with hub.database.begin() as tx:
        ended = tx.users.end_token(token_id, hub.clock())
        if ended is None:
            raise NotFoundError(f"no token {token_id} that is still good")
        detail = {"token": token_id, "label": ended.label}
        tx.audit.add(who.actor, "users.token_end", f"users:{ended.user_id}", detail, hub.clock(), who.address)
    hub.sessions.forget(ended.token_hash)
    return Response(status_code=204)


@router.delete("/users/{user_id}/sessions", status_code=204, summary="End all sessions and tokens of an account")
def delete_sessions(hub: HubDep, who: Who, user_id: Uid) -> Response:
    _user(hub, user_id)
    with hub.database.begin() as tx:
        ended = tx.users.close_sessions_of(user_id)
        tx.audit.add(who.actor, "users.end_sessions", f"users:{user_id}", {"ended": ended}, hub.clock(), who.address)
    hub.sessions.forget_user(user_id)
    return Response(status_code=204)


@router.get("/audit", response_model=ListOf[AuditRow], summary="Who did what, newest first")
def list_audit(hub: HubDep, limit: Limit = 100, cursor: Cursor = None) -> Response:
    return JsonAnswer(page_body(hub.reads.audit(limit, cursor)))
