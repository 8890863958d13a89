"""All of them, one after the other: `make bench`, or

python -m benchmarks [--only alarms,telemetry,flood,…] [--brokers embedded,mosquitto] [--quick] [--json FILE]
python -m benchmarks --only endurance --minutes 60
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import (
    alarm_latency,
    codecs,
    connections,
    endurance,
    flood,
    node_red,
    observations,
    ranking,
    storage,
    supervision,
    telemetry,
)
from benchmarks.figures import table
from benchmarks.machine import facts, keep_to, load_average, mosquitto_version
from benchmarks.stage import BROKERS, has_broker, mosquitto_program, open_server, open_stage
from hub.store import migrate
from tests.fixtures.postgres import fresh_database

RESULTS = Path(__file__).parent / "results" / "local"
PARTS = ("alarms", "telemetry", "flood", "codecs", "connections", "observations", "storage", "supervision", "ranking")
ON_REQUEST = ("endurance",)
"""Longer than anybody waits for: only where it is named."""
FULL = {
    "presses": 300,
    "messages": 120_000,
    "peer_messages": 15_000,
    "burst": 10_000,
    "beside": 2_000,
    "arrays": 400,
    "codec_seconds": 3,
    "connections": 10_000,
    "idle_seconds": 65,
    "residents": 32,
    "questions": 60,
    "steady": 5_000,
}
QUICK = {
    "presses": 60,
    "messages": 8_000,
    "peer_messages": 3_000,
    "burst": 1_000,
    "beside": 500,
    "arrays": 80,
    "codec_seconds": 1,
    "connections": 1_000,
    "idle_seconds": 5,
    "residents": 16,
    "questions": 20,
    "steady": 1_000,
}
ITEMS = 100


def _words(text: str, allowed: tuple[str, ...]) -> list[str]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in allowed:
            raise SystemExit(f"{word}: there is only {', '.join(allowed)}")
    return words


def run(parts: list[str], brokers: list[str], sizes: dict[str, int], minutes: float = 60.0) -> dict[str, Any]:
    """Everything asked for, as it will be written down. `minutes`: of the part endurance."""
    keep_to()
    begun = time.monotonic()
    found: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "load_before": load_average()}
    if "codecs" in parts:
        found["codecs"] = codecs.measure(sizes["codec_seconds"])
    with open_server() as server:
        with psycopg.connect(server.admin_url) as connection:
            version = connection.execute("SHOW server_version").fetchone()
        program = mosquitto_program()
        found["machine"] = facts(version[0] if version else "", mosquitto_version(program) if program else None)
        for name in brokers:
            if not has_broker(name):
                print(f"{name}: is not installed, left out")
                continue
            # A broker of its own for each: it would keep for an earlier hub's session what the next one publishes.
            if "alarms" in parts:
                with open_stage(name, server) as stage:
                    found.setdefault("alarms", []).append(alarm_latency.measure(stage, sizes["presses"]))
            if "telemetry" in parts:
                with open_stage(name, server) as stage:
                    floor = telemetry.floor(stage, sizes["messages"])
                with open_stage(name, server) as stage:
                    single = telemetry.single(stage, sizes["messages"])
                with open_stage(name, server) as stage:
                    shared = telemetry.shared(stage, sizes["messages"])
                with open_stage(name, server) as stage:
                    arrays = telemetry.arrays(stage, sizes["arrays"], ITEMS)
                for one in (single, shared):
                    one["times_floor"] = round(one["per_second"] / floor["per_second"], 2)
                row = {"floor": floor, "single": single, "two processes": shared, "arrays": arrays}
                if missing := node_red.available():
                    print(f"{name}: without Node-RED beside it: {missing}")
                else:
                    with open_stage(name, server) as stage:
                        row["Node-RED"] = node_red.measure(stage, sizes["peer_messages"])
                    single["times_peer"] = round(single["per_second"] / row["Node-RED"]["per_second"], 2)
                found.setdefault("telemetry", []).append(row)
            if "flood" in parts:
                with open_stage(name, server) as stage:
                    beside = flood.beside(stage, sizes["presses"], float(sizes["beside"]))
                with open_stage(name, server) as stage:
                    burst = flood.burst(stage, sizes["burst"], sizes["burst"] / 10)
                with open_stage(name, server) as stage:
                    storm = flood.burst(stage, sizes["burst"], sizes["burst"] / 10, float(sizes["beside"]))
                found.setdefault("flood", []).append({"beside": beside, "burst": burst, "storm": storm})
        if "endurance" in parts:
            with open_stage(brokers[-1], server) as stage:
                found["endurance"] = endurance.measure(stage, minutes, float(sizes["steady"]))
        if "connections" in parts:  # by TCP: the broker has no part in it
            with open_stage(brokers[0], server) as stage:
                idle_s = float(sizes["idle_seconds"])
                found["connections"] = connections.measure(stage, sizes["connections"], idle_s, min(idle_s, 60.0))
        if "observations" in parts:
            with ExitStack() as stack:
                urls = {n: stack.enter_context(fresh_database(server, "template1")) for n in sizes_of_year(sizes)}
                found["observations"] = observations.measure(urls, sizes["questions"])
        if "supervision" in parts:
            found["supervision"] = supervision.measure(server)
        if "ranking" in parts:
            with fresh_database(server, "template1") as url:
                migrate(url)
                found["ranking"] = ranking.measure(url=url, folder=RESULTS)
        if "storage" in parts:
            with fresh_database(server, "template1") as url:
                found["storage"] = storage.measure(url)
    found["seconds"] = round(time.monotonic() - begun)
    return found


def sizes_of_year(sizes: dict[str, int]) -> list[int]:
    """Three numbers of residents, each four times the one before."""
    return [sizes["residents"] // 16, sizes["residents"] // 4, sizes["residents"]]


def show(found: dict[str, Any]) -> str:
    """The tables people read."""
    machine = found["machine"]
    lines = [
        f"{machine['cpu']}, {machine['cores_used']} of {machine['cores']} cores, {machine['ram_gb']} GB,"
        f" Linux {machine['kernel']}, Python {machine['python']}, PostgreSQL {machine['postgresql']},"
        f" Mosquitto {machine['mosquitto']}; load before {found['load_before']}; {found['seconds']} s",
    ]
    if "alarms" in found:
        rows = [
            [f"{one['broker']}: {name.replace('_', ' ')}", *_times(one[name]), one["p99_ratio"] if last else ""]
            for one in found["alarms"]
            for name, last in _ALARM_ROWS.items()
        ]
        lines += ["", table(["alarm (ms)", "n", "p50", "p90", "p99", "max", "x floor p99"], rows)]
        lines += [f"{one['broker']}: hub CPU {one['hub_cpu_ms_per_press']} ms a press" for one in found["alarms"]]
    if "telemetry" in found:
        head = ["telemetry", "messages", "s", "messages/s", "values/s", "x floor", "batch"]
        rows = [_throughput(name, part) for one in found["telemetry"] for name, part in one.items()]
        lines += ["", table([*head, "us load", "us broker", "us taker", "us database"], rows)]
        lines += [
            f"{one['single']['broker']}: {one['single']['times_peer']} times Node-RED {one['Node-RED']['version']}"
            for one in found["telemetry"]
            if "Node-RED" in one
        ]
    if "flood" in found:
        rows = [
            [f"{one['broker']}: {what}, {name.replace('_', ' ')}", *_times(one[name])]
            for pair in found["flood"]
            for what, one in (
                (f"beside {pair['beside']['uplinks_per_second']:.0f} uplinks/s", pair["beside"]),
                (f"{pair['burst']['presses']} in {pair['burst']['pressed_in_s']} s", pair["burst"]),
                (
                    f"{pair['storm']['presses']} in {pair['storm']['pressed_in_s']} s"
                    f" beside {pair['storm']['uplinks_per_second']:.0f} uplinks/s",
                    pair["storm"],
                ),
            )
            for name in ("publish_to_told", "publish_to_page")
        ]
        lines += ["", table(["alarms (ms)", "n", "p50", "p90", "p99", "max"], rows)]
    if "connections" in found:
        one = found["connections"]
        lines += [
            "",
            f"{one['connected']} of {one['connections']} watches connected in {one['connecting_s']} s,"
            f" {one['lost']} lost;"
            f" the hub's memory {one['memory_before_mb']} MB before, {one['memory_idle_mb']} MB with them"
            f" ({one['kb_a_connection']} kB each), {one['memory_pressed_mb']} MB after the presses;"
            f" {one['idle_cpu_share']} of a core for their heartbeats",
            f"{one['answered']} of {one['pressed']} presses answered, {one['alarms_kept']} kept",
            table(
                ["ms", "n", "p50", "p90", "p99", "max"],
                [
                    [name, *(one[part][key] for key in ("n", "p50_ms", "p90_ms", "p99_ms", "max_ms"))]
                    for name, part in (("LK to its answer", "beats"), ("AL to its answer", "answers"))
                ],
            ),
        ]
    if "codecs" in found:
        rows = [
            [name, one["per_second"], one.get("us", ""), one.get("bytes", "")] for name, one in found["codecs"].items()
        ]
        lines += ["", table(["decoded", "messages/s", "us", "bytes"], rows)]
    if "observations" in found:
        head = ["a year of records", "records", "MB", "points", "pages", "p50 ms", "p95 ms", "max ms"]
        rows = [
            [f"{one['residents']}: {one['question']}"]
            + [one[key] for key in ("records", "database_mb", "points", "pages", "p50_ms", "p95_ms", "max_ms")]
            for one in found["observations"]
        ]
        lines += ["", table(head, rows)]
    if "supervision" in found:
        one = found["supervision"]
        head = [f"{one['devices']} supervised", "looks/s", "hub CPU s/min", "database CPU s/min", "incidents"]
        rows = [
            [
                name,
                *(one[part][key] for key in ("looks_per_second", "hub_cpu_s_per_minute", "database_cpu_s_per_minute")),
                one[part].get("incidents", 0),
            ]
            for name, part in (("all well", "steady"), ("a carrier silent", "carrier"), ("back again", "back"))
        ]
        lines += ["", table(head, rows), f"memory at its peak {one['peak_mb']} MB"]
    if "ranking" in found:
        one = found["ranking"]
        names = ["rank_p50_ms", "rank_p99_ms", "rank_all_able_p50_ms", "judge_everybody_p50_ms", "ask_p50_ms"]
        lines += ["", table([f"{one['people']} people ranked", *names], [["ms", *(one[name] for name in names)]])]
    if "endurance" in found:
        one = found["endurance"]
        first, last = one["samples"][0], one["samples"][-1]
        rows = [
            [name, first[name], last[name], one["mb_an_hour"][name], one["cores_used"][name]]
            for name in one["mb_an_hour"]
        ]
        head = [f"{one['uplinks_per_second']:.0f} uplinks/s, {one['minutes']:g} min", "first MB", "last MB", "MB/hour"]
        lines += ["", table([*head, "cores"], rows)]
        lines += [f"{one['committed']} committed, {one['lost']} lost, the sender {one['sender']['behind_s']} s behind"]
    for one in found.get("storage", ()):
        plain = one["plain_gb_a_day"]
        rows = [[name, size, plain.get(name, "")] for name, size in one["compressed_gb_a_day"].items()]
        head = ["3,333 values/s, " + one["form"], "compressed GB/day", "plain GB/day"]
        lines += [
            "",
            table(head, rows),
            f"aim {one['aim_gb_a_day']}; bytes of a value: " + _listed(one["column_bytes"]),
        ]
        if one["ledger_bytes_a_key"]:
            lines.append("bytes of a key of the ledger: " + _listed(one["ledger_bytes_a_key"]))
    return "\n".join(lines)


_ALARM_ROWS = {
    "floor_echo": False,
    "floor_commit": False,
    "floor": False,
    "publish_to_told": False,
    "publish_to_page": True,
}


def _listed(numbers: dict[str, float]) -> str:
    return ", ".join(f"{name} {number}" for name, number in numbers.items())


def _times(part: dict[str, float]) -> list[float]:
    return [part[name] for name in ("n", "p50_ms", "p90_ms", "p99_ms", "max_ms")]


def _throughput(name: str, part: dict[str, Any]) -> list[Any]:
    cpu = part["cpu_us"]
    values = [part.get(key, "") for key in ("observations_per_second", "times_floor", "batch")]
    taker = sum(cpu.get(one, 0) for one in (*telemetry.TAKERS, "subscriber", "peer"))
    used = [part["load_cpu_us"], cpu["broker"], round(taker, 1), cpu.get("database", "")]
    return [f"{part['broker']}: {name}", part["messages"], part["seconds"], part["per_second"], *values, *used]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="The hub beside its floors.")
    parser.add_argument("--only", default=",".join(PARTS), help=",".join((*PARTS, *ON_REQUEST)))
    parser.add_argument("--minutes", type=float, default=60.0, help="of the part endurance")
    parser.add_argument("--brokers", default=",".join(BROKERS), help="embedded,mosquitto")
    parser.add_argument("--quick", action="store_true", help="a fifth of everything: whether it runs at all")
    parser.add_argument("--json", type=Path, help="where the figures go (benchmarks/results/local/…)")
    args = parser.parse_args()
    parts, brokers = _words(args.only, (*PARTS, *ON_REQUEST)), _words(args.brokers, BROKERS)
    found = run(parts, brokers, QUICK if args.quick else FULL, args.minutes)
    print(show(found))
    place: Path = args.json or RESULTS / f"{found['at'].replace(':', '')}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\nwritten to {place}")


if __name__ == "__main__":
    main()
