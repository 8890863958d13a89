"""What all reads share: a snapshot to read from, opaque cursors, conditions."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from hub.errors import BadRequestError
from hub.ports.reads import Page
from hub.ports.records import Json
from hub.store.placed import placed
from hub.store.session import Session, is_uuid, statement

if TYPE_CHECKING:  # a drawer may page its answers too, and the database is made of drawers
    from hub.store.postgres import PostgresDatabase

__all__ = [
    "FIRST_ID",
    "LAST_ID",
    "MAX_LIMIT",
    "ONE_PLAN",
    "ReadsBase",
    "bounded",
    "cursor_text",
    "cursor_values",
    "given",
    "page",
]

MAX_LIMIT = 500
FIRST_ID = "00000000-0000-0000-0000-000000000000"
ONE_PLAN = b"SET LOCAL plan_cache_mode = force_generic_plan"
"""Planning a view anew costs several times its execution, and a look-up by ids has only one good plan."""
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


def _whole(block: str, view: Json) -> Json:
    return placed(view) if block == "incident_views" else view


def bounded(limit: int) -> int:
    """1 to 500; BadRequestError for less or more."""
    if not 1 <= limit <= MAX_LIMIT:
        raise BadRequestError(f"limit: must be from 1 to {MAX_LIMIT}, not {limit}", field="limit")
    return limit


def cursor_text(values: Sequence[Any]) -> str:
    """The key of the last row of a page, as a word for a URL."""
    return base64.urlsafe_b64encode(msgspec.json.encode(list(values))).decode().rstrip("=")


def cursor_values(cursor: str | None, kinds: Sequence[type], start: Sequence[Any]) -> list[Any]:
    """The key a page begins after; `start` without a cursor. BadRequestError where it is none of ours.

    `kinds`: int, str, datetime, or `UUID`-like text as `bytes`.
    """
    if cursor is None:
        return list(start)
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = msgspec.json.decode(raw, type=list[Any])
        if len(values) != len(kinds):
            raise ValueError(f"{len(values)} parts")
        return [_checked(value, kind) for value, kind in zip(values, kinds, strict=True)]
    except (ValueError, UnicodeEncodeError, binascii.Error, msgspec.MsgspecError) as error:
        raise BadRequestError("cursor: not one of this list's cursors", field="cursor") from error


def _checked(value: Any, kind: type) -> Any:
    if kind is datetime:
        return msgspec.convert(value, datetime)
    if kind is bytes:
        if not isinstance(value, str) or not is_uuid(value):
            raise ValueError("no id")
        return value
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"no {kind.__name__}")
    return value


def given(values: Collection[str]) -> list[str] | None:
    """A condition on a list: None where there is none."""
    return list(values) or None


def page(rows: list[Json], limit: int, key: Sequence[str], item: Callable[[Json], Json]) -> Page:
    """A page of rows fetched with one to spare: the spare one only tells that there are more."""
    kept = rows[:limit]
    more = cursor_text([kept[-1][column] for column in key]) if len(rows) > limit else None
    return Page([item(row) for row in kept], more)


class ReadsBase:
    """Reads on a lane of a database."""

    def __init__(self, database: PostgresDatabase, lane: str = "main") -> None:
        self._database = database
        self._lane = lane

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self._database.reading(self._lane) as connection:
            yield Session(connection)

    def _ask(self, block: str, /, **params: Any) -> list[Json]:
        """One block alone, in one round trip."""
        return self._database.ask(self._lane, (ONE_PLAN, None), statement(block, **params))[0]

    def _views_alone(self, block: str, ids: Collection[str]) -> dict[str, Json]:
        """`_views` where nothing else is read in the same snapshot."""
        known = [ident for ident in ids if is_uuid(ident)]
        found = {row["view"]["id"]: _whole(block, row["view"]) for row in self._ask(block, ids=known)} if known else {}
        return {ident: found[ident] for ident in known if ident in found}

    @staticmethod
    def _views(session: Session, block: str, ids: Sequence[str]) -> dict[str, Json]:
        """Views by id, in the order of `ids`; ids without a row are left out."""
        known = [ident for ident in ids if is_uuid(ident)]
        if not known:
            return {}
        session.connection.execute(ONE_PLAN)
        found = {row["view"]["id"]: _whole(block, row["view"]) for row in session.all(block, ids=known)}
        return {ident: found[ident] for ident in known if ident in found}
