"""The right to run what only one hub may run: a lock of the database that ends with its holder's connection."""

from __future__ import annotations

import logging
from types import TracebackType

import psycopg

from hub.store.faults import faults
from hub.store.session import Connection, connect

__all__ = ["LEAD_LOCK", "DatabaseLead", "acquire_lead"]

_log = logging.getLogger(__name__)

_ANSWER_S = 5.0
LEAD_LOCK = 0x6C656164
"""The key of the advisory lock: "lead"."""


def _locked(connection: Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s) AS got", (LEAD_LOCK,)).fetchone()
    return bool(row and row["got"])


class DatabaseLead:
    """The lead, held by a connection of its own. Used by one thread."""

    def __init__(self, url: str, connection: Connection) -> None:
        self._url = url
        self._connection = connection

    def __enter__(self) -> DatabaseLead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def held(self) -> bool:
        """False: another hub has it by now. True also while the database is away: then nobody can take it."""
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            self._connection.close()
        else:
            return True
        try:
            self._connection = connect(self._url, "lead", _ANSWER_S)
            return _locked(self._connection)
        except psycopg.Error as error:
            _log.info("whether the lead is still ours cannot be asked: %s", error)
            return True


def acquire_lead(url: str) -> DatabaseLead | None:
    """Tries for the lead without waiting; None: another hub has it. UnavailableError: it cannot be known now."""
    with faults():
        connection = connect(url, "lead", _ANSWER_S)
        if _locked(connection):
            return DatabaseLead(url, connection)
        connection.close()
        return None
