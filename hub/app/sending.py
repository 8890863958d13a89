"""The senders of a running hub: their lanes, what wakes them, and the timeline that becomes webhooks."""

from __future__ import annotations

import threading
from contextlib import ExitStack

from hub.jobs import NoticeCounts, NoticesJob
from hub.notices import LANES
from hub.ports import Reads
from hub.service import Services
from hub.settings import Settings
from hub.store import Listener

__all__ = ["start_senders"]


def start_senders(
    stack: ExitStack, services: Services, reads: Reads, settings: Settings, url: str, counts: NoticeCounts
) -> NoticesJob:
    """Starts the lanes; `stack` ends them. Whoever asks for a notice rings them by NOTIFY."""
    wake = {lane: threading.Event() for lane in LANES}
    listener = stack.enter_context(Listener(url, ["care_hub_notices"]))
    stopping = threading.Event()

    def ring() -> None:
        while not stopping.is_set():
            if listener.wait(1.0):
                for event in wake.values():
                    event.set()

    ringer = threading.Thread(target=ring, name="notices-wake", daemon=True)
    job = NoticesJob(
        services.sending,
        services.following,
        workers={"alarm": settings.notify.alarm_workers, "routine": settings.notify.routine_workers},
        pump=lambda: services.webhooks.pump(reads.incidents_by_id, reads.orders_by_id),
        counts=counts,
        wake=wake,
    )
    ringer.start()
    job.start()
    # Unwound from below: told to stop, woken, waited for.
    stack.callback(job.stop)
    stack.callback(ringer.join, 1.5)
    stack.callback(listener.close)
    stack.callback(stopping.set)
    stack.callback(job.request_stop)
    return job
