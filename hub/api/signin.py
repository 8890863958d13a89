"""Signing in: throttled by name and by address, and silent about which names exist."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from hub.api.passwords import hash_password, needs_rehash, prime, verify_password
from hub.api.problems import UnauthorizedError
from hub.clock import Clock
from hub.errors import HubError
from hub.ports import Actor, Database, UserRow

__all__ = ["LIMITS", "Limit", "SignIn", "ThrottledError"]


class ThrottledError(HubError):
    """Too many attempts; `extra["retry_after_s"]` says when to come back."""

    code = "too-many-attempts"
    status = 429


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many failed attempts within a span; then wait. 0: no limit."""

    within: timedelta
    name: int
    address: int
    wait_s: int


# Two steps: a person who mistypes waits a minute, a machine that guesses is held to some 2,000 a day and name.
LIMITS: tuple[Limit, ...] = (
    Limit(timedelta(minutes=15), name=20, address=100, wait_s=300),
    Limit(timedelta(minutes=1), name=5, address=30, wait_s=60),
)

_AT_ONCE = 2
_WAITING = 30


class SignIn:
    """Checks names and passwords. Safe from any thread."""

    def __init__(self, database: Database, clock: Clock, limits: tuple[Limit, ...] = LIMITS) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits
        prime()
        # One attempt of a name at a time: a burst of guesses cannot run past the count together.
        self._names = tuple(threading.Lock() for _ in range(64))
        # A hash costs 64 MiB and a core: a flood of attempts must not take the machine along.
        self._hashing = threading.BoundedSemaphore(_AT_ONCE)
        self._waiting = threading.BoundedSemaphore(_WAITING)

    def check(self, username: str, password: str, address: str) -> UserRow:
        """The user. UnauthorizedError for a wrong name or password alike, ThrottledError after too many."""
        with self._turn(username):
            now = self._clock()
            with self._database.begin() as tx:
                for limit in self._limits:
                    by_name, by_address = tx.users.failures_since(username, address, now - limit.within)
                    if by_name >= limit.name or by_address >= limit.address:
                        raise ThrottledError(
                            f"too many failed attempts; try again in {limit.wait_s} seconds", retry_after_s=limit.wait_s
                        )
                user = tx.users.by_name(username)
            usable = user if user is not None and user.active else None
            with self._hashing:
                right = verify_password(usable.password_hash if usable else None, password)
            with self._database.begin() as tx:
                tx.users.attempt(username, address, right, self._clock())
                if right and usable is not None and needs_rehash(usable.password_hash):
                    usable = replace(usable, password_hash=hash_password(password))
                    tx.users.save(usable)
                # An unknown name costs the same statements. What was typed is not written down: it may be a password.
                who = usable or UserRow(id="", username="", name="?", role="operator", person_id=None, password_hash="")
                actor = Actor(kind="operator", name=who.name, user_id=who.id or None, role=who.role)
                action = "session.open" if right else "session.refused"
                tx.audit.add(actor, action, f"user:{who.id}" if who.id else None, {}, self._clock(), address)
        if usable is None or not right:
            raise UnauthorizedError("name or password is wrong", code="wrong-credentials")
        return usable

    @contextmanager
    def _turn(self, username: str) -> Iterator[None]:
        if not self._waiting.acquire(blocking=False):
            raise ThrottledError("too many people sign in at this moment; try again in a few seconds", retry_after_s=5)
        try:
            with self._names[hash(username) % len(self._names)]:
                yield
        finally:
            self._waiting.release()
