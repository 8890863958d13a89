"""The senders: a lane each for alarms and for everything else, with workers of their own for each channel.

A provider that hangs holds up its own workers and nobody else's; a hundred meal notices hold up no alarm.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from hub.clock import monotonic
from hub.errors import UnavailableError
from hub.notices import LANES, Channel, Lane
from hub.service import Following, Parcel, Sending

__all__ = ["NoticeCounts", "NoticesJob"]

log = logging.getLogger(__name__)

_LOOK_EVERY_S: Mapping[Lane, float] = {"alarm": 0.5, "routine": 1.0}
_TEND_EVERY_S = 1.0
_LONGEST_PAUSE_S = 5.0


class NoticeCounts:
    """What Prometheus hears of the senders."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self._tries = Counter(
            "hub_notice_tries", "Notices tried, by what became of it", ("lane", "channel", "result"), registry=registry
        )
        self._lag = Histogram(
            "hub_notice_lag_seconds",
            "From asking for a notice to its leaving",
            ("lane", "channel"),
            registry=registry,
            buckets=(0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0),
        )
        self.busy = Gauge("hub_notice_workers_busy", "Messages being sent now", ("lane", "channel"), registry=registry)
        self.late = Counter("hub_notice_late", "Alarm notices late, expired or answered by nobody", registry=registry)

    def __call__(self, lane: Lane, channel: Channel, result: str, lag_s: float) -> None:
        self._tries.labels(lane, channel, result).inc()
        if result == "sent":
            self._lag.labels(lane, channel).observe(lag_s)


class NoticesJob:
    """Two lanes and what time brings. `workers`: messages under way at once, for each channel of a lane.

    `pump`: makes notices of what happened (webhooks). `wake`: set by whoever asked for a notice.
    """

    def __init__(
        self,
        sending: Sending,
        following: Following,
        *,
        workers: Mapping[Lane, int],
        pump: Callable[[], int],
        counts: NoticeCounts,
        wake: Mapping[Lane, threading.Event] | None = None,
    ) -> None:
        self._sending = sending
        self._following = following
        self._workers = workers
        self._pump = pump
        self._counts = counts
        self.wake: Mapping[Lane, threading.Event] = wake or {lane: threading.Event() for lane in LANES}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._busy: dict[tuple[Lane, Channel], int] = {}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Starts the threads; returns at once."""
        self._threads = [
            threading.Thread(target=self._run, args=(f"notices-{lane}", self._round, lane), daemon=True)
            for lane in LANES
        ]
        self._threads.append(threading.Thread(target=self._run, args=("notices-tend", self._tend, None), daemon=True))
        for thread in self._threads:
            thread.start()

    def request_stop(self) -> None:
        """Tells the threads to end; does not wait."""
        self._stop.set()
        for event in self.wake.values():
            event.set()

    def stop(self, timeout: float = 2.0) -> None:
        """Ends the lanes. A message under way is left to itself: its row becomes due again if it was not marked."""
        self.request_stop()
        until = monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))

    def _run(self, name: str, work: Callable[[Lane | None], bool], lane: Lane | None) -> None:
        pause = 0.2
        while not self._stop.is_set():
            if lane is not None:
                self.wake[lane].clear()
            try:
                more = work(lane)
                pause = 0.2
            except UnavailableError as error:
                log.warning("%s: it waits: %s", name, error.detail)
                self._stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
                continue
            except Exception:
                log.exception("%s: it failed and goes on in a moment", name)
                self._stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
                continue
            if more:
                self._stop.wait(0.02)
            elif lane is None:
                self._stop.wait(_TEND_EVERY_S)
            else:
                self.wake[lane].wait(_LOOK_EVERY_S[lane])

    def _round(self, lane: Lane | None) -> bool:
        assert lane is not None
        more = False
        for channel in self._sending.due(lane):
            free = self._workers[lane] - self._busy.get((lane, channel), 0)
            if free <= 0:
                continue
            parcels = self._sending.claim(lane, channel, free)
            more = more or len(parcels) == free
            for parcel in parcels:
                self._hand_over(lane, channel, parcel)
        return more

    def _hand_over(self, lane: Lane, channel: Channel, parcel: Parcel) -> None:
        self._count(lane, channel, 1)
        name = f"notice-{lane}-{channel}"
        try:
            threading.Thread(target=self._deliver, args=(lane, channel, parcel), name=name, daemon=True).start()
        except RuntimeError:
            self._count(lane, channel, -1)  # no thread left: the notice is due again, its place is free
            raise

    def _deliver(self, lane: Lane, channel: Channel, parcel: Parcel) -> None:
        try:
            self._sending.deliver(parcel)
        except UnavailableError as error:
            log.warning("a notice left and could not be marked, it is sent again: %s", error.detail)
        except Exception:
            log.exception("a notice could not be marked, it is sent again")
        finally:
            self._count(lane, channel, -1)
            self.wake[lane].set()

    def _count(self, lane: Lane, channel: Channel, change: int) -> None:
        with self._lock:
            now = self._busy.get((lane, channel), 0) + change
            self._busy[lane, channel] = now
        self._counts.busy.labels(lane, channel).set(now)

    def _tend(self, _lane: Lane | None) -> bool:
        late = self._following.tend()
        self._counts.late.inc(late)
        return self._pump() > 0
