"""Where somebody is while a matter about them is open: the incident keeps the best position that is told.

An alarm brings a position with it, a device that was asked answers with one, a tracker reports by itself. Which one the
incident keeps is `hub.alarms.positions`; whatever is not kept stays in the series and with its alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from devices import Event
from hub.alarms.positions import prefer
from hub.ports import Actor, EntryRow, Json, Transaction
from hub.service.commands import Said
from hub.service.series import dated, fix_json

__all__ = ["Positions"]

_LOOK_AGAIN = timedelta(seconds=1)


def _told(event: Event, received_at: datetime) -> Json | None:
    fix = fix_json(event.fix)
    return None if fix is None else dated(fix, event.observed_at, received_at, buffered=event.buffered)


class Positions:
    """Hears positions of people with an open matter. Thread-safe."""

    def __init__(self) -> None:
        self._watched: tuple[datetime, frozenset[str]] | None = None

    def heard(self, tx: Transaction, said: Iterable[Said], now: datetime) -> None:
        """Finds the positions in what devices said, and gives them to the incidents that they are about.

        In the transaction that takes the uplinks. One question a second where no device of an open matter reports; none
        for presses, which must not wait for it.
        """
        told: list[tuple[str, Json]] = []
        for one in said:
            for event in one.decoded.events:
                if event.kind == "alarm":
                    # Its position was judged where it was raised; whose device it is may be news.
                    self._watched = None
                elif event.fix is not None:
                    fix = _told(event, one.incoming.uplink.received_at)
                    if fix is not None:
                        told.append((event.device_id, fix))
        if not told:
            return
        watched = self._watched_now(tx, now)
        found: dict[str, list[Json]] = {}
        for device_id, fix in told:
            if device_id in watched:
                found.setdefault(device_id, []).append(fix)
        if found:
            self._keep(tx, found, now)

    def _keep(self, tx: Transaction, found: Mapping[str, list[Json]], now: datetime) -> None:
        for incident_id, held, devices in tx.incidents.lock_about(found.keys()):
            kept: Json | None = held
            last: tuple[str, Json] | None = None
            for device_id in sorted(devices):
                for fix in found[device_id]:
                    judged = prefer(kept, fix)
                    if not judged.new:
                        continue
                    reason = {"code": judged.reason.code, "text": judged.reason.text}
                    body = {"fix": fix, "device_id": device_id, "reason": {**reason, "values": judged.reason.values}}
                    kept, last = fix, (device_id, body)
            if last is None or kept is None:
                continue
            tx.incidents.set_fix(incident_id, kept)
            tx.timeline.add(
                EntryRow(
                    at=now,
                    subject_kind="incident",
                    subject_id=incident_id,
                    kind="positioned",
                    actor=Actor("device", last[0]),
                    body=last[1],
                )
            )

    def _watched_now(self, tx: Transaction, now: datetime) -> frozenset[str]:
        kept = self._watched
        if kept is None or now - kept[0] >= _LOOK_AGAIN:
            kept = self._watched = (now, frozenset(tx.incidents.devices_about()))
        return kept[1]
