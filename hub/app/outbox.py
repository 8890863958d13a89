"""What waits to leave for devices, as the bridge wants it: the outbox rows of the database, and a bell for them."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from hub.clock import utc_now
from hub.ports import OutboxRow
from hub.service import CommandDesk
from hub.store import Listener, PostgresDatabase

__all__ = ["Outbox", "wake_outbox"]


class Outbox:
    """The outbox rows of channel "device", for the bridge."""

    def __init__(self, database: PostgresDatabase, commands: CommandDesk, *, mute: bool = False) -> None:
        """`mute`: nothing is ever claimed; rows run out where they are."""
        self._mute = mute
        self._database = database
        self._commands = commands
        self.wake = threading.Event()

    def claim(self, limit: int) -> Sequence[OutboxRow]:
        if self._mute:
            return ()
        with self._database.begin() as tx:
            return tx.outbox.claim("device", utc_now(), limit, retry_after=timedelta(seconds=15))

    def families(self, device_ids: Collection[str]) -> Mapping[str, str]:
        with self._database.begin() as tx:
            return {row.id: row.family for row in tx.devices.get_many(device_ids).values()}

    def hasten(self, device_ids: Collection[str]) -> None:
        self._commands.hasten(sorted(device_ids))

    def tidy(self) -> None:
        self._commands.tidy()

    def sent(self, row_ids: Sequence[int]) -> None:
        self._commands.left(row_ids)

    def failed(self, row_id: int, error: str, *, final: bool) -> None:
        self._commands.put_off(row_id, error, final=final)


def wake_outbox(listener: Listener, outbox: Outbox, stopping: threading.Event) -> None:
    while not stopping.is_set():
        if listener.wait(1.0):
            outbox.wake.set()
