"""Tables for spreadsheets: CSV that says it is UTF-8, in which no cell is run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from fastapi import Response

__all__ = ["csv_answer", "plain_cell"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plain_cell(value: object) -> object:
    """A spreadsheet runs text that begins like a formula, and names come from outside: a mark says that it is none."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def csv_answer(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Response:
    """A file `name`.csv with a line of headings; a column that a row lacks is empty, as None is."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\r\n")
    lines.writerow(columns)
    for row in rows:
        lines.writerow([plain_cell(row.get(column)) for column in columns])
    return Response(
        "\ufeff" + out.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )
