"""What a gateway says of the sensors behind it: their models and polarity, before the first of them speaks."""

from __future__ import annotations

from devices.codecs.json_body import device_name, read_body
from devices.codecs.zigbee2mqtt_table import profiles_of
from hub.clock import Clock
from hub.ports import Database, SensorRow

__all__ = ["Sensors"]

_LONGEST_MODEL = 200
_LARGEST = 4 * 1024 * 1024


class Sensors:
    """Keeps lists of sensors. A sensor nobody added gets a row to be adopted by; what people set by hand stays."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[str, int] = {}

    def note(self, bridge_id: str, payload: bytes) -> int:
        """Takes the body of a `bridge/devices`; gives how many sensors it lists. What cannot be read lists none."""
        if len(payload) > _LARGEST:
            return 0
        digest = hash(payload)
        body, error = read_body(payload)
        if error is not None:
            return 0
        profiles = profiles_of(body)
        if self._known.get(bridge_id) == digest:
            return len(profiles)
        rows = [
            SensorRow(
                id=device_name(name),
                model=str(profile.get("model") or "")[:_LONGEST_MODEL] or None,
                name=name[:_LONGEST_MODEL],
                profile={"exposes": profile.get("exposes") or {}, "model": profile["model"]},
            )
            for name, profile in profiles.items()
            if name and name != "Coordinator"
        ]
        if rows:
            with self._database.begin() as tx:
                tx.devices.describe("zigbee2mqtt", bridge_id, rows, self._clock())
        self._known[bridge_id] = digest
        return len(rows)
