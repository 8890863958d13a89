"""People's files into the registers from a page: looked at first, then taken in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from hub.api.area_shapes import Shape, contains, overlaps, shape_of
from hub.api.changes import told_changes
from hub.api.load_check import BadRow, Checked, GoodRow, Known, check_rows
from hub.api.load_columns import TABLES, column_of
from hub.api.load_files import RawRow, read_bytes
from hub.errors import ConflictError
from hub.ports import Actor, Json, Transaction

__all__ = ["FILE_TABLES", "STORED", "RegisterFile", "Taking", "known_rows", "look", "take"]

STORED: Final[Mapping[str, str]] = {"staff": "responders"}
"""Tables that people call otherwise than the store does."""
FILE_TABLES: Final = ("areas", "stations", "residents", "contacts", "staff", "crews")
"""Those with a page. Devices come by `hub load`: each new one gets a credential that is told once."""
_BESIDE: Final[Mapping[str, tuple[str, ...]]] = {"residents": ("residents", "contacts")}
_MOST_ROWS: Final = 20_000
_ABOVE: Final = ("city", "district", "street", "community", "grid", "micro_grid")
_NEED_NO_PARENT: Final = frozenset({"city", "district"})


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """A file as it came. `crs`: the map it was drawn on, `kind`: that of its areas, where its rows do not say."""

    name: str
    content: bytes
    crs: str = "wgs84"
    kind: str | None = None


@dataclass(slots=True)
class Taking:
    """What would be taken. `known`: ids that are there already, by table; `warnings`: {line, name, code, …}."""

    checked: Checked
    known: Mapping[str, set[str]]
    warnings: list[Json] = field(default_factory=list)

    @property
    def bad(self) -> list[BadRow]:
        return self.checked.bad

    def counts(self) -> Json:
        """Rows by table: `good`, and of them `known` (brought up to date; the others are new)."""
        return {
            table: {"good": len(rows), "known": sum(row.values["id"] in self.known[table] for row in rows)}
            for table, rows in self.checked.good.items()
            if rows
        }


def known_rows(tx: Transaction, tables: Iterable[str] = TABLES) -> Known:
    """The ids that are there, and what a device is already. `tables` that are left out are taken for empty."""
    wanted = set(tables)
    ids = {name: set(tx.reference.ids(STORED.get(name, name))) if name in wanted else set() for name in TABLES}
    if "devices" not in wanted:
        return Known(ids)
    profiles = {
        one: str((tx.reference.get("device_profiles", one) or {})["family"])
        for one in tx.reference.ids("device_profiles")
    }
    families: dict[str, str] = {}
    devices = sorted(ids["devices"])
    for start in range(0, len(devices), 10_000):
        families |= {
            row.id: row.family for row in tx.devices.get_many(devices[start : start + 10_000]).values() if row.adopted
        }
    return Known(ids, families, profiles)


def look(tx: Transaction, table: str, file: RegisterFile) -> Taking:
    """What of the file is good, what is bad and why, and what somebody should look at before it is taken.

    BadRequestError where the file cannot be read at all. Writes nothing.
    """
    known = known_rows(tx, [one for one in TABLES if one != "devices"])
    checked = check_rows(list(_rows(table, file)), known)
    taking = Taking(checked, known.ids)
    if checked.good["areas"]:
        _look_at_areas(tx, taking)
    if checked.good["residents"]:
        _look_at_residents(tx, taking)
    taking.warnings.sort(key=lambda one: (one["line"], one["code"]))
    return taking


def _rows(table: str, file: RegisterFile) -> Iterable[RawRow]:
    workbook = file.name.lower().endswith(".xlsx")
    allowed = _BESIDE.get(table, (table,))
    for row in read_bytes(file.name, file.content, None if workbook else table, most=_MOST_ROWS):
        named = row.table or table
        if named not in allowed:
            words = f"this is about {named}: take it in on its own page"
            yield replace(row, table=table, fault=row.fault or words)
            continue
        cells = dict(row.cells)
        headings = {column_of(named, heading) for heading in cells}
        if file.crs != "wgs84" and "crs" not in headings and ("lat" in headings or row.more):
            cells["crs"] = file.crs
        if file.kind and named == "areas" and "kind" not in headings:
            cells["kind"] = file.kind
        yield replace(row, table=named, cells=cells)


# --- areas


def _look_at_areas(tx: Transaction, taking: Taking) -> None:
    """Finds parents by place where the file names none, and says what lies over what."""
    rows = taking.checked.good["areas"]
    ids = {row.values["id"] for row in rows}
    mine = {
        row.values["id"]: shape
        for row in rows
        if row.values.get("boundary") and (shape := _shape(row.values)) is not None
    }
    among = [shape for one in tx.register.shapes() if one["id"] not in ids and (shape := _shape(one)) is not None]
    higher = sorted([*mine.values(), *among], key=lambda one: _ABOVE.index(one.kind), reverse=True)
    for row in rows:
        values, warn = row.values, _warner(taking, row)
        if not values.get("boundary"):
            warn("no_boundary")
        if values.get("parent_id") or values["kind"] in _NEED_NO_PARENT or values["id"] in taking.known["areas"]:
            continue
        parent = _around(values, higher)
        if parent is None:
            warn("no_parent")
        else:
            values["parent_id"] = parent.id
            warn("parent_found", other=parent.name)
    by_id = {row.values["id"]: row for row in rows}
    for one, other, share in overlaps(list(mine.values()), among):
        _warner(taking, by_id[one.id])("overlap", other=other.name, percent=round(share * 100))


def _shape(values: Json) -> Shape | None:
    return shape_of(str(values["id"]), str(values["name"]), str(values["kind"]), values["boundary"])


def _around(values: Json, shapes: Sequence[Shape]) -> Shape | None:
    """The lowest boundary of a higher kind in which the place lies; `shapes` from the lowest kind up."""
    lat, lon, rank = values.get("lat"), values.get("lon"), _ABOVE.index(values["kind"])
    if lat is None or lon is None:
        return None
    return next((one for one in shapes if _ABOVE.index(one.kind) < rank and contains(one, lat, lon)), None)


# --- residents


def _look_at_residents(tx: Transaction, taking: Taking) -> None:
    """Finds areas by place where the file names none, and people who seem to be there already."""
    rows = taking.checked.good["residents"]
    shapes: list[Shape] | None = None
    for row in rows:
        values = row.values
        if values.get("area_id") or values.get("lat") is None or values["id"] in taking.known["residents"]:
            continue
        if shapes is None:
            shapes = [shape for one in tx.register.shapes() if (shape := _shape(one)) is not None]
        found = next((one for one in shapes if contains(one, values["lat"], values["lon"])), None)
        if found is not None:
            values["area_id"] = found.id
            _warner(taking, row)("area_found", other=found.name)
    for alike in tx.register.alike([row.values for row in rows]):
        _warner(taking, rows[alike.n])("alike", other=f"{alike.name} {alike.id}", why=alike.why)
    seen: dict[tuple[str, Any], GoodRow] = {}
    for row in rows:
        for why, key in (
            ("id_number", row.values.get("id_number")),
            ("name_born", row.values.get("born_on") and (row.values["name"], row.values["born_on"])),
        ):
            if key and (first := seen.setdefault((why, key), row)) is not row:
                _warner(taking, row)("twice", other=f"{first.raw.file}:{first.raw.line}", why=why)
                break


def _warner(taking: Taking, row: GoodRow) -> Any:
    def warn(code: str, **more: Any) -> None:
        name = str(row.values.get("name") or row.values["id"])
        taking.warnings.append({"line": row.raw.line, "name": name, "code": code, **more})

    return warn


# --- taking


def take(tx: Transaction, taking: Taking, actor: Actor, at: Any, address: str | None, *, partly: bool) -> Json:
    """Writes the good rows; gives how many were made or changed, by table. Each changed record has its line in the
    audit, with before and after.

    ConflictError `bad-rows`: there are bad ones and not `partly`. Of areas always all or none: half a map is a hole
    into which somebody's alarm falls.
    """
    if taking.bad and (not partly or taking.checked.good["areas"]):
        raise ConflictError(f"{len(taking.bad)} rows are bad; nothing was taken", code="bad-rows", bad=len(taking.bad))
    written: Json = {}
    for name in TABLES:
        rows = taking.checked.good[name]
        if not rows:
            continue
        table = STORED.get(name, name)
        ids = [str(row.values["id"]) for row in rows]
        before = tx.register.stored(table, ids)
        written[name] = tx.reference.upsert(table, [row.values for row in rows])
        after = tx.register.stored(table, ids)
        for row in rows:
            ident, had = str(row.values["id"]), before.get(str(row.values["id"]), {})
            now = {field: after[ident].get(field) for field in row.values}
            told = told_changes({field: had.get(field) for field in row.values} if had else {}, now)
            if told:
                detail = {"fields": sorted(told), "changes": told, "file": row.raw.file, "line": row.raw.line}
                tx.audit.add(actor, f"{table}.{'change' if had else 'add'}", f"{table}:{ident}", detail, at, address)
    return written
