"""The only place that reads the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import uuid_utils

__all__ = ["Clock", "IdSource", "monotonic", "new_id", "utc_now"]

Clock = Callable[[], datetime]
"""Gives the time now, always with a zone (UTC)."""

IdSource = Callable[[], str]
"""Gives a fresh identifier."""


def utc_now() -> datetime:
    """The wall clock, UTC, microseconds."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds of a clock that never jumps; only for measuring spans."""
    return time.monotonic()


def new_id() -> str:
    """A UUIDv7 as text: sorts by time of making, so indexes stay dense."""
    return str(uuid_utils.uuid7())
