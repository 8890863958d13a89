"""What it costs to supervise 150,000 devices, and what happens when a third of them fall silent at once.

The devices report every one and every five minutes, the clock is virtual: a virtual second after the other, whoever is
due for a look is looked at. That devices were heard is written beside the measurement (telemetry pays for it), only the
supervision itself is counted: CPU seconds of this process and of PostgreSQL a virtual minute, memory, looks a second.

    python -m benchmarks.supervision [--devices 150000] [--minutes 10]
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.machine import cpu_seconds, keep_to, load_average
from benchmarks.stage import open_server
from dispatch import HaversineTravel
from hub.clock import new_id
from hub.embedded import EmbeddedPostgres
from hub.service import build_services
from hub.store import PostgresDatabase, migrate

__all__ = ["measure"]

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
CARRIERS = 3
BATCH = 1000


class _Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def _fill(url: str, devices: int) -> None:
    """Two thirds report every five minutes, a third each minute; three carriers; each was heard within its interval."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO devices (id, family, interval_s, upstream, last_seen_at, online, created_at)"
            " SELECT 'd' || lpad(n::text, 6, '0'), 'care', CASE WHEN n %% 3 = 0 THEN 60 ELSE 300 END,"
            " 'carrier-' || n %% %(carriers)s / 1,"
            " %(at)s - random() * CASE WHEN n %% 3 = 0 THEN 60 ELSE 300 END * interval '1 second', true, %(at)s"
            " FROM generate_series(1, %(devices)s) AS n",
            {"devices": devices, "at": START, "carriers": CARRIERS},
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


_HEARD = (
    "UPDATE devices d SET last_seen_at = %(now)s - random() * d.interval_s * interval '1 second'"
    " FROM device_watch w WHERE w.device_id = d.id AND w.check_at <= %(now)s AND d.upstream <> ALL (%(silent)s)"
)


def measure(server: EmbeddedPostgres, devices: int = 150_000, minutes: int = 10) -> dict[str, Any]:
    """One run on a database of its own."""
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bench_supervision OWNER hub")
    url = urlunsplit(urlsplit(server.url)._replace(path="/bench_supervision"))
    migrate(url)
    clock = _Clock()
    with PostgresDatabase(url) as database, psycopg.connect(url, autocommit=True) as heard:
        services = build_services(
            database,
            clock=clock,
            new_id=new_id,
            codecs={},
            travel=HaversineTravel(),
            sample=lambda _id: False,
            hash_secret=str,
        )
        services.profiles.seed()
        _fill(url, devices)
        clock.now = START
        found: dict[str, Any] = {"devices": devices, "virtual_minutes": minutes, "load": load_average()}
        run = _Run(services, clock, heard, server)
        # The first look at everybody, as after a start.
        run.seconds(1)
        found["first_look_s"] = round(run.wall, 2)
        run.reset()
        run.seconds(minutes * 60)
        found["steady"] = run.figures(minutes)
        run.reset()
        run.silent = ["carrier-1"]
        run.seconds(600)
        found["carrier"] = {**run.figures(10), **run.incidents(url), "silent": run.found_silent}
        run.reset()
        run.silent = []
        run.seconds(360)
        found["back"] = {**run.figures(6), **run.incidents(url), "heard_again": run.came_back}
        found["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return found


class _Run:
    """Virtual seconds, and what their supervision cost."""

    def __init__(self, services: Any, clock: _Clock, heard: psycopg.Connection[Any], server: EmbeddedPostgres) -> None:
        self._supervising = services.supervising
        self._clock = clock
        self._heard = heard
        self._server = server.pid
        self.silent: list[str] = []
        self.reset()

    def reset(self) -> None:
        self.wall = self.cpu = self.database = self.longest = 0.0
        self.looks = self.found_silent = self.came_back = 0

    def seconds(self, count: int) -> None:
        for second in range(count):
            if second % 5 == 0:
                self._supervising.beat("bench", {"mqtt": True, "tcp": True})
            self._heard.execute(_HEARD, {"now": self._clock.now, "silent": self.silent})
            before, cpu, began = self._used(), time.process_time(), time.perf_counter()
            while True:
                started = time.perf_counter()
                done = self._supervising.run_once(BATCH)
                self.longest = max(self.longest, time.perf_counter() - started)
                self.looks += done.looked_at
                self.found_silent += done.silent
                self.came_back += done.back
                if done.looked_at < BATCH:
                    break
            self.wall += time.perf_counter() - began
            self.cpu += time.process_time() - cpu
            self.database += self._used() - before
            self._clock.now += timedelta(seconds=1)

    def _used(self) -> float:
        return cpu_seconds({"database": self._server})["database"]

    def figures(self, minutes: int) -> dict[str, Any]:
        return {
            "looks_per_second": round(self.looks / minutes / 60),
            "hub_cpu_s_per_minute": round(self.cpu / minutes, 2),
            "database_cpu_s_per_minute": round(self.database / minutes, 2),
            "busy_s_per_minute": round(self.wall / minutes, 2),
            "longest_run_ms": round(self.longest * 1000),
        }

    @staticmethod
    def incidents(url: str) -> dict[str, Any]:
        with psycopg.connect(url) as connection:
            rows = connection.execute("SELECT subject, state FROM incidents ORDER BY opened_at").fetchall()
        return {"incidents": len(rows), "subjects": [f"{subject} {state}" for subject, state in rows][:5]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=150_000)
    parser.add_argument("--minutes", type=int, default=10)
    given = parser.parse_args()
    keep_to()
    with open_server() as running:
        print(json.dumps(measure(running, given.devices, given.minutes), indent=2))
