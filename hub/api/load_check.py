"""Is a row good? Cells become values, values are checked by the rules of the API, references must lead somewhere."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel, ValidationError

from devices import FAMILIES
from devices.geo import bd09_to_wgs84, gcj02_to_wgs84
from devices.topics import is_device_id
from hub.api.area_shapes import boundary_moved
from hub.api.load_columns import COLUMNS, TABLES, column_of
from hub.api.load_files import RawRow
from hub.api.schemas_records import (
    AreaFields,
    ContactFields,
    CrewFields,
    DeviceFields,
    ResidentFields,
    ResponderFields,
    StationFields,
)
from hub.ports import Json

__all__ = ["BadRow", "Checked", "GoodRow", "Known", "check_rows"]

_MODELS: Final[Mapping[str, type[BaseModel]]] = {
    "areas": AreaFields,
    "stations": StationFields,
    "residents": ResidentFields,
    "staff": ResponderFields,
    "crews": CrewFields,
    "contacts": ContactFields,
    "devices": DeviceFields,
}
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "areas": ("id", "name", "kind"),
    "stations": ("id", "name", "kind"),
    "residents": ("id", "name"),
    "staff": ("id", "name", "kind"),
    "crews": ("id", "name"),
    "contacts": ("resident_id", "name"),
    "devices": ("id", "family"),
}
_REFERENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "areas": {"parent_id": "areas"},
    "stations": {"area_id": "areas"},
    "residents": {"area_id": "areas"},
    "staff": {"area_ids": "areas", "station_id": "stations"},
    "crews": {"members": "staff"},
    "contacts": {"resident_id": "residents"},
    "devices": {"resident_id": "residents", "area_id": "areas", "profile_id": "profiles"},
}


_TO_WGS84: Final[Mapping[str, Callable[[float, float], tuple[float, float]]]] = {
    "gcj02": gcj02_to_wgs84,
    "bd09": bd09_to_wgs84,
}


@dataclass(frozen=True, slots=True)
class GoodRow:
    """A row that may be written: `values` as the store takes them."""

    raw: RawRow
    table: str
    values: Json


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is returned, and why: every fault of it."""

    raw: RawRow
    reason: str


@dataclass(slots=True)
class Known:
    """What the database has: ids by table (`profiles` and `families` too: profile or device id -> its family)."""

    ids: Mapping[str, set[str]]
    families: Mapping[str, str] = field(default_factory=dict)
    profiles: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Checked:
    """All rows of a load, sorted. `unknown`: headings nobody understands, by file and sheet."""

    good: dict[str, list[GoodRow]] = field(default_factory=lambda: {table: [] for table in TABLES})
    bad: list[BadRow] = field(default_factory=list)
    unknown: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def refuse(self, raw: RawRow, *reasons: str) -> None:
        self.bad.append(BadRow(raw, "; ".join(reasons)))


def check_rows(rows: Iterable[RawRow], known: Known) -> Checked:
    """Sorts rows into good and bad. A row that leans on a bad row is bad too, and says on which."""
    found = Checked()
    waiting: dict[str, list[GoodRow]] = {table: [] for table in TABLES}
    for raw in rows:
        if raw.fault is not None:
            found.refuse(raw, raw.fault)
        elif raw.table is None:
            names = ", ".join(TABLES)
            found.refuse(raw, f"nothing says what it is about: name the sheet or file after one of {names}")
        else:
            good = _values(raw, raw.table, found)
            if good is not None:
                waiting[raw.table].append(good)
    ids: dict[str, set[str]] = {table: set(known.ids.get(table, ())) for table in TABLES}
    ids["profiles"] = set(known.profiles)
    for table in TABLES:
        seen: dict[str, GoodRow] = {}
        for row in waiting[table]:
            first = seen.setdefault(str(row.values["id"]), row)
            if first is not row:
                found.refuse(row.raw, f"id {row.values['id']} is in {first.raw.file}, line {first.raw.line} already")
        fine = [row for row in seen.values() if _agrees(row, known, found)]
        found.good[table] = _leading_somewhere(table, fine, ids, found)
        ids[table] |= {str(row.values["id"]) for row in found.good[table]}
    found.bad.sort(key=lambda bad: (bad.raw.file, bad.raw.line))
    return found


def _values(raw: RawRow, table: str, found: Checked) -> GoodRow | None:
    values: Json = dict(raw.more)
    wrong: list[str] = []
    for heading, cell in raw.cells.items():
        name = column_of(table, heading)
        if name is None:
            found.unknown[raw.file].add(heading)
            continue
        try:
            values[name] = COLUMNS[table][name][0](cell)
        except ValueError as error:
            wrong.append(f"{heading}: {error}")
    _place(values, wrong)
    if table == "contacts" and not values.get("id") and values.get("resident_id") and values.get("name"):
        # The same person in the next load is the same contact.
        named = f"{values['resident_id']}|{values['name']}|{values.get('phone', '')}"
        values["id"] = f"c-{hashlib.blake2b(named.encode(), digest_size=8).hexdigest()}"
    wrong += [f"{name}: is missing" for name in _NEEDED[table] if values.get(name) in (None, "")]
    if table == "devices":
        wrong += _device(values)
    if not wrong:
        wrong += _by_the_api(table, values)
    if wrong:
        found.refuse(raw, *wrong)
        return None
    return GoodRow(raw, table, values)


def _place(values: Json, wrong: list[str]) -> None:
    """Positions are kept in WGS-84, whatever map they were read from."""
    crs = values.pop("crs", "wgs84")
    lat, lon = values.get("lat"), values.get("lon")
    if (lat is None) != (lon is None):
        wrong.append(f"{'lon' if lon is None else 'lat'}: is missing; both or none")
    elif lat is not None and lon is not None and crs != "wgs84":
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            wrong.append("lat, lon: not on the earth")
            return
        point = _TO_WGS84[crs](lat, lon)
        values["lat"], values["lon"] = round(point[0], 7), round(point[1], 7)
        # What the middle of a boundary was read from was drawn on the same map.
        if values.get("boundary") is not None:
            values["boundary"] = boundary_moved(values["boundary"], _TO_WGS84[crs])


def _device(values: Json) -> list[str]:
    wrong = []
    if values.get("id") and not is_device_id(str(values["id"])):
        wrong.append(f"id: {values['id']!r}: 1-64 of A-Z a-z 0-9 _ . : -, and not beginning with hub-")
    if values.get("family") and values["family"] not in FAMILIES:
        wrong.append(f"family: there is no family {values['family']!r}; known: {', '.join(sorted(FAMILIES))}")
    return wrong


def _by_the_api(table: str, values: Json) -> list[str]:
    sent = {name: value for name, value in values.items() if table != "devices" or name not in ("id", "family")}
    try:
        model = _MODELS[table].model_validate(
            {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in sent.items()}
            or {"name": None}
        )
    except ValidationError as error:
        return [
            f"{'.'.join(str(step) for step in one['loc'])}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors(include_url=False, include_input=False)
        ]
    values |= model.model_dump(exclude_unset=True, include=set(sent))
    return []


def _agrees(row: GoodRow, known: Known, found: Checked) -> bool:
    """A device that is there already keeps its family, and its profile must be of that family."""
    if row.table != "devices":
        return True
    ident, family = str(row.values["id"]), str(row.values["family"])
    had, profile = known.families.get(ident, family), row.values.get("profile_id")
    if had != family:
        found.refuse(row.raw, f"family: device {ident} is {had} already, not {family}")
        return False
    if profile is not None and known.profiles.get(str(profile), family) != family:
        found.refuse(row.raw, f"profile_id: {profile} is for {known.profiles[str(profile)]}, the device is {family}")
        return False
    return True


def _leading_somewhere(table: str, rows: list[GoodRow], ids: Mapping[str, set[str]], found: Checked) -> list[GoodRow]:
    """Rows whose references are there, or come with this load. Areas lean on areas: again until nothing changes."""
    good = rows
    while True:
        here = ids[table] | {str(row.values["id"]) for row in good}
        kept: list[GoodRow] = []
        for row in good:
            missing = _missing(table, row, {**ids, table: here})
            if missing:
                found.refuse(row.raw, *missing)
            else:
                kept.append(row)
        if len(kept) == len(good):
            return _without_rings(kept, found) if table == "areas" else kept
        good = kept


def _missing(table: str, row: GoodRow, ids: Mapping[str, set[str]]) -> list[str]:
    missing: list[str] = []
    for name, other in _REFERENCES[table].items():
        value = row.values.get(name)
        wanted = value if isinstance(value, list) else [value] if value else []
        missing += [f"{name}: there is no {other.removesuffix('s')} {one}" for one in wanted if one not in ids[other]]
    return missing


def _without_rings(rows: list[GoodRow], found: Checked) -> list[GoodRow]:
    parents = {str(row.values["id"]): row.values.get("parent_id") for row in rows}
    good: list[GoodRow] = []
    for row in rows:
        above, place = {str(row.values["id"])}, row.values.get("parent_id")
        while place is not None and place not in above:
            above.add(str(place))
            place = parents.get(str(place))
        if place is None:
            good.append(row)
        else:
            found.refuse(row.raw, f"parent_id: {row.values['id']} would lie below itself")
    return good
