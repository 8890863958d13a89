"""Telephone calls in and out."""

from __future__ import annotations

from hub.errors import NotFoundError
from hub.ports.records import Json
from hub.store.session import Session, as_json, is_uuid
from hub.store.tables import insert_statement, patch_statement, table_of

__all__ = ["CallsDrawer"]


class CallsDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, row: Json) -> None:
        statement = insert_statement(table_of("calls"), row)
        with self._session.savepoint():
            self._session.connection.execute(statement, {"rows": as_json([row])})

    def update(self, call_id: str, changes: Json) -> None:
        """Writes the given keys; NotFoundError."""
        statement = patch_statement(table_of("calls"), changes)
        if not is_uuid(call_id):
            raise NotFoundError(f"there is no call {call_id}")
        with self._session.savepoint():
            params = {"id": call_id, "version": None, "row": as_json(changes)}
            if self._session.connection.execute(statement, params).fetchone() is None:
                raise NotFoundError(f"there is no call {call_id}")

    def get(self, call_id: str) -> Json | None:
        return self._session.one("calls_get", id=call_id) if is_uuid(call_id) else None
