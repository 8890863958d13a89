"""Many devices by one file: looked at first, row by row; then taken, their credentials told once."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

from fastapi import Response
from pydantic import Field, Strict, StringConstraints

from hub.api.answers import JsonAnswer, one
from hub.api.deps import HubDep, Reader
from hub.api.fields import Request
from hub.api.load_check import GoodRow
from hub.api.loading import Loaded, load_into
from hub.api.routing import api_router
from hub.api.views import View
from hub.api.writes import Write
from hub.errors import BadRequestError
from hub.ports import Json
from hub.wording import Language, in_language

__all__ = ["router"]

router = api_router("devices")

MOST_ROWS = 5000
"""More of them are for `hub load` at the machine: a page of that length is read by nobody."""
MOST_BYTES = 700 * 1024
"""What a request may carry once it is base64."""
_SUFFIXES = (".csv", ".tsv", ".xlsx")
_COPY = "devices-as-sent"


class DeviceFile(Request):
    """A CSV or XLSX file. `apply` false: only looked at, nothing is written."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=200)]
    content: Annotated[
        str, StringConstraints(min_length=4, max_length=MOST_BYTES * 4 // 3 + 8), Field(description="base64")
    ]
    apply: Annotated[bool, Strict()] = False


class FileRow(View):
    line: int
    sheet: str | None
    id: str
    family: str
    name: str | None
    resident_id: str | None
    area_id: str | None
    profile_id: str | None
    does: Literal["add", "change"] = Field(description="change: it is there already; what the file names is set")


class RefusedRow(View):
    line: int
    sheet: str | None
    reason: str
    cells: dict[str, str] = Field(description="As they stand in the file, by heading")


class FileSecret(View):
    id: str
    family: str
    name: str | None
    secret: str


class DeviceFileRead(View):
    rows: list[FileRow]
    refused: list[RefusedRow]
    not_understood: list[str] = Field(description="Headings that say nothing to the hub; their cells are left out")
    taken: bool
    written: int = Field(description="Devices made or changed")
    secrets: list[FileSecret] = Field(description="Of new devices that have one; told in this answer and never again")


@router.post("/devices/file", response_model=DeviceFileRead, summary="Add devices by a file")
def post_device_file(hub: HubDep, write: Write, reader: Reader, body: DeviceFile) -> Response:
    """Good rows are taken, bad ones named with line and reason, as by `hub device add --file`; 5000 rows at most."""
    suffix = PurePath(body.name).suffix.lower()
    if suffix not in _SUFFIXES:
        raise BadRequestError(f"name: the file must be one of {', '.join(_SUFFIXES)}", field="name")
    try:
        content = base64.b64decode(body.content, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequestError("content: must be base64", field="content") from None
    told: list[Loaded] = []

    def read(*, dry: bool) -> Loaded:
        with TemporaryDirectory(prefix="hub-file-") as folder:
            # A name of our own: what the browser says of it is only shown.
            path = Path(folder) / f"{_COPY}{suffix}"
            path.write_bytes(content)
            try:
                return load_into(
                    hub.database, path, table="devices", dry=dry, actor=write.actor, most=MOST_ROWS, named=body.name
                )
            except BadRequestError as error:
                said = error.detail.replace(str(path), body.name).replace(path.name, body.name)
                raise BadRequestError(said, field="content") from None

    if not body.apply:
        return one(_view(read(dry=True), body.name, reader, secrets=False))

    def act() -> Loaded:
        told.append(read(dry=False))
        return told[0]

    answer = write.once(act, lambda done: _view(done, body.name, reader, secrets=False))
    # The stored answer must not hold the secrets, so they are put in afterwards.
    return JsonAnswer(_view(told[0], body.name, reader, secrets=True)) if told else answer


def _sheet(file: str) -> str | None:
    _, _, rest = file.partition("[")
    return rest.removesuffix("]") or None


def _row(row: GoodRow, known: Callable[[str], bool]) -> Json:
    values = row.values
    return {
        "line": row.raw.line,
        "sheet": _sheet(row.raw.file),
        "id": values["id"],
        "family": values["family"],
        **{name: values.get(name) for name in ("name", "resident_id", "area_id", "profile_id")},
        "does": "change" if known(str(values["id"])) else "add",
    }


def _view(done: Loaded, name: str, language: Language | None, *, secrets: bool) -> Json:
    good = done.checked.good["devices"]
    suffix = PurePath(name).suffix.lower()
    by_id = {str(row.values["id"]): row.values for row in good}
    return {
        "rows": [_row(row, done.known.families.__contains__) for row in good],
        "refused": [
            {
                "line": bad.raw.line,
                "sheet": _sheet(bad.raw.file),
                "reason": in_language(bad.reason.replace(f"{_COPY}{suffix}", name), language),
                "cells": dict(bad.raw.cells),
            }
            for bad in done.bad
        ],
        "not_understood": sorted({head for heads in done.checked.unknown.values() for head in heads}),
        "taken": done.taken,
        "written": done.written.get("devices", 0),
        "secrets": [
            {"id": ident, "family": by_id[ident]["family"], "name": by_id[ident].get("name"), "secret": secret}
            for ident, secret in (done.secrets.items() if secrets else ())
        ],
    }
