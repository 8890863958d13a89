"""One connection inside one transaction, speaking the named SQL blocks; and the JSON that goes over it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, cast
from uuid import UUID

import msgspec
import psycopg
from psycopg.pq import PipelineStatus
from psycopg.rows import dict_row, tuple_row
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg.types.string import TextLoader

from hub.ports.records import Json
from hub.store.faults import faults
from hub.store.overlap import OverlapConnection
from hub.store.sql import SQL

__all__ = [
    "KEEPALIVE", "SERVER_OPTIONS", "Connection", "Session", "as_json", "clean", "connect", "is_uuid", "lone_connection",
    "prepare_connection", "statement",
]  # fmt: skip

Connection = psycopg.Connection[dict[str, Any]]

KEEPALIVE: Mapping[str, int] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A dead database host is noticed in seconds, not in the two hours of the TCP defaults."""

SERVER_OPTIONS = (
    "-c TimeZone=UTC -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
    " -c tcp_user_timeout=10000"
)
"""Times in UTC; and the server notices a dead hub as soon: else a hub that lost its power, or the network for a while,
would keep its locks, the lead of the alarm lane among them, for those two hours."""


def lone_connection(url: str, name: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of its own beside the pool's, known to the server as `name`: what holds a lock for long, such as
    housekeeping or a migration. A ghost of it keeps that lock no longer than the pool's would.

    Raises psycopg.OperationalError where the database cannot be reached.
    """
    named: dict[str, Any] = {"application_name": name, "options": SERVER_OPTIONS, **KEEPALIVE}
    return psycopg.connect(url, autocommit=True, row_factory=tuple_row, **named)


def _unknown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


_encoder = msgspec.json.Encoder(enc_hook=_unknown)


def clean(value: Any) -> Any:
    """The value without what PostgreSQL's text cannot hold (NUL, lone surrogates): U+FFFD stands in their place."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return {clean(key): clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(inner) for inner in value]
    return value


def as_json(value: Any) -> str:
    """JSON text PostgreSQL takes. Times become RFC 3339, bytes base64, NaN null, tuples and sets arrays."""
    try:
        text = _encoder.encode(value)
    except UnicodeEncodeError:
        text = _encoder.encode(clean(value))
    if b"\\u0000" in text:
        text = _encoder.encode(clean(value))
    return text.decode()


def is_uuid(text: str) -> bool:
    """Whether a text from outside can be the id of a row at all."""
    try:
        UUID(text)
    except (ValueError, AttributeError):
        return False
    return True


def prepare_connection(connection: psycopg.Connection[Any]) -> None:
    """Rows as dicts, ids as text, JSON by msgspec."""
    connection.row_factory = dict_row
    connection.adapters.register_loader("uuid", TextLoader)
    set_json_loads(msgspec.json.decode, connection)
    set_json_dumps(as_json, connection)


_FEW_ROWS = " -c plan_cache_mode=force_generic_plan -c enable_hashjoin=off -c enable_mergejoin=off"


def connect(url: str, name: str, answer_within: float | None = None, *, few_rows: bool = False) -> Connection:
    """A connection of its own in autocommit mode, times in UTC. `answer_within` (s): silence longer is absence.

    `few_rows`: each statement touches few rows of whatever the tables hold. They are had by their keys then, by plans
    made once: what a planner guesses of lists it cannot look into would read whole tables for a single press.
    """
    given = {**KEEPALIVE, "connect_timeout": KEEPALIVE["connect_timeout"] if answer_within is None else 2}
    connection = OverlapConnection.connect(
        url,
        autocommit=True,
        application_name=f"care-hub {name}",
        options=SERVER_OPTIONS + (_FEW_ROWS if few_rows else ""),
        **cast("dict[str, Any]", given),
    )
    connection.answer_within = answer_within
    prepare_connection(connection)
    return cast("Connection", connection)


@cache
def _encoded(name: str) -> bytes:
    return SQL[name].encode()


def statement(name: str, /, **params: Any) -> tuple[bytes, dict[str, Any]]:
    """A named block and its parameters, as a connection takes them."""
    return _encoded(name), _cleaned(params)


class Session:
    """Runs named blocks. What drawers buffer is written by `flush`, before anything that must see it."""

    def __init__(self, connection: Connection, opening: bytes | None = None, kept: set[bytes] | None = None) -> None:
        """`opening`: what begins the transaction, sent together with its first statement; None: it has begun.

        `kept`: what this connection has stored of content that is never taken away; `committed` adds to it.
        """
        self._connection = connection
        self._opening = opening
        self._put_off: Callable[[], None] | None = None
        self._buffers: list[Callable[[], None]] = []
        self._kept = set() if kept is None else kept
        self._keeping: set[bytes] = set()

    @property
    def connection(self) -> Connection:
        """Inside the transaction."""
        if self._opening is not None:
            opening, self._opening = self._opening, None
            self._connection.execute(opening)
        if self._put_off is not None:
            write, self._put_off = self._put_off, None
            if self._connection.pgconn.pipeline_status == PipelineStatus.OFF:
                with self._connection.pipeline():
                    write()
            else:
                write()
        return self._connection

    def put_off(self, write: Callable[[], None]) -> None:
        """`write` queues statements of which nothing but an error is of interest. They go out with whatever is asked
        next, before it, or with the COMMIT: an exchange less.
        """
        _ = self.connection
        self._put_off = write

    def to_keep(self, digests: Iterable[bytes]) -> set[bytes]:
        """Those of `digests` that this connection has not stored yet: of content stored once, never taken away."""
        new = set(digests) - self._kept - self._keeping
        self._keeping |= new
        return new

    def committed(self) -> None:
        """To be called after the COMMIT."""
        self._kept |= self._keeping

    def buffer(self, flush: Callable[[], None]) -> None:
        """Registers a drawer's writer for the end of the transaction; they run in the order of registration."""
        self._buffers.append(flush)

    def flush(self) -> None:
        """Writes what is buffered, in one round trip."""
        with faults(), self._connection.pipeline():
            self.queue_buffered()

    def queue_buffered(self) -> None:
        """Writes what is put off and buffered inside a pipeline without waiting for the outcome."""
        _ = self.connection
        for flush in self._buffers:
            flush()

    def run(self, name: str, /, **params: Any) -> int:
        """Executes; gives the number of rows touched."""
        with faults():
            return self.connection.execute(_encoded(name), _cleaned(params)).rowcount

    def queue(self, name: str, /, **params: Any) -> None:
        """Executes inside a pipeline without waiting for the outcome."""
        self.connection.execute(_encoded(name), _cleaned(params))

    def later(self, name: str, /, **params: Any) -> psycopg.Cursor[dict[str, Any]]:
        """Inside `together`: executes without waiting; the rows can be fetched once the block has ended."""
        with faults():
            return self.connection.execute(_encoded(name), _cleaned(params))

    def all(self, name: str, /, **params: Any) -> list[Json]:
        with faults():
            return self.connection.execute(_encoded(name), _cleaned(params)).fetchall()

    def one(self, name: str, /, **params: Any) -> Json | None:
        with faults():
            return self.connection.execute(_encoded(name), _cleaned(params)).fetchone()

    def value(self, name: str, /, **params: Any) -> Any:
        """The first column of the first row, None without a row."""
        row = self.one(name, **params)
        return None if row is None else next(iter(row.values()))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Statements inside go out in one round trip; an answer that is asked for is waited for."""
        with faults(), self._connection.pipeline():
            yield

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """An error inside undoes only what is inside; the transaction goes on."""
        before = set(self._keeping)
        try:
            with faults(), self.connection.transaction():
                yield
        except BaseException:
            self._keeping = before
            raise


def _cleaned(params: dict[str, Any]) -> dict[str, Any]:
    for key, value in params.items():
        if isinstance(value, str):
            if "\x00" in value or not value.isascii():
                params[key] = clean(value)
        elif isinstance(value, Sequence) and not isinstance(value, bytes) and value and isinstance(value[0], str):
            params[key] = [clean(inner) for inner in value]
    return params
