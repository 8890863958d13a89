"""`hub load`: people's files into the registers. A preview first; good rows are taken, bad ones returned."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from hub.api.load_check import BadRow, Checked, GoodRow, Known, check_rows
from hub.api.load_columns import TABLES
from hub.api.load_files import read_path
from hub.api.register_taking import STORED, known_rows
from hub.clock import utc_now
from hub.errors import BadRequestError
from hub.ports import SYSTEM, Actor, Database, DeviceRow, Json, Transaction
from hub.service.credentials import broker_hash, give_credential

__all__ = ["Loaded", "load_into", "preview_lines", "write_bad"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a load. `written`: rows made or changed by table; `secrets`: credentials of new devices; `known`:
    what was there before.
    """

    checked: Checked
    written: Mapping[str, int]
    secrets: Mapping[str, str]
    known: Known
    taken: bool

    @property
    def bad(self) -> list[BadRow]:
        return self.checked.bad


def load_into(
    database: Database,
    path: Path,
    *,
    table: str | None = None,
    strict: bool = False,
    dry: bool = False,
    preview: Callable[[Checked], None] = lambda _checked: None,
    actor: Actor = SYSTEM,
    most: int | None = None,
    named: str | None = None,
) -> Loaded:
    """Reads, checks, shows (`preview`) and, unless `dry`, writes in one transaction.

    `strict`: one bad row and nothing is taken. `most`: with more rows none is looked at. `named`: what the
    audit calls the file, where it is a copy. BadRequestError: the path cannot be read at all. Rows that are there
    already are brought up to date; only the columns given are written, so nobody loses what a file does not mention.
    """
    rows = list(islice(read_path(path, table), None if most is None else most + 1))
    if most is not None and len(rows) > most:
        raise BadRequestError(f"{path.name}: more than {most} rows; split it, or use `hub load`", field="content")
    with database.begin() as tx:
        known = known_rows(tx)
    checked = check_rows(rows, known)
    preview(checked)
    if dry or (strict and checked.bad) or not any(checked.good.values()):
        return Loaded(checked, {}, {}, known, taken=False)
    written: dict[str, int] = {}
    secrets: dict[str, str] = {}
    with database.begin() as tx:
        for name in TABLES:
            good = checked.good[name]
            if name == "devices":
                written[name] = _devices(tx, good, known, secrets)
            elif good:
                written[name] = tx.reference.upsert(STORED.get(name, name), [row.values for row in good])
        counts = {name: len(good) for name, good in checked.good.items() if good}
        tx.audit.add(actor, "load", named or path.name, {"rows": counts, "bad": len(checked.bad)}, utc_now())
    return Loaded(checked, {name: count for name, count in written.items() if count}, secrets, known, taken=True)


def _devices(tx: Transaction, rows: list[GoodRow], known: Known, secrets: dict[str, str]) -> int:
    written = 0
    for row in rows:
        values = dict(row.values)
        ident, family = str(values["id"]), str(values.pop("family"))
        if ident in known.families:
            written += _changed(tx, values)
            continue
        # Also one that reported already and waits for adoption.
        name = values.pop("name", None)
        tx.devices.add(
            DeviceRow(id=ident, family=family, resident_id=values.get("resident_id"), area_id=values.get("area_id")),
            name=name,
            secret_hash=None,
        )
        # A fast hash does: the secret is 24 random bytes, and ten thousand slow ones would take an hour.
        secret = give_credential(tx, ident, family, broker_hash)
        if secret is not None:
            secrets[ident] = secret
        written += 1
        _changed(tx, values)
    return written


def _changed(tx: Transaction, values: Json) -> bool:
    """Writes what differs; a load that says nothing new is no change of anything."""
    had = tx.reference.get("devices", str(values["id"])) or {}
    fresh = {name: value for name, value in values.items() if name != "id" and had.get(name) != value}
    if fresh:
        tx.reference.patch("devices", str(values["id"]), fresh, version=None)
    return bool(fresh)


def preview_lines(checked: Checked) -> list[str]:
    """What would be done, in words."""
    lines = []
    for name in TABLES:
        if checked.good[name]:
            files = sorted({row.raw.file for row in checked.good[name]})
            first = ", ".join(str(row.values.get("name") or row.values["id"]) for row in checked.good[name][:3])
            more = " …" if len(checked.good[name]) > 3 else ""
            lines.append(f"{name}: {len(checked.good[name])} good rows from {', '.join(files)} ({first}{more})")
    lines += [
        f"{file}: not understood and left out: {', '.join(sorted(heads))}"
        for file, heads in sorted(checked.unknown.items())
    ]
    if checked.bad:
        lines.append(f"bad rows: {len(checked.bad)}")
    return lines or ["nothing to load"]


def write_bad(path: Path, bad: list[BadRow]) -> None:
    """Bad rows as CSV with file, line and reason before their own cells: to be put right and loaded again."""
    headings = list(dict.fromkeys(heading for one in bad for heading in one.raw.cells))
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            out = csv.writer(file)
            out.writerow(["file", "line", "reason", *headings])
            for one in bad:
                out.writerow(
                    [one.raw.file, one.raw.line, one.reason, *(one.raw.cells.get(name, "") for name in headings)]
                )
    except OSError as error:
        raise BadRequestError(f"{path}: cannot be written: {error.strerror or error}") from error
