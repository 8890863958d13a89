"""What a hub needs beside itself: a database and a broker, its own where none is configured."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Literal, Self

from hub.clock import monotonic
from hub.embedded.broker import EmbeddedBroker
from hub.embedded.lock import DataDirectoryLock, DirectoryTakenError
from hub.embedded.postgres import EmbeddedPostgres
from hub.errors import HubError, UnavailableError
from hub.settings import Settings

__all__ = ["EmbeddedServices", "Part", "embedded_database"]

log = logging.getLogger(__name__)

Part = Literal["database", "broker"]

LOOK_EVERY = 0.5
"""Seconds between two looks at the embedded parts."""
LONGEST_PAUSE = 30.0
"""Seconds between two attempts to start a part that keeps failing."""


class EmbeddedServices:
    """Holds the data directory and runs the parts that are not configured, from `start` to `stop`.

    A part that dies is started again on the same address. When the hub itself is killed the parts go on, and the next
    start finds them. `with EmbeddedServices(settings) as services:` starts and stops.
    """

    def __init__(self, settings: Settings, *, broker: bool = True) -> None:
        """`broker` False: this process speaks to no broker and needs none."""
        self._settings = settings
        self._lock = DataDirectoryLock(settings.data_dir)
        self._postgres = None if settings.database.url else EmbeddedPostgres(settings.data_dir)
        mqtt = settings.mqtt
        self._broker = (
            None
            if mqtt.url or not broker
            else EmbeddedBroker(settings.data_dir, port=mqtt.embedded_port, port_v5=mqtt.embedded_port_v5)
        )
        self._held: set[Part] = set()
        self._busy = threading.RLock()
        self._ending = threading.Event()
        self._watch: threading.Thread | None = None

    @property
    def embedded(self) -> frozenset[Part]:
        """The parts that this hub brings along."""
        found: dict[Part, object | None] = {"database": self._postgres, "broker": self._broker}
        return frozenset(part for part, own in found.items() if own is not None)

    @property
    def database_url(self) -> str:
        """`postgresql://…`, configured or embedded. It may hold a password: never log it."""
        if self._postgres is not None:
            return self._postgres.url
        assert self._settings.database.url is not None
        return self._settings.database.url.get_secret_value()

    @property
    def mqtt_url(self) -> str:
        """`mqtt://…` or `mqtts://…` for MQTT 3.1.1. It may hold a password: never log it."""
        return self._configured_broker() if self._broker is None else self._broker.url

    @property
    def mqtt_url_v5(self) -> str:
        """The same for MQTT 5: another port of the embedded broker, the same one of a configured broker."""
        return self._configured_broker() if self._broker is None else self._broker.url_v5

    @property
    def postgres(self) -> EmbeddedPostgres | None:
        """The embedded database, for backups and its superuser's URL."""
        return self._postgres

    def _configured_broker(self) -> str:
        assert self._settings.mqtt.url is not None
        return self._settings.mqtt.url.get_secret_value()

    def start(self) -> None:
        """Takes the directory, starts or finds the parts, and keeps them running.

        Raises DirectoryTakenError, SettingError, UnavailableError; what was started until then is ended again.
        """
        self._lock.take()
        try:
            with self._busy:
                for part in sorted(self.embedded):
                    self._start(part)
        except BaseException:
            self.stop()
            raise
        if self.embedded:
            self._ending.clear()
            self._watch = threading.Thread(target=self._keep_running, name="embedded-parts", daemon=True)
            self._watch.start()

    def stop(self) -> None:
        """Ends the parts, within 5 seconds, and lets the directory go."""
        self._ending.set()
        if self._watch is not None and self._watch is not threading.current_thread():
            self._watch.join(timeout=0.5)
            self._watch = None
        with self._busy:
            if self._broker is not None:
                self._broker.stop(0.5)
            if self._postgres is not None:
                self._postgres.stop(2.5)
        self._lock.release()

    def hold(self, part: Part) -> None:
        """Ends an embedded part and leaves it ended until `resume`: to show, or to test, what the hub does without."""
        with self._busy:
            self._held.add(part)
            self._stop(part)

    def resume(self, part: Part) -> None:
        """Starts a held part again, on the same address."""
        with self._busy:
            self._held.discard(part)
            self._start(part)

    def _start(self, part: Part) -> None:
        if part == "database" and self._postgres is not None:
            self._postgres.start()
        elif part == "broker" and self._broker is not None:
            self._broker.start()
        else:
            raise UnavailableError(f"the {part} is not embedded: it is not this hub's to start")

    def _stop(self, part: Part) -> None:
        if part == "database" and self._postgres is not None:
            self._postgres.stop()
        elif part == "broker" and self._broker is not None:
            self._broker.stop()
        else:
            raise UnavailableError(f"the {part} is not embedded: it is not this hub's to stop")

    def _runs(self, part: Part) -> bool:
        own = self._postgres if part == "database" else self._broker
        return own is not None and own.pid is not None

    def _keep_running(self) -> None:
        next_try: dict[Part, float] = {}
        pause: dict[Part, float] = {}
        while not self._ending.wait(LOOK_EVERY):
            for part in sorted(self.embedded):
                with self._busy:
                    if self._ending.is_set() or part in self._held or monotonic() < next_try.get(part, 0.0):
                        continue
                    if self._runs(part):
                        pause.pop(part, None)
                        continue
                    log.warning("the embedded %s has died; it is started again", part)
                    try:
                        self._start(part)
                    except (HubError, OSError) as error:
                        pause[part] = min(LONGEST_PAUSE, pause.get(part, 0.5) * 2)
                        next_try[part] = monotonic() + pause[part]
                        log.error("the embedded %s did not start: %s", part, error)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@contextmanager
def embedded_database(settings: Settings) -> Iterator[str]:
    """The database's URL for one command, beside a running hub or without one.

    Configured: that one. Embedded and a hub runs: that hub's. Embedded and none runs: started for the command alone.
    """
    if settings.database.url is not None:
        yield settings.database.url.get_secret_value()
        return
    lock = DataDirectoryLock(settings.data_dir)
    postgres = EmbeddedPostgres(settings.data_dir)
    try:
        lock.take()
    except DirectoryTakenError as taken:
        url = postgres.attach()
        if url is None:
            raise UnavailableError(f"{taken.detail.partition(';')[0]} and its database does not answer") from None
        yield url
        return
    try:
        yield postgres.start()
    finally:
        postgres.stop(2.5)
        lock.release()
