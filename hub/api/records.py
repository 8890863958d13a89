"""Plain tables of records: one, list, add, change, by the same rules for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import BaseModel

from hub.api.answers import JsonAnswer, page_body
from hub.api.changes import told_changes, who_was_first
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


def add_record(
    write: Writing,
    table: str,
    body: BaseModel,
    needed: Sequence[str],
    *,
    check: Callable[[Transaction], None] | None = None,
    shown: Callable[[Json], Json] | None = None,
) -> JsonAnswer:
    """POST: a new row, its id made here where the caller gave none; `check` is asked in the same transaction."""
    fields = body.model_dump(exclude_unset=True)
    for name in needed:
        if fields.get(name) in (None, ""):
            raise BadRequestError(f"{name}: is missing", field=name)
    fields.setdefault("id", write.hub.new_id())

    def act() -> str:
        hub = write.hub
        with hub.database.begin() as tx:
            if check is not None:
                check(tx)
            row = tx.reference.insert(table, fields)
            told = told_changes({}, {name: row.get(name) for name in fields})
            _note(write, tx, f"{table}.add", f"{table}:{row['id']}", fields, told)
        return str(row["id"])

    return write.once(
        act,
        lambda row_id: _shown(record_view(write.hub, table, row_id), shown),
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
    shown: Callable[[Json], Json] | None = None,
) -> JsonAnswer:
    """PATCH: what was given changes, and `also`; `If-Match` and `check` are asked in the same transaction. The audit
    has what stood there before and after; whoever comes too late is told who was first.
    """
    fields = body.model_dump(exclude_unset=True)
    if "id" in fields:
        raise BadRequestError("id: cannot be changed", field="id")

    def act() -> None:
        with who_was_first(write.hub, table, row_id), write.hub.database.begin() as tx:
            before = tx.register.held(table, row_id) or {}
            if check is not None:
                check(tx)
            after = tx.reference.patch(table, row_id, {**fields, **(also or {})}, version=write.version)
            told = told_changes(before, {**before, **after})
            _note(write, tx, f"{table}.change", f"{table}:{row_id}", fields, told)

    return write.once(act, lambda _done: _shown(record_view(write.hub, table, row_id), shown))


def _shown(view: Json, shown: Callable[[Json], Json] | None) -> Json:
    return view if shown is None else shown(view)


def _note(write: Writing, tx: Transaction, action: str, subject: str, fields: Json, told: Json) -> None:
    detail = {"fields": sorted(told if action.endswith(".change") else fields), "changes": told}
    tx.audit.add(write.actor, action, subject, detail, write.hub.clock(), write.caller.address)
