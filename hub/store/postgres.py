"""PostgreSQL behind `hub.ports.Database`: connections, their loss, and the ends of transactions."""

from __future__ import annotations

import logging
import select
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, cast

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

from hub.clock import monotonic
from hub.errors import UnavailableError
from hub.ports.records import EncodedRows, Json, Meanwhile, MeasuredRow, UplinkRow
from hub.store.faults import faults, first_line
from hub.store.overlap import Ending, NoAnswerError, OverlapConnection
from hub.store.series import encoded
from hub.store.session import KEEPALIVE, SERVER_OPTIONS, Connection, connect, prepare_connection
from hub.store.transaction import PostgresTransaction

__all__ = ["LANES", "PostgresDatabase"]

_log = logging.getLogger(__name__)

LANES: Mapping[str, float | None] = {"alarm": None, "replay": 30.0, "telemetry": None, "feed": 3.0, "aside": 3.0}
"""Lanes with connections of their own: they never wait for one that pages and programs hold.

Beside each how long (s) one exchange may take before the database counts as away; None: as long as it takes, or as
long as the database is told.
"""
_FEW_ROWS = frozenset({"alarm", "replay", "feed"})
_BRIEF_S = 3.0
"""The same for the lane "brief": the connections of "main", for what an open page must not wait for."""

_AT_ONCE_S = 0.05

_BEGIN = b"BEGIN"
_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_BUSY = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)


class _Lane:
    """Connections of one lane: as many as it has callers at a time, kept open between transactions."""

    def __init__(self, url: str, name: str, answer_within: float | None) -> None:
        self._url = url
        self._name = name
        self._answer_within = answer_within
        self._idle: list[Connection] = []
        self._guard = threading.Lock()

    def take(self) -> Connection:
        with self._guard:
            if self._idle:
                return self._idle.pop()
        with faults():
            return connect(self._url, self._name, self._answer_within, few_rows=self._name in _FEW_ROWS)

    def give_back(self, connection: Connection) -> None:
        with self._guard:
            if not connection.closed:
                self._idle.append(connection)

    def close(self) -> None:
        with self._guard:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _no_word_of_workers(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("couldn't stop thread")


class _Pool:
    """Connections of the lanes "main" and "brief", shared by pages, programs and jobs."""

    def __init__(self, url: str, min_size: int, max_size: int, timeout: float, ending: Ending) -> None:
        def configure(connection: OverlapConnection) -> None:
            prepare_connection(connection)
            connection.ending = ending

        self._ending = ending
        self._pool: ConnectionPool[OverlapConnection] = ConnectionPool(
            url,
            connection_class=OverlapConnection,
            min_size=min_size,
            max_size=max_size,
            timeout=timeout,
            max_idle=300.0,
            # Its pauses double: after a longer trial nobody would look for up to 15 s whether the database is back.
            reconnect_timeout=2.0,
            open=False,
            name="main",
            configure=configure,
            kwargs={
                "autocommit": True,
                "application_name": "care-hub main",
                "options": SERVER_OPTIONS,
                **KEEPALIVE,
            },
        )
        self._pool.open(wait=False)

    def take(self) -> Connection:
        # Nor is a connection waited for once the hub stops; one that is free is still had.
        left = max(_AT_ONCE_S, self._ending.at - monotonic())
        with faults():
            return cast("Connection", self._pool.getconn(min(left, self._pool.timeout)))

    def give_back(self, connection: Connection) -> None:
        self._pool.putconn(cast("OverlapConnection", connection))

    def numbers(self) -> Mapping[str, int]:
        stats = self._pool.get_stats()
        return {
            "size": stats.get("pool_size", 0),
            "available": stats.get("pool_available", 0),
            "waiting": stats.get("requests_waiting", 0),
        }

    def close(self) -> None:
        # Its workers may be trying for a database that is silent; they end with the process. Nobody need hear of it.
        logging.getLogger("psycopg.pool").addFilter(_no_word_of_workers)
        self._pool.close(timeout=0)


class _Brief:
    """The pool's connections, asked for an answer within a few seconds."""

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool

    def take(self) -> Connection:
        connection = self._pool.take()
        cast("OverlapConnection", connection).answer_within = _BRIEF_S
        return connection

    def give_back(self, connection: Connection) -> None:
        cast("OverlapConnection", connection).answer_within = None
        self._pool.give_back(connection)

    def close(self) -> None:
        """The pool is closed by its own lane."""


_Source = _Lane | _Pool | _Brief


class PostgresDatabase:
    """`hub.ports.Database`. Safe for any number of threads; nothing is connected before the first `begin` needs it.

    `url`: `postgresql://…`. `max_size` bounds the connections of the lane "main"; the others have one for
    each caller at a time. `patience` (s): how long `begin` waits for a connection of the lane "main".
    """

    def __init__(
        self, url: str, *, min_size: int = 1, max_size: int = 8, patience: float = 5.0, alarm_within: float = 1.5
    ) -> None:
        """`alarm_within` (s): how long an exchange of the lane "alarm" may take before the database counts as away."""
        self.url = url
        self._ending = Ending()
        pool = _Pool(url, min_size, max_size, patience, self._ending)
        limits = {**LANES, "alarm": alarm_within}
        self._lanes: dict[str, _Source] = {name: _Lane(url, name, within) for name, within in limits.items()}
        self._lanes |= {"main": pool, "brief": _Brief(pool)}
        self._spare = max_size

    def pool(self) -> Mapping[str, int]:
        """Of the lane "main": connections there are (`size`) and idle (`available`), and callers that wait."""
        pool = self._lanes["main"]
        return pool.numbers() if isinstance(pool, _Pool) else {}

    def hasten(self, seconds: float) -> None:
        """From then on nobody waits for an answer or a connection in the lane "main": the hub stops, and the database
        may be silent.
        """
        self._ending.at = monotonic() + seconds

    def close(self) -> None:
        """Ends the idle connections; those in a transaction end with it."""
        for lane in self._lanes.values():
            lane.close()

    def __enter__(self) -> PostgresDatabase:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def encoded(self, uplink: UplinkRow, measured: MeasuredRow) -> EncodedRows:
        """See `hub.store.series.encoded`."""
        return encoded(uplink, measured)

    @contextmanager
    def begin(self, lane: str = "main", meanwhile: Meanwhile | None = None) -> Iterator[PostgresTransaction]:
        """Commits when the block ends, rolls back when it raises.

        `meanwhile` gets its turns while the server works; it must not use this database.

        Raises UnavailableError where the database is away: before the block, inside it, or at the commit (then with
        `outcome="unknown"`: it may have been committed; whoever repeats must be ready for that).
        """
        # Where every exchange counts, BEGIN travels with the first statement.
        with (
            self.connection(lane, None if lane in _FEW_ROWS else _BEGIN) as connection,
            _overlapping(connection, meanwhile),
        ):
            begun = connection.info.transaction_status != TransactionStatus.IDLE
            kept = connection.kept if isinstance(connection, OverlapConnection) else None
            tx = PostgresTransaction(connection, None if begun else _BEGIN, kept)
            yield tx
            self._commit(tx)

    @contextmanager
    def reading(self, lane: str = "main") -> Iterator[Connection]:
        """A connection in a read-only transaction with one snapshot for all its statements."""
        with self.connection(lane, _READ) as connection:
            yield connection

    def ask(self, lane: str, *statements: tuple[bytes, Mapping[str, Any] | None]) -> list[list[Json]]:
        """Rows of each of `statements` that gives some, which only read, in one snapshot and one round trip.

        UnavailableError where the database is away. A connection that died while idle is replaced without a word:
        reading again does no harm.
        """
        source = self._lanes[lane]
        for spare in range(self._spare, -1, -1):
            connection = source.take()
            try:
                with faults(), connection.pipeline():
                    connection.execute(_READ)
                    answers = [connection.execute(statement, params) for statement, params in statements]
                    connection.execute(b"COMMIT")
                return [answer.fetchall() for answer in answers if answer.description is not None]
            except UnavailableError as error:
                if not connection.closed or not spare or isinstance(error.__cause__, NoAnswerError):
                    raise  # another connection would be as silent
            finally:
                if not connection.closed:
                    _leave(connection)
                source.give_back(connection)
        raise AssertionError("unreachable")

    @contextmanager
    def connection(self, lane: str, begin: bytes | None) -> Iterator[Connection]:
        """A connection with `begin` executed; whatever is still open at the end is rolled back.

        `begin` None: BEGIN, or nothing yet where the connection lives by all one can tell without asking.
        """
        source = self._lanes[lane]
        connection = self._begun(source, begin)
        try:
            with faults():
                yield connection
        finally:
            _leave(connection)
            source.give_back(connection)

    def _begun(self, source: _Source, begin: bytes | None) -> Connection:
        """BEGIN proves that the connection lives. Those that died while idle are thrown away, one after the other."""
        for _ in range(self._spare + 1):
            connection = source.take()
            if begin is None and _is_quiet(connection):
                return connection
            try:
                connection.execute(begin or _BEGIN)
            except psycopg.OperationalError as error:
                lost = error
                connection.close()
                source.give_back(connection)
                if isinstance(error, NoAnswerError):
                    break  # another connection would be as silent
            else:
                return connection
        raise UnavailableError(f"the database is away: {first_line(lost)}") from lost

    def _commit(self, tx: PostgresTransaction) -> None:
        """What is buffered and the COMMIT itself, in one round trip."""
        connection = tx.session.connection
        try:
            with connection.pipeline():
                tx.session.queue_buffered()
                end = connection.execute(b"COMMIT")
            ended = end.statusmessage
        except _BUSY:
            raise  # the server said so before the end: nothing was written
        except psycopg.OperationalError as error:
            raise UnavailableError(
                f"the database went away during the commit: {first_line(error)}", outcome="unknown"
            ) from error
        if ended != "COMMIT":
            # PostgreSQL answers ROLLBACK, without an error, where a statement had failed and the caller went on.
            raise RuntimeError("the transaction had failed before its end; nothing was written")
        tx.session.committed()


@contextmanager
def _overlapping(connection: Connection, meanwhile: Meanwhile | None) -> Iterator[None]:
    if meanwhile is None or not isinstance(connection, OverlapConnection):
        yield
        return
    connection.meanwhile = meanwhile
    try:
        yield
    finally:
        connection.meanwhile = None


def _is_quiet(connection: Connection) -> bool:
    """Nothing has come from the server since the last answer. A server that ended says so, or the kernel for it."""
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    return not poll.poll(0)


def _leave(connection: Connection) -> None:
    """Ends an open transaction, or the connection where even that cannot be done."""
    status = connection.info.transaction_status
    if status == TransactionStatus.IDLE:
        return
    if status in (TransactionStatus.INTRANS, TransactionStatus.INERROR) and not connection.closed:
        with suppress(psycopg.Error):
            connection.execute(b"ROLLBACK")
            return
    _log.warning("a database connection was lost in a transaction")
    connection.close()
