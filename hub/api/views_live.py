"""What the live link and an empty queue answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from hub.api.views import View

__all__ = ["ChangeEvent", "Changes", "DeviceCount", "Summary"]


class Unclaimed(View):
    critical: int
    high: int
    medium: int
    low: int


class DeviceCount(View):
    online: int
    total: int


class Summary(View):
    """What an empty queue shows."""

    unclaimed: Unclaimed
    mine: int
    last_alarm_at: datetime | None
    devices: DeviceCount
    technical_open: int
    server_time: datetime
    cursor: str


class ChangeEvent(View):
    event: str
    id: str | None
    data: dict[str, Any]


class Changes(View):
    events: list[ChangeEvent] = Field(default=[])
    cursor: str | None
    reset: bool = Field(default=False, description="True: fetch the snapshot again")
