"""Registers kept by people: areas, stations, residents, contacts, responders, crews, shifts, devices, service kinds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from psycopg import sql

from hub.clock import new_id
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports.database import Reference
from hub.ports.records import Json
from hub.store.session import Session, as_json, is_uuid
from hub.store.tables import Table, insert_statement, patch_statement, table_of, upsert_statement

__all__ = ["CatalogueKind", "ReferenceDrawer", "seed_catalogue"]

_UUID_KEYS = frozenset({"shifts", "calls"})
_HIDDEN = frozenset({"secret_hash"})


def _parents_first(rows: Sequence[Json]) -> Iterator[Json]:
    """Areas so that a parent comes before what lies in it; a ring comes as it is and the database refuses it."""
    waiting = {str(row.get("id")): row for row in rows}
    while waiting:
        ready = [ident for ident, row in waiting.items() if str(row.get("parent_id")) not in waiting]
        for ident in ready or list(waiting):
            yield waiting.pop(ident)


class ReferenceDrawer:
    """Every write runs in a savepoint: a refused row does not spoil the transaction for the next."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def upsert(self, table: str, rows: Sequence[Json]) -> int:
        """Makes or overwrites rows by `id`; gives how many were made or changed. Only the keys given are written."""
        known = table_of(table)
        written = 0
        with self._session.savepoint():
            for columns, group in _by_columns(known, rows):
                found = self._session.connection.execute(upsert_statement(known, columns), {"rows": as_json(group)})
                written += found.rowcount
            if table == "crews":
                for row in rows:
                    self._members(row)
        return written

    def get(self, table: str, row_id: str) -> Json | None:
        """The record as it is stored (a device without its credential's hash)."""
        known = table_of(table)
        if known.name in _UUID_KEYS and not is_uuid(row_id):
            return None
        query = sql.SQL("SELECT to_jsonb(t) AS record FROM {} AS t WHERE id = %s").format(sql.Identifier(known.name))
        row = self._session.connection.execute(query, (row_id,)).fetchone()
        return _shown(row, None) if row else None

    def ids(self, table: str) -> list[str]:
        """Every id of the table, as text."""
        query = sql.SQL("SELECT id::text AS id FROM {}").format(sql.Identifier(table_of(table).name))
        return [row["id"] for row in self._session.connection.execute(query).fetchall()]

    def make_missing(self, table: str, rows: Sequence[Json]) -> int:
        """Makes the rows whose id is not there yet; gives how many."""
        known = table_of(table)
        with self._session.savepoint():
            query = sql.SQL("SELECT id FROM {} WHERE id = ANY (%s)").format(sql.Identifier(table))
            found = self._session.connection.execute(query, ([row["id"] for row in rows],)).fetchall()
            there = {row["id"] for row in found}
        return self.upsert(known.name, [row for row in rows if row["id"] not in there])

    def insert(self, table: str, row: Json) -> Json:
        """ConflictError where the id is taken; the record as it is stored."""
        known = table_of(table)
        row = _with_id(known, row)
        plain, members = _without_members(known, row)
        with self._session.savepoint():
            statement = insert_statement(known, plain)
            stored = self._session.connection.execute(statement, {"rows": as_json([plain])}).fetchone()
            if members:
                self._members(row)
        return _shown(stored, members)

    def patch(self, table: str, row_id: str, changes: Json, *, version: int | None) -> Json:
        known = table_of(table)
        plain, members = _without_members(known, changes)
        if known.name in _UUID_KEYS and not is_uuid(row_id):
            raise NotFoundError(f"there is no {row_id} in {table}")
        if not plain:
            # Nothing but members, or nothing at all: still a write of this version.
            plain = {known.columns[1]: self._column(known, row_id, known.columns[1])}
        with self._session.savepoint():
            params = {"id": row_id, "version": version, "row": as_json(plain)}
            stored = self._session.connection.execute(patch_statement(known, plain), params).fetchone()
            if stored is None:
                self._column(known, row_id, "id")
                raise ConflictError(f"{table} {row_id} was changed by somebody else", code="version", version=version)
            if members:
                self._members({**changes, "id": row_id})
        return _shown(stored, members)

    def _column(self, table: Table, row_id: str, column: str) -> Any:
        query = sql.SQL("SELECT {} AS value FROM {} WHERE id = %s").format(
            sql.Identifier(column), sql.Identifier(table.name)
        )
        row = self._session.connection.execute(query, (row_id,)).fetchone()
        if row is None:
            raise NotFoundError(f"there is no {row_id} in {table.name}")
        return row["value"]

    def _members(self, row: Json) -> None:
        if isinstance(row.get("members"), list):
            members = [str(member) for member in row["members"]]
            self._session.run("crews_leave", crew_id=row["id"], members=members)
            self._session.run("crews_join", crew_id=row["id"], members=members)


def _without_members(table: Table, row: Json) -> tuple[Json, list[str] | None]:
    if table.name != "crews" or "members" not in row:
        return row, None
    members = row["members"]
    if not isinstance(members, list):
        raise BadRequestError("crews: members must be a list of responder ids", field="members")
    return {key: value for key, value in row.items() if key != "members"}, [str(member) for member in members]


def _with_id(table: Table, row: Json) -> Json:
    if row.get("id"):
        return row
    if not table.makes_id:
        raise BadRequestError(f"{table.name}: id must be given", field="id")
    return {**row, "id": new_id()}


def _shown(stored: Json | None, members: list[str] | None) -> Json:
    record = {key: value for key, value in (stored or {})["record"].items() if key not in _HIDDEN}
    return record if members is None else {**record, "members": members}


def _by_columns(table: Table, rows: Sequence[Json]) -> Iterator[tuple[tuple[str, ...], list[Json]]]:
    """Neighbouring rows with the same keys go in one statement; their order is kept."""
    ordered = _parents_first(rows) if table.name == "areas" else iter(rows)
    columns: tuple[str, ...] = ()
    group: list[Json] = []
    idents: set[str] = set()
    for row in ordered:
        plain, _ = _without_members(table, _with_id(table, row))
        keys = tuple(sorted(plain))
        if group and (keys != columns or plain["id"] in idents):
            yield columns, group
            group, idents = [], set()
        columns = keys
        group.append(plain)
        idents.add(plain["id"])
    if group:
        yield columns, group


class CatalogueKind(Protocol):
    """A kind of service as the catalogue knows it."""

    @property
    def id(self) -> str: ...


_KIND_COLUMNS = ("id", "zh", "en", "skills", "any_skills", "duration_min", "carers", "personal", "priority")
_KIND_ATTRIBUTES = ("same_sex", "gate", "deliver_within_min")


def seed_catalogue(reference: Reference, kinds: Iterable[CatalogueKind]) -> int:
    """Makes the kinds of the catalogue that the database lacks; those that are there keep what people changed in them.

    A kind has id, zh, en and whichever it knows of skills, any_skills, duration_min, carers, personal, priority;
    same_sex, gate and deliver_within_min become attributes. Gives how many were made.
    """
    rows: list[Json] = []
    for kind in kinds:
        row: Json = {}
        for column in _KIND_COLUMNS:
            value = getattr(kind, column, None)
            if value is not None:
                row[column] = sorted(value) if isinstance(value, frozenset) else value
        row["attributes"] = {name: found for name in _KIND_ATTRIBUTES if (found := getattr(kind, name, None))}
        rows.append(row)
    return reference.make_missing("service_kinds", rows)
