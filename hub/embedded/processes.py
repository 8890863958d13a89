"""Looking at, and ending, processes that outlived the one that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from hub.clock import monotonic

__all__ = ["BARE_ENVIRONMENT", "alive", "command_line", "poll_until", "send_signal", "working_folder"]

BARE_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""All that a server of ours gets to see: the hub's own environment may hold passwords."""


def poll_until(condition: Callable[[], bool], seconds: float, *, every: float = 0.02) -> bool:
    """Whether `condition()` became true within `seconds`; asked at least once."""
    deadline = monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if monotonic() >= deadline:
            return False
        pause.wait(every)
    return True


def alive(pid: int) -> bool:
    """Whether the process runs. One that has ended but was not reaped yet (a zombie) does not."""
    if pid <= 0:
        return False
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
        return _answers_signals(pid)
    except OSError:
        return _answers_signals(pid)
    # The name in parentheses may hold anything, brackets too: the state follows the last one.
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def _answers_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def working_folder(pid: int) -> Path | None:
    """The process's working folder where the system tells it to us, else None."""
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return None


def command_line(pid: int) -> str:
    """The process's command line as `ps` prints it; empty when there is no such process."""
    found = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False, env=BARE_ENVIRONMENT
    )
    return found.stdout.strip()


def send_signal(pid: int, number: signal.Signals) -> None:
    """Sends the signal; nothing happens when the process has gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
