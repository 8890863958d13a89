"""Rows whose time has come. Threads that sleep until the next due row, woken earlier when somebody sets one.

Any number of job processes may run beside each other: rows are claimed with SKIP LOCKED.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from hub.clock import Clock
from hub.errors import UnavailableError
from hub.service import Escalating

__all__ = ["Jobs", "Wake"]

log = logging.getLogger(__name__)

Wake = Callable[[float, Callable[[str], bool]], bool]
"""Waits up to so many seconds for somebody setting a due row that is worth it; True when woken. What is told of a row
is when it is due, in seconds since 1970."""

_LONGEST_SLEEP = timedelta(seconds=1)
_AT_ONCE = 10
"""Steps in one transaction, which holds their incidents: where the database is slow, presses must not wait for many."""
_BREATH_S = 0.05
_HOUSEKEEPING_EVERY = timedelta(minutes=10)


class Jobs:
    """Escalation, and housekeeping: partitions made ahead, ledger and sessions pruned.

    `housekeep` does the latter, given the time now.
    """

    def __init__(
        self, escalating: Escalating, *, wake: Wake, clock: Clock, housekeep: Callable[[datetime], None] | None = None
    ) -> None:
        self._escalating = escalating
        self._wake = wake
        self._clock = clock
        self._housekeep = housekeep
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._housekept_at: datetime | None = None
        self.last_run_at: datetime | None = None

    def start(self) -> None:
        """Starts the threads; returns at once."""
        self._threads = [threading.Thread(target=self._escalate, name="jobs-escalate", daemon=True)]
        if self._housekeep is not None:
            self._threads.append(threading.Thread(target=self._keep_house, name="jobs-house", daemon=True))
        for thread in self._threads:
            thread.start()

    def request_stop(self) -> None:
        """Tells the threads to end; does not wait."""
        self._stop.set()

    def stop(self, timeout: float = 2.0) -> None:
        """Ends the threads; a step under way is finished or rolled back."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout)

    def _escalate(self) -> None:
        pause = 0.1
        while not self._stop.is_set():
            try:
                taken = self._escalating.run_due(_AT_ONCE)
                self.last_run_at = self._clock()
                pause = 0.1
                if taken:
                    continue
                until = self._sleep_until()
                seconds = max(0.01, (until - self._clock()).total_seconds())
                # Most rows are set for later than the next look, and each look stands in an alarm's way.
                if self._wake(seconds, partial(_is_before, until)):
                    # Steps are due in seconds; what rang is just being shown, and that comes first.
                    self._stop.wait(_BREATH_S)
            except UnavailableError as error:
                log.warning("due rows wait: %s", error.detail)
                self._stop.wait(pause)
                pause = min(pause * 2, 5.0)
            except Exception as error:
                log.error("due rows could not be carried out together, taking them one by one: %r", error)
                self._singly()

    def _singly(self) -> None:
        """One row that cannot be carried out stands aside for a minute; the others go on."""
        try:
            for row, error in self._escalating.run_singly():
                log.error(
                    "step %s of %s %s could not be carried out, it is tried again in a minute",
                    *(row.step, row.subject_kind, row.subject_id),
                    exc_info=error,
                )
        except UnavailableError as error:
            log.warning("due rows wait: %s", error.detail)
            self._stop.wait(1.0)
        except Exception:
            log.exception("due rows could not be carried out")
            self._stop.wait(1.0)

    def _sleep_until(self) -> datetime:
        latest = self._clock() + _LONGEST_SLEEP
        next_at = self._escalating.next_at()
        return latest if next_at is None else min(latest, next_at)

    def _keep_house(self) -> None:
        while not self._stop.is_set():
            now = self._clock()
            if self._housekept_at is None or now - self._housekept_at >= _HOUSEKEEPING_EVERY:
                self._housekept_at = now
                try:
                    assert self._housekeep is not None
                    self._housekeep(now)
                except UnavailableError as error:
                    log.warning("housekeeping waits: %s", error.detail)
                except Exception:
                    log.exception("housekeeping failed")
            self._stop.wait(30.0)


def _is_before(until: datetime, told: str) -> bool:
    return float(told) < until.timestamp()
