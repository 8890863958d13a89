"""How long what is kept, as a site sets it. Read with all other settings by `hub.settings`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["RetentionSettings"]

_Days = Annotated[int, Field(ge=32, le=36_500)]
"""A month and a day at least: so late may a buffered record still come."""


class RetentionSettings(BaseModel):
    """Days. Alarms, incidents, orders, the timeline and the audit are never dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    observations_days: Annotated[int, Field(ge=8, le=36_500)] = 400
    """Every single value. The rollups outlive it. More than a week: so far back rollups are still renewed."""
    by_minute_days: _Days = 60
    by_hour_days: _Days = 1_100
    by_day_days: _Days = 3_700
    fixes_days: Annotated[int, Field(ge=1, le=36_500)] = 90
    uplinks_days: Annotated[int, Field(ge=1, le=36_500)] = 90
    """The log of uplinks, which `hub reconcile` reads: alarms, and whatever could not be taken, raw."""
    telemetry_log_days: Annotated[int, Field(ge=1, le=36_500)] = 14
    """Of telemetry that was taken: that it was, and under which key."""
    photos_days: Annotated[int, Field(ge=1, le=36_500)] = 180
    """Pictures from visits."""
    ledger_days: _Days = 45
    """Keys of what was taken: a record that comes again later than this would count twice."""
