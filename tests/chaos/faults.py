"""What can go wrong, one method each: every one leaves a world behind in which all can come right again."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from hub.embedded import EmbeddedPostgres
from tests.chaos.fleet import Fleet
from tests.chaos.wire import Wire
from tests.fixtures.brokers import MosquittoBroker
from tests.fixtures.frozen import freeze, thaw
from tests.fixtures.hub import RunningHub

__all__ = ["FAKETIME", "Faults", "Sniffer", "mounted"]

FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
"""Debian's `faketime`; None where it is not installed."""


class Sniffer:
    """Hears what devices say by MQTT, and can say it again."""

    def __init__(self, broker: MosquittoBroker) -> None:
        self._heard: list[tuple[str, bytes]] = []
        self._guard = threading.Lock()
        self.said_again = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="hub")
        self._client.username_pw_set("hub", broker.url.split(":")[2].split("@")[0])
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("care/v1/+/up/#", qos=0)
        self._client.on_message = self._hear
        self._client.connect_async("127.0.0.1", broker.port)

    def __enter__(self) -> Sniffer:
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say_again(self, count: int, rng: random.Random) -> None:
        """Some of what was said, in any order and more than once."""
        with self._guard:
            heard = list(self._heard)
        for topic, payload in rng.choices(heard, k=count) if heard else ():
            self._client.publish(topic, payload, qos=1)
            self.said_again += 1

    def _hear(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        if message.topic.endswith("/alarm"):
            with self._guard:
                self._heard = [*self._heard[-500:], (message.topic, bytes(message.payload))]


@dataclass
class Faults:
    """`happened` counts what was done, by name."""

    rng: random.Random
    hub: RunningHub
    fleet: Fleet
    broker: MosquittoBroker
    postgres: EmbeddedPostgres
    sniffer: Sniffer
    wires: dict[str, Wire]
    """`database` and `broker` as the hub sees them, `devices`: the devices' way to the broker."""
    disk: Path | None
    """A small file system that holds the hub's data directory; None: none could be mounted."""
    clock: Path | None
    """The file that says how wrong the hub's clock is; None: it cannot be."""
    happened: dict[str, int] = field(default_factory=dict)

    def all(self) -> list[Callable[[], None]]:
        """Those that can be done here."""
        found = [
            self.hub_killed,
            self.broker_killed,
            self.broker_forgets,
            self.database_killed,
            self.database_stands_still,
            self.network_cut,
            self.network_half_open,
            self.slow_database,
            self.duplicates,
            self.hub_killed_in_the_dark,
        ]
        return found + ([self.disk_full] if self.disk else []) + ([self.clock_jumps] if self.clock else [])

    def one(self, fault: Callable[[], None]) -> None:
        name = fault.__name__
        self.happened[name] = self.happened.get(name, 0) + 1
        fault()

    def hub_killed(self) -> None:
        self.hub.kill()
        self.hub.launch()
        self._while(0.0, 2.5)

    def broker_killed(self) -> None:
        """What it had and did not save is lost with it."""
        self.broker.kill()
        self._while(0.0, 1.0)
        self.broker.restart()

    def broker_forgets(self) -> None:
        """Every session and whatever was queued is gone."""
        self.broker.stop()
        self.broker.forget()
        self.broker.restart()

    def database_killed(self) -> None:
        self._kill_database()
        self._while(0.0, 4.0)
        self.postgres.start()

    def database_stands_still(self) -> None:
        processes = freeze(self.postgres)
        try:
            self._while(0.5, 4.0)
        finally:
            thaw(processes)

    def network_cut(self) -> None:
        wire = self.rng.choice(list(self.wires.values()))
        wire.cut()
        self._while(0.2, 3.0)
        wire.restore()

    def network_half_open(self) -> None:
        """Nothing gets through and nobody is told; then it goes on, or breaks."""
        wire = self.rng.choice(list(self.wires.values()))
        wire.swallow()
        self._while(0.5, 4.0)
        wire.restore(fresh=self.rng.random() < 0.5)

    def slow_database(self) -> None:
        """The consumer takes what comes much more slowly than it comes."""
        self.wires["database"].slow(self.rng.uniform(0.02, 0.3))
        self._while(1.0, 3.0)
        self.wires["database"].restore()

    def duplicates(self) -> None:
        self.sniffer.say_again(self.rng.randint(20, 200), self.rng)

    def hub_killed_in_the_dark(self) -> None:
        """What it told from the journal is true after its death."""
        self._kill_database()
        self._while(1.5, 4.0)
        self.hub.kill()
        self.postgres.start()
        self.hub.launch()

    def disk_full(self) -> None:
        """The disk is full, and then the database is away as well."""
        assert self.disk is not None
        filler = self.disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(64 * 1024))
        try:
            self.database_stands_still()
        finally:
            filler.unlink()

    def clock_jumps(self) -> None:
        assert self.clock is not None
        off = timedelta(seconds=self.rng.choice([-5400, -300, -2, 0, 2, 300, 5400]))
        self.clock.write_text(f"{off.total_seconds():+.0f}\n")
        self._while(0.5, 1.5)

    def calm(self) -> None:
        """Everything that can be put right from outside is."""
        for wire in self.wires.values():
            wire.restore()
        if self.clock is not None:
            self.clock.write_text("+0\n")

    def _kill_database(self) -> None:
        assert self.postgres.pid is not None
        os.kill(self.postgres.pid, signal.SIGKILL)

    def _while(self, low: float, high: float) -> None:
        self.fleet.linger(self.rng.uniform(low, high))


def mounted(place: Path, megabytes: int) -> str | None:
    """Mounts a file system of that size; why not, where that is not possible."""
    place.mkdir(parents=True, exist_ok=True)
    try:
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(place)], capture_output=True, check=False
        )
    except OSError as error:
        return str(error)
    return made.stderr.decode().strip() if made.returncode else None
