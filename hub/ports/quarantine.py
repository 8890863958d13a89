"""Uplinks that were kept aside, as use cases see them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from hub.ports.records import Actor, Lane

__all__ = ["Quarantine", "QuarantineState", "QuarantinedRow", "WhyQuarantined"]

QuarantineState = Literal["waiting", "replayed", "discarded"]
WhyQuarantined = Literal["failed", "unadopted", "revoked", "nameless"]


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """One uplink kept aside.

    `why`: the taking `failed` (an error of ours, or a message nobody foresaw); the device was not added (`unadopted`)
    or not welcome any more (`revoked`); or the topic names no device (`nameless`). `reason`: in words. `family` and
    `device_id` are None where they are not known.
    """

    id: int
    received_at: datetime
    lane: Lane
    device_id: str | None
    family: str | None
    topic: str | None
    why: WhyQuarantined
    reason: str
    payload: bytes = field(repr=False)
    state: QuarantineState = "waiting"
    settled_at: datetime | None = None
    settled_name: str | None = None
    outcome: str | None = None
    tries: int = 0
    last_error: str | None = None


class Quarantine(Protocol):
    def get(self, row_id: int, *, lock: bool = False) -> QuarantinedRow | None: ...

    def page(
        self, *, state: QuarantineState | None, device_id: str | None, after: int, limit: int
    ) -> list[QuarantinedRow]:
        """In the order of receipt (by id), those after `after`."""

    def release_keys(self, keys: Collection[bytes]) -> None:
        """Takes keys out of the ledger that were claimed by an uplink of which nothing was stored."""

    def settle(self, row_id: int, state: QuarantineState, actor: Actor, at: datetime, outcome: str) -> None: ...

    def failed(self, row_id: int, error: str) -> None:
        """Counts a replay that did not come off."""
