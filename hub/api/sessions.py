"""Who is behind a cookie or a bearer token.

What the browser holds is 256 random bits; the database holds its sha256, so a stolen table opens nothing. A small cache
of a few seconds keeps the database out of the way of bursts; while the database is away, a session seen lately goes on:
the open page and its stream stay, and whatever needs the database says for itself that it is away.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from hub.clock import Clock, monotonic
from hub.errors import UnavailableError
from hub.ports import Database, SessionRow, UserRow

__all__ = ["SPANS", "Found", "SessionBook", "SessionKind", "token_digest"]

SessionKind = Literal["console", "phone", "token"]
SPANS: dict[SessionKind, timedelta] = {
    "console": timedelta(hours=12),
    "phone": timedelta(days=30),
    "token": timedelta(days=90),
}
"""How long an unused session lives. Console and phone slide with use; a token keeps its end."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_TOUCH_AFTER = timedelta(seconds=30)
_ASK_AGAIN_S = 5.0


def token_digest(token: str) -> bytes:
    """What the database knows of a token."""
    return hashlib.sha256(token.encode("ascii", "replace")).digest()


@dataclass(frozen=True, slots=True)
class Found:
    """A live session and its user."""

    session: SessionRow
    user: UserRow


class SessionBook:
    """Opens, finds and ends sessions. Safe from any thread."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        fresh_s: float = 3.0,
        dark_s: float = 900.0,
        size: int = 10_000,
    ) -> None:
        """`fresh_s`: a cached session is believed that long; `dark_s`: that long while the database is away."""
        self._database = database
        self._clock = clock
        self._fresh_s = fresh_s
        self._dark_s = dark_s
        self._size = size
        self._lock = threading.Lock()
        self._cache: OrderedDict[bytes, tuple[float, Found]] = OrderedDict()
        self._dark_until = 0.0

    def open(
        self,
        user: UserRow,
        kind: SessionKind,
        *,
        on_duty: bool = False,
        address: str | None = None,
        agent: str | None = None,
        span: timedelta | None = None,
        issued_by: str | None = None,
    ) -> tuple[str, SessionRow]:
        """A new session; gives the token, which is told once and kept nowhere. `issued_by`: who did it for another."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        row = SessionRow(
            token_hash=token_digest(token),
            user_id=user.id,
            kind=kind,
            created_at=now,
            last_seen_at=now,
            expires_at=now + (span or SPANS[kind]),
            on_duty=on_duty,
            address=address,
            agent=agent[:200] if agent else None,
            issued_by=issued_by,
        )
        with self._database.begin() as tx:
            tx.users.open_session(row)
        return token, row

    def peek(self, token: str) -> Found | None:
        """A session believed without asking the database; never blocks."""
        digest = token_digest(token)
        with self._lock:
            held = self._cache.get(digest)
        if held is None or monotonic() - held[0] > self._fresh_s or held[1].session.expires_at <= self._clock():
            return None
        return held[1]

    def find(self, token: str, *, extend: bool = True) -> Found | None:
        """The live session of a token, or None. `extend` False: seen, but its end does not move (an open stream).

        UnavailableError where the database is away and the session was not seen lately.
        """
        if _TOKEN.fullmatch(token) is None:
            return None
        digest = token_digest(token)
        now = self._clock()
        if monotonic() < self._dark_until and (held := self._held(digest, now)) is not None:
            # Asking again would cost every request the patience of the database's pool.
            return held
        try:
            with self._database.begin("brief") as tx:
                row = tx.users.session(digest, now)
                if row is None:
                    self._drop(digest)
                    return None
                session, user = row
                # The first use of a token is always noted: one that nobody uses is told by that.
                unused = session.kind == "token" and session.last_seen_at <= session.created_at
                if unused or now - session.last_seen_at >= _TOUCH_AFTER:
                    slides = extend and session.kind != "token"
                    until = max(now + SPANS[session.kind], session.expires_at) if slides else session.expires_at
                    tx.users.touch_session(digest, now, until)
                    session = replace(session, last_seen_at=now, expires_at=until)
        except UnavailableError:
            self._dark_until = monotonic() + _ASK_AGAIN_S
            held = self._held(digest, now)
            if held is None:
                raise
            return held
        found = Found(session, user)
        self._keep(digest, found)
        return found

    def close(self, digest: bytes) -> None:
        """Ends one session."""
        self._drop(digest)
        with self._database.begin() as tx:
            tx.users.close_session(digest)
        self._drop(digest)

    def forget(self, digest: bytes) -> None:
        """Drops one cached session that was ended elsewhere."""
        self._drop(digest)

    def forget_user(self, user_id: str) -> None:
        """Drops a user's cached sessions: rights or duty changed."""
        with self._lock:
            for digest in [key for key, (_, found) in self._cache.items() if found.user.id == user_id]:
                del self._cache[digest]

    def _held(self, digest: bytes, now: datetime) -> Found | None:
        with self._lock:
            held = self._cache.get(digest)
        if held is None or monotonic() - held[0] > self._dark_s or held[1].session.expires_at <= now:
            return None
        return held[1]

    def _keep(self, digest: bytes, found: Found) -> None:
        with self._lock:
            self._cache[digest] = (monotonic(), found)
            self._cache.move_to_end(digest)
            while len(self._cache) > self._size:
                self._cache.popitem(last=False)

    def _drop(self, digest: bytes) -> None:
        with self._lock:
            self._cache.pop(digest, None)
