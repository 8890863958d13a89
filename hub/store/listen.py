"""Wake-ups from the database: LISTEN on a connection of its own, made anew where it is lost."""

from __future__ import annotations

import logging
import os
import selectors
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg
from psycopg import sql

from hub.clock import monotonic
from hub.store.session import Connection, connect

__all__ = ["Listener"]

_log = logging.getLogger(__name__)

_RETRY_S = 0.5
_ANSWER_S = 2.0
"""Whoever closes a listener waits for it: nothing it does may take long."""

Heed = Callable[[str], bool]
"""Whether a notification that carries this is worth waking for."""


class Listener:
    """Says when somebody notified one of `channels`. `wait` belongs to one thread, `close` to any.

    Whoever is woken reads what is new; what a notification carries only says whether it is worth waking for. After a
    lost connection the first `wait` that has one again wakes too, as something may have been missed.
    """

    def __init__(self, url: str, channels: Sequence[str]) -> None:
        self._url = url
        self._channels = tuple(channels)
        self._connection: Connection | None = None
        self._closed = threading.Event()
        self._wake_read, self._wake_write = os.pipe()
        self._next_try = 0.0
        self._guard = threading.Lock()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends a `wait` under way at once; later ones return False."""
        self._closed.set()
        with suppress(OSError):
            os.write(self._wake_write, b"x")
        # A `wait` under way holds the guard until it has seen the pipe.
        with self._guard:
            self._drop()
            for end in (self._wake_read, self._wake_write):
                with suppress(OSError):
                    os.close(end)
            self._wake_read = self._wake_write = -1

    def wait(self, timeout: float, heed: Heed | None = None) -> bool:
        """Blocks up to `timeout` seconds; True when there is reason to look.

        `heed`: which notifications are one; None: all.
        """
        with self._guard:
            if self._closed.is_set():
                return False
            if self._connection is None:
                return self._reconnect(timeout)
            try:
                return self._notified(self._connection, timeout, heed)
            except (psycopg.Error, OSError, ValueError) as error:
                _log.warning("listening for %s stopped: %s", ", ".join(self._channels), error)
                self._drop()
                self._next_try = monotonic()
                return False

    def _reconnect(self, timeout: float) -> bool:
        pause = self._next_try - monotonic()
        if pause > 0:
            self._closed.wait(min(pause, timeout))
            return False
        try:
            self._connection = connect(self._url, "listen", _ANSWER_S)
            for channel in self._channels:
                self._connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        except psycopg.Error as error:
            _log.info("listening for %s waits for the database: %s", ", ".join(self._channels), error)
            self._drop()
            self._next_try = monotonic() + _RETRY_S
            return False
        return True

    def _notified(self, connection: Connection, timeout: float, heed: Heed | None) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._wake_read, selectors.EVENT_READ)
            deadline = monotonic() + timeout
            while not self._closed.is_set():
                if _drained(connection, heed):
                    return True
                left = deadline - monotonic()
                if left <= 0:
                    return False
                selector.select(left)
        return False

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _drained(connection: Connection, heed: Heed | None) -> bool:
    """Takes what has arrived, however many notifications that is; whether one is worth waking for."""
    connection.pgconn.consume_input()
    found = False
    while (told := connection.pgconn.notifies()) is not None:
        # Each is heard, also behind one that is worth waking for: what it carries may be all there is of it.
        found = heed is None or heed(told.extra.decode()) or found
    return found
