"""A connection whose thread does other work while the server does ours.

Two threads of one interpreter hinder each other where both have work to do; one thread that fills its own waiting time
does not. psycopg drives every exchange as a generator that says what it waits for; before the wait the work has turns.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Generator
from typing import Any

import psycopg
from psycopg.waiting import Ready, Wait

__all__ = ["OverlapConnection"]

_Steps = Generator[Any, Any, Any]
_EVENTS = {Wait.R: select.POLLIN, Wait.W: select.POLLOUT, Wait.RW: select.POLLIN | select.POLLOUT}


class OverlapConnection(psycopg.Connection[Any]):
    """As psycopg's. `meanwhile` (see `hub.ports.Meanwhile`), where set, gets its turns while an answer is awaited."""

    meanwhile: Callable[[], bool] | None = None

    def wait(self, gen: _Steps, *args: Any, **kwargs: Any) -> Any:
        """As psycopg's: runs the exchange `gen` to its end and gives its value."""
        if self.meanwhile is not None:
            gen = _overlapped(gen, self.pgconn.socket, self.meanwhile)
        return super().wait(gen, *args, **kwargs)


def _overlapped(gen: _Steps, fileno: int, work: Callable[[], bool]) -> _Steps:
    """`gen` with turns of `work` for as long as its socket is not ready; with nothing to do it waits as ever."""
    poll = select.poll()
    try:
        waits_for = next(gen)
        while True:
            poll.register(fileno, _EVENTS[waits_for])
            while not (found := poll.poll(0)) and work():
                pass
            waits_for = gen.send(_ready(found[0][1], waits_for) if found else (yield waits_for))
    except StopIteration as end:
        return end.value


def _ready(events: int, waits_for: Wait) -> Ready:
    """What can be done now. An error of the socket is "ready": reading or writing then says what it is."""
    ready = 0
    if events & ~select.POLLOUT:
        ready |= Ready.R
    if events & ~select.POLLIN:
        ready |= Ready.W
    return Ready(ready & waits_for) if ready & waits_for else Ready(int(waits_for))
