"""Devices and who wears them, kept in memory: an alarm can be read and say whose it is while the database is away, and
need not ask for its device first while it is there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from hub.clock import Clock
from hub.errors import HubError
from hub.ports.records import DeviceRow, Json
from hub.store.postgres import PostgresDatabase
from hub.store.session import as_json, statement

__all__ = ["Remembered"]

_EVERY_S = 600.0
_RETRY_S = 10.0
_AT_ONCE = 2_000

_log = logging.getLogger(__name__)


class Remembered:
    """Residents and devices, read at the start and every ten minutes, a few thousand rows at a time."""

    def __init__(
        self,
        database: PostgresDatabase,
        clock: Clock,
        every_s: float = _EVERY_S,
        also: Callable[[], None] = lambda: None,
    ) -> None:
        """`also`: whatever else must be read again as often."""
        self._database = database
        self._clock = clock
        self._also = also
        self._every_s = every_s
        self._residents: dict[str, Json] = {}
        self._devices: dict[str, DeviceRow] = {}
        self._read_at = datetime.min.replace(tzinfo=UTC)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="remembered", daemon=True)

    def resident(self, resident_id: str) -> Json | None:
        """`{"id", "name", "phone", "address", "area_id"}` as last read."""
        return self._residents.get(resident_id)

    def device(self, device_id: str) -> tuple[datetime, DeviceRow] | None:
        """As last read, and when."""
        row = self._devices.get(device_id)
        return None if row is None else (self._read_at, row)

    def start(self) -> None:
        self._thread.start()

    def request_stop(self) -> None:
        """Does not wait; the thread ends with what it is reading."""
        self._stopping.set()

    def read(self) -> None:
        """Everything once. UnavailableError: what was read before stays."""
        read_at = self._clock()
        residents = {row["id"]: row for row in self._rows("remember_residents")}
        profiles: dict[str, Json] = {}
        devices: dict[str, DeviceRow] = {}
        for row in self._rows("remember_devices"):
            # Thousands have the same one.
            row["profile"] = profiles.setdefault(as_json(row["profile"]), row["profile"])
            devices[row["id"]] = DeviceRow(**row)
        if not self._stopping.is_set():
            self._residents, self._devices, self._read_at = residents, devices, read_at

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = self._every_s
            try:
                self.read()
                self._also()
            except HubError as error:
                _log.info("who wears what is read again later: %s", error.detail)
                pause = _RETRY_S
            except Exception:
                _log.exception("who wears what could not be read")
            self._stopping.wait(pause)

    def _rows(self, block: str) -> Iterator[Json]:
        after = ""
        while not self._stopping.is_set():
            (rows,) = self._database.ask("aside", statement(block, after=after, limit=_AT_ONCE))
            yield from rows
            if len(rows) < _AT_ONCE:
                return
            after = rows[-1]["id"]
