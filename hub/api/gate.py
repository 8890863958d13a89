"""How often somebody may push: a bucket an integration, and a limit of failures an address. Kept in the process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from hub.api.signin import ThrottledError
from hub.clock import monotonic

__all__ = ["Gate"]

_ADDRESSES = 10_000
_FAILURES = 30
_FAILURES_WITHIN_S = 60.0
_BURST_S = 20.0


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class Gate:
    """Thread-safe. An integration may send `rate_per_s` on average and twenty seconds' worth at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}
        self._failures: OrderedDict[str, _Bucket] = OrderedDict()

    def admit(self, integration: str, rate_per_s: int) -> None:
        """ThrottledError where it sends too much. Nothing was taken then: the maker repeats."""
        now = monotonic()
        with self._lock:
            most = rate_per_s * _BURST_S
            bucket = self._buckets.setdefault(integration, _Bucket(most, now))
            bucket.level = min(most, bucket.level + (now - bucket.at) * rate_per_s)
            bucket.at = now
            if bucket.level < 1:
                raise ThrottledError(f"{integration} sends more than {rate_per_s} requests a second", retry_after_s=1)
            bucket.level -= 1

    def failed(self, address: str) -> None:
        """One more refusal of this address; ThrottledError after too many within a minute.

        Only refusals are held back: a cloud whose one integration is set up wrongly still gets its others through.
        """
        now = monotonic()
        with self._lock:
            bucket = self._failures.setdefault(address, _Bucket(0.0, now))
            bucket.level = 1 + max(0.0, bucket.level - (now - bucket.at) * _FAILURES / _FAILURES_WITHIN_S)
            bucket.at = now
            self._failures.move_to_end(address)
            while len(self._failures) > _ADDRESSES:
                self._failures.popitem(last=False)
            if bucket.level > _FAILURES - 0.5:
                raise ThrottledError("too many refused requests from this address", retry_after_s=10)
