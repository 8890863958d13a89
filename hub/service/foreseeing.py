"""What can be said of an uplink while the database is away: decoded, and by what is remembered of its device."""

from __future__ import annotations

import logging
from collections.abc import Callable

from devices import Event
from hub.alarms import classify
from hub.ports import Incoming, Json
from hub.ports.dark import Foreseen
from hub.service.ingest import Ingest
from hub.service.prepared import Prepared
from hub.service.series import fix_json

__all__ = ["Foreseeing"]

_log = logging.getLogger(__name__)


class Foreseeing:
    """`hub.ports.dark.Foresee`."""

    def __init__(self, ingest: Ingest, resident: Callable[[str], Json | None]) -> None:
        """`resident` answers from memory: a resident's row by id."""
        self._ingest = ingest
        self._resident = resident

    def __call__(self, incoming: Incoming) -> Foreseen:
        if not incoming.device_id:
            return Foreseen()
        try:
            item = self._ingest.foreseen(incoming)
        except Exception:
            # It is kept all the same; when it is taken over it goes to quarantine with the reason.
            _log.exception("an uplink of %s could not be decoded", incoming.device_id)
            return Foreseen()
        alarms = tuple(
            self._provisional(item, event)
            for event in item.decoded.events
            if event.kind == "alarm" and not item.device.revoked
        )
        return Foreseen(tuple(item.answers), tuple(item.keys), alarms)

    def _provisional(self, item: Prepared, event: Event) -> Json:
        alarm_type = event.type or "assistance"
        alarm_class, priority = classify(alarm_type)
        test = event.test or alarm_class == "test"
        wearer = item.device.resident_id
        received_at = item.incoming.uplink.received_at
        return {
            "device": {"id": item.device.id, "family": item.incoming.family},
            "resident": self._resident(wearer) if wearer else None,
            "type": alarm_type,
            "class": "test" if test else alarm_class,
            "priority": "low" if test else priority,
            "ref": event.ref,
            "note": event.note,
            "test": test,
            "fix": fix_json(event.fix),
            "observed_at": event.observed_at,
            "received_at": received_at,
        }
