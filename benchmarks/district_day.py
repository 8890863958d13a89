"""A district's day through the real service path: rows in PostgreSQL, the planner's own process, plans made real.

python -m benchmarks.district_day [--seconds 420] [--visits 3000] [--carers 300] [--kitchens 99] [--replans 6] [--json
FILE]

Wall times are those of whoever waits: from asking for a plan to its being ready in the database, from publishing to
the commit, from reporting what happened to the plan around it. Beside the plan the nearest-carer plan of the same day.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import threading
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.figures import table
from benchmarks.machine import load_average
from benchmarks.stage import open_server
from dispatch import SERVICE_KINDS, HaversineTravel
from hub.clock import new_id
from hub.jobs import DayPlansJob
from hub.ports import Actor, Json
from hub.service import Services, build_services
from hub.service.day_services import DayServices
from hub.store import Listener, PostgresDatabase, migrate, seed_catalogue

DAY = date(2026, 11, 23)
ZONE_H = 8
ACTOR = Actor(kind="system", name="benchmark")


def _at(minute: float) -> datetime:
    return datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) - timedelta(hours=ZONE_H) + timedelta(minutes=minute)


class Clock:
    """The time of the made-up day; it runs on from where it is put."""

    def __init__(self) -> None:
        self.put(-600)

    def put(self, minute: float) -> None:
        self._begun, self._from = time.monotonic(), _at(minute)

    def __call__(self) -> datetime:
        return self._from + timedelta(seconds=time.monotonic() - self._begun)


def _rows(options: argparse.Namespace) -> dict[str, list[Json]]:
    """A district: towns, homes, kitchens, carers of all kinds on shifts, orders; more than can be done at noon."""
    rng = random.Random(1)
    towns = [(31.9 + rng.uniform(0, 0.27), 118.6 + rng.uniform(0, 0.32)) for _ in range(109)]

    def near(town: tuple[float, float], spread: float = 0.006) -> dict[str, float]:
        return {"lat": round(rng.gauss(town[0], spread), 6), "lon": round(rng.gauss(town[1], spread * 1.18), 6)}

    found: dict[str, list[Json]] = {name: [] for name in ("areas", "stations", "residents", "responders", "crews")}
    found |= {"shifts": [], "orders": []}
    found["areas"] = [{"id": "X", "kind": "district", "name": "样区"}]
    found["areas"] += [{"id": f"G{n}", "parent_id": "X", "kind": "community", "name": f"社区{n}"} for n in range(109)]
    for n in range(options.kitchens):
        found["stations"].append(
            {
                "id": f"K{n}",
                "kind": "meal_point",
                "name": f"助餐点{n}",
                "area_id": f"G{n % 109}",
                **near(towns[n % 109], 0.002),
            }
        )
    meals, bathing = int(options.carers * 0.33), int(options.carers * 0.17) // 2
    plain = []
    for n in range(options.carers):
        skills, kind, mode, shift = ["care", "companionship"], "carer", "bike", (450, 990)
        if n < meals:
            skills, kind, shift = ["meal_delivery"], "courier", (600, 840)
        elif n < meals + 2 * bathing:
            skills, mode = ["bathing"], "van"
            if n % 2 == 0:
                crew = {"id": f"V{n // 2}", "name": f"助浴车{n // 2}", "members": [f"S{n}", f"S{n + 1}"]}
                found["crews"].append(crew)
        else:
            skills += ["housekeeping"] + (["nursing"] if rng.random() < 0.3 else [])
            plain.append(f"S{n}")
        # A pair is of one sex: it bathes residents of its own.
        sex = "fm"[(n // 2) % 3 == 0] if mode == "van" else rng.choice("ffm")
        found["responders"].append(
            {
                "id": f"S{n}",
                "name": f"员工{n}",
                "kind": kind,
                "sex": sex,
                "mode": mode,
                "skills": [{"skill": skill, "expires_on": None} for skill in skills],
                "station_id": f"K{n % options.kitchens}",
                "area_ids": [],
            }
        )
        begins, ends = shift
        found["shifts"].append(
            {"id": new_id(), "responder_id": f"S{n}", "role": kind, "starts_at": _at(begins), "ends_at": _at(ends)}
        )
    for n in range(options.visits):
        town = rng.randrange(109)
        found["residents"].append(
            {
                "id": f"R{n}",
                "name": f"老人{n}",
                "sex": rng.choice("ffm"),
                "phone": f"139{n:08d}",
                "area_id": f"G{town}",
                "regular_responders": rng.sample(plain, 2),
                **near(towns[town]),
            }
        )
        draw = rng.random()
        kind, opens, wide, minutes = (
            "companionship",
            rng.choice([480, 540, 600, 660, 780, 840]),
            rng.choice([60, 120]),
            45,
        )
        if draw < 0.6:
            kind, opens, wide, minutes = "meal_delivery", 660, 90, 4
        elif draw < 0.63:
            kind, opens, wide, minutes = "bathing", rng.choice([480, 600, 780]), 180, 60
        elif draw > 0.95:
            kind = "nursing_visit"
        order = {"kind": kind, "resident_id": f"R{n}", "wanted_from": _at(opens), "wanted_to": _at(opens + wide)}
        found["orders"].append({**order, "duration_min": minutes})
    return found


def _fill(database: PostgresDatabase, services: Services, rows: dict[str, list[Json]]) -> list[str]:
    with database.begin() as tx:
        for name in ("areas", "stations", "residents", "responders", "crews", "shifts"):
            tx.reference.upsert(name, rows[name])
    return [services.care.create_order(row, ACTOR) for row in rows["orders"]]


class _Memory(threading.Thread):
    """The most memory that this process and its children had at once, in MB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0.0
        self._stop_asked = threading.Event()

    def run(self) -> None:
        while not self._stop_asked.wait(0.2):
            self.most = max(self.most, _mb(os.getpid()) + sum(_mb(pid) for pid in _planners()))

    def end(self) -> float:
        self._stop_asked.set()
        self.join()
        return self.most


def _mb(pid: int) -> float:
    """Of one process alone; what it shares counts by its share."""
    try:
        rolled = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it has just ended
        return 0.0
    found = re.search(r"^Pss:\s*(\d+) kB", rolled, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def _planners() -> list[int]:
    """Processes of planners that this process started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            mine = entry.name.isdigit() and b"hub.planning.child" in (entry / "cmdline").read_bytes()
            if mine and f"PPid:\t{os.getpid()}\n" in (entry / "status").read_text():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _cpu_s() -> float:
    """Seconds of a core that hub and planners have used; the database is not among them."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = time.process_time()
    for pid in _planners():
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        found += (int(fields[11]) + int(fields[12])) / ticks
    return found


def _ready(database: PostgresDatabase, plan_id: str) -> Any:
    while True:
        with database.begin() as tx:
            row = tx.day_plans.get(plan_id)
        assert row is not None
        if row.state != "running":
            assert row.state == "ready", row.reason
            return row
        time.sleep(0.02)


def _events(database: PostgresDatabase, services: Services, plan_id: str, rng: random.Random, n: int) -> list[Json]:
    """What happens at ten: somebody is ill, an urgent visit, somebody is late."""
    with database.begin() as tx:
        routes = [one for one in tx.day_plans.routes([plan_id]) if one.crew_id is None and len(one.stops) > 4]
    if n % 3 == 0:
        return [{"kind": "ill", "responder_id": rng.choice(routes).responder_id, "from": _at(600)}]
    if n % 3 == 1:
        resident = f"R{rng.randrange(500)}"
        order = services.care.create_order(
            {
                "kind": "companionship",
                "resident_id": resident,
                "wanted_from": _at(660),
                "wanted_to": _at(720),
                "duration_min": 30,
            },
            ACTOR,
        )
        return [{"kind": "urgent", "order_id": order}]
    later = [stop.visit_id for one in routes for stop in one.stops[1:-1] if _at(630) < stop.start_at < _at(840)]
    return [{"kind": "late", "visit_id": rng.choice(later), "minutes": 30}]


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Plans, publishes and changes a day; the figures."""
    clock, rng = Clock(), random.Random(7)
    with open_server() as server:
        url = server.url
        migrate(url)
        with PostgresDatabase(url) as database:
            with database.begin() as tx:
                seed_catalogue(tx.reference, SERVICE_KINDS.values())
            services = build_services(
                database,
                clock=clock,
                new_id=new_id,
                codecs={},
                travel=HaversineTravel(),
                sample=lambda _id: False,
                hash_secret=lambda secret: secret,
            )
            _fill(database, services, _rows(options))
            with Listener(url, ["care_hub_day_plans"]) as listener:
                job = DayPlansJob(services.day.planning, wake=listener.wait)
                memory = _Memory()
                memory.start()
                job.start()
                try:
                    found = _measure(database, services, services.day, clock, rng, options)
                finally:
                    job.request_stop()
                    listener.close()
                    job.stop()
                    found_mb = memory.end()
    return {**found, "memory_mb": round(found_mb), "load": load_average()}


def _measure(
    database: PostgresDatabase,
    services: Services,
    day: DayServices,
    clock: Clock,
    rng: random.Random,
    options: argparse.Namespace,
) -> dict[str, Any]:
    begun = time.monotonic()
    plan_id = day.plans.ask(DAY, [], [], options.seconds, ACTOR)
    row = _ready(database, plan_id)
    planned_s = time.monotonic() - begun
    begun = time.monotonic()
    day.publishing.publish(plan_id, ACTOR, accepted=True)
    published_s = time.monotonic() - begun
    clock.put(600)
    took, changes, used = [], [], []
    for n in range(options.replans + 1):
        events = _events(database, services, plan_id, rng, n)
        begun, cpu = time.monotonic(), _cpu_s()
        again = day.replans.replan(DAY, events, ACTOR, wait_s=60)
        replanned = _ready(database, again)
        took.append(time.monotonic() - begun)
        used.append(_cpu_s() - cpu)
        changes.append(replanned.counts["changes"])
        print(f"{events[0]['kind']:>8}  {took[-1]:.2f} s  {used[-1]:.2f} cpu s  {changes[-1]} changes", flush=True)
    return {
        "visits": options.visits,
        "carers": options.carers,
        "planned_s": round(planned_s, 1),
        "published_s": round(published_s, 2),
        "first_replan_s": round(took[0], 2),
        "replan_s": [round(one, 2) for one in took[1:]],
        "replan_median_s": round(statistics.median(took[1:]), 2),
        "replan_cpu_s": [round(one, 2) for one in used[1:]],
        "changes": changes,
        "plan": dict(row.cost),
        "nearest": dict(row.baseline),
        "counts": dict(row.counts),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=420.0)
    parser.add_argument("--visits", type=int, default=3000)
    parser.add_argument("--carers", type=int, default=300)
    parser.add_argument("--kitchens", type=int, default=99)
    parser.add_argument("--replans", type=int, default=6)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = run(options)
    names = ("planned_visits", "travel_min", "late_min", "waiting_min", "total")
    lines = [[name, found["plan"][name], found["nearest"][name]] for name in names]
    print(table(["", "plan", "nearest carer"], lines))
    for name in ("planned_s", "published_s", "first_replan_s", "replan_s", "replan_cpu_s", "memory_mb", "load"):
        print(f"{name}: {found[name]}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
