"""What people must be told, as rows; and what sends them, as Protocols."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from hub.notices.model import Channel, Lane, Until

__all__ = ["NoticeRow", "NoticeState", "Notices"]

NoticeState = Literal["waiting", "sent", "failed", "expired", "withdrawn"]


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice for one party by one channel; what follows it (`next_channels`) becomes a row of its own."""

    id: str
    lane: Lane
    channel: Channel
    party: str
    template: str
    until: Until
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    params: Mapping[str, Any] = field(default_factory=dict)
    incident_id: str | None = None
    assignment_id: str | None = None
    next_channels: tuple[Channel, ...] = ()
    before_id: str | None = None
    key: str | None = None
    late_at: datetime | None = None
    state: NoticeState = "waiting"
    attempts: int = 0
    outcome: str | None = None
    reason: str | None = None
    provider_ref: str | None = None


class Notices(Protocol):
    def add(self, row: NoticeRow) -> str:
        """Keeps it; gives its id, or that of the one with the same key."""

    def withdraw(
        self, incident_id: str, until: Collection[Until], keep: Collection[str], reason: str, at: datetime
    ) -> list[NoticeRow]:
        """Gives up what has not left yet of an incident's notices of these kinds, but for the assignments in `keep`."""

    def of_incident(self, incident_id: str) -> Sequence[NoticeRow]:
        """All of them, the oldest first."""
