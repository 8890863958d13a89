"""A console's open stream, and a device on the broker."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from simulators.sender import AlarmSender
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

__all__ = ["Event", "Stream", "listening", "sender"]

Event = tuple[str, str | None, dict[str, Any]]
"""Name, cursor, data."""


class Stream:
    """Server-sent events as they come, read in a thread of its own."""

    def __init__(self, response: httpx.Response) -> None:
        self.events: list[Event] = []
        self.ended = threading.Event()
        self._response = response
        self._thread = threading.Thread(target=self._read, name="stream", daemon=True)
        self._thread.start()

    def wait(self, name: str, wanted: Callable[[dict[str, Any]], bool], seconds: float = 10.0) -> dict[str, Any]:
        """The first event of that name with such data."""

        def found() -> dict[str, Any] | None:
            return next((data for had, _, data in list(self.events) if had == name and wanted(data)), None)

        return wait_until(lambda: found() or {}, seconds, what=f"{name}; came: {[one[0] for one in self.events]}")

    def close(self) -> None:
        line = self._response.extensions["network_stream"].get_extra_info("socket")
        with suppress(OSError):  # the hub may have been first
            line.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def _read(self) -> None:
        name, ident = "", None
        try:
            for line in self._response.iter_lines():
                word, _, rest = line.partition(": ")
                if word == "event":
                    name = rest
                elif word == "id":
                    ident = rest
                elif word == "data":
                    self.events.append((name, ident, json.loads(rest)))
                    ident = None
        except httpx.HTTPError:
            pass
        finally:
            self.ended.set()


@contextmanager
def listening(client: httpx.Client, cursor: str | None = None) -> Iterator[Stream]:
    """An open stream from `cursor` on."""
    params = {} if cursor is None else {"cursor": cursor}
    with client.stream("GET", "/api/v1/stream", params=params, timeout=httpx.Timeout(10, read=None)) as response:
        assert response.status_code == 200
        stream = Stream(response)
        try:
            yield stream
        finally:
            stream.close()


@contextmanager
def sender(hub: RunningHub, device_id: str, *, run: str = "p", ledger: Path | None = None) -> Iterator[AlarmSender]:
    """A care/v1 device that repeats every alarm until it is told."""
    address = urlsplit(hub.broker.device_url(device_id))
    with AlarmSender(
        f"mqtt://{address.hostname}:{address.port}",
        device_id,
        password=address.password,
        ledger=ledger,
        run=run,
        repeat_s=(0.5, 1.0),
    ) as found:
        yield found
