"""The database's own disk fills up: what is pressed meanwhile is told from the journal, and is there afterwards."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import psycopg
import pytest

from hub.embedded import EmbeddedPostgres
from hub.store.migrate import migrate
from tests.chaos.faults import mounted
from tests.e2e.live import sender
from tests.fixtures.brokers import Broker
from tests.fixtures.hub import RunningHub, load_sample
from tests.fixtures.ports import lasting_port
from tests.waiting import wait_until

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

MEGABYTES = 400
DEVICE = "W-002"


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small file system that the database has for itself."""
    place = Path(tempfile.mkdtemp(prefix="care-hub-disk-"))
    if problem := mounted(place, MEGABYTES):
        pytest.skip(f"no file system can be mounted here: {problem}")
    place.chmod(0o755)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        shutil.rmtree(place, ignore_errors=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(64 * 1024))
    return filler


def test_presses_while_the_databases_disk_is_full(disk: Path, embedded_broker: Broker, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    postgres = EmbeddedPostgres(disk, durable=True)
    with ExitStack() as stack:
        stack.callback(postgres.stop)
        postgres.start()
        migrate(postgres.url)
        world = load_sample(postgres.url, tmp_path, residents=200)
        hub = RunningHub(postgres.url, embedded_broker, tmp_path, world, http_port=lasting_port())
        stack.callback(hub.end)
        hub.start()

        def dark() -> bool:
            return httpx.get(f"{hub.base_url}/readyz", timeout=15).json()["bridge"]["dark"] is not None

        watch = stack.enter_context(sender(hub, DEVICE, ledger=ledger))
        refs = [watch.press("sos")]
        assert watch.wait(refs[0], "received", 20)[-1] == "received"
        filler = fill(disk)
        # Room that was reserved lasts for a while: a new segment of the write-ahead log is what it cannot get.
        for _ in range(20):
            with suppress(psycopg.Error), psycopg.connect(postgres.admin_url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_logical_emit_message(true, 'fill', repeat('x', 1000000)), pg_switch_wal()"
                )
        for kind in ("fall", "smoke", "sos"):
            refs.append(watch.press(kind))
            assert watch.wait(refs[-1], "received", 30)[-1] == "received"
        assert dark(), "the database went on although its disk is full"

        filler.unlink()
        postgres.start()
        wait_until(lambda: not dark(), 60, what="the journal to be taken over")
        refs.append(watch.press("sos"))
        assert watch.wait(refs[-1], "received", 30)[-1] in ("received", "hold")
        stored = hub.rows("SELECT ref FROM alarms WHERE device_id = %s ORDER BY received_at", DEVICE)
        assert [row["ref"] for row in stored] == refs
        assert hub.hub("reconcile", "--sent", str(ledger)).returncode == 0
        assert hub.stop() == 0
