"""The work of supervision, a bounded piece at a time, and the beats that say what this process hears."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from hub.errors import UnavailableError
from hub.jobs.bounded import BoundedJob
from hub.service import Supervised, Supervising

__all__ = ["HearingBeat", "SupervisionJob"]

log = logging.getLogger(__name__)

_BATCH = 1000
_BEAT_S = 5.0


class SupervisionJob(BoundedJob):
    """Looks at devices that could be silent, at most `per_second` of them; several processes share the work."""

    def __init__(self, supervising: Supervising, *, per_second: int, registry: CollectorRegistry | None = None) -> None:
        super().__init__("supervision", batch=_BATCH, per_second=per_second)
        self._supervising = supervising
        self._looked = Counter("hub_supervision_looks", "Devices looked at", registry=registry)
        self._silent = Counter("hub_supervision_silent", "Devices found silent", registry=registry)
        self._back = Counter("hub_supervision_back", "Devices heard again", registry=registry)
        self._behind = Gauge("hub_supervision_busy", "1 while there is more to look at than may be", registry=registry)

    def piece(self, batch: int) -> int:
        """Looks at up to `batch` devices."""
        done = self._supervising.run_once(batch)
        self._count(done, batch)
        return done.looked_at

    def _count(self, done: Supervised, batch: int) -> None:
        self._looked.inc(done.looked_at)
        self._silent.inc(done.silent)
        self._back.inc(done.back)
        self._behind.set(float(done.looked_at >= batch))


class HearingBeat:
    """Says every five seconds which ways in this process hears. `ways`: what is so now."""

    def __init__(self, supervising: Supervising, process: str, ways: Callable[[], Mapping[str, bool]]) -> None:
        self._supervising = supervising
        self._process = process
        self._ways = ways
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread; returns at once."""
        self._thread = threading.Thread(target=self._run, name="hearing", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Ends the thread. Its last word stays for some seconds; then it counts as deaf."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                ways = self._ways()
                if ways:
                    self._supervising.beat(self._process, ways)
            except UnavailableError:
                pass  # the missing beat says it
            except Exception:
                log.exception("could not say what is heard")
            self._stop.wait(_BEAT_S)
