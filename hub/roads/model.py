"""What a road network must be able to do, and how it fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from dispatch import Mode, Place

__all__ = ["RoadWay", "Roads", "RoadsError"]


class RoadWay(NamedTuple):
    """Metres and seconds on the road, without stairs and parking."""

    metres: float
    seconds: float


class RoadsError(Exception):
    """It did not answer. `code` is one of `dispatch.WHY_ESTIMATED`; the words are for the log."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


class Roads(Protocol):
    """A road network."""

    @property
    def name(self) -> str:
        """As it stands in the reasons people read."""

    def knows(self, mode: Mode) -> bool:
        """Whether it can tell the way of this mode at all."""

    def table(self, starts: Sequence[Place], end: Place, mode: Mode) -> Sequence[RoadWay | None]:
        """One way for each start, in order; None: no road there. RoadsError where it does not answer."""

    def close(self) -> None:
        """Lets its connections go."""
