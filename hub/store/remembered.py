"""Who wears what, kept in memory: so that an alarm can say whose it is while the database is away."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

from hub.errors import HubError
from hub.ports.records import Json
from hub.store.postgres import PostgresDatabase
from hub.store.session import statement

__all__ = ["Remembered"]

_EVERY_S = 600.0
_RETRY_S = 10.0
_AT_ONCE = 2_000

_log = logging.getLogger(__name__)


class Remembered:
    """Residents by device, read at the start and every ten minutes, a few thousand rows at a time."""

    def __init__(
        self, database: PostgresDatabase, every_s: float = _EVERY_S, also: Callable[[], None] = lambda: None
    ) -> None:
        """`also`: whatever else must be read again as often."""
        self._database = database
        self._also = also
        self._every_s = every_s
        self._residents: dict[str, Json] = {}
        self._wearers: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="remembered", daemon=True)

    def resident(self, resident_id: str) -> Json | None:
        """`{"id", "name", "phone", "address", "area_id"}` as last read."""
        return self._residents.get(resident_id)

    def wearer(self, device_id: str) -> str | None:
        """The resident of a device."""
        return self._wearers.get(device_id)

    def start(self) -> None:
        self._thread.start()

    def request_stop(self) -> None:
        """Does not wait; the thread ends with what it is reading."""
        self._stopping.set()

    def read(self) -> None:
        """Everything once. UnavailableError: what was read before stays."""
        residents = {row["id"]: row for row in self._rows("remember_residents")}
        wearers = {row["id"]: row["resident_id"] for row in self._rows("remember_wearers")}
        if not self._stopping.is_set():
            self._residents, self._wearers = residents, wearers

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
            (rows,) = self._database.ask("feed", statement(block, after=after, limit=_AT_ONCE))
            yield from rows
            if len(rows) < _AT_ONCE:
                return
            after = rows[-1]["id"]
