"""What a benchmark stands on: a durable database, a broker, a running hub, and processes of our own around them."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from hub.embedded import EmbeddedBroker, EmbeddedPostgres
from hub.store.migrate import migrate
from hub.store.postgres import PostgresDatabase
from tests.fixtures.brokers import SYSTEM_PATH, MosquittoBroker
from tests.fixtures.hub import RunningHub, load_sample

__all__ = [
    "BROKERS",
    "DEVICES",
    "Child",
    "Stage",
    "StageBroker",
    "has_broker",
    "mosquitto_program",
    "open_server",
    "open_stage",
    "settle",
]

BROKERS = ("embedded", "mosquitto")
CLIENTS = ("bench-load", "bench-sink", "bench-send")
"""Connections of our own: the load, a plain subscriber, a plain sender."""
DEVICES = 1_000
"""Watches `B-0000` …, each of a resident of its own."""


class StageBroker(Protocol):
    user_per_connection: bool

    @property
    def url(self) -> str:
        """For the hub."""

    def url_for(self, client_id: str) -> str:
        """For one of `CLIENTS`, which may read and write everything."""

    @property
    def pid(self) -> int | None: ...


class _Embedded:
    user_per_connection = False

    def __init__(self, folder: Path) -> None:
        self._broker = EmbeddedBroker(folder)
        self.url = self._broker.start()

    def url_for(self, client_id: str) -> str:
        del client_id  # it checks no credentials
        return self.url

    @property
    def pid(self) -> int | None:
        return self._broker.pid

    def stop(self) -> None:
        self._broker.stop()


class _Mosquitto(MosquittoBroker):
    """With the site's configuration: persistence, one user a connection."""

    def url_for(self, client_id: str) -> str:
        return self.device_url(client_id)

    def _write_configuration(self) -> None:
        super()._write_configuration()
        with (self._folder / "acl").open("a", encoding="utf-8") as rules:
            rules.writelines(f"\nuser {name}\ntopic readwrite #\n" for name in CLIENTS)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None


def mosquitto_program() -> str | None:
    """Where Mosquitto is installed, if it is."""
    return shutil.which("mosquitto", path=SYSTEM_PATH)


def has_broker(name: str) -> bool:
    return name == "embedded" or mosquitto_program() is not None


class Child:
    """`python -m benchmarks.…` that says "ready" and is spoken to in lines."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{module}", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        """The next line; RuntimeError where the process ended instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"benchmarks.{self._module}: ended with status {self._process.wait(10)}")
        return line

    def wait_ready(self) -> None:
        line = self.hear()
        if line != "ready":
            raise RuntimeError(f"benchmarks.{self._module}: {line}")

    def result(self) -> Any:
        return json.loads(self.hear())

    def finish(self) -> Any:
        """Ends its input and gives its last line."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        found = self.result()
        self._process.wait(10)
        return found

    @property
    def pid(self) -> int:
        return self._process.pid

    def end(self) -> None:
        """Whatever state it is in."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                stream.close()
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(10)


@dataclass
class Stage:
    """One broker beside the database, in a folder that goes afterwards."""

    folder: Path
    server: EmbeddedPostgres
    broker_name: str
    broker: StageBroker

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a fresh database of the durable server."""
        name = f"bench_{secrets.token_hex(4)}"
        with psycopg.connect(self.server.admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER hub").format(sql.Identifier(name)))
        try:
            yield urlunsplit(urlsplit(self.server.url)._replace(path=f"/{name}"))
        finally:
            with psycopg.connect(self.server.admin_url, autocommit=True) as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def hub(self, **settings: str) -> Iterator[RunningHub]:
        """`hub serve` on a fresh database with the sample community and `DEVICES` watches, ready."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        with self.database() as url:
            migrate(url)
            world = load_sample(url, folder)
            _add_watches(url)
            hub = RunningHub(url, self.broker, folder, world, settings)  # type: ignore[arg-type]
            try:
                hub.start()
                yield hub
            finally:
                hub.end()

    @contextmanager
    def bridges(self) -> Iterator[list[RunningHub]]:
        """As `hub`, with a second bridge process beside it that shares the telemetry; both are ready."""
        with self.hub(HUB_MQTT__NODES="2", HUB_MQTT__NODE="0") as hub:
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            settings = {"HUB_MQTT__NODES": "2", "HUB_MQTT__NODE": "1"}
            second = RunningHub(hub.database_url, hub.broker, folder, hub.world, settings, only="bridge")
            try:
                second.start()
                yield [hub, second]
            finally:
                second.end()

    @contextmanager
    def child(self, module: str, *arguments: str) -> Iterator[Child]:
        child = Child(module, *arguments)
        try:
            yield child
        finally:
            child.end()


def _add_watches(url: str) -> None:
    with PostgresDatabase(url) as database, database.begin() as tx:
        residents = tx.session.connection.execute(
            "SELECT id, area_id FROM residents WHERE lat IS NOT NULL ORDER BY id LIMIT %s", [DEVICES]
        ).fetchall()
        if len(residents) < DEVICES:
            raise RuntimeError(
                f"the sample community has {len(residents)} residents with a place, {DEVICES} are needed"
            )
        tx.reference.upsert(
            "devices",
            [
                {
                    "id": f"B-{number:04d}",
                    "family": "care",
                    "name": "智能手表",
                    "model": "watch",
                    "resident_id": resident["id"],
                    "area_id": resident["area_id"],
                    "profile": {"kind": "watch"},
                }
                for number, resident in enumerate(residents)
            ],
        )


@contextmanager
def open_stage(broker_name: str, server: EmbeddedPostgres) -> Iterator[Stage]:
    """Starts the broker, with free ports; ends it and removes its folder."""
    folder = Path(tempfile.mkdtemp(prefix="care-hub-bench-"))
    broker = _Embedded(folder) if broker_name == "embedded" else _Mosquitto(folder)
    try:
        yield Stage(folder, server, broker_name, broker)
    finally:
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def open_server() -> Iterator[EmbeddedPostgres]:
    """The hub's own PostgreSQL, durable (fsync on), in a folder that goes afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="care-hub-bench-"))
    server = EmbeddedPostgres(folder, durable=True)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def settle(seconds: float) -> None:
    """Lets the machine come to rest between two measurements."""
    time.sleep(seconds)
