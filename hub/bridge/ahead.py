"""The pure part of a batch's work, done while the batch before it is being committed.

A lane has one thread. While the database works it would wait; instead it decodes what is next in line. Nothing is
decided early that could still change: what is prepared is settled, or not, in its own batch like everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from hub.ports.records import Incoming, Meanwhile, Outcome

__all__ = ["Ahead", "Early", "LookAhead"]

_SLICE = 5
"""Uplinks prepared before the database is looked after again: less than a tenth of a millisecond."""


class Ahead(Protocol):
    """A use case whose decoding can be done before the batch is taken."""

    def prepare(self, incoming: Incoming) -> object | None:
        """What `telemetry` takes in the uplink's place; None: not before its batch. Raises nothing."""
        ...

    def telemetry(self, batch: Sequence[Any], meanwhile: Meanwhile) -> list[Outcome]:
        """Takes a batch of uplinks and prepared ones mixed; `meanwhile` is called while the database works."""
        ...


class Early(Protocol):
    """What stands in line."""

    @property
    def early(self) -> bool:
        """Whether `incoming` gives now what it will give when the batch is made up."""
        ...

    def incoming(self) -> Incoming:
        """The uplink as the use case takes it. `device_id` "": it names no device."""
        ...


class LookAhead:
    """Prepared uplinks of the next batch. One thread alone calls it."""

    def __init__(self, ahead: Ahead, size: int) -> None:
        """`size`: uplinks of a batch, and so the most that is prepared."""
        self._ahead = ahead
        self._size = size
        self._until = 0
        self._prepared: dict[int, tuple[Early, object]] = {}
        """By identity; the uplink is kept beside it, so that nothing else can get its identity meanwhile."""

    def work(self, line: Sequence[Early]) -> bool:
        """Prepares a few more from the front of the line; False: there is nothing to do now.

        Other threads may lengthen the line or put another in its place; a piece that is not there is no harm.
        """
        start = self._until
        end = min(start + _SLICE, self._size, len(line))
        if start >= end:
            return False
        self._until = end
        for at in range(start, end):
            try:
                parcel = line[at]
            except IndexError:  # the line was cut short just now
                return False
            if parcel.early:
                incoming = parcel.incoming()
                if incoming.device_id and (prepared := self._ahead.prepare(incoming)) is not None:
                    self._prepared[id(parcel)] = (parcel, prepared)
        return True

    def made_up(self, batch: Sequence[Early]) -> list[Any]:
        """The batch as the use case takes it; what was prepared and is not in it is dropped."""
        prepared, self._prepared, self._until = self._prepared, {}, 0
        found = [prepared.get(id(parcel)) for parcel in batch]
        return [parcel.incoming() if one is None else one[1] for parcel, one in zip(batch, found, strict=True)]
