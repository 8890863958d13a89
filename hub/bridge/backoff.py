"""How long to wait before the next try."""

from __future__ import annotations

import random

__all__ = ["Backoff"]


class Backoff:
    """Growing pauses with jitter: each is a random part (50-100 %) of twice the one before, up to a limit."""

    def __init__(self, low_s: float, high_s: float) -> None:
        self._low = low_s
        self._high = high_s
        self._next = low_s

    def reset(self) -> None:
        self._next = self._low

    def pause_s(self) -> float:
        """The next pause, in seconds."""
        pause = self._next * random.uniform(0.5, 1.0)
        self._next = min(self._next * 2, self._high)
        return pause
