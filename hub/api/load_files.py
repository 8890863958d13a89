"""Rows out of files people have: XLSX, CSV and GeoJSON. Each row knows its file and line, whatever is wrong with it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from hub.api.load_columns import table_named
from hub.errors import BadRequestError

__all__ = ["SUFFIXES", "RawRow", "read_bytes", "read_path"]

SUFFIXES = (".xlsx", ".csv", ".tsv", ".geojson", ".json")
_LARGEST = 256 * 1024 * 1024
_LARGEST_UNPACKED = 512 * 1024 * 1024
_MARKED = ("=", "+", "-", "@", "\t", "\r")
_MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as it was written: cells as text, by the heading above them. `table` None: nothing says what it is.

    `more`: what is no cell (a GeoJSON geometry). `fault`: why the row cannot be read at all.
    """

    file: str
    line: int
    table: str | None
    cells: Mapping[str, str]
    more: Mapping[str, Any] = field(default_factory=dict)
    fault: str | None = None


def read_path(path: Path, table: str | None = None) -> Iterator[RawRow]:
    """Rows of one file, or of every file of a folder whose name we can read, in the order of names.

    What a row is about is told by `table`, else by the sheet's or file's name (areas, stations, residents, contacts,
    staff, devices, in Chinese or English). BadRequestError: there is nothing to read, or a file cannot be read.
    """
    if path.is_dir():
        files = sorted(
            one for one in path.iterdir() if one.suffix.lower() in SUFFIXES and not one.name.startswith((".", "~$"))
        )
        if not files:
            raise BadRequestError(f"{path}: no file to load; known are {', '.join(SUFFIXES)}")
    elif path.is_file():
        files = [path]
    else:
        raise BadRequestError(f"{path}: there is no such file or folder")
    for file in files:
        yield from _read_file(file, table)


def _read_file(file: Path, table: str | None) -> Iterator[RawRow]:
    try:
        if file.suffix.lower() in SUFFIXES and file.stat().st_size > _LARGEST:
            raise BadRequestError(f"{file}: larger than {_LARGEST // 2**20} MiB; split it")
        yield from read_bytes(str(file), file.read_bytes() if file.suffix.lower() in SUFFIXES else b"", table)
    except OSError as error:
        raise BadRequestError(f"{file}: {error.strerror or error}") from error


def read_bytes(name: str, content: bytes, table: str | None = None, *, most: int = _MOST_ROWS) -> Iterator[RawRow]:
    """Rows of one file that is here already; `name` says what it is by its suffix. BadRequestError as in `read_path`,
    and for more than `most` rows.
    """
    file = Path(name)
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadRequestError(
            f"{name}: cannot read {suffix or 'a file without a suffix'}; known are {', '.join(SUFFIXES)}"
        )
    if suffix == ".xlsx":
        rows = _xlsx(file, content, table)
    elif suffix in (".csv", ".tsv"):
        rows = _csv(file, content, table or table_named(file.stem))
    else:
        rows = _geojson(file, content, table or table_named(file.stem))
    for number, row in enumerate(rows):
        if number >= most:
            raise BadRequestError(f"{name}: more than {most} rows; split it")
        yield row


# --- CSV


def _csv(file: Path, content: bytes, table: str | None) -> Iterator[RawRow]:
    text = _decoded(file, content)
    try:
        first = next(line for line in text.splitlines() if line.strip())
    except StopIteration:
        return
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    headings: list[str] | None = None
    line = 1
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            # What follows an open quotation mark cannot be told apart any more.
            yield RawRow(file.name, rows.line_num or line, table, {}, fault=f"not CSV from here on: {error}")
            return
        line, began = rows.line_num + 1, line
        if not any(cell.strip() for cell in cells):
            continue
        if headings is None:
            headings = [cell.strip() for cell in cells]
            continue
        yield _row(file.name, began, table, headings, [cell.strip() for cell in cells])


def _decoded(file: Path, content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadRequestError(f"{file}: neither UTF-8 nor GB18030 text")


def _row(file: str, line: int, table: str | None, headings: list[str], cells: list[str]) -> RawRow:
    spare = [cell for cell in cells[len(headings) :] if cell]
    fault = f"more cells than headings: {spare[0]!r}" if spare else None
    named = {heading: _unmarked(cell) for heading, cell in zip(headings, cells, strict=False) if heading and cell}
    return RawRow(file, line, table, named, fault=fault)


def _unmarked(cell: str) -> str:
    """Our own exports mark text that a spreadsheet would run as a formula; what comes back is the text again."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_MARKED) else cell


# --- XLSX


def _xlsx(file: Path, content: bytes, table: str | None) -> Iterator[RawRow]:
    # A fifth of a second, which the hub itself need not pay at each start.
    from openpyxl import load_workbook  # noqa: PLC0415
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(one.file_size for one in packed.infolist()) > _LARGEST_UNPACKED:
                raise BadRequestError(f"{file}: larger than {_LARGEST_UNPACKED // 2**20} MiB when unpacked")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise BadRequestError(f"{file}: not an XLSX workbook ({error})") from error
    try:
        for sheet in book.worksheets:
            found = table or table_named(sheet.title) or (table_named(file.stem) if len(book.worksheets) == 1 else None)
            headings: list[str] | None = None
            for line, cells in enumerate(sheet.iter_rows(values_only=True), 1):
                if line > _MOST_ROWS:
                    raise BadRequestError(f"{file}: more than {_MOST_ROWS} rows in {sheet.title}")
                texts = [_cell_text(cell) for cell in cells]
                if not any(texts):
                    continue
                if headings is None:
                    headings = texts
                    continue
                yield _row(f"{file.name}[{sheet.title}]", line, found, headings, texts)
    finally:
        book.close()


def _cell_text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))  # a telephone number that the spreadsheet took for a number
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == cell.min.time() else cell.isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()


# --- GeoJSON


def _geojson(file: Path, content: bytes, table: str | None) -> Iterator[RawRow]:
    try:
        body = json.loads(_decoded(file, content))
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"{file}: not JSON ({error})") from error
    features = body.get("features") if isinstance(body, dict) and body.get("type") == "FeatureCollection" else None
    if not isinstance(features, list):
        raise BadRequestError(f"{file}: a GeoJSON FeatureCollection was expected")
    for number, feature in enumerate(features, 1):
        yield _feature(file.name, number, table, feature)


def _feature(file: str, number: int, table: str | None, feature: object) -> RawRow:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        return RawRow(file, number, table, {}, fault="a Feature was expected")
    properties, geometry = feature.get("properties") or {}, feature.get("geometry")
    if not isinstance(properties, dict):
        return RawRow(file, number, table, {}, fault="properties: an object was expected")
    cells = {str(name): _json_text(value) for name, value in properties.items() if value is not None}
    named = table_named(cells.pop("table", "")) or table
    if "id" not in cells and feature.get("id") is not None:
        cells["id"] = str(feature["id"])
    if geometry is None:
        return RawRow(file, number, named, cells)
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    places = list(_positions(geometry.get("coordinates"))) if isinstance(geometry, dict) else []
    if kind not in ("Point", "Polygon", "MultiPolygon") or not places:
        return RawRow(file, number, named, cells, fault="geometry: a Point, Polygon or MultiPolygon was expected")
    if not all(-180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat in places):
        return RawRow(file, number, named, cells, fault="geometry: coordinates are longitude, latitude in degrees")
    if kind == "Point":
        lon, lat = places[0]
        return RawRow(file, number, named, {"lat": str(lat), "lon": str(lon), **cells})
    lons, lats = [lon for lon, _ in places], [lat for _, lat in places]
    middle = {"lat": str((min(lats) + max(lats)) / 2), "lon": str((min(lons) + max(lons)) / 2)}
    return RawRow(file, number, named or "areas", {**middle, **cells}, {"boundary": geometry})


def _json_text(value: object) -> str:
    if isinstance(value, list):
        return ";".join(_json_text(one) for one in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return _cell_text(value)


def _positions(coordinates: object) -> Iterator[tuple[float, float]]:
    if not isinstance(coordinates, list) or not coordinates:
        return
    first = coordinates[0]
    if isinstance(first, list):
        for inner in coordinates:
            yield from _positions(inner)
    elif len(coordinates) >= 2 and all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in coordinates[:2]
    ):
        yield float(coordinates[0]), float(coordinates[1])
