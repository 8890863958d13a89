"""What answers about positions look like."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from hub.api.views import View

__all__ = ["ArrivalView", "PositionKept"]


class ArrivalView(View):
    """When a responder arrives, reckoned from where they are."""

    assignment_id: str
    incident_id: str | None
    eta_s: int = Field(description="Seconds from `eta_at`")
    eta_at: datetime


class PositionKept(View):
    """What became of a position that was told."""

    kept: bool
    why: Literal["rough", "old", "older"] | None = Field(description="Why it was not kept")
    arrivals: list[ArrivalView]
