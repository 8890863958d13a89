"""Public instances: every plan is judged by checkers of our own, and the cost that is printed is the one they
reckon."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pytest

from benchmarks import planning
from dispatch.plan.rounds import Rounds, fewest_vehicles, shortest
from dispatch.plan.solve import first_plan, laid_out, search
from hub.clock import monotonic
from hub.planning import hhcrsp, solomon
from hub.planning.reading import read_bytes
from hub.planning.solving import Answer, solve_file
from tests.planning.conftest import instance
from tests.planning.public_check import hhcrsp_objective, load, solomon_values, uhhc_objective

HUB = Path(sys.executable).parent / "hub"


def solved(path: Path, kind: str, seconds: float) -> Answer:
    return solve_file(path, kind, since=monotonic(), seconds=seconds, seed=1, threads=1)


@pytest.mark.parametrize(("name", "best"), [("A1", 218.1987), ("A9", 222.295), ("B1", 428.0967), ("B7", 328.671)])
def test_small_instances_of_mankowska_are_solved_to_the_best_known(name: str, best: float) -> None:
    """By a number of moves and not by time: what it finds does not hang on how busy the machine is."""
    path = instance("hhcrsp", f"{name}.json.gz")
    given = hhcrsp.read(path, read_bytes(path))
    model = hhcrsp.model_of(given)
    start, _ = first_plan(model)
    value = float("inf")
    for seed in range(4):
        found = search(
            model,
            start,
            seed=seed,
            clock=lambda: 0.0,
            until=1.0,
            droppable=False,
            run_seconds=1.0,
            most_moves=300_000,
        )
        state, cost = laid_out(model, found.plan)
        value = min(value, hhcrsp_objective(load(path), {"routes": hhcrsp.routes_of(given, model, state)}))
        assert cost == pytest.approx(found.cost)
        if value < best + 0.01:
            break
    assert value == pytest.approx(best, abs=0.01)


@pytest.mark.parametrize("name", ["D1", "G3"])
def test_larger_ones_keep_every_rule(name: str) -> None:
    path = instance("hhcrsp", f"{name}.json.gz")
    answer = solved(path, "hhcrsp", 2.0)
    assert answer.summary["objective"] == pytest.approx(hhcrsp_objective(load(path), answer.routes), abs=1e-3)


@pytest.mark.parametrize("name", ["i-116", "i-134", "i-185", "i-235"])
def test_unified_instances_keep_every_rule(name: str) -> None:
    path = instance("uhhc", f"{name}.json.gz")
    answer = solved(path, "uhhc", 2.0)
    assert answer.summary["objective"] == pytest.approx(uhhc_objective(load(path), answer.routes))


def test_rounds_in_both_conventions() -> None:
    path = instance("vrptw", "C101.txt")
    answer = solved(path, "solomon", 4.0)
    text = path.read_text(encoding="utf-8")
    assert solomon_values(text, answer.routes["distance"]["routes"], truncated=True)[1] == pytest.approx(
        827.3, abs=0.01
    )
    vehicles, real = solomon_values(text, answer.routes["vehicles"]["routes"], truncated=False)
    assert (vehicles, real) == (10, pytest.approx(828.94, abs=0.01))
    assert answer.summary["vehicles_then_distance"] == [10, pytest.approx(828.94, abs=0.01)]


def test_fewer_vehicles_are_looked_for_where_more_go_a_shorter_way() -> None:
    """East, west, east, west by their windows: two vehicles stay on their side, one can do it all."""
    many = 30
    at = np.array([0, *((10 + n % 7) * (-1) ** n for n in range(many))])
    ways = np.abs(at[:, None] - at).astype(np.int64)
    ready = np.arange(many + 1) * 40
    rounds = Rounds(
        distance=ways,
        duration=ways,
        load=np.minimum(np.arange(many + 1), 1),
        ready=ready,
        due=np.array([9999, *(ready[1:] + 5)]),
        service=np.zeros(many + 1, np.int64),
        capacity=99,
        vehicles=9,
    )
    short = shortest(rounds, seed=1, clock=monotonic, until=monotonic() + 0.5)
    assert short is not None
    assert len(short) == 2
    assert fewest_vehicles(rounds, seed=1, clock=monotonic, until=monotonic() + 3.0) == [list(range(1, many + 1))]


def test_one_vehicle_less_is_looked_for_until_it_is_found() -> None:
    """On the processor's time: what is found does not hang on who else is at work."""
    path = instance("vrptw", "r1_2_1.txt")
    rounds = solomon.real_rounds(solomon.read(path, read_bytes(path)))
    plan = fewest_vehicles(rounds, seed=1, clock=process_time, until=process_time() + 3.0)
    assert plan is not None
    assert solomon_values(path.read_text(encoding="utf-8"), plan, truncated=False)[0] <= 21


def test_the_command_writes_and_prints(tmp_path: Path) -> None:
    path, out = instance("hhcrsp", "A1.json.gz"), tmp_path / "plan.json"
    done = subprocess.run(
        [HUB, "plan", path, "--format", "hhcrsp", "--seconds", "3", "--threads", "2", "--out", out],
        capture_output=True,
        text=True,
        check=True,
    )
    printed = json.loads(done.stdout)
    assert printed["seconds"] > 2.0
    assert printed["objective"] == pytest.approx(218.1987, abs=1e-3)
    assert hhcrsp_objective(load(path), load(out)) == pytest.approx(218.1987, abs=1e-3)
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["none.json"], 1, "none.json: No such file"),
        (["bad.json"], 1, "bad.json: "),
        (["bad.json", "--format", "xml"], 2, "xml"),
        (["bad.json", "--format", "uhhc", "--explain", "v"], 2, "--explain"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, words: list[str], status: int, said: str) -> None:
    (tmp_path / "bad.json").write_text('{"visits": 1}', encoding="utf-8")
    done = subprocess.run([HUB, "plan", *words], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_starting_the_hub_does_not_bring_the_compiler() -> None:
    code = "import sys, hub.cli; print([one for one in ('numba', 'pyvrp', 'llvmlite') if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.long
@pytest.mark.timeout(0)
def test_all_public_instances_reach_what_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A, B 0 %, C to E 1.5 %, F, G 4 % of the best published; unified ones at most the published mean; rounds 0.5 %."""
    instance("hhcrsp", "published.csv")
    found = tmp_path / "found.json"
    words = ["planning", "--sets", "hhcrsp,uhhc,vrptw", "--seconds", "120", "--json", str(found)]
    monkeypatch.setattr(sys, "argv", words)
    planning.main()
    rows = json.loads(found.read_text(encoding="utf-8"))
    bounds = {"A": 0.01, "B": 0.01, "C": 1.5, "D": 1.5, "E": 1.5, "F": 4.0, "G": 4.0}
    for letter, bound in bounds.items():
        gaps = [row["gaps"]["best"] for row in rows["hhcrsp"] if row["instance"].startswith(letter)]
        assert sum(gaps) / len(gaps) <= bound, letter
    assert all(row["gaps"]["mean"] <= 0.0 for row in rows["uhhc"])
    distances = [row["gaps"]["distance"] for row in rows["vrptw"]]
    assert sum(distances) / len(distances) <= 0.5


def _two_services(sync: str | None, carers: int = 1, *, optional: bool = False) -> dict[str, Any]:
    """A patient with two services, and carers who can do both."""
    patient: dict[str, Any] = {
        "id": "p",
        "required_services": [{"service": "long", "duration": 40}, {"service": "short", "duration": 10}],
        "distance_matrix_index": 1,
        "time_windows": [{"start": 60, "end": 120}],
        "optional": optional,
    }
    if sync is not None:
        patient["synchronization"] = {
            "type": sync,
            **({"distance": {"min": 0, "max": 60}} if sync != "simultaneous" else {}),
        }
    if sync == "independent":
        patient["synchronization"].pop("distance")
    weights = {"travel_time": 1, "total_tardiness": 1, "total_waiting_time": 1, "optional_patients": 500}
    caregivers = [
        {
            "id": f"c{n}",
            "abilities": ["long", "short"],
            "departing_point": "d",
            "arrival_point": "d",
            "working_shift": {"start": 0, "end": 480},
            "lunch_break": False,
        }
        for n in range(carers)
    ]
    return {
        "metadata": {"cost_components": weights, "time_window_met": "at_service_start"},
        "distances": [[0, 20], [20, 0]],
        "terminal_points": [{"id": "d", "distance_matrix_index": 0}],
        "caregivers": caregivers,
        "patients": [patient],
        "services": [{"id": "long", "default_duration": 40}, {"id": "short", "default_duration": 10}],
    }


@pytest.mark.parametrize("optional", [False, True])
def test_one_carer_does_independent_services_one_after_the_other(tmp_path: Path, optional: bool) -> None:
    path = tmp_path / "one.json"
    given = _two_services("independent", carers=2, optional=optional)
    path.write_text(json.dumps(given), encoding="utf-8")
    answer = solved(path, "uhhc", 1.0)
    (route,) = answer.routes["routes"]
    assert [stop["service"] for stop in route["locations"]] in (["long", "short"], ["short", "long"])
    assert answer.summary["objective"] == uhhc_objective(given, answer.routes) == 40


@pytest.mark.parametrize("sync", ["simultaneous", "sequential"])
def test_only_independent_services_are_done_by_one_carer(tmp_path: Path, sync: str) -> None:
    path = tmp_path / "one.json"
    given = _two_services(sync, carers=2)
    path.write_text(json.dumps(given), encoding="utf-8")
    answer = solved(path, "uhhc", 1.0)
    assert len(answer.routes["routes"]) == 2
    assert answer.summary["objective"] == uhhc_objective(given, answer.routes)
    one = answer.routes["routes"][0]["locations"] + answer.routes["routes"][1]["locations"]
    alone = {"routes": [{"caregiver_id": "c0", "locations": sorted(one, key=lambda stop: stop["arrival_time"])}]}
    with pytest.raises(AssertionError):
        uhhc_objective(given, alone)


def test_nobody_is_visited_by_half(tmp_path: Path) -> None:
    """One of two services that nobody can do: the patient is left out whole."""
    path = tmp_path / "one.json"
    given = _two_services("independent", optional=True)
    given["caregivers"][0]["abilities"] = ["short"]
    path.write_text(json.dumps(given), encoding="utf-8")
    answer = solved(path, "uhhc", 1.0)
    assert answer.routes["routes"] == []
    assert answer.summary["optional_patients"] == 1
    assert answer.summary["objective"] == uhhc_objective(given, answer.routes) == 500
