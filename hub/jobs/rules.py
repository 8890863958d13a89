"""The work of the alarm rules, a bounded piece at a time."""

from __future__ import annotations

import logging

from prometheus_client import CollectorRegistry, Counter, Gauge

from hub.jobs.bounded import BoundedJob
from hub.service import Ruled, Ruling

__all__ = ["RulesJob"]

log = logging.getLogger(__name__)

_BATCH = 20
"""Few, so that the interpreter is free again soon for those who take alarms."""
_REST = 9
"""For each second of work so many of rest: a tenth of a core at most, however many records each resident has."""


class RulesJob(BoundedJob):
    """Judges residents whose turn it is, at most `per_second` of them and a tenth of the time, each every `every_s`
    seconds at the most often.

    Several processes share the work.
    """

    def __init__(
        self, ruling: Ruling, *, per_second: int, every_s: float, registry: CollectorRegistry | None = None
    ) -> None:
        super().__init__("rules", batch=_BATCH, per_second=per_second, rest=_REST)
        self._ruling = ruling
        self._every_s = every_s
        self._taken = Counter("hub_rules_looks", "Residents whose turn it was", registry=registry)
        self._judged = Counter("hub_rules_judged", "Residents judged by the alarm rules", registry=registry)
        self._raised = Counter("hub_rules_raised", "Alarms raised by rules", registry=registry)
        self._failed = Counter("hub_rules_failed", "Residents who could not be judged", registry=registry)
        self._busy = Gauge("hub_rules_busy", "1 while there are more residents to judge than may be", registry=registry)

    def piece(self, batch: int) -> int:
        """Judges up to `batch` residents."""
        done = self._ruling.run_once(batch, self._every_s)
        self._count(done, batch)
        return done.taken

    def _count(self, done: Ruled, batch: int) -> None:
        self._taken.inc(done.taken)
        self._judged.inc(done.judged)
        self._raised.inc(done.raised)
        self._failed.inc(len(done.failed))
        self._busy.set(float(done.taken >= batch))
        for resident_id, error in done.failed:
            log.error("resident %s could not be judged, tried again in ten minutes: %s", resident_id, error)
