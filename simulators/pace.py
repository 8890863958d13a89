"""The simulators' clock: wall time on the wire, scenario time for everything a scenario paces.

Scenario time runs `speed` times faster than wall time. What a protocol times (an alarm's repeat after 5 to 20 s, a
reconnect) stays in wall time: a faster demonstration must not make devices more impatient than real ones are.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["Pace"]


class Pace:
    """Scenario seconds since `start()`, and the wall clock that stamps messages. Both sources can be replaced."""

    def __init__(
        self,
        speed: float = 1.0,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] | None = None,
    ) -> None:
        if not 0.01 <= speed <= 10_000:
            raise ValueError(f"speed is {speed}; it must lie between 0.01 and 10000")
        self.speed = speed
        self._monotonic = monotonic
        self._wall = wall or _utc_now
        self._origin = monotonic()
        self._wall_origin = self._wall()

    def start(self) -> None:
        """Begins the scenario now: `elapsed()` is 0."""
        self._origin = self._monotonic()
        self._wall_origin = self._wall()

    def elapsed(self) -> float:
        """Scenario seconds since the start."""
        return (self._monotonic() - self._origin) * self.speed

    def now(self) -> datetime:
        """Wall-clock time with offset: what goes into `observed_at`."""
        return self._wall()

    def hour(self, utc_offset_h: float = 8.0) -> float:
        """Hour of the day (0 to 24) the simulated community lives in: the real one at start plus scenario time."""
        at_start = self._wall_origin.timestamp() / 3600.0 + utc_offset_h
        return (at_start + self.elapsed() / 3600.0) % 24.0

    async def sleep(self, scenario_s: float) -> None:
        """Sleeps that many scenario seconds."""
        await asyncio.sleep(max(0.0, scenario_s) / self.speed)

    async def until(self, at_s: float) -> None:
        """Sleeps until that many scenario seconds after the start (returns at once if they are over)."""
        await self.sleep(at_s - self.elapsed())


def _utc_now() -> datetime:
    return datetime.now(UTC)
