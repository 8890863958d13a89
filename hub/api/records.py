"""Plain tables of records: one, list, add, change, by the same rules for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import BaseModel

from hub.api.answers import JsonAnswer, page_body
from hub.api.deps import Hub
from hub.api.writes import Writing
from hub.errors import BadRequestError, NotFoundError
from hub.ports import Json, Transaction

__all__ = ["add_record", "change_record", "list_answer", "record_view"]


def record_view(hub: Hub, table: str, row_id: str) -> Json:
    """One record; NotFoundError where there is none."""
    view = hub.reads.record(table, row_id)
    if view is None:
        raise NotFoundError(f"no {table.removesuffix('s').replace('_', ' ')} {row_id}")
    return view


def list_answer(hub: Hub, table: str, limit: int, cursor: str | None, **where: str | None) -> JsonAnswer:
    """One page of a table; a condition that is None narrows nothing."""
    return JsonAnswer(page_body(hub.reads.records(table, limit, cursor, **where)))


def add_record(write: Writing, table: str, body: BaseModel, needed: Sequence[str]) -> JsonAnswer:
    """POST: a new row, its id made here where the caller gave none."""
    fields = body.model_dump(exclude_unset=True)
    for name in needed:
        if fields.get(name) in (None, ""):
            raise BadRequestError(f"{name}: is missing", field=name)
    fields.setdefault("id", write.hub.new_id())

    def act() -> str:
        hub = write.hub
        with hub.database.begin() as tx:
            row = tx.reference.insert(table, fields)
            _note(write, tx.audit.add, f"{table}.add", f"{table}:{row['id']}", fields)
        return str(row["id"])

    return write.once(
        act,
        lambda row_id: record_view(write.hub, table, row_id),
        status=201,
        headers=lambda view: {"Location": f"/api/v1/{table.replace('_', '-')}/{view['id']}"},
    )


def change_record(
    write: Writing,
    table: str,
    row_id: str,
    body: BaseModel,
    *,
    also: Json | None = None,
    check: Callable[[Transaction], None] | None = None,
) -> JsonAnswer:
    """PATCH: what was given changes, and `also`; `If-Match` and `check` are asked in the same transaction."""
    fields = body.model_dump(exclude_unset=True)
    if "id" in fields:
        raise BadRequestError("id: cannot be changed", field="id")

    def act() -> None:
        with write.hub.database.begin() as tx:
            if check is not None:
                check(tx)
            tx.reference.patch(table, row_id, {**fields, **(also or {})}, version=write.version)
            _note(write, tx.audit.add, f"{table}.change", f"{table}:{row_id}", fields)

    return write.once(act, lambda _done: record_view(write.hub, table, row_id))


def _note(write: Writing, add: Callable[..., None], action: str, subject: str, fields: Json) -> None:
    # Which fields, not what they say: the audit must not become a second register of illnesses.
    add(write.actor, action, subject, {"fields": sorted(fields)}, write.hub.clock(), write.caller.address)
