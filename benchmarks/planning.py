"""The planner on the public instances, beside what is published for each of them.

python -m benchmarks.planning [--sets hhcrsp,uhhc,vrptw,district] [--only A,B] [--seconds 120] [--threads 2] [--seed
1] [--json FILE]

Each instance is a run of `hub plan` as a user starts it, with its wall time; each answer is judged by the tests' own
checkers. The instances are not part of the project: they are read from `../shared/data`, and what is absent is left
out and said so.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import table
from tests.planning.day_check import broken_rules
from tests.planning.days import district, disturbed
from tests.planning.public_check import hhcrsp_objective, load, solomon_values, uhhc_objective

DATA = Path(__file__).parents[2] / "shared" / "data"
SETS = ("hhcrsp", "uhhc", "vrptw", "district")
HUB = Path(sys.executable).parent / "hub"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _gap(value: float, published: str | None) -> float | None:
    return 100 * (value / float(published) - 1) if published else None


def _shown(gap: float | None) -> str:
    return "-" if gap is None else f"{gap:+.2f} %"


def plan(path: Path, kind: str, options: argparse.Namespace, seconds: float) -> tuple[Any, Any, float]:
    """Runs the command; gives what it wrote, what it printed, and the wall time."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "plan.json"
        words = [str(HUB), "plan", str(path), "--format", kind, "--seconds", str(seconds), "--out", str(out)]
        begun = time.monotonic()
        done = subprocess.run(
            [*words, "--threads", str(options.threads), "--seed", str(options.seed)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return json.loads(out.read_text(encoding="utf-8")), json.loads(done.stdout), time.monotonic() - begun


def _instances(folder: str, ending: str, only: list[str]) -> Iterator[tuple[str, Path]]:
    for path in sorted((DATA / folder).glob(f"*{ending}")):
        name = path.name.removesuffix(ending)
        if not only or any(name.startswith(word) for word in only):
            yield name, path


def hhcrsp(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Mankowska et al. 2014."""
    published = {row["alias"]: row for row in _rows(DATA / "hhcrsp" / "published.csv")}
    methods = {"best": "best_verified", "brkga": "brkga_mp_ipr_mean15", "kummer": "kummer2019_best"}
    methods |= {"lasfargeas": "lasfargeas2019_best", "2014": "mankowska2014_best"}
    found = []
    for name, path in _instances("hhcrsp", ".json.gz", options.only):
        answer, _, wall = plan(path, "hhcrsp", options, options.seconds)
        value = hhcrsp_objective(load(path), answer)
        gaps = {method: _gap(value, published[name].get(column)) for method, column in methods.items()}
        found.append({"instance": name, "value": round(value, 3), "wall": round(wall, 1), "gaps": gaps})
        _say(found[-1])
    return found


def uhhc(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Ceschia et al. 2026."""
    published = {row["instance"]: row for row in _rows(DATA / "uhhc" / "published_sa.csv")}
    found = []
    for name, path in _instances("uhhc", ".json.gz", options.only):
        answer, _, wall = plan(path, "uhhc", options, options.seconds)
        value = uhhc_objective(load(path), answer)
        gaps = {method: _gap(value, published[name].get(f"{method}_cost")) for method in ("mean", "best")}
        found.append({"instance": name, "value": value, "wall": round(wall, 1), "gaps": gaps})
        _say(found[-1])
    return found


def vrptw(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Solomon, and Gehring and Homberger; half of the time asked for, at most 60 s."""
    published = {row["instance"].lower(): row for row in _rows(DATA / "vrptw" / "bks.csv")}
    found = []
    for name, path in _instances("vrptw", ".txt", options.only):
        answer, _, wall = plan(path, "solomon", options, min(60.0, options.seconds))
        text, row = path.read_text(encoding="utf-8"), published[name.lower()]
        _, truncated = solomon_values(text, answer["distance"]["routes"], truncated=True)
        vehicles, real = solomon_values(text, answer["vehicles"]["routes"], truncated=False)
        gaps = {
            "distance": _gap(truncated, row["bks_distance_1dec_trunc"]),
            "then real": _gap(real, row["sintef_distance"]),
        }
        found.append({"instance": name, "value": round(truncated, 1), "wall": round(wall, 1), "gaps": gaps})
        found[-1]["vehicles"] = (vehicles, int(row["sintef_vehicles"]))
        print(f"{name:>10}  {vehicles} vehicles where {row['sintef_vehicles']} are the fewest known")
        _say(found[-1])
    return found


def whole_district(options: argparse.Namespace) -> list[dict[str, Any]]:
    """3,000 visits, 300 carers, 99 kitchens: planned, then planned again in 5 s after somebody fell ill."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.json"
        problem = district()
        path.write_text(json.dumps(problem), encoding="utf-8")
        answer, printed, wall = plan(path, "json", options, options.seconds)
        assert broken_rules(problem, answer) == []
        ill = next(one["responder"] for one in answer["routes"] if len(one["stops"]) > 5 and "crew" not in one)
        later = disturbed(problem, answer, now=600, ill=ill, urgent=3)
        path.write_text(json.dumps(later), encoding="utf-8")
        again, reprinted, rewall = plan(path, "json", options, 5.0)
        assert broken_rules(later, again) == []
        for name, summary, took in (("planned", printed, wall), ("re-planned", reprinted, rewall)):
            cost, nearest = summary["cost"], summary["baseline"]
            gaps = {"nearest carer": _gap(cost["total"], str(nearest["total"]))}
            parts = {key: (cost[key], nearest[key]) for key in ("planned_visits", "travel_min", "late_min")}
            found.append(
                {"instance": name, "value": cost["total"], "wall": round(took, 1), "gaps": gaps, "parts": parts}
            )
            _say(found[-1])
    return found


def _say(row: dict[str, Any]) -> None:
    gaps = "  ".join(f"{name} {_shown(gap)}" for name, gap in row["gaps"].items())
    print(f"{row['instance']:>10}  {row['value']:>12}  {row['wall']:>6} s  {gaps}", flush=True)


def main() -> None:
    """Runs what was asked for and prints a table a set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--only", type=lambda text: text.split(","), default=[])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    parts = {"hhcrsp": hhcrsp, "uhhc": uhhc, "vrptw": vrptw, "district": whole_district}
    found: dict[str, Any] = {}
    for name in options.sets.split(","):
        if name != "district" and not (DATA / name).is_dir():
            print(f"{name}: {DATA / name} is not there, left out")
            continue
        print(f"\n{name}", flush=True)
        rows = found[name] = parts[name](options)
        if not rows:
            continue
        methods = list(rows[0]["gaps"])
        lines = [
            [row["instance"], row["value"], row["wall"], *(_shown(row["gaps"][m]) for m in methods)] for row in rows
        ]
        means = []
        for method in methods:
            known = [row["gaps"][method] for row in rows if row["gaps"][method] is not None]
            means.append(_shown(sum(known) / len(known) if known else None))
        print(table(["instance", "value", "wall s", *methods], [*lines, ["mean", "", "", *means]]))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
