"""The work of the alarm rules, a bounded piece at a time."""

from __future__ import annotations

import logging
import threading

from prometheus_client import CollectorRegistry, Counter, Gauge

from hub.clock import monotonic
from hub.errors import UnavailableError
from hub.service import Ruled, Ruling

__all__ = ["RulesJob"]

log = logging.getLogger(__name__)

_IDLE_S = 1.0
_BATCH = 20
"""Few, so that the interpreter is free again soon for those who take alarms."""
_REST = 9
"""For each second of work so many of rest: a tenth of a core at most, however many records each resident has."""


class RulesJob:
    """Judges residents whose turn it is, at most `per_second` of them and a tenth of the time, each every `every_s`
    seconds at the most often.

    Several processes share the work.
    """

    def __init__(
        self, ruling: Ruling, *, per_second: int, every_s: float, registry: CollectorRegistry | None = None
    ) -> None:
        self._ruling = ruling
        self._per_second = per_second
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._taken = Counter("hub_rules_looks", "Residents whose turn it was", registry=registry)
        self._judged = Counter("hub_rules_judged", "Residents judged by the alarm rules", registry=registry)
        self._raised = Counter("hub_rules_raised", "Alarms raised by rules", registry=registry)
        self._failed = Counter("hub_rules_failed", "Residents who could not be judged", registry=registry)
        self._busy = Gauge("hub_rules_busy", "1 while there are more residents to judge than may be", registry=registry)

    def start(self) -> None:
        """Starts the thread; returns at once."""
        self._thread = threading.Thread(target=self._run, name="jobs-rules", daemon=True)
        self._thread.start()

    def request_stop(self) -> None:
        """Tells the thread to end; does not wait."""
        self._stop.set()

    def stop(self, timeout: float = 2.0) -> None:
        """Ends the thread; a run under way is finished or rolled back."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        pause = 1.0
        batch = min(_BATCH, self._per_second)
        while not self._stop.is_set():
            began = monotonic()
            try:
                done = self._ruling.run_once(batch, self._every_s)
                self._count(done, batch)
                pause = 1.0
                full = done.taken >= batch
                spent = monotonic() - began
                pace = max(batch / self._per_second - spent, spent * _REST)
                self._stop.wait(pace if full else max(_IDLE_S, pace))
            except UnavailableError as error:
                log.warning("the alarm rules wait: %s", error.detail)
                self._stop.wait(pause)
                pause = min(pause * 2, 15.0)
            except Exception:
                log.exception("the alarm rules failed; they go on in a moment")
                self._stop.wait(pause)
                pause = min(pause * 2, 15.0)

    def _count(self, done: Ruled, batch: int) -> None:
        self._taken.inc(done.taken)
        self._judged.inc(done.judged)
        self._raised.inc(done.raised)
        self._failed.inc(len(done.failed))
        self._busy.set(float(done.taken >= batch))
        for resident_id, error in done.failed:
            log.error("resident %s could not be judged, tried again in ten minutes: %s", resident_id, error)
