"""Who and what takes part in a run: devices, field staff, operators. From a fleet file, a scenario's tables, or made.

A fleet file is a JSON object:
- `residents`: `{"id", "name"}`
- `devices`: `{"id", "kind", "family", "resident_id", "name", "lat", "lon", "area", "interval_s", "network", "still"}`
- `staff`, `operators`, `people`: `{"username", "password", "name", "responder_id", "kind", "lat", "lon"}`; `people` is
  everybody who has an account, for a scenario's scenes
- `phones`: `{"number", "name"}`
In each the first two must be there. `telephone`, an object, holds `secret` and `answer_secret` of the exchange.
Further keys are ignored: other programs write these files, too.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from simulators.device import DeviceSpec
from simulators.kinds import FAMILIES, KINDS, MADE, alarm_types, kind_named, wire_fits
from simulators.scenario import Beat, FleetSource
from simulators.tables import ScenarioError, Table, read_json
from simulators.telephone import PhoneBook
from simulators.wire import is_device_id

__all__ = ["Roster", "StaffSpec", "choose", "load_roster", "read_credentials"]

HOME = (31.9011, 118.8246)
"""Where made-up devices stand, WGS-84."""


@dataclass(frozen=True, slots=True)
class StaffSpec:
    """One person with a log-in. `lat`, `lon`: where the person starts."""

    username: str
    password: str
    name: str | None = None
    responder_id: str | None = None
    kind: str | None = None
    lat: float = HOME[0]
    lon: float = HOME[1]


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody and everything of one run, in file order."""

    devices: tuple[DeviceSpec, ...]
    staff: tuple[StaffSpec, ...] = ()
    operators: tuple[StaffSpec, ...] = ()
    people: tuple[StaffSpec, ...] = ()
    residents: Mapping[str, str] = field(default_factory=dict)
    """Names to ids."""
    book: PhoneBook | None = None


def load_roster(source: FleetSource, *, scenario_file: str, world: Path | None = None, seed: int = 1) -> Roster:
    """The roster of a scenario; a `world` file takes the place of the scenario's own fleet. Raises ScenarioError."""
    if world is not None:
        roster = _read(read_json(world))
    elif source.file is not None:
        roster = _read(read_json(source.file))
    elif source.inline is not None:
        # A fresh table each time: a scenario may be run more than once.
        roster = _read(Table(scenario_file, "fleet", source.inline.rest()))
    else:
        roster = Roster(())
    if world is None and source.made:
        roster = replace(roster, devices=(*roster.devices, *_made(source, seed)))
    if not roster.devices:
        raise ScenarioError(scenario_file, "fleet", "names no device; give the scenario a [fleet], or --world FILE")
    seen: set[str] = set()
    for spec in roster.devices:
        if spec.id in seen:
            raise ScenarioError(world or source.file or scenario_file, "devices", f"{spec.id!r} is there twice")
        seen.add(spec.id)
    return roster


def choose(beat: Beat, roster: Roster, file: str, seed: int) -> list[DeviceSpec]:
    """The devices a beat means. Raises ScenarioError where there is none, unless the beat is optional."""
    if beat.do == "say":
        return []
    found = [spec for spec in roster.devices if _meant(beat, spec)]
    if not found:
        if beat.optional:
            return []
        raise ScenarioError(file, beat.key, f"no such device in the fleet: {_wanted(beat)}")
    if beat.do == "stop":
        found = [spec for spec in found if spec.family == "vda5050"]
        if not found:
            raise ScenarioError(file, f"{beat.key}.do", f"{_wanted(beat)} has no emergency stop on its wire")
    if beat.do == "alarm":
        able = [spec for spec in found if beat.type in alarm_types(spec)]
        if not able:
            raise ScenarioError(file, f"{beat.key}.type", f"{_wanted(beat)} raises no {beat.type!r}")
        found = able
    # Without a name, any device of the kind will do: the seed chooses one, the others are its nearest neighbours.
    first = found[0]
    if beat.device_id is None and beat.resident is None:
        first = random.Random(f"{seed}:{beat.key}").choice(found)
    found.sort(key=lambda spec: (math.hypot(spec.lat - first.lat, spec.lon - first.lon), spec.id != first.id, spec.id))
    return found[: beat.count]


def read_credentials(path: Path) -> dict[str, str]:
    """`{device_id: secret}` from a JSON file. Raises ScenarioError."""
    table = read_json(path)
    return {name: table.need_text(name) for name in table.names()}


def _meant(beat: Beat, spec: DeviceSpec) -> bool:
    if beat.device_id is not None:
        return spec.id == beat.device_id
    return (
        spec.kind == beat.device
        and (beat.resident is None or _belongs(spec, beat.resident))
        and (beat.area is None or spec.area == beat.area)
        and (beat.family is None or spec.family == beat.family)
        # Where the fleet does not say what its devices hang on, any will do.
        and (beat.network is None or spec.network in (beat.network, None))
    )


def _belongs(spec: DeviceSpec, resident: str) -> bool:
    return resident in (spec.resident_name, spec.resident_id) or (spec.name is not None and resident in spec.name)


def _wanted(beat: Beat) -> str:
    if beat.device_id is not None:
        return f"device_id {beat.device_id!r}"
    of = f" of {beat.resident}" if beat.resident else ""
    return f"{beat.device}{of}" + (f" in {beat.area}" if beat.area else "")


def _read(root: Table) -> Roster:
    names: dict[str, str] = {}
    for resident in root.tables("residents"):
        key, name = resident.need_text("id"), resident.text("name")
        if name is not None:
            names[key] = name
    return Roster(
        tuple(_device(table, names) for table in root.tables("devices")),
        tuple(_staff(table) for table in root.tables("staff")),
        tuple(_staff(table) for table in root.tables("operators")),
        tuple(_staff(table) for table in root.tables("people")),
        {name: key for key, name in names.items()},
        _book(root),
    )


def _book(root: Table) -> PhoneBook | None:
    numbers = {table.need_text("number"): table.need_text("name") for table in root.tables("phones")}
    exchange = root.table("telephone")
    if exchange is None:
        return None
    return PhoneBook(numbers, exchange.need_text("secret"), exchange.need_text("answer_secret"))


def _device(table: Table, names: dict[str, str]) -> DeviceSpec:
    device_id = table.need_text("id")
    if not is_device_id(device_id):
        raise table.wrong("id", f"{device_id!r} is no device id (1 to 64 of A-Z a-z 0-9 _ . : -, not hub-…)")
    word = table.need_text("kind")
    kind = kind_named(word)
    if kind is None:
        raise table.wrong("kind", f"{word!r} is no kind of device; known: {', '.join(KINDS)}")
    family = table.text("family", "care", one_of=FAMILIES) or "care"
    if not wire_fits(kind, family):
        raise table.wrong("family", f"there is no {kind} that speaks {family}")
    if family == "vda5050" and not all(device_id.partition(":")):
        raise table.wrong("id", f"{device_id!r}: a robot of vda5050 is called MAKER:SERIAL")
    resident = table.text("resident_id")
    name = table.text("name")
    return DeviceSpec(
        id=device_id,
        kind=kind,
        family=family,
        resident_id=resident,
        resident_name=table.text("resident_name") or (names.get(resident) if resident else None) or name,
        name=name,
        lat=table.need_number("lat", HOME[0], low=-90, high=90),
        lon=table.need_number("lon", HOME[1], low=-180, high=180),
        area=table.text("area"),
        interval_s=table.number("interval_s", low=1, high=86_400),
        network=table.text("network"),
        still=table.flag("still"),
    )


def _staff(table: Table) -> StaffSpec:
    return StaffSpec(
        username=table.need_text("username"),
        password=table.need_text("password"),
        name=table.text("name"),
        responder_id=table.text("responder_id"),
        kind=table.text("kind"),
        lat=table.need_number("lat", HOME[0], low=-90, high=90),
        lon=table.need_number("lon", HOME[1], low=-180, high=180),
    )


_FIRST_IDS = {
    "watch": 8800000000,
    "iw": 355550100000000,
    "minifinder2": 355550200000000,
    "gt06": 355550300000000,
    "h02": 4205500000,
}
"""TCP devices are called by digits: of their IMEI, or of their maker's."""


def _made_id(prefix: str, word: str, family: str, number: int) -> str:
    first = _FIRST_IDS.get(family)
    if family == "vda5050":
        return f"CareBots:{prefix}-{number:04d}"
    return f"{prefix}-{word.replace('_', '-')}-{number:04d}" if first is None else f"{first + number}"


def _made(source: FleetSource, seed: int) -> list[DeviceSpec]:
    rng = random.Random(f"fleet:{seed}")
    made: list[DeviceSpec] = []
    for word, count in source.made.items():
        kind, family = MADE[word]
        made.extend(
            DeviceSpec(
                id=_made_id(source.prefix, word, family, number),
                kind=kind,
                family=family,
                lat=HOME[0] + rng.uniform(-0.008, 0.008),
                lon=HOME[1] + rng.uniform(-0.008, 0.008),
            )
            for number in range(1, count + 1)
        )
    return made
