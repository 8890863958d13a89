"""Accounts, sessions and sign-in attempts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hub.errors import ConflictError, NotFoundError
from hub.ports.records import EndedToken, SessionRow, UserRow
from hub.store.session import Session, is_uuid

__all__ = ["SEEN_LATELY", "UsersDrawer"]

SEEN_LATELY = timedelta(minutes=5)
"""A console that was not heard for longer is taken for left: its operator does not count as on duty."""

_USER = (
    "username",
    "name",
    "role",
    "person_id",
    "password_hash",
    "language",
    "theme",
    "active",
    "version",
    "phone",
    "provider_id",
)


class UsersDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def by_name(self, username: str) -> UserRow | None:
        row = self._session.one("users_by_name", username=username)
        return UserRow(**row) if row else None

    def get(self, user_id: str) -> UserRow | None:
        row = self._session.one("users_get", id=user_id) if is_uuid(user_id) else None
        return UserRow(**row) if row else None

    def insert(self, user: UserRow) -> None:
        if self._session.one("users_insert", **_columns(user)) is None:
            raise ConflictError(f"the name {user.username} is taken", field="username", value=user.username)

    def save(self, user: UserRow) -> None:
        with self._session.savepoint():
            saved = self._session.run("users_save", **_columns(user))
        if not saved:
            raise NotFoundError(f"there is no user {user.username}")

    def attempt(self, username: str, address: str, ok: bool, at: datetime) -> None:
        self._session.run("sign_in_attempt", username=username, address=address, ok=ok, at=at)

    def failures_since(self, username: str, address: str, since: datetime) -> tuple[int, int]:
        row = self._session.one("sign_in_failures", username=username, address=address, since=since)
        return (row["of_name"], row["from_address"]) if row else (0, 0)

    def open_session(self, session: SessionRow) -> None:
        self._session.run("sessions_open", **_columns(session))

    def session(self, token_hash: bytes, now: datetime) -> tuple[SessionRow, UserRow] | None:
        row = self._session.one("sessions_get", token_hash=token_hash, now=now)
        if row is None:
            return None
        user = UserRow(id=row["user_id"], **{name: row.pop(name) for name in _USER})
        return SessionRow(**row), user

    def touch_session(self, token_hash: bytes, at: datetime, expires_at: datetime) -> None:
        self._session.run("sessions_touch", token_hash=token_hash, at=at, expires_at=expires_at)

    def close_session(self, token_hash: bytes) -> None:
        self._session.run("sessions_close", token_hash=token_hash)

    def end_token(self, token_id: str, now: datetime) -> EndedToken | None:
        row = self._session.one("tokens_end", id=token_id, now=now) if is_uuid(token_id) else None
        return EndedToken(**row) if row else None

    def close_sessions_of(self, user_id: str, *, keep: bytes | None = None) -> int:
        return self._session.run("sessions_close_of", user_id=user_id, keep=keep) if is_uuid(user_id) else 0

    def set_seat_on_duty(self, token_hash: bytes, on_duty: bool) -> None:
        self._session.run("sessions_on_duty", token_hash=token_hash, on_duty=on_duty)

    def operators_on_duty(self, now: datetime) -> int:
        """Counted by person: two seats of one operator are one."""
        return int(self._session.value("operators_on_duty", now=now, seen_since=now - SEEN_LATELY))


def _columns(row: UserRow | SessionRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}
