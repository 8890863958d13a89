"""Settings of the work itself: how uplinks are gathered, incidents handled, people signed in; and the log."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = [
    "IncidentSettings",
    "IntakeSettings",
    "LogSettings",
    "PathTestSettings",
    "SessionSettings",
    "SupervisionSettings",
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class IntakeSettings(_Section):
    """How uplinks are gathered into transactions."""

    alarm_batch: int = Field(default=200, ge=1, le=1000)
    """Most alarm messages in one transaction; the lane never waits for it to fill."""
    telemetry_batch: int = Field(default=1000, ge=1, le=10_000)
    telemetry_wait_ms: int = Field(default=50, ge=0, le=5000)
    """How long telemetry may wait for company."""
    telemetry_transactions: int = Field(default=2, ge=1, le=8)
    """Transactions of telemetry under way at a time in a process: while one is committed another is made."""
    telemetry_workers: int | None = Field(default=None, ge=1, le=64)
    """Telemetry connections of a process; by default one, and four to the embedded broker, which has at most a hundred
    messages of a connection under way."""
    journal_after_seconds: float = Field(default=1.5, ge=0.2, le=60)
    """A database that has not answered for so long is away: alarms go to the journal in the data directory."""


class IncidentSettings(_Section):
    """The handling of incidents."""

    lease_seconds: int = Field(default=120, ge=10, le=86_400)
    """How long a claim holds without a sign of life from its operator."""


class SupervisionSettings(_Section):
    """Which closed incidents a second person looks at, beside those that always need it."""

    sample: float = Field(default=0.05, ge=0, le=1)
    return_visit_days: int = Field(default=3, ge=0, le=60)
    """After a supervised closing somebody goes again within so many days; 0: nobody."""
    red_hours: float = Field(default=2, gt=0, le=8_760)
    """By when a matter that a person reported must be resolved; overdue, it rises one level."""
    orange_hours: float = Field(default=24, gt=0, le=8_760)
    yellow_hours: float = Field(default=72, gt=0, le=8_760)
    blue_hours: float = Field(default=168, gt=0, le=8_760)


class PathTestSettings(_Section):
    """The daily test alarm that the hub sends to itself over the broker."""

    daily_at: str = Field(default="05:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^never$")
    """Local time, or `never`. On a site's broker only where there is a password."""
    within_seconds: float = Field(default=5.0, ge=0.5, le=60)
    """So long each for the press to be answered, stored and shown."""
    password: SecretStr | None = None
    """Of the test device `path-test` at a broker that wants one."""


class SessionSettings(_Section):
    """Signed-in people."""

    hours: float = Field(default=12, gt=0, le=24 * 31)


class LogSettings(_Section):
    """The log on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"
