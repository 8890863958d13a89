"""PostgreSQL's errors in the hub's words: the field and the sentence where the row was wrong, `UnavailableError` where
the database is away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout

from hub.errors import BadRequestError, ConflictError, ForbiddenError, HubError, RaceLostError, UnavailableError

__all__ = ["faults", "first_line", "translated"]

_KEY = re.compile(r"Key \((?P<columns>[^)]*)\)=\((?P<values>.*?)\) ")

_AWAY = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.ReadOnlySqlTransaction,  # a standby, or a primary that has just become one
    PoolTimeout,
    PoolClosed,
)


def first_line(error: BaseException) -> str:
    """An error as one line, without the query it quotes."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def translated(error: psycopg.Error) -> HubError | None:
    """The hub's error for one of PostgreSQL's; None where it is a bug of ours (a broken statement)."""
    diag = error.diag
    match = _KEY.search(diag.message_detail or "")
    field = match["columns"] if match else diag.column_name
    value = match["values"] if match else None
    if diag.constraint_name == "alarms_key_key":
        return ConflictError("a press with this key is stored already", code="repeat")
    if diag.constraint_name == "alarms_incident_id_fkey" and field == "incident_id":
        # A press points at an incident that was not opened: somebody else opened one for its subject.
        return RaceLostError("another transaction opened an incident for the same subject")
    if isinstance(error, errors.UniqueViolation):
        return ConflictError(
            f"{diag.table_name}: {field} {value} is taken",
            field=field,
            value=value,
            constraint=diag.constraint_name,
        )
    if isinstance(error, errors.ForeignKeyViolation):
        if "still referenced" in (diag.message_detail or ""):
            return ConflictError(
                f"{diag.table_name}: {value} is still in use", field=field, value=value, constraint=diag.constraint_name
            )
        return BadRequestError(
            f"{diag.table_name}.{field}: there is no {value}", field=field, value=value, constraint=diag.constraint_name
        )
    if isinstance(error, errors.NotNullViolation):
        return BadRequestError(f"{diag.table_name}.{diag.column_name}: must be given", field=diag.column_name)
    if diag.constraint_name == "incidents_other_supervisor":
        return ForbiddenError("whoever resolved an incident cannot supervise it", code="own-supervision")
    if isinstance(error, errors.CheckViolation):
        return BadRequestError(
            f"{diag.table_name}: the values break the rule {diag.constraint_name}",
            field=_checked_column(diag.table_name, diag.constraint_name),
            constraint=diag.constraint_name,
        )
    if isinstance(error, errors.DeadlockDetected | errors.SerializationFailure | errors.LockNotAvailable):
        return UnavailableError(f"another write was in the way: {first_line(error)}", code="busy", retry=True)
    if isinstance(error, _AWAY):
        return UnavailableError(f"the database is away: {first_line(error)}")
    if isinstance(error, psycopg.DataError):
        return BadRequestError(first_line(error), field=diag.column_name)
    if isinstance(error, psycopg.OperationalError):
        return UnavailableError(f"the database is away: {first_line(error)}")
    return None


def _checked_column(table: str | None, constraint: str | None) -> str | None:
    """PostgreSQL names an unnamed check `table_column_check`; only then the column is known."""
    if not table or not constraint or not constraint.startswith(f"{table}_"):
        return None
    column = constraint.removeprefix(f"{table}_").removesuffix("_check")
    return column if constraint.endswith("_check") and column else None


@contextmanager
def faults() -> Iterator[None]:
    """Lets the hub's errors out instead of psycopg's."""
    try:
        yield
    except psycopg.Error as error:
        better = translated(error)
        if better is None:
            raise
        raise better from error
