"""What of a batch is silenced by a window, and what chatters: known once for all of its presses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from hub.alarms import Alarm
from hub.alarms.chatter import CHATTER_WITHIN, chattering
from hub.alarms.model import Reason
from hub.alarms.windows import Window, covering
from hub.ports import Recent, Situation, Transaction

__all__ = ["Quieting"]


class Quieting:
    """Judges presses in the order in which they are taken; each counts for the next."""

    def __init__(self, windows: Sequence[Window], recent: Recent, now: datetime) -> None:
        self._windows = windows
        self._now = now
        self._times = {pair: list(times) for pair, times in recent.items()}

    @classmethod
    def of(cls, tx: Transaction, alarms: Collection[Alarm], situation: Situation | None, now: datetime) -> Quieting:
        """Of a batch; read from the store where no `situation` brought it along."""
        if situation is not None:
            return cls(situation.windows, situation.recent, now)
        pairs = {(one.device_id, one.type) for one in alarms if one.device_id}
        return cls(tx.windows.in_force(now), tx.windows.recent(pairs, now - CHATTER_WITHIN), now)

    def hushed(self, alarm: Alarm, area_id: str | None) -> tuple[Alarm, Reason] | None:
        """The alarm with the mark of the window that holds it back, and why; None: it is raised."""
        found = covering(alarm, area_id, self._windows, now=self._now)
        if found is None:
            return None
        window, reason = found
        return replace(alarm, attributes={**alarm.attributes, "window": window.id}), reason

    def chatter(self, alarm: Alarm) -> Reason | None:
        """That the same alarm of the same device has come too often; this press counts."""
        if alarm.device_id is None or alarm.buffered:
            return None
        times = self._times.setdefault((alarm.device_id, alarm.type), [])
        times.append(alarm.received_at)
        return chattering(times, max(self._now, alarm.received_at))
