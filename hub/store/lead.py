"""Who leads: a session-level advisory lock, so that the lead of a hub that dies is free at once."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType

import psycopg

from hub.errors import UnavailableError
from hub.store.faults import faults
from hub.store.session import Connection, connect

__all__ = ["DatabaseLead", "acquire_lead"]

_KEY = 0x6361_7265_0001  # any number of our own; the same in every hub


def acquire_lead(url: str) -> DatabaseLead | None:
    """Tries to take the lead of the alarm lane, without waiting; None: another has it.

    UnavailableError where the database is away.
    """
    with faults():
        connection = connect(url, "lead")
        try:
            if _lock(connection):
                return DatabaseLead(url, connection)
        except BaseException:
            connection.close()
            raise
    connection.close()
    return None


def _lock(connection: Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s) AS got", [_KEY]).fetchone()
    return bool(row and row["got"])


class DatabaseLead:
    """The lead, held from its making to the end of its block."""

    def __init__(self, url: str, connection: Connection) -> None:
        self._url = url
        self._connection = connection

    def __enter__(self) -> DatabaseLead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(psycopg.Error):
            self._connection.close()

    def held(self) -> bool:
        """False: another hub has it by now.

        While the database is away nobody can take it, so it is still ours; when it is back with our connection gone,
        the lock is taken again, or lost to whoever was faster.
        """
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            with suppress(psycopg.Error):
                self._connection.close()
            return self._again()
        return True

    def _again(self) -> bool:
        try:
            with faults():
                self._connection = connect(self._url, "lead")
                return _lock(self._connection)
        except UnavailableError:
            return True
