"""Waiting for a condition with a deadline: tests never sleep a fixed time and hope."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


PATIENCE_S = 20.0
"""At least so long is waited: a machine that is busy with something else is no failure."""


def wait_until(condition: Callable[[], T], seconds: float = 10.0, *, what: str = "the condition") -> T:
    """Polls until `condition()` is truthy and returns it; fails the test after `seconds`, PATIENCE_S if that is more.

    A time that is promised is asserted with a clock beside it, not by this.
    """
    seconds = max(seconds, PATIENCE_S)
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        pause.wait(0.01)
