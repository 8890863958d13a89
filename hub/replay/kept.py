"""A canonical event as a recording keeps it where the raw message was not kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from devices import Decoded, DeviceRef, Event, Uplink

__all__ = ["KeptEvent"]


class KeptEvent:
    """Stands where a codec stands, and gives the one event that was kept. A decoding error says what is wrong in it."""

    def __init__(self, family: str, body: Mapping[str, Any]) -> None:
        self.family = family
        self._body = body

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:  # noqa: ARG002
        """The event, as an event of `device`."""
        body = {name: value for name, value in self._body.items() if value is not None}
        attributes = dict(body.get("attributes") or {})
        for name in ("test", "note", "cancels"):
            # `hub decode` writes them among the attributes.
            if name in attributes:
                body.setdefault(name, attributes.pop(name))
        try:
            event = msgspec.convert(
                {**body, "attributes": attributes, "device_id": device.device_id}, Event, strict=False
            )
        except msgspec.ValidationError as error:
            return Decoded(error=f"event: {error}")
        return Decoded(events=(event,))
