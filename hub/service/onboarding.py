"""Bringing a new device in: what it said lately, and keeping every message of it raw for a while.

Alarms and whatever was rejected, unsupported or quarantined are kept raw anyway, so a device that was not added yet
shows itself at once. Of an adopted device the rest is kept only while an administrator watches it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Concatenate, ParamSpec

from devices.topics import is_device_id
from hub.clock import Clock
from hub.errors import BadRequestError, HubError
from hub.ports import Actor, Database, Incoming, Json, Outcome, RawWatch, WatchedRow

__all__ = ["Onboarding"]

_P = ParamSpec("_P")
_LOOK_EVERY = timedelta(seconds=2)
_LONGEST = timedelta(hours=24)
_BACK = timedelta(hours=48)
_MOST = 200
_LANE = "telemetry"  # connections of its own: a busy page must not hold an alarm up

_log = logging.getLogger(__name__)


class Onboarding:
    """Watches and what they kept. Thread-safe."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._watched: dict[str, datetime] = {}
        self._looked_at: datetime | None = None
        self._lock = Lock()

    # --- pages --------------------------------------------------------------------------------------------------------

    def newcomers(self, limit: int = 100) -> list[Json]:
        """Devices that report without having been added, and watched ones; the latest heard first."""
        with self._database.begin() as tx:
            return tx.integrations.newcomers(self._clock(), limit)

    def device(self, device_id: str) -> tuple[Json | None, RawWatch | None]:
        """The device's row, where it has one, and the watch on it."""
        now = self._clock()
        with self._database.begin() as tx:
            row = tx.integrations.newcomer(device_id)
            watches = tx.integrations.watches(now)
        return row, next((watch for watch in watches if watch.device_id == device_id), None)

    def heard(self, device_id: str, limit: int) -> list[Json]:
        """Its raw messages of the last two days, the newest first; `""`: those that named no device."""
        with self._database.begin() as tx:
            return tx.integrations.heard(device_id, self._clock() - _BACK, min(limit, _MOST))

    def watch(self, device_id: str, span: timedelta, actor: Actor) -> RawWatch:
        """Keeps every message of a device raw from now on, for `span` (24 h at most). It need not be known yet."""
        if not is_device_id(device_id):
            raise BadRequestError(f"{device_id!r} is not a device id", field="device_id")
        if not timedelta(0) < span <= _LONGEST:
            raise BadRequestError("minutes: 1 to 1440", field="minutes")
        now = self._clock()
        watch = RawWatch(device_id, now, now + span, actor.name)
        with self._database.begin() as tx:
            tx.integrations.watch(watch)
            tx.audit.add(actor, "device.watch", f"device:{device_id}", {"until": watch.until.isoformat()}, now)
        self._looked_at = None
        return watch

    def unwatch(self, device_id: str, actor: Actor) -> None:
        """Ends a watch; what it kept goes after two days."""
        with self._database.begin() as tx:
            tx.integrations.unwatch(device_id)
            tx.audit.add(actor, "device.unwatch", f"device:{device_id}", {}, self._clock())
        self._looked_at = None

    # --- on the way in ------------------------------------------------------------------------------------------------

    def tap(
        self, take: Callable[Concatenate[Sequence[Any], _P], list[Outcome]]
    ) -> Callable[Concatenate[Sequence[Any], _P], list[Outcome]]:
        """`take` (a way into the ingest), keeping what watched devices said. Costs nothing while nobody is watched.

        It is written after the commit and its failure is logged only: looking on must never stop an alarm.
        """

        def tapped(batch: Sequence[Any], /, *args: _P.args, **kwargs: _P.kwargs) -> list[Outcome]:
            outcomes = take(batch, *args, **kwargs)
            try:
                self._keep(batch, outcomes)
            except HubError as error:
                _log.warning("messages of watched devices could not be kept: %s", error.detail)
            return outcomes

        return tapped

    def _keep(self, batch: Sequence[Any], outcomes: Sequence[Outcome]) -> None:
        now = self._clock()
        watched = self._watches(now)
        if not watched:
            return
        rows = []
        for one, outcome in zip(batch, outcomes, strict=True):
            incoming: Incoming = one if isinstance(one, Incoming) else one.incoming
            until = watched.get(incoming.device_id)
            if until is not None and until > now:
                uplink = incoming.uplink
                rows.append(
                    WatchedRow(
                        uplink.received_at,
                        incoming.device_id,
                        incoming.family,
                        incoming.lane,
                        uplink.topic or None,
                        outcome.outcome,
                        outcome.reason,
                        uplink.payload,
                    )
                )
        if rows:
            with self._database.begin(_LANE) as tx:
                tx.integrations.keep(rows)

    def _watches(self, now: datetime) -> dict[str, datetime]:
        with self._lock:
            if self._looked_at is not None and now - self._looked_at < _LOOK_EVERY:
                return self._watched
            self._looked_at = now
        with self._database.begin(_LANE) as tx:
            self._watched = {watch.device_id: watch.until for watch in tx.integrations.watches(now)}
        return self._watched
