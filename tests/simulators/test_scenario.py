"""Scenarios and fleets: read whole, refused with file, key and reason; the same seed gives the same sequence."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from simulators.plan import Step, steps
from simulators.roster import load_roster, read_credentials
from simulators.scenario import bundled, load_scenario
from simulators.tables import ScenarioError

WORLD = {
    "residents": [{"id": "r1", "name": "陈秀英"}, {"id": "r2", "name": "王桂兰"}, {"id": "r3", "name": "赵德福"}],
    "devices": [
        {"id": "radar-1", "family": "care", "kind": "fall_radar", "resident_id": "r1", "lat": 31.9, "lon": 118.8},
        {"id": "cord-1", "kind": "pull-cord", "resident_id": "r1", "interval_s": None, "area_id": "g3"},
        {"id": "w-1", "family": "care", "kind": "watch", "resident_id": "r2"},
        {"id": "w-2", "family": "care", "kind": "watch", "name": "赵德福的手表", "lat": 31.95, "lon": 118.9},
        {"id": "8800000001", "family": "watch", "kind": "watch"},
    ],
    "staff": [{"username": "sun", "password": "p", "responder_id": "p1", "lat": 1, "lon": 2, "kind": "grid_officer"}],
}


def written(folder: Path, text: str, name: str = "s.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def sequence(name: str | Path, seed: int, count: int = 300, world: Path | None = None) -> list[Step]:
    scenario = load_scenario(name)
    roster = load_roster(scenario.fleet, scenario_file=scenario.file, world=world, seed=seed)
    return list(islice(steps(scenario, roster, seed), count))


@pytest.mark.parametrize("name", bundled())
def test_the_same_seed_gives_the_same_sequence(name: str) -> None:
    first = sequence(name, 5)
    assert first == sequence(name, 5)
    if name not in ("families", "robots"):  # one press of each, at its time: nothing is drawn
        assert first != sequence(name, 6)
    assert [step.at_s for step in first] == sorted(step.at_s for step in first)


def test_the_sample_day_has_its_devices_and_its_first_alarm_soon() -> None:
    scenario = load_scenario("liuan-day")
    roster = load_roster(scenario.fleet, scenario_file=scenario.file)
    assert len(roster.devices) == 171
    first, *rest = [step for step in sequence("liuan-day", 42) if step.do == "press"]
    assert first.at_s <= 20
    assert {"fall", "robot_stuck", "low_battery"} <= {step.type for step in rest}
    assert sum(step.do == "cut" for step in sequence("liuan-day", 42)) == 41


def test_a_world_file_takes_the_fleets_place(tmp_path: Path) -> None:
    world = written(tmp_path, json.dumps(WORLD), "world.json")
    found = sequence("liuan-day", 42, 20, world)
    by_time = {step.at_s: step.device_id for step in found if step.do == "press"}
    assert (by_time[20], by_time[120], by_time[134], by_time[270]) == ("w-1", "radar-1", "cord-1", "w-2")
    roster = load_roster(load_scenario("liuan-day").fleet, scenario_file="x", world=world)
    assert [spec.kind for spec in roster.devices] == ["radar", "pull_cord", "watch", "watch", "watch"]
    assert roster.staff[0].username == "sun"


def test_a_fleet_file_is_found_beside_its_scenario(tmp_path: Path) -> None:
    written(tmp_path, json.dumps(WORLD), "fleet.json")
    path = written(tmp_path, 'title = "t"\n[fleet]\nfrom = "fleet.json"\n')
    scenario = load_scenario(path)
    assert len(load_roster(scenario.fleet, scenario_file=scenario.file).devices) == 5


def test_an_inline_fleet_may_be_read_twice(tmp_path: Path) -> None:
    path = written(tmp_path, 'title = "t"\n[[fleet.devices]]\nid = "a"\nkind = "watch"\n')
    scenario = load_scenario(path)
    for _ in range(2):
        assert [spec.id for spec in load_roster(scenario.fleet, scenario_file="s").devices] == ["a"]


def test_a_cancel_follows_its_press(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'title = "t"\n[fleet.make]\nwatch = 3\n'
        '[[beat]]\nat_s = 1\ndevice = "watch"\ntype = "sos"\ncancel_after_s = 4\n'
        "[[chance]]\nper_hour = 600\ncancel_share = 1\nuntil_s = 300\n",
    )
    found = sequence(path, 1)
    presses = {step.tag: step for step in found if step.do == "press"}
    cancels = [step for step in found if step.do == "cancel"]
    assert cancels
    assert len(cancels) == len(presses)
    for cancel in cancels:
        assert cancel.at_s > presses[cancel.tag].at_s
        assert cancel.device_id == presses[cancel.tag].device_id


def test_a_load_keeps_its_rate_and_ends(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'title = "t"\n[fleet.make]\nwatch = 3\n'
        "[[load]]\nfrom_s = 2\nfor_s = 5\npresses_per_s = 10\ntelemetry_per_s = 4",
    )
    found = sequence(path, 1, 1000)
    presses = [step for step in found if step.do == "press"]
    assert len(presses) == 50
    assert len(found) - len(presses) == 20
    assert presses[0].at_s == 2
    assert presses[-1].at_s < 7
    assert {step.device_id for step in presses} == {"sim-watch-0001", "sim-watch-0002", "sim-watch-0003"}


FLEET = '[[fleet.devices]]\nid = "a"\nkind = "radar"\n'


@pytest.mark.parametrize(
    ("text", "key", "what"),
    [
        ("title = ", "", "not TOML"),
        (FLEET, "title", "is missing"),
        (f'titel = "t"\ntitle = "t"\n{FLEET}', "titel", "no known key"),
        ('title = "t"\nduration_s = "long"', "duration_s", "a number"),
        ('title = "t"\nseed = true', "seed", "a number"),
        ('title = "t"\nspeed = 0', "speed", "0.01 to 10000"),
        ('title = "t"\n[[beat]]\ndevice = "watch"\ntype = "sos"', "beat[0].at_s", "is missing"),
        ('title = "t"\n[[beat]]\nat_s = 1\ndevice = "toaster"', "beat[0].device", "no kind of device"),
        ('title = "t"\n[[beat]]\nat_s = 1\ndevice = "watch"\ntype = "boo"', "beat[0].type", "'boo' is unknown"),
        ('title = "t"\n[[beat]]\nat_s = 1\ndevice = "watch"', "beat[0].type", "which alarm"),
        ('title = "t"\n[[beat]]\nat_s = 1\ntype = "sos"', "beat[0].device", "or device_id"),
        ('title = "t"\n[[beat]]\nat_s = -1\ndevice = "watch"', "beat[0].at_s", "0 or more"),
        ('title = "t"\n[[beat]]\nat_s = 1\ndevice = "watch"\ndo = "sing"', "beat[0].do", "one of alarm"),
        ('title = "t"\n[[chance]]\nper_hour = 1\ntypes = { boo = 1 }', "chance[0].types.boo", "no alarm type"),
        ('title = "t"\n[[chance]]\nper_hour = 1\ntypes = { sos = 0 }', "chance[0].types", "above 0"),
        ('title = "t"\n[[load]]\npresses = 1', "load[0].presses", "no known key"),
        ('title = "t"\n[staff]\naccept_s = [9, 1]', "staff.accept_s", "[from, to]"),
        ('title = "t"\n[staff]\ndecline_share = 2', "staff.decline_share", "0 to 1"),
        ('title = "t"\n[fleet.make]\ntoaster = 1', "fleet.make.toaster", "no kind of device"),
        ('title = "t"\nbeat = 3', "beat", "list of tables"),
    ],
)
def test_a_bad_scenario_is_refused_with_file_key_and_reason(tmp_path: Path, text: str, key: str, what: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ScenarioError) as refused:
        load_scenario(path)
    assert refused.value.file == str(path)
    assert refused.value.key == key
    assert what in str(refused.value)


@pytest.mark.parametrize(
    ("fleet", "key", "what"),
    [
        ('id = "hub-1"\nkind = "watch"', "fleet.devices[0].id", "no device id"),
        ('id = "a"', "fleet.devices[0].kind", "is missing"),
        ('id = "a"\nkind = "toaster"', "fleet.devices[0].kind", "no kind of device"),
        ('id = "a"\nkind = "watch"\nfamily = "morse"', "fleet.devices[0].family", "'morse' is unknown"),
        (
            'id = "a"\nkind = "radar"\nfamily = "watch"',
            "fleet.devices[0].family",
            "there is no radar that speaks watch",
        ),
        ('id = "a"\nkind = "watch"\nlat = 91', "fleet.devices[0].lat", "-90 to 90"),
        ('id = "a"\nkind = "watch"\n[[fleet.devices]]\nid = "a"\nkind = "watch"', "devices", "there twice"),
    ],
)
def test_a_bad_fleet_is_refused_with_key_and_reason(tmp_path: Path, fleet: str, key: str, what: str) -> None:
    scenario = load_scenario(written(tmp_path, f'title = "t"\n[[fleet.devices]]\n{fleet}'))
    with pytest.raises(ScenarioError) as refused:
        load_roster(scenario.fleet, scenario_file=scenario.file)
    assert refused.value.key == key
    assert what in str(refused.value)


@pytest.mark.parametrize(
    ("beat", "key", "what"),
    [
        ('device = "watch"\ntype = "sos"', "beat[0]", "no such device in the fleet: watch"),
        ('device = "radar"\nresident = "甲"\ntype = "fall"', "beat[0]", "radar of 甲"),
        ('device = "radar"\ntype = "sos"', "beat[0].type", "raises no 'sos'"),
        ('device_id = "b"\ndo = "cut"', "beat[0]", "device_id 'b'"),
    ],
)
def test_a_beat_without_its_device_is_refused(tmp_path: Path, beat: str, key: str, what: str) -> None:
    path = written(tmp_path, f'title = "t"\n{FLEET}[[beat]]\nat_s = 1\n{beat}')
    with pytest.raises(ScenarioError) as refused:
        sequence(path, 1)
    assert refused.value.key == key
    assert what in str(refused.value)


def test_an_optional_beat_may_have_no_device(tmp_path: Path) -> None:
    path = written(tmp_path, f'title = "t"\n{FLEET}[[beat]]\nat_s = 1\ndevice = "watch"\ntype = "sos"\noptional = true')
    assert sequence(path, 1) == []


def test_a_scenario_without_devices_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="--world"):
        sequence(written(tmp_path, 'title = "t"'), 1)


def test_credentials_are_texts(tmp_path: Path) -> None:
    assert read_credentials(written(tmp_path, '{"w1": "secret"}', "c.json")) == {"w1": "secret"}
    with pytest.raises(ScenarioError, match="w1"):
        read_credentials(written(tmp_path, '{"w1": 7}', "c.json"))
    with pytest.raises(ScenarioError, match="not JSON"):
        read_credentials(written(tmp_path, "{", "c.json"))
