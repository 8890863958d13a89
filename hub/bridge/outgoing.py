"""What a lane publishes: kept over reconnects until the broker has it, a bounded number at a time."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from hub.bridge.buffered import BufferedClient

__all__ = ["Done", "Outgoing"]

Done = Callable[[str | None], None]
"""Told once about a published message: None, the broker has it; else why it never will."""

_WINDOW = 1_000
"""Our own messages that may wait for the broker's PUBACK."""

_log = logging.getLogger(__name__)


class Outgoing:
    """`add` may be called from any thread, everything else from the lane's. `mute`: nothing ever leaves."""

    def __init__(self, client: BufferedClient, name: str, *, mute: bool = False) -> None:
        self._mute = mute
        self._client = client
        self._name = name
        self._line: deque[tuple[str, bytes, Done | None, bool]] = deque()
        self._in_flight: dict[int, Done | None] = {}
        client.on_publish = self._acknowledged

    @property
    def busy(self) -> bool:
        """Whether the broker does not have everything yet."""
        return bool(self._line or self._in_flight)

    def add(self, topic: str, payload: bytes, done: Done | None = None, *, retain: bool = False) -> None:
        if self._mute:
            _tell(done, "in the shadow of another centre nothing leaves")
            return
        self._line.append((topic, payload, done, retain))

    def pump(self) -> None:
        """Hands paho what fits; after a reconnect paho itself sends again what the broker has not acknowledged."""
        while self._line and len(self._in_flight) < _WINDOW:
            topic, payload, done, retain = self._line.popleft()
            try:
                sent = self._client.publish(topic, payload, qos=1, retain=retain)
            except ValueError as error:
                _log.error("%s: cannot publish to %r: %s", self._name, topic, error)
                _tell(done, f"cannot publish to {topic!r}: {error}")
                continue
            self._in_flight[sent.mid] = done

    def end(self) -> None:
        """The lane ends: whoever waits is told."""
        for done in self._in_flight.values():
            _tell(done, "the hub stopped before the broker had it")
        self._in_flight.clear()
        while self._line:
            _tell(self._line.popleft()[2], "the hub stopped before it was sent")

    def _acknowledged(self, _client: Any, _userdata: Any, mid: int, _reason: Any, _properties: Any) -> None:
        _tell(self._in_flight.pop(mid, None), None)


def _tell(done: Done | None, error: str | None) -> None:
    if done is not None:
        done(error)
