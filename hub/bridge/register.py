"""Whom a connection may speak as: the devices that were added, asked for many at a time.

After an outage thousands of devices come back within seconds. One question to the database is under way at a time; all
who ask meanwhile go into the next one together.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Mapping

from hub.clock import monotonic
from hub.errors import UnavailableError
from hub.ports.commands import DeviceConflict
from hub.ports.records import DeviceRow

__all__ = ["FindDevices", "NoteConflict", "Register"]

FindDevices = Callable[[Collection[str]], Mapping[str, DeviceRow]]
"""Rows of the devices there are. May read the database (it runs beside the loop); UnavailableError: ask later."""

NoteConflict = Callable[[DeviceConflict], None]
"""Keeps, for people to see, that an id is used from two places. May write to the database; runs beside the loop."""

_AT_ONCE = 500
_NOTE_EVERY_S = 60.0
_ASK_AGAIN_S = 5.0
"""A database that was away is not asked again so soon: each connection would wait for it, alarm in hand."""

_log = logging.getLogger(__name__)


class Register:
    """For one gateway, on its loop's thread."""

    def __init__(self, find: FindDevices | None, note: NoteConflict | None) -> None:
        self._find = find
        self._note = note
        self._asked: dict[str, asyncio.Future[DeviceRow | None]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._away_until = float("-inf")
        self._noted: dict[str, float] = {}
        self._notes: set[asyncio.Future[None]] = set()

    async def find(self, device_id: str) -> DeviceRow | None:
        """The device's row, None where nobody added it. UnavailableError: it cannot be known now."""
        if self._find is None:
            return None
        if monotonic() < self._away_until:
            raise UnavailableError("the database was away a moment ago")
        answer = self._asked.get(device_id)
        if answer is None:
            answer = self._asked[device_id] = asyncio.get_running_loop().create_future()
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(answer)

    async def _ask(self) -> None:
        assert self._find is not None
        try:
            while self._asked:
                ids = list(self._asked)[:_AT_ONCE]
                waiting = {device_id: self._asked.pop(device_id) for device_id in ids}
                try:
                    found = await asyncio.to_thread(self._find, ids)
                except BaseException as error:
                    unknown = error if isinstance(error, UnavailableError) else UnavailableError(repr(error))
                    self._away_until = monotonic() + _ASK_AGAIN_S
                    # Who has queued up meanwhile, too: a press in a first frame must not wait for another try.
                    waiting |= self._asked
                    self._asked.clear()
                    for answer in waiting.values():
                        answer.set_exception(unknown)
                        answer.exception()  # whoever asked may be gone by now
                    if not isinstance(error, Exception):
                        raise
                    if not isinstance(error, UnavailableError):
                        _log.exception("whether devices are known could not be found out; they are let in")
                else:
                    for device_id, answer in waiting.items():
                        answer.set_result(found.get(device_id))
        finally:
            self._asking = None

    def note(self, conflict: DeviceConflict, now: float) -> None:
        """Keeps a conflict, each device's at most once a minute. `now`: monotonic seconds."""
        if self._note is None or now - self._noted.get(conflict.device_id, -_NOTE_EVERY_S) < _NOTE_EVERY_S:
            return
        self._noted[conflict.device_id] = now
        if len(self._noted) > 10_000:
            self._noted = {one: at for one, at in self._noted.items() if now - at < _NOTE_EVERY_S}
        note = asyncio.ensure_future(asyncio.to_thread(self._keep, conflict))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    def _keep(self, conflict: DeviceConflict) -> None:
        assert self._note is not None
        try:
            self._note(conflict)
        except UnavailableError as error:
            _log.warning("device %s is used from two places, and that could not be kept: %s", conflict.device_id, error)
        except Exception:
            _log.exception("device %s is used from two places, and that could not be kept", conflict.device_id)

    async def close(self) -> None:
        """Lets what is under way end."""
        for task in [*self._notes, *([self._asking] if self._asking else [])]:
            with contextlib.suppress(asyncio.CancelledError, TimeoutError):
                await asyncio.wait_for(asyncio.shield(task), 0.5)
