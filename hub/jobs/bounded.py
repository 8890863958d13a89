"""Work that is done a bounded piece at a time, for as long as the process lives."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod

from hub.clock import monotonic
from hub.errors import UnavailableError

__all__ = ["BoundedJob"]

log = logging.getLogger(__name__)

_IDLE_S = 1.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 15.0


class BoundedJob(ABC):
    """One thread that takes up to `batch` at a time and no more than `per_second`, however much is waiting.

    `rest`: for each second of work so many of rest. Away or failed, it goes on with growing pauses.
    """

    def __init__(self, name: str, *, batch: int, per_second: int, rest: float = 0.0) -> None:
        self._name = name
        self._batch = min(batch, per_second)
        self._per_second = per_second
        self._rest = rest
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @abstractmethod
    def piece(self, batch: int) -> int:
        """Does up to `batch`; gives how many there were. Fewer: nothing more is due now."""

    def start(self) -> None:
        """Starts the thread; returns at once."""
        self._thread = threading.Thread(target=self._run, name=f"jobs-{self._name}", daemon=True)
        self._thread.start()

    def request_stop(self) -> None:
        """Tells the thread to end; does not wait."""
        self._stop.set()

    def stop(self, timeout: float = 2.0) -> None:
        """Ends the thread; a piece under way is finished or rolled back."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        pause = _FIRST_PAUSE_S
        while not self._stop.is_set():
            began = monotonic()
            try:
                full = self.piece(self._batch) >= self._batch
                pause = _FIRST_PAUSE_S
                spent = monotonic() - began
                wait = max(self._batch / self._per_second - spent, spent * self._rest)
                self._stop.wait(wait if full else max(_IDLE_S, wait))
                continue
            except UnavailableError as error:
                log.warning("%s: it waits: %s", self._name, error.detail)
            except Exception:
                log.exception("%s: it failed and goes on in a moment", self._name)
            self._stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
