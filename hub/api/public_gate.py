"""How often somebody without an account may ask: buckets by address and by code, kept in the process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from hub.api.signin import ThrottledError
from hub.clock import monotonic

__all__ = ["PublicGate", "Rate"]

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and one more every `every_s` seconds."""

    burst: int
    every_s: float


class PublicGate:
    """Thread-safe. The least lately seen are forgotten first: that gives a stranger no more than a fresh bucket."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def admit(self, kind: str, who: str, rate: Rate) -> None:
        """ThrottledError (`retry_after_s`) where `who` asked too often for what is counted as `kind`."""
        now = self._clock()
        with self._lock:
            level, at = self._buckets.get((kind, who), (float(rate.burst), now))
            level = min(float(rate.burst), level + (now - at) / rate.every_s)
            admitted = level >= 1
            self._buckets[kind, who] = (level - 1 if admitted else level, now)
            self._buckets.move_to_end((kind, who))
            while len(self._buckets) > _KEPT:
                self._buckets.popitem(last=False)
        if not admitted:
            wait = max(1, round((1 - level) * rate.every_s))
            raise ThrottledError(f"too many at once; try again in {wait} seconds", retry_after_s=wait)
