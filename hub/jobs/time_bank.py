"""Volunteers' hours banked as their visits end, and taken back where the site lets them expire."""

from __future__ import annotations

from hub.clock import monotonic
from hub.jobs.bounded import BoundedJob
from hub.service import TimeBanking

__all__ = ["TimeBankJob"]

_BATCH = 200
_EVERY_S = 60.0
_EXPIRE_EVERY_S = 3_600.0


class TimeBankJob(BoundedJob):
    """Once a minute, up to 200 visits at a time; expiry is looked at once an hour."""

    def __init__(self, bank: TimeBanking) -> None:
        super().__init__("time-bank", batch=_BATCH, per_second=_BATCH)
        self._bank = bank
        self._banked_at: float | None = None
        self._expired_at: float | None = None

    def piece(self, batch: int) -> int:
        """Banks up to `batch` visits where it is time for it."""
        now = monotonic()
        if self._banked_at is not None and now - self._banked_at < _EVERY_S:
            return 0
        done = self._bank.bank(batch)
        if done < batch:
            self._banked_at = now
        if self._expired_at is None or now - self._expired_at >= _EXPIRE_EVERY_S:
            self._bank.expire()
            self._expired_at = now
        return done
