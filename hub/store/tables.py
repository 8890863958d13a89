"""Plain records by an allow-list of columns: the only place where SQL is put together, from the names below alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from psycopg import sql

from hub.errors import BadRequestError, NotFoundError
from hub.ports.records import Json

__all__ = ["TABLES", "Table", "insert_statement", "patch_statement", "table_of", "upsert_statement"]


@dataclass(frozen=True, slots=True)
class Table:
    """What may be written: `columns` when a row is made, all of them but `fixed` afterwards."""

    name: str
    columns: tuple[str, ...]
    fixed: tuple[str, ...] = ()
    makes_id: bool = False


def _table(name: str, columns: str, fixed: str = "", *, makes_id: bool = False) -> Table:
    return Table(name, ("id", *columns.split()), ("id", *fixed.split()), makes_id)


TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        _table("areas", "parent_id kind name households lat lon boundary active"),
        _table("stations", "kind name area_id address phone lat lon provider_id"),
        _table("providers", "name kind phone contact kinds area_ids active", makes_id=True),
        _table("tariffs", "kind provider_id unit price_fen cap_fen from_on to_on area_ids note", "kind", makes_id=True),
        _table(
            "entitlements",
            "resident_id payer kinds unit quota copay_percent priority from_on to_on note",
            "resident_id payer",
            makes_id=True,
        ),
        _table(
            "residents",
            "name id_number sex born_on phone address area_id lat lon lives_alone served status status_since"
            " status_until status_reason ability_level conditions medications allergies diets languages hearing flags"
            " access never_responders regular_responders notes",
            "status status_since status_until status_reason",
        ),
        _table(
            "contacts",
            "resident_id name relation phone other_phones kind has_key position responder_id hours languages"
            " consented_on confirmed_on",
            "resident_id",
            makes_id=True,
        ),
        _table(
            "responders",
            "name kind phone sex skills languages area_ids station_id mode lat lon position_at on_duty active"
            " provider_id",
            "position_at",
        ),
        _table("meal_dishes", "station_id name name_en allergens diets price_fen active", makes_id=True),
        _table("crews", "name vehicle equipment days begins ends active"),
        _table("shifts", "responder_id starts_at ends_at role area_id note changed", makes_id=True),
        _table(
            "rotations",
            "name role area_id rule starts_on ends_on begins minutes members seats turn_unit turn_length phase days"
            " active",
        ),
        _table("rota_cover", "role area_id begins minutes days people active"),
        _table("holidays", "kind name source"),
        _table(
            "devices",
            "family name model resident_id area_id profile_id profile interval_s upstream adopted revoked_at",
        ),
        _table(
            "device_profiles",
            "family zh en model interval_s silence reading setup note built_in edited",
            "family built_in",
        ),
        _table(
            "response_plans",
            "zh en note active conditions voice tiers access clocks priority at_once card built_in edited",
            "built_in",
        ),
        _table("programmes", "zh en kind groups area_ids per_month makes begins ends active made_until", "made_until"),
        _table(
            "service_kinds",
            "zh en skills any_skills duration_min carers personal priority attributes active price_fen price_per"
            " fields",
        ),
        _table(
            "calls",
            "direction number incident_id resident_id party placed_by started_at answered_at ended_at outcome note"
            " notice_id answered_by",
            "direction placed_by started_at notice_id",
            makes_id=True,
        ),
    )
}


def table_of(name: str) -> Table:
    """NotFoundError for a table that is not in the list."""
    table = TABLES.get(name)
    if table is None:
        raise NotFoundError(f"there is no table {name}")
    return table


def _checked(table: Table, columns: Sequence[str], *, changing: bool) -> tuple[str, ...]:
    for column in columns:
        if column not in table.columns:
            raise BadRequestError(f"{table.name}: there is no field {column}", field=column)
        if changing and column in table.fixed:
            raise BadRequestError(f"{table.name}: {column} cannot be changed here", field=column)
    return tuple(sorted(columns))


@cache
def _insert(name: str, columns: tuple[str, ...]) -> bytes:
    query = sql.SQL(
        "INSERT INTO {table} AS t ({columns})"
        " SELECT {columns} FROM json_populate_recordset(NULL::{table}, %(rows)s::json) RETURNING to_jsonb(t) AS record"
    )
    return _text(query, name, columns)


@cache
def _upsert(name: str, columns: tuple[str, ...]) -> bytes:
    changes = [column for column in columns if column != "id"]
    head = (
        "INSERT INTO {table} AS t ({columns})"
        " SELECT {columns} FROM json_populate_recordset(NULL::{table}, %(rows)s::json) ON CONFLICT (id) "
    )
    if not changes:
        return _text(sql.SQL(head + "DO NOTHING"), name, columns)
    query = sql.SQL(head + "DO UPDATE SET {sets}, version = t.version + 1 WHERE ({old}) IS DISTINCT FROM ({new})")
    return query.format(
        table=sql.Identifier(name),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        sets=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(one)) for one in changes),
        old=sql.SQL(", ").join(sql.Identifier("t", one) for one in changes),
        new=sql.SQL(", ").join(sql.Identifier("excluded", one) for one in changes),
    ).as_bytes()


@cache
def _patch(name: str, columns: tuple[str, ...]) -> bytes:
    query = sql.SQL(
        "UPDATE {table} AS t SET {sets}, version = t.version + 1"
        " FROM json_populate_record(NULL::{table}, %(row)s::json) AS n"
        " WHERE t.id = %(id)s AND (%(version)s::integer IS NULL OR t.version = %(version)s)"
        " RETURNING to_jsonb(t) AS record"
    )
    return query.format(
        table=sql.Identifier(name),
        sets=sql.SQL(", ").join(sql.SQL("{0} = n.{0}").format(sql.Identifier(one)) for one in columns),
    ).as_bytes()


def _text(query: sql.SQL, name: str, columns: tuple[str, ...]) -> bytes:
    return query.format(table=sql.Identifier(name), columns=sql.SQL(", ").join(map(sql.Identifier, columns))).as_bytes()


def insert_statement(table: Table, row: Json) -> bytes:
    """Takes `rows`, a JSON array of one."""
    return _insert(table.name, _checked(table, list(row), changing=False))


def upsert_statement(table: Table, columns: Sequence[str]) -> bytes:
    """Takes `rows`, a JSON array of objects with these keys; rows that say nothing new are left alone."""
    return _upsert(table.name, _checked(table, columns, changing=False))


def patch_statement(table: Table, changes: Json) -> bytes:
    """Takes `row` (a JSON object), `id` and `version` (or None)."""
    return _patch(table.name, _checked(table, list(changes), changing=True))
