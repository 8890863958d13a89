"""Scenarios: what happens, to which device, when. Read from TOML, checked whole before anything starts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from simulators.acts import Scene, read_scenes
from simulators.kinds import FAMILIES, KINDS, MADE, kind_named
from simulators.tables import ScenarioError, Table, read_toml
from simulators.wire import ALARM_TYPES

__all__ = [
    "Beat",
    "Chance",
    "FleetSource",
    "Load",
    "OperatorRules",
    "Scenario",
    "StaffRules",
    "bundled",
    "load_scenario",
]

DEEDS = ("alarm", "cut", "silent", "battery", "measure", "moved", "stop", "say")


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing that happens at `at_s` scenario seconds.

    The devices meant: `device_id`, or the `device` kind of `resident`, or up to `count` devices of the kind (of that
    `area`, `family` and `network` where given, nearest to one another). `do`: `alarm` presses `type`; `cut` and
    `silent` take the network away for `for_s`; `battery` sets `pct`; `measure` sends one measurement; `stop` pushes a
    robot's emergency stop for `for_s`; `moved` reports that somebody moved at the last `clock` (HH:MM) that has been, a
    record that was kept; `say` only prints its `note`.
    """

    key: str
    at_s: float
    do: str = "alarm"
    device: str | None = None
    device_id: str | None = None
    resident: str | None = None
    area: str | None = None
    family: str | None = None
    network: str | None = None
    count: int = 1
    type: str | None = None
    note: str | None = None
    test: bool = False
    fix: bool = True
    for_s: float = 60.0
    wall_s: float = 0.0
    """`cut` and `silent` last at least so long by the wall clock: a hub's patience with silence does not run faster."""
    pct: int = 10
    cancel_after_s: float | None = None
    optional: bool = False
    clock: str | None = None
    label: str | None = None
    """Where people play their scenes, such a beat waits for its act and not for its time."""


@dataclass(frozen=True, slots=True)
class Chance:
    """Ordinary alarms at a mean rate an hour of scenario time; `types` are weights."""

    key: str
    per_hour: float
    types: dict[str, float]
    from_s: float = 0.0
    until_s: float | None = None
    cancel_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """Steady presses and measurements a second (scenario time), round and round over the fleet."""

    key: str
    from_s: float
    for_s: float | None
    presses_per_s: float
    telemetry_per_s: float
    types: dict[str, float]


@dataclass(frozen=True, slots=True)
class StaffRules:
    """How field staff behave. Times in scenario seconds, `poll_s` in wall seconds."""

    poll_s: float = 3.0
    accept_s: tuple[float, float] = (4.0, 25.0)
    leave_s: tuple[float, float] = (10.0, 40.0)
    on_scene_s: tuple[float, float] = (120.0, 420.0)
    speed_kmh: float = 12.0
    travel_max_s: float = 900.0
    decline_share: float = 0.08
    decline_reasons: tuple[str, ...] = ("正在照护另一位老人", "距离太远，赶不过去")
    outcomes: tuple[str, ...] = ("已到场，老人平安", "已协助老人起身，联系家属", "误触，已核实")


@dataclass(frozen=True, slots=True)
class OperatorRules:
    """A simulated operator.

    `tidy`: sits at the desk (so that somebody is signed in), leaves every alarm to a person and only closes what field
    staff finished and nobody claimed for `tidy_after_s`: a demonstration's colleague.
    """

    poll_s: float = 1.0
    tidy: bool = False
    tidy_after_s: float = 180.0
    claim_s: tuple[float, float] = (2.0, 10.0)
    talk_s: tuple[float, float] = (10.0, 45.0)
    dispatch_share: float = 0.4


@dataclass(frozen=True, slots=True)
class FleetSource:
    """Where the devices come from: a JSON file, tables in the scenario, or so many of each kind made up."""

    file: Path | None = None
    inline: Table | None = None
    made: dict[str, int] = field(default_factory=dict)
    prefix: str = "sim"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole scenario. `duration_s` None: until stopped. `settle_s`: wall seconds for open presses at the end."""

    name: str
    file: str
    title: str
    fleet: FleetSource
    duration_s: float | None = None
    settle_s: float = 0.0
    seed: int = 1
    speed: float = 1.0
    beats: tuple[Beat, ...] = ()
    chances: tuple[Chance, ...] = ()
    loads: tuple[Load, ...] = ()
    staff: StaffRules = StaffRules()
    operator: OperatorRules | None = None
    scenes: tuple[Scene, ...] = ()


def bundled() -> dict[str, Path]:
    """The scenarios that come with the simulators, by name."""
    folder = Path(str(files("simulators.scenarios")))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_scenario(name: str | Path) -> Scenario:
    """A bundled scenario by its name, or one from a TOML file. Raises ScenarioError."""
    known = bundled()
    path = known.get(str(name))
    if path is None:
        path = Path(name)
        if not path.is_file():
            raise ScenarioError(name, "", f"is neither a file nor a bundled scenario ({', '.join(known)})")
    root = read_toml(path)
    scenario = Scenario(
        name=path.stem,
        file=str(path),
        title=root.need_text("title"),
        duration_s=root.number("duration_s", low=0.1),
        settle_s=root.need_number("settle_s", 0.0),
        seed=int(root.need_number("seed", 1)),
        speed=root.need_number("speed", 1.0, low=0.01, high=10_000),
        fleet=_fleet_source(root, path),
        beats=tuple(sorted((_beat(table) for table in root.tables("beat")), key=lambda beat: beat.at_s)),
        chances=tuple(_chance(table) for table in root.tables("chance")),
        loads=tuple(_load(table) for table in root.tables("load")),
        staff=_staff(root.table("staff")),
        operator=_operator(root.table("operator")),
        scenes=read_scenes(root),
    )
    root.done()
    _check_labels(scenario)
    return scenario


def _check_labels(scenario: Scenario) -> None:
    acts = [act for scene in scenario.scenes for act in scene.acts]
    labels = {act.label for act in acts}
    beats = {beat.label for beat in scenario.beats}
    for act in acts:
        for label in act.after:
            if label not in labels:
                raise ScenarioError(scenario.file, f"{act.key}.after", f"no act is labelled {label!r}")
        if act.beat is not None and act.beat not in beats:
            raise ScenarioError(scenario.file, f"{act.key}.beat", f"no beat is labelled {act.beat!r}")


def _fleet_source(root: Table, path: Path) -> FleetSource:
    table = root.table("fleet")
    if table is None:
        return FleetSource()
    source = table.text("from")
    made: dict[str, int] = {}
    prefix = "sim"
    make = table.table("make")
    if make is not None:
        prefix = make.text("prefix", "sim") or "sim"
        for word in make.names():
            kind = word if word in MADE else kind_named(word)
            if kind is None:
                raise make.wrong(word, f"is no kind of device; known: {', '.join(MADE)}")
            made[kind] = int(make.need_number(word, high=100_000))
    if source is not None:
        table.done()
        return FleetSource(file=(path.parent / source).resolve(), made=made, prefix=prefix)
    return FleetSource(inline=table if table.names() else None, made=made, prefix=prefix)


def _beat(table: Table) -> Beat:
    do = table.text("do", "alarm", one_of=DEEDS) or "alarm"
    kind = table.text("device")
    if kind is not None and kind_named(kind) is None:
        raise table.wrong("device", f"{kind!r} is no kind of device; known: {', '.join(KINDS)}")
    beat = Beat(
        key=table.key,
        at_s=table.need_number("at_s"),
        do=do,
        device=None if kind is None else kind_named(kind),
        device_id=table.text("device_id"),
        resident=table.text("resident"),
        area=table.text("area"),
        family=table.text("family", one_of=FAMILIES),
        network=table.text("network"),
        count=int(table.need_number("count", 1, low=1, high=1_000_000)),
        type=table.text("type", one_of=ALARM_TYPES),
        note=table.text("note"),
        test=table.flag("test"),
        fix=table.flag("fix", True),
        for_s=table.need_number("for_s", 60.0),
        wall_s=table.need_number("wall_s", 0.0),
        pct=int(table.need_number("pct", 10, high=100)),
        cancel_after_s=table.number("cancel_after_s"),
        optional=table.flag("optional"),
        clock=table.text("clock"),
        label=table.text("label"),
    )
    table.done()
    if do == "alarm" and beat.type is None:
        raise table.wrong("type", "is missing: which alarm is raised?")
    if do == "moved" and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", beat.clock or "") is None:
        raise table.wrong("clock", "a time of day such as 07:10 is wanted")
    if do != "say" and beat.device is None and beat.device_id is None:
        raise table.wrong("device", "is missing: a kind of device, or device_id")
    return beat


def _weights(table: Table, name: str, default: dict[str, float]) -> dict[str, float]:
    inner = table.table(name)
    if inner is None:
        return default
    weights = {}
    for word in inner.names():
        if word not in ALARM_TYPES:
            raise inner.wrong(word, f"is no alarm type; known: {', '.join(ALARM_TYPES)}")
        weights[word] = inner.need_number(word)
    if not any(weights.values()):
        raise table.wrong(name, "no type has a weight above 0")
    return weights


def _chance(table: Table) -> Chance:
    chance = Chance(
        key=table.key,
        per_hour=table.need_number("per_hour", high=1_000_000),
        types=_weights(table, "types", {"sos": 1.0}),
        from_s=table.need_number("from_s", 0.0),
        until_s=table.number("until_s"),
        cancel_share=table.need_number("cancel_share", 0.0, high=1.0),
    )
    table.done()
    return chance


def _load(table: Table) -> Load:
    load = Load(
        key=table.key,
        from_s=table.need_number("from_s", 0.0),
        for_s=table.number("for_s"),
        presses_per_s=table.need_number("presses_per_s", 0.0, high=100_000),
        telemetry_per_s=table.need_number("telemetry_per_s", 0.0, high=100_000),
        types=_weights(table, "types", {"sos": 1.0}),
    )
    table.done()
    return load


def _staff(table: Table | None) -> StaffRules:
    if table is None:
        return StaffRules()
    usual = StaffRules()
    rules = StaffRules(
        poll_s=table.need_number("poll_s", usual.poll_s, low=0.05),
        accept_s=table.pair("accept_s", usual.accept_s),
        leave_s=table.pair("leave_s", usual.leave_s),
        on_scene_s=table.pair("on_scene_s", usual.on_scene_s),
        speed_kmh=table.need_number("speed_kmh", usual.speed_kmh, low=0.1),
        travel_max_s=table.need_number("travel_max_s", usual.travel_max_s),
        decline_share=table.need_number("decline_share", usual.decline_share, high=1.0),
        decline_reasons=table.texts("decline_reasons", usual.decline_reasons),
        outcomes=table.texts("outcomes", usual.outcomes),
    )
    table.done()
    return rules


def _operator(table: Table | None) -> OperatorRules | None:
    if table is None:
        return None
    usual = OperatorRules()
    rules = OperatorRules(
        poll_s=table.need_number("poll_s", usual.poll_s, low=0.05),
        tidy=table.flag("tidy", usual.tidy),
        tidy_after_s=table.need_number("tidy_after_s", usual.tidy_after_s),
        claim_s=table.pair("claim_s", usual.claim_s),
        talk_s=table.pair("talk_s", usual.talk_s),
        dispatch_share=table.need_number("dispatch_share", usual.dispatch_share, high=1.0),
    )
    table.done()
    return rules
