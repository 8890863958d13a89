"""A planner kept warm beside the hub, in a process of its own: the hub's never loads the compiler."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hub.clock import monotonic
from hub.errors import HubError
from hub.planning.ask import DayAnswer, DayAsk
from hub.planning.child import read_message, write_message
from hub.planning.ways import Ways

__all__ = ["PlannerDiedError", "WarmPlanner"]

log = logging.getLogger(__name__)

Told = Callable[[float, float], bool]
"""Told the least cost so far (infinite: none yet) and the share of the time used (0..1), some times a second; False
stops the search."""

_SILENT_S = 180.0
"""So long it may say nothing at all: the compiler takes half a minute on a slow machine, a large day some seconds."""


class PlannerDiedError(HubError):
    """The planner's process ended, or said nothing for minutes, before it answered."""

    code = "planner-died"


class WarmPlanner:
    """Starts the process when it is first needed, again when it has died, and ends it with `close`.

    One plan at a time: a second caller waits. `nice`: how far it stands back behind the hub's own work.
    """

    def __init__(self, *, nice: int = 5) -> None:
        self._nice = nice
        self._turn = threading.Lock()
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._listener = threading.Thread()
        self._closed = False
        self._number = 0
        self._heard = threading.Condition()
        self._messages: list[tuple[str, int, Any]] = []
        self._warm = False

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def warm(self) -> None:
        """Starts the process if there is none; waits for nothing."""
        with self._guard:
            self._started()

    def prepare(self, ways: Ways) -> None:
        """Starts the process if there is none, and has it make a table of ways before anybody waits for it."""
        with self._turn, self._guard, suppress(OSError, ValueError):
            process = self._started()
            assert process.stdin is not None
            write_message(process.stdin, ("ways", 0, ways))

    def plan(self, ask: DayAsk, told: Told = lambda _cost, _share: True) -> DayAnswer:
        """Plans. PlannerDiedError where the process ended on the way; HubError where it says why it cannot."""
        with self._turn:
            with self._guard:
                process = self._started()
                self._number += 1
                number = self._number
                with self._heard:
                    self._messages.clear()
            try:
                assert process.stdin is not None
                write_message(process.stdin, ("plan", number, ask))
                return self._answer(process, number, told)
            except (OSError, ValueError) as error:
                raise PlannerDiedError("the planner's process ended") from error

    def close(self, timeout: float = 1.0) -> None:
        """Ends the process; a plan under way fails."""
        with self._guard:
            self._closed = True
            process, self._process = self._process, None
        if process is not None:
            self._end(process, timeout)
        with self._heard:
            self._heard.notify_all()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise PlannerDiedError("the planner is closed")
        process = self._process
        if process is not None and process.poll() is None:
            return process
        if process is not None:
            log.warning("the planner's process ended with %s; another is started", process.returncode)
            self._end(process, 0.1)
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "hub.planning.child", str(self._nice)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._listener = threading.Thread(target=self._listen, args=(process,), name="planner-listen", daemon=True)
        self._listener.start()
        return process

    def _end(self, process: subprocess.Popen[bytes], timeout: float) -> None:
        """Its input ends, so it does; after `timeout` (s) it is made to. Its listener waits for that: no polling."""
        # From outside: closing its input waits for whoever still writes to it, and that may be for ever.
        made_to = threading.Timer(timeout, process.kill)
        made_to.daemon = True
        made_to.start()
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        self._listener.join(2 * timeout)
        made_to.cancel()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        try:
            while True:
                message = read_message(process.stdout)
                with self._heard:
                    self._messages.append(message)
                    self._heard.notify_all()
        except (EOFError, OSError, ValueError):
            pass
        finally:
            process.wait()
            process.stdout.close()
            with self._heard:
                self._heard.notify_all()

    def _answer(self, process: subprocess.Popen[bytes], number: int, told: Told) -> DayAnswer:
        silent_since, stopped, latest = monotonic(), False, (float("inf"), 0.0)
        while True:
            with self._heard:
                if not self._messages:
                    self._heard.wait(0.5)
                messages, self._messages = self._messages, []
            for kind, about, body in messages:
                silent_since = monotonic()
                if about != number:
                    continue
                if kind == "done":
                    found: DayAnswer = body
                    return found
                if kind == "failed":
                    raise HubError(f"the day cannot be planned: {body}", code="planning-failed")
                latest = body
            # Also while it says nothing (the compiler, a first plan): whoever watches must see that we are alive.
            if not stopped and not told(*latest):
                stopped = True
                assert process.stdin is not None
                write_message(process.stdin, ("stop", number, None))
            if messages:
                continue
            if self._closed or process.poll() is not None:
                raise PlannerDiedError("the planner's process ended")
            if monotonic() - silent_since > _SILENT_S:
                process.kill()
                raise PlannerDiedError(f"the planner said nothing for {_SILENT_S:.0f} s")
