"""A message on its way in: which connection brought it, and whether it was taken already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from hub.bridge.buffered import Publish
from hub.ports.records import Incoming

if TYPE_CHECKING:
    from hub.bridge.client import LaneClient

__all__ = ["Delivery", "Origin", "Repeats", "Route"]

Route = Callable[["Delivery", bool], Incoming]
"""Makes an `Incoming` of a delivery; the second argument is `dup`, judged by `Repeats`."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The connection a message came in by."""

    client: LaneClient
    generation: int
    session: int


class Delivery(Struct):
    """One message in line: a `Parcel` of an MQTT connection."""

    message: Publish
    origin: Origin
    received_at: datetime

    @property
    def source(self) -> LaneClient:
        return self.origin.client

    @property
    def early(self) -> bool:
        """With DUP it depends on what is committed by then."""
        return not self.message.dup

    def incoming(self) -> Incoming:
        return self.origin.client.incoming(self)


class Repeats:
    """Judges MQTT's DUP: a delivery is a repeat only of a message that was committed, in the same session, with the
    same id and the same bytes.

    A message that came and was not committed is no repeat when it comes again, and a process that has just started
    knows of none: in doubt it counts as a new press. Bounded by the message ids there are (65,535).
    """

    def __init__(self) -> None:
        self._taken: dict[int, tuple[int, int]] = {}
        """Message id to session and hash of what was committed."""

    def arrived(self, message: Publish) -> None:
        """Without DUP the broker has given the id to a new message."""
        if not message.dup and message.mid:
            self._taken.pop(message.mid, None)

    def committed(self, delivery: Delivery) -> None:
        self._taken[delivery.message.mid] = _print_of(delivery)

    def is_repeat(self, delivery: Delivery) -> bool:
        return delivery.message.dup and self._taken.get(delivery.message.mid) == _print_of(delivery)


def _print_of(delivery: Delivery) -> tuple[int, int]:
    return delivery.origin.session, hash((delivery.message.topic, delivery.message.payload))
