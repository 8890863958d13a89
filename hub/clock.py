"""The only place that reads the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uuid_utils

__all__ = ["Clock", "IdSource", "begun", "monotonic", "new_id", "utc_now"]

_TICKS_PER_SECOND: Final = 100
"""Of process start times in Linux, on every architecture that people use."""

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


def begun() -> float:
    """When this process began, on the clock of `monotonic`: for a command that is told how long it may take in all.

    Where the system does not say: now, less the processor time used so far.
    """
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / _TICKS_PER_SECOND
    except (OSError, AttributeError, ValueError, IndexError):
        age = time.process_time()
    return time.monotonic() - max(0.0, age)


def new_id() -> str:
    """A UUIDv7 as text: sorts by time of making, so indexes stay dense."""
    return str(uuid_utils.uuid7())
