"""Registers kept by hand, as rows: locks, last changes, people who are there already, what hangs on an area."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from psycopg import sql

from hub.ports.records import Json
from hub.ports.register import Alike, LastChange
from hub.store.reads_base import ReadsBase, bounded
from hub.store.session import Session, as_json, is_uuid
from hub.store.tables import table_of

__all__ = ["RegisterDrawer", "RegisterReadsPostgres"]

_UUID_KEYS = frozenset({"shifts", "calls"})


class RegisterDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def held(self, table: str, row_id: str) -> Json | None:
        if table in _UUID_KEYS and not is_uuid(row_id):
            return None
        return self.stored(table, [row_id]).get(row_id)

    def stored(self, table: str, ids: Sequence[str]) -> dict[str, Json]:
        known = table_of(table)
        # In the order of ids: whoever takes many locks takes them in the same order as everybody.
        query = sql.SQL(
            "SELECT t.id::text AS id, to_jsonb(t) AS record FROM {} AS t WHERE id = ANY (%s::{}[]) ORDER BY id"
            " FOR NO KEY UPDATE"
        ).format(sql.Identifier(known.name), sql.SQL("uuid" if known.name in _UUID_KEYS else "text"))
        found: dict[str, Json] = {
            row["id"]: row["record"] for row in self._session.connection.execute(query, (sorted(ids),)).fetchall()
        }
        if known.name == "crews":
            members = self._session.connection.execute(
                "SELECT crew_id, array_agg(responder_id ORDER BY responder_id) AS members FROM crew_members"
                " WHERE crew_id = ANY (%s) GROUP BY crew_id",
                (sorted(ids),),
            ).fetchall()
            people = {row["crew_id"]: row["members"] for row in members}
            for ident, record in found.items():
                record["members"] = people.get(ident, [])
        return found

    def last_change(self, subject: str) -> LastChange | None:
        row = self._session.one("register_last_change", subject=subject)
        return None if row is None else LastChange(row["by"], row["at"], tuple(row["fields"]))

    def alike(self, people: Sequence[Json]) -> list[Alike]:
        if not people:
            return []
        asked = [
            {"n": n, **{name: one.get(name) for name in ("id", "id_number", "name", "born_on")}}
            for n, one in enumerate(people)
        ]
        return [Alike(**row) for row in self._session.all("register_alike", people=as_json(asked))]

    def shapes(self) -> list[Json]:
        return list(self._session.all("register_shapes"))

    def hanging_on(self, area_id: str) -> Json:
        return dict(self._session.one("register_hanging_on", id=area_id) or {})

    def order_contacts(self, resident_id: str, ids: Sequence[str]) -> None:
        self._session.run("register_order_contacts", resident_id=resident_id, ids=list(ids))

    def accounts_of(self, person_id: str) -> list[str]:
        return [row["username"] for row in self._session.all("register_accounts_of", person_id=person_id)]

    def remove_contact(self, contact_id: str) -> None:
        self._session.run("register_remove_contact", id=contact_id)


class RegisterReadsPostgres(ReadsBase):
    def area_tree(self) -> list[Json]:
        with self._session() as session:
            return [row["view"] for row in session.all("register_area_tree")]

    def contacts_by_station(self, before: date) -> list[Json]:
        with self._session() as session:
            return [row["view"] for row in session.all("register_contacts_by_station", before=before)]

    def changes_of(self, subject: str, limit: int) -> list[Json]:
        with self._session() as session:
            return [row["view"] for row in session.all("register_changes", subject=subject, limit=bounded(limit))]
