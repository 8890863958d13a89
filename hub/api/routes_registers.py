"""Registers in and out as files: a preview first, all or nothing or the good rows; what is there as CSV or XLSX."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import Query, Response
from pydantic import Field, StringConstraints

from hub.api.answers import JsonAnswer
from hub.api.deps import Caller, Hub, HubDep, Reader, Who
from hub.api.fields import Name, Request
from hub.api.frame import FILE_BODY
from hub.api.load_columns import COLUMNS, cell_of, heading_of
from hub.api.register_taking import STORED, RegisterFile, Taking, look, take
from hub.api.routing import Filter, api_router
from hub.api.sheets import csv_answer, plain_cell
from hub.api.views import View
from hub.api.writes import Write
from hub.errors import BadRequestError
from hub.ports import Json
from hub.wording import Language, in_language

__all__ = ["router"]

router = api_router("registers")
Table = Literal["areas", "stations", "residents", "contacts", "staff", "crews"]
_SHOWN: Final = 200
_SAMPLE: Final = 8
_PERSONAL: Final = frozenset({"residents", "contacts"})
_HEALTH: Final = frozenset({"id_number", "conditions", "medications", "notes"})
"""Columns that leave the house with a supervisor or an administrator alone."""
_SEES_HEALTH: Final = frozenset({"supervisor", "admin"})


class FileLooked(Request):
    """A file in base64, whose name ends in .xlsx, .csv, .tsv or .geojson."""

    name: Name
    content: Annotated[str, StringConstraints(min_length=4, max_length=FILE_BODY)]
    crs: Literal["wgs84", "gcj02", "bd09"] = "wgs84"
    kind: Literal["district", "street", "community", "grid", "micro_grid"] | None = Field(
        default=None, description="Of areas whose rows do not say it"
    )


class FileTaken(FileLooked):
    """`take` good: the good rows, although others are bad; never of areas."""

    take: Literal["all", "good"] = "all"


class BadLine(View):
    file: str
    line: int
    name: str | None
    reason: str


class FileWarning(View):
    line: int
    name: str
    code: Literal["alike", "twice", "area_found", "no_boundary", "no_parent", "parent_found", "overlap"]
    other: str | None = None
    why: Literal["id_number", "name_born"] | None = None
    percent: int | None = None


class FilePreview(View):
    tables: dict[str, dict[str, int]] = Field(description="By table: `good` rows, and how many of them are `known`")
    kinds: dict[str, int] = Field(description="Areas by kind")
    bad: list[BadLine] = Field(description="The first 200")
    bad_rows: int
    unknown: dict[str, list[str]] = Field(description="Headings nobody understands, by file and sheet")
    warnings: list[FileWarning] = Field(description="The first 200")
    warned: int
    sample: list[dict[str, Any]]
    written: dict[str, int] | None = Field(description="null: nothing was written")


def _file(body: FileLooked) -> RegisterFile:
    try:
        content = base64.b64decode(body.content, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequestError("content: must be base64", field="content") from None
    return RegisterFile(body.name, content, body.crs, body.kind)


def _view(taking: Taking, written: Json | None, language: Language | None) -> Json:
    kinds: dict[str, int] = {}
    for row in taking.checked.good["areas"]:
        kinds[row.values["kind"]] = kinds.get(row.values["kind"], 0) + 1
    good = [row for rows in taking.checked.good.values() for row in rows]
    return {
        "tables": taking.counts(),
        "kinds": kinds,
        "bad": [
            {
                "file": one.raw.file,
                "line": one.raw.line,
                "name": _name(one.raw.cells),
                "reason": in_language(one.reason, language),
            }
            for one in taking.bad[:_SHOWN]
        ],
        "bad_rows": len(taking.bad),
        "unknown": {file: sorted(heads) for file, heads in taking.checked.unknown.items()},
        "warnings": taking.warnings[:_SHOWN],
        "warned": len(taking.warnings),
        "sample": [{name: value for name, value in row.values.items() if name != "boundary"} for row in good[:_SAMPLE]],
        "written": written,
    }


def _name(cells: Any) -> str | None:
    """What the row calls itself: people know their grids by name, not by line."""
    return next((cells[one] for one in ("name", "姓名", "名称", "网格名称", "区域名称") if cells.get(one)), None)


@router.post("/registers/{table}/preview", response_model=FilePreview, summary="What a file would bring")
def post_preview(write: Write, reader: Reader, table: Table, body: FileLooked) -> Response:
    """Every row read and checked, nothing written."""
    file = _file(body)
    with write.hub.database.begin() as tx:
        taking = look(tx, table, file)
    return JsonAnswer(_view(taking, None, reader))


@router.post("/registers/{table}/import", response_model=FilePreview, summary="Take a file into a register")
def post_import(write: Write, reader: Reader, table: Table, body: FileTaken) -> Response:
    """In one transaction. 409 `bad-rows` where rows are bad and not `take` good; of areas always all or none. Rows that
    are there already are brought up to date, columns the file lacks stay as they are, nothing is ever deleted.
    """
    file = _file(body)

    def act() -> Json:
        hub = write.hub
        with hub.database.begin() as tx:
            taking = look(tx, table, file)
            written = take(tx, taking, write.actor, hub.clock(), write.caller.address, partly=body.take == "good")
            detail = {
                "file": file.name,
                "sha256": hashlib.sha256(file.content).hexdigest(),
                "written": written,
                "bad": len(taking.bad),
            }
            tx.audit.add(
                write.actor, "registers.import", f"registers:{table}", detail, hub.clock(), write.caller.address
            )
        return _view(taking, written, reader)

    return write.once(act, lambda done: done)


@router.get("/registers/{table}/export", summary="A register as a file", response_class=Response)
def show_export(
    hub: HubDep,
    who: Who,
    table: Table,
    format: Literal["csv", "xlsx"] = "xlsx",
    language: Literal["zh", "en"] = "zh",
    area: Filter = None,
    status: Filter = None,
    reason: Annotated[str | None, Query(max_length=300, description="Needed for residents and contacts")] = None,
    empty: Annotated[bool, Query(description="Only the headings: a form to fill in")] = False,
) -> Response:
    """With the headings that `import` reads, so that what goes out can come in again. ID numbers, illness and notes
    only for supervisors and administrators; each export is in the audit with its reason.
    """
    if table in _PERSONAL and not empty and not (reason or "").strip():
        raise BadRequestError("reason: say what the people's data are for", field="reason")
    columns = _columns(table, who)
    rows = [] if empty else list(_rows(hub, table, area=area, status=status if table == "residents" else None))
    headings = [heading_of(table, name, language) for name in columns]
    cells = [
        {
            heading: cell_of(table, name, row.get(name), language)
            for heading, name in zip(headings, columns, strict=True)
        }
        for row in rows
    ]
    if not empty:
        detail = {"format": format, "rows": len(rows), "area": area, "reason": (reason or "").strip() or None}
        with hub.database.begin() as tx:
            tx.audit.add(who.actor, "registers.export", f"registers:{table}", detail, hub.clock(), who.address)
    return csv_answer(table, headings, cells) if format == "csv" else _xlsx_answer(table, headings, cells)


def _columns(table: str, who: Caller) -> list[str]:
    hidden = {"crs"} | (_HEALTH if table == "residents" and who.role not in _SEES_HEALTH else set())
    return [name for name in COLUMNS[table] if name not in hidden]


def _rows(hub: Hub, table: str, **where: str | None) -> Iterator[Json]:
    stored, cursor = STORED.get(table, table), None
    asked = {name: value for name, value in where.items() if value is not None}
    while True:
        page = hub.reads.records(stored, 500, cursor, **asked)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _xlsx_answer(table: str, headings: Sequence[str], rows: Sequence[Json]) -> Response:
    # A fifth of a second, which the hub itself need not pay at each start.
    from openpyxl import Workbook  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet(table)
    sheet.append(list(headings))
    for row in rows:
        sheet.append([plain_cell(row[heading]) for heading in headings])
    out = io.BytesIO()
    book.save(out)
    return Response(
        out.getvalue(),
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"Content-Disposition": f'attachment; filename="{table}.xlsx"', "Cache-Control": "no-store"},
    )
