"""After an outage they all come back in the same second, and each of them has something to say."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.clock import monotonic
from hub.embedded import EmbeddedPostgres
from tests.fixtures.brokers import Broker
from tests.fixtures.hub import RunningHub, load_sample
from tests.fixtures.ports import lasting_port
from tests.waiting import wait_until

MOST = 10_000
REPEAT_S = 15.0
CONTENT = b"AL_LTE,231126,184251,V,0.0,N,0.0,E,22.0,0,-1,0,100,11,0,0,00010000,1,1,334,020,1,2,100,0,5"


@pytest.fixture
def room() -> Iterator[None]:
    """Open files for both ends."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + 2_000
    if before[1] != resource.RLIM_INFINITY and before[1] < wanted:
        pytest.skip(f"only {before[1]} open files are allowed here, {wanted} are needed (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], wanted), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def hub(postgres: EmbeddedPostgres, embedded_broker: Broker, tmp_path: Path) -> Iterator[RunningHub]:
    world = load_sample(postgres.url, tmp_path, residents=100)
    hub = RunningHub(
        postgres.url,
        embedded_broker,
        tmp_path,
        world,
        {"HUB_LOG__LEVEL": "warning", "HUB_TCP__MAX_PER_ADDRESS": "20000"},
        http_port=lasting_port(),
        watch_port=lasting_port(),
    )
    try:
        hub.start()
        yield hub
    finally:
        hub.end()


async def _press(number: int, port: int, told: set[str], connections: list[int]) -> None:
    """A watch that has just got its network back: it connects, presses, and repeats until it is answered."""
    device_id = f"{7_000_000_000 + number}"
    frame = b"[3G*%s*%04X*%s]" % (device_id.encode(), len(CONTENT), CONTENT)
    wanted = b"[3G*%s*0002*AL]" % device_id.encode()
    while device_id not in told:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(1.0)
            continue
        connections[0] += 1
        try:
            writer.write(frame)
            async with asyncio.timeout(REPEAT_S):
                while await reader.readuntil(b"]") != wanted:
                    pass  # the hub asks it where it is
            told.add(device_id)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()


async def _all_at_once(port: int, devices: int) -> tuple[set[str], int, float]:
    told: set[str] = set()
    connections = [0]
    began = monotonic()
    async with asyncio.timeout(240), asyncio.TaskGroup() as group:
        for number in range(devices):
            group.create_task(_press(number, port, told, connections))
    return told, connections[0], monotonic() - began


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("room")
@pytest.mark.parametrize("devices", [1_000, pytest.param(MOST, marks=pytest.mark.long)])
def test_they_all_come_back_at_once(hub: RunningHub, devices: int) -> None:
    assert hub.watch_port is not None
    told, connections, seconds = asyncio.run(_all_at_once(hub.watch_port, devices))
    print(f"{len(told)} devices told in {seconds:.1f} s over {connections} connections")
    assert len(told) == devices
    stored = hub.rows("SELECT count(*) AS n, count(DISTINCT device_id) AS devices FROM alarms WHERE source = 'device'")
    assert stored == [{"n": devices, "devices": devices}]
    wait_until(lambda: hub._ready(), 30, what="the hub to be well afterwards")
    assert hub.hub("reconcile").returncode == 0
