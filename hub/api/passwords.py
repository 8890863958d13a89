"""Passwords: argon2id, and the same effort for a name that does not exist."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.errors import BadRequestError

__all__ = ["MAX_PASSWORD", "MIN_PASSWORD", "hash_password", "needs_rehash", "prime", "verify_password"]

MIN_PASSWORD = 8
MAX_PASSWORD = 256

# RFC 9106's second recommended setting scaled to a small hub: 64 MiB, three passes; about 50-100 ms on one core.
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


@cache
def _dummy() -> str:
    return _HASHER.hash(secrets.token_urlsafe(32))


def prime() -> None:
    """Makes the hash that unknown names are checked against, so that the first of them takes no longer."""
    _dummy()


def hash_password(password: str) -> str:
    """The argon2id hash to store. BadRequestError where the password is too short or too long."""
    if len(password) < MIN_PASSWORD:
        raise BadRequestError(f"password: needs at least {MIN_PASSWORD} characters", field="password")
    if len(password) > MAX_PASSWORD:
        raise BadRequestError(f"password: at most {MAX_PASSWORD} characters", field="password")
    return _HASHER.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password is right. `stored` None (no such user) takes as long and is False."""
    try:
        _HASHER.verify(_dummy() if stored is None else stored, password[: MAX_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with older, weaker parameters."""
    return _HASHER.check_needs_rehash(stored)
