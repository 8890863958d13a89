"""Registers, audit and counters as pages and programs see them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from psycopg import sql

from hub.clock import utc_now
from hub.errors import BadRequestError, NotFoundError
from hub.ports.reads import Page
from hub.ports.records import Json
from hub.store.provider_rows import OF_PROVIDER
from hub.store.reads_base import LAST_ID, ReadsBase, bounded, cursor_values, page
from hub.store.session import is_uuid
from hub.store.sql import SQL
from hub.store.tables import TABLES

__all__ = ["RecordReads"]

_VIEWS: Mapping[str, str] = {
    "areas": SQL["view_areas"],
    "stations": SQL["view_stations"],
    "residents": SQL["view_residents"],
    "contacts": SQL["view_contacts"],
    "responders": SQL["view_responders"],
    "crews": SQL["view_crews"],
    "meal_dishes": SQL["view_meal_dishes"],
    "shifts": SQL["view_shifts"],
    "rotations": SQL["view_rotations"],
    "rota_cover": SQL["view_rota_cover"],
    "holidays": SQL["view_holidays"],
    "devices": SQL["view_devices"],
    "device_profiles": SQL["view_device_profiles"],
    "response_plans": SQL["view_response_plans"],
    "service_kinds": SQL["view_service_kinds"],
    "programmes": SQL["view_programmes"],
    "providers": SQL["view_providers"],
    "tariffs": SQL["view_tariffs"],
    "entitlements": SQL["view_entitlements"],
    "alarms": SQL["view_alarms"],
    "calls": SQL["view_calls"],
    "users": SQL["view_users"],
}
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)
_USER_COLUMNS = frozenset({"id", "username", "name", "role", "person_id", "active", "provider_id"})
_ALARM_COLUMNS = frozenset({"id", "device_id", "resident_id", "incident_id", "ref", "type", "class", "source"})
_UUID_KEYS = frozenset({"alarms", "shifts", "calls", "users"})
_SEARCHED: Mapping[str, tuple[str, ...]] = {
    "areas": ("id", "name"),
    "stations": ("id", "name", "address"),
    "residents": ("id", "name", "address", "phone", "id_number"),
    "contacts": ("id", "name", "phone"),
    "responders": ("id", "name", "phone"),
    "crews": ("id", "name", "vehicle"),
    "meal_dishes": ("id", "name", "name_en"),
    "rotations": ("id", "name", "role"),
    "holidays": ("id", "name"),
    "devices": ("id", "name", "model"),
    "device_profiles": ("id", "zh", "en", "model"),
    "response_plans": ("id", "zh", "en"),
    "service_kinds": ("id", "zh", "en"),
    "providers": ("id", "name"),
    "tariffs": ("id", "kind", "note"),
    "entitlements": ("id", "resident_id", "note"),
    "alarms": ("device_id", "ref", "note"),
    "calls": ("number", "note"),
    "users": ("username", "name"),
}
_BELOW = "SELECT b.id FROM areas b WHERE b.path @> ARRAY[%(area)s::text]"
_AREA: Mapping[str, str] = {
    "areas": "t.path @> ARRAY[%(area)s::text]",
    "stations": f"t.area_id IN ({_BELOW})",
    "residents": f"t.area_id IN ({_BELOW})",
    "shifts": f"t.area_id IN ({_BELOW})",
    "rotations": f"t.area_id IN ({_BELOW})",
    "rota_cover": f"t.area_id IN ({_BELOW})",
    "devices": f"t.area_id IN ({_BELOW}) OR r.area_id IN ({_BELOW})",
    "responders": f"t.area_ids && ARRAY({_BELOW})",
    "contacts": f"t.resident_id IN (SELECT x.id FROM residents x WHERE x.area_id IN ({_BELOW}))",
}
_OF_DEVICES: Mapping[str, str] = {
    "online": "CASE %(online)s WHEN 'never' THEN t.last_seen_at IS NULL ELSE t.online = (%(online)s = 'true') END",
    "battery_below": "t.battery_pct < %(battery_below)s::integer",
    "silent": "(w.silent_since IS NOT NULL) = %(silent)s::boolean",
    "adopted": "t.adopted = %(adopted)s::boolean",
    "revoked": "(t.revoked_at IS NOT NULL) = %(revoked)s::boolean",
    "profile": "coalesce(t.profile_id, t.family) = %(profile)s",
    "station": "coalesce(t.area_id, r.area_id) IN"
    " (SELECT b.id FROM areas b JOIN stations s ON b.path @> ARRAY[s.area_id] WHERE s.id = %(station)s)",
}
_OF_CONTACTS: Mapping[str, str] = {
    "station": "t.resident_id IN (SELECT x.id FROM residents x JOIN areas b ON b.id = x.area_id"
    " JOIN stations s ON b.path @> ARRAY[s.area_id] WHERE s.id = %(station)s)",
    "unconfirmed_before": "(t.confirmed_on IS NULL OR t.confirmed_on < %(unconfirmed_before)s::date)"
    " AND t.resident_id IN (SELECT x.id FROM residents x WHERE x.served AND x.status NOT IN ('moved', 'deceased'))",
}
_INITIALS = re.compile(r"[A-Za-z]{2,8}")
_BY_INITIALS = "t.id IN (SELECT x.id FROM residents x WHERE pinyin_initials(x.name) LIKE %(initials)s)"
"""`zgh` for 张国华; by its index."""
_TRUNK = r"^0*(86)?0*(?=\d{7,}$)"
"""What stands before a national number: zeros, China's code, zeros again; seven digits at least must be left."""


def _same_number(column: str) -> str:
    digits = rf"regexp_replace(regexp_replace({column}, '\D', '', 'g'), '{_TRUNK}', '')"
    return f"""({digits} = %(phone)s OR length({digits}) >= 7 AND length(%(phone)s) >= 7
    AND (right(%(phone)s, length({digits})) = {digits} OR right({digits}, length(%(phone)s)) = %(phone)s))"""


_PHONE = _same_number("t.phone")
_OTHER_PHONE = f"EXISTS (SELECT 1 FROM unnest(t.other_phones) AS o (number) WHERE {_same_number('o.number')})"


class RecordReads(ReadsBase):
    def records(self, table: str, limit: int, cursor: str | None, **where: str | None) -> Page:
        """By id. A phone number is compared by its digits, with or without a country or area code (seven at least).

        NotFoundError for an unknown table, BadRequestError (field) for a condition the table does not know.
        """
        uuids = table in _UUID_KEYS
        (after,) = cursor_values(cursor, (bytes if uuids else str,), (None,))
        params: dict[str, Any] = {"after": after, "limit": bounded(limit) + 1}
        conditions: list[str] = []
        if after is not None:
            conditions.append("t.id > %(after)s::uuid" if uuids else "t.id > %(after)s::text")
        for name, value in where.items():
            if value is not None:
                conditions.append(f"({_condition(table, name, value, params)})")
        view = _view_of(table)
        clause = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        query = f"SELECT row_to_json(v) AS view FROM ({view}{clause} ORDER BY t.id LIMIT %(limit)s) v"
        with self._session() as session:
            rows = session.connection.execute(query.encode(), params).fetchall()
        return page([{"id": row["view"]["id"], **row} for row in rows], limit, ("id",), lambda row: row["view"])

    def record(self, table: str, row_id: str) -> Json | None:
        view = _view_of(table)
        if table in _UUID_KEYS and not is_uuid(row_id):
            return None
        query = f"SELECT row_to_json(v) AS view FROM ({view} WHERE t.id = %(id)s) v"
        with self._session() as session:
            row = session.connection.execute(query.encode(), {"id": row_id.replace("\x00", "")}).fetchone()
        return row["view"] if row else None

    def positions_of(self, resident_id: str) -> list[Json]:
        """The last position of each device of a resident, the oldest first: `{id, name, family, last_fix}`."""
        with self._session() as session:
            return session.all("positions_of_resident", resident_id=resident_id)

    def summary(self, user_id: str | None) -> Json:
        """The counters of an empty queue; `user_id` for `mine`."""
        with self._session() as session:
            row = session.one("summary", user_id=user_id if user_id and is_uuid(user_id) else None) or {}
        last = row["last_alarm_at"]
        return {
            **row,
            "last_alarm_at": last.isoformat() if last else None,
            "server_time": utc_now().isoformat(),
        }

    def audit(self, limit: int, cursor: str | None) -> Page:
        """The newest first."""
        (before,) = cursor_values(cursor, (int,), (2**62,))
        with self._session() as session:
            rows = session.all("audit_page", id=before, limit=bounded(limit) + 1)
        return page(rows, limit, ("id",), lambda row: row["view"])

    def tokens(self, now: datetime, limit: int, cursor: str | None, *, user_id: str | None, role: str | None) -> Page:
        if user_id is not None and not is_uuid(user_id):
            return Page([])
        before, before_id = cursor_values(cursor, (datetime, bytes), (_LATEST, LAST_ID))
        with self._session() as session:
            rows = session.all(
                "tokens_page",
                now=now,
                user_id=user_id,
                role=role,
                before=before,
                before_id=before_id,
                limit=bounded(limit) + 1,
            )
        return page(rows, limit, ("created_at", "id"), lambda row: row["view"])


def _view_of(table: str) -> str:
    view = _VIEWS.get(table)
    if view is None:
        raise NotFoundError(f"there is no table {table}")
    return view


def _condition(table: str, name: str, value: str, params: dict[str, Any]) -> str:
    """One condition; its value goes into `params`. Names come from the allow-lists only."""
    value = value.replace("\x00", "")
    if name == "q" and table in _SEARCHED:
        escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        params["q"] = f"%{escaped}%"
        parts = [f"t.{column} ILIKE %(q)s" for column in _SEARCHED[table]]
        if table == "residents" and _INITIALS.fullmatch(value.strip()):
            params["initials"] = f"{value.strip().lower()}%"
            parts.append(_BY_INITIALS)
        return " OR ".join(parts)
    if name == "provider":
        params["provider"] = value
        return OF_PROVIDER.get(table, "false")
    if name == "area" and table in _AREA:
        params["area"] = value
        return _AREA[table]
    if name == "phone" and table in ("residents", "contacts", "responders"):
        params["phone"] = re.sub(_TRUNK, "", re.sub(r"\D", "", value))
        if not params["phone"]:
            return "false"
        return f"{_PHONE} OR {_OTHER_PHONE}" if table == "contacts" else _PHONE
    if table == "contacts" and name in _OF_CONTACTS:
        params[name] = value
        return _OF_CONTACTS[name]
    if table == "devices" and name in _OF_DEVICES:
        params[name] = value
        return _OF_DEVICES[name]
    columns = TABLES[table].columns if table in TABLES else _USER_COLUMNS if table == "users" else _ALARM_COLUMNS
    if name not in columns:
        raise BadRequestError(f"{table}: there is no condition {name}", field=name)
    params[f"is_{name}"] = value
    return f"{sql.Identifier('t', name).as_string()} = %(is_{name})s"
