"""The embedded parts together: one hub a directory, found again after a kill, started again when they die."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from hub.embedded import DataDirectoryLock, DirectoryTakenError, EmbeddedServices, embedded_database
from hub.embedded.broker import answers_connect
from hub.embedded.processes import alive
from hub.errors import SettingError, UnavailableError
from hub.settings import Settings, load_settings
from tests.embedded.folders import copy_cluster
from tests.waiting import wait_until


@pytest.fixture
def settings(one_cluster: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in {
        "HUB_DATA_DIR": str(open_folder / "hub-data"),
        "HUB_MQTT__EMBEDDED_PORT": "0",
        "HUB_MQTT__EMBEDDED_PORT_V5": "0",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(open_folder)
    (open_folder / "hub-data").mkdir(mode=0o700)
    copy_cluster(one_cluster, open_folder / "hub-data")
    return load_settings()


def answers(services: EmbeddedServices) -> bool:
    try:
        with psycopg.connect(services.database_url, connect_timeout=2):
            return answers_connect("127.0.0.1", int(services.mqtt_url.rpartition(":")[2]))
    except psycopg.OperationalError:
        return False


def test_start_and_end_leave_no_process(settings: Settings) -> None:
    services = EmbeddedServices(settings)
    with services:
        assert services.embedded == {"database", "broker"}
        assert answers(services)
        assert services.postgres is not None
        pids = [services.postgres.pid, services._broker.pid if services._broker else None]
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert all(pid is not None and not alive(pid) for pid in pids)


def test_only_what_is_not_configured_is_embedded(
    settings: Settings, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settings
    monkeypatch.setenv("HUB_DATABASE__URL", empty_database_url)
    monkeypatch.setenv("HUB_MQTT__URL", "mqtt://hub:word@broker.example:1883")
    with EmbeddedServices(load_settings()) as services:
        assert services.embedded == frozenset()
        assert services.database_url == empty_database_url
        assert services.mqtt_url == services.mqtt_url_v5 == "mqtt://hub:word@broker.example:1883"
        with pytest.raises(UnavailableError, match="not embedded"):
            services.hold("database")
    with embedded_database(load_settings()) as url:
        assert url == empty_database_url


def test_two_hubs_never_share_a_directory(settings: Settings) -> None:
    first = DataDirectoryLock(settings.data_dir)
    first.take()
    try:
        with pytest.raises(DirectoryTakenError, match=rf"HUB_DATA_DIR: .* \(process {os.getpid()}\)") as taken:
            EmbeddedServices(settings).start()
        assert taken.value.extra["pid"] == os.getpid()
    finally:
        first.release()
    again = DataDirectoryLock(settings.data_dir)
    again.take()
    again.release()


def test_a_folder_that_cannot_be_made_is_named(settings: Settings) -> None:
    shutil.rmtree(settings.data_dir)
    settings.data_dir.write_text("a file, not a folder")
    with pytest.raises(SettingError, match="HUB_DATA_DIR: cannot use the folder"):
        EmbeddedServices(settings).start()


def run_hub() -> tuple[subprocess.Popen[str], dict[str, str]]:
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("serve_embedded.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    told: dict[str, str] = json.loads(process.stdout.readline())
    return process, told


def close(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.wait(15)
    process.stdout.close()


def test_a_killed_hub_leaves_its_parts_and_the_next_one_finds_them(settings: Settings) -> None:
    first, told = run_hub()
    with pytest.raises(DirectoryTakenError, match=f"process {first.pid}"):
        EmbeddedServices(settings).start()
    with embedded_database(settings) as url:
        assert url == told["database"], "a command beside the hub uses the hub's database"
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept (n int)")
    first.kill()
    close(first)

    port = int(told["mqtt"].rpartition(":")[2])
    assert answers_connect("127.0.0.1", port), "the broker outlives its hub"
    second = EmbeddedServices(settings)
    with second:
        assert {"database": second.database_url, "mqtt": second.mqtt_url} == told
        with psycopg.connect(second.database_url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        pids = [second.postgres.pid if second.postgres else None, second._broker.pid if second._broker else None]
    assert all(pid is not None and not alive(pid) for pid in pids)


def test_a_hub_that_ends_takes_its_parts_along(settings: Settings) -> None:
    hub, told = run_hub()
    close(hub)
    assert not answers_connect("127.0.0.1", int(told["mqtt"].rpartition(":")[2]))
    with embedded_database(settings) as url:
        assert url == told["database"]


def test_a_part_that_dies_is_started_again_on_its_address(settings: Settings) -> None:
    with EmbeddedServices(settings) as services:
        before = (services.database_url, services.mqtt_url, services.mqtt_url_v5)
        assert services.postgres is not None
        assert services._broker is not None
        pids = (services.postgres.pid, services._broker.pid)
        for pid in pids:
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: (services.postgres and services.postgres.pid) not in {None, pids[0]}, what="a new database")
        wait_until(lambda: answers(services), what="both parts")
        assert (services.database_url, services.mqtt_url, services.mqtt_url_v5) == before


def connect_and_vanish(port: int, client_id: bytes) -> None:
    """A CONNECT whose sender resets the line before the answer, as on a bad mobile link."""
    body = b"\x00\x04MQTT\x04\x02\x00\x0a" + len(client_id).to_bytes(2, "big") + client_id
    with socket.create_connection(("127.0.0.1", port), timeout=2) as line:
        line.sendall(bytes([0x10, len(body)]) + body)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_broker_that_a_flaky_device_has_made_deaf_is_started_again(settings: Settings) -> None:
    with EmbeddedServices(settings) as services:
        assert services._broker is not None
        before, port = services._broker.pid, int(services.mqtt_url.rpartition(":")[2])

        def broken() -> bool:
            with contextlib.suppress(OSError):
                connect_and_vanish(port, b"w1")
            assert services._broker is not None
            return services._broker.pid != before

        # Should the broker have learnt to live with this, the test and `broker_process.BREAKS` can go.
        wait_until(broken, 20, what="the broker to break")
        wait_until(lambda: answers(services), what="the broker to serve again")
        assert int(services.mqtt_url.rpartition(":")[2]) == port


def test_a_held_part_stays_away_until_it_is_wanted(settings: Settings) -> None:
    with EmbeddedServices(settings) as services:
        url = services.database_url
        services.hold("database")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=2)
        services.resume("database")
        assert services.database_url == url
        assert answers(services)
