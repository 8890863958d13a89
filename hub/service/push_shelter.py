"""Makers' pushes while the database is away: whom to believe, what was heard before, and where alarms go.

A push with an alarm in it is proved by what is remembered of the integrations, made durable in the journal, and only
then answered. Everything else is answered 503, so that the maker's cloud sends it again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from hub.clock import Clock, monotonic
from hub.errors import UnavailableError
from hub.ports import Incoming, IntegrationRow, Outcome
from hub.ports.dark import Foresee

__all__ = ["Haven", "PushMemory", "Sheltered"]

_NONCES = 20_000
_PAUSE_S = 0.2


class Haven(Protocol):
    """The journal as a way in sees it."""

    after_s: float
    """How long (s) the database must be away before anything goes there."""

    @property
    def dark(self) -> bool:
        """Whether alarms go there now, without asking the database."""
        ...

    def take(self, items: Sequence[Incoming], away_since: datetime | None) -> list[Outcome] | None:
        """Makes them durable. None: ask the database (`away_since` None: it is there; else nothing is durable)."""
        ...


class PushMemory:
    """Integrations as last read, and the nonces this process has heard. Thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._active: dict[str, list[IntegrationRow]] = {}
        self._nonces: OrderedDict[tuple[str, bytes], tuple[bytes, datetime]] = OrderedDict()
        self._unwritten: set[tuple[str, bytes]] = set()

    def note(self, family: str, active: Sequence[IntegrationRow]) -> None:
        """The integrations of one family, as just read."""
        self._active[family] = list(active)

    def active(self, family: str) -> list[IntegrationRow]:
        """As last read."""
        return list(self._active.get(family, ()))

    def heard(self, integration: str, nonce: bytes, now: datetime) -> bytes | None:
        """The digest of what came with this nonce, while it counts; None: nothing that is remembered here."""
        with self._guard:
            digest, until = self._nonces.get((integration, nonce), (None, now))
        return digest if until > now else None

    def hear(self, integration: str, nonce: bytes, digest: bytes, until: datetime) -> None:
        """Remembers one, here alone until it is `written`."""
        with self._guard:
            self._nonces[integration, nonce] = (digest, until)
            self._nonces.move_to_end((integration, nonce))
            self._unwritten.add((integration, nonce))
            while len(self._nonces) > _NONCES:
                oldest, _ = self._nonces.popitem(last=False)
                self._unwritten.discard(oldest)

    def unwritten(self, now: datetime) -> list[tuple[str, bytes, bytes, datetime]]:
        """Integration, nonce, digest and end of those the database has not been told of, while they count."""
        with self._guard:
            found = [(name, nonce, *self._nonces[name, nonce]) for name, nonce in self._unwritten]
        return [one for one in found if one[3] > now]

    def written(self, told: Sequence[tuple[str, bytes, bytes, datetime]]) -> None:
        """The database knows these now."""
        with self._guard:
            self._unwritten.difference_update((name, nonce) for name, nonce, _, _ in told)


class Sheltered:
    """A way into the ingest that gives a push with an alarm in it to the journal while the database is away."""

    def __init__(
        self,
        commit: Callable[[Sequence[Incoming]], list[Outcome]],
        haven: Callable[[], Haven | None],
        foresee: Foresee,
        clock: Clock,
    ) -> None:
        """`haven` None: there is no journal (yet)."""
        self._commit = commit
        self._haven = haven
        self._foresee = foresee
        self._clock = clock

    def __call__(self, batch: Sequence[Incoming]) -> list[Outcome]:
        """UnavailableError: nothing of it was taken, neither by the database nor by the journal."""
        haven = self._haven()
        if haven is None:
            return self._commit(batch)
        if haven.dark and self._has_alarm(batch) and (kept := haven.take(batch, None)) is not None:
            return kept
        since, began = self._clock(), monotonic()
        while True:
            try:
                return self._commit(batch)
            except UnavailableError as error:
                if error.code == "busy" or not self._has_alarm(batch):
                    raise
                left = began + haven.after_s - monotonic()
                if left <= 0 or haven.dark:
                    if (kept := haven.take(batch, since)) is None:
                        raise
                    return kept
            threading.Event().wait(min(left, _PAUSE_S))

    def _has_alarm(self, batch: Sequence[Incoming]) -> bool:
        return any(self._foresee(item).alarms for item in batch)
