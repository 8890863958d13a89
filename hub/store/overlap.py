"""A connection whose thread does other work while the server does ours, or that waits for an answer only so long.

Two threads of one interpreter hinder each other where both have work to do; one thread that fills its own waiting time
does not. psycopg drives every exchange as a generator that says what it waits for; before the wait the work has turns.

A server that is stopped, or a network that swallows everything, gives no error: to the other side it looks like a long
wait. Where somebody's alarm waits, silence is taken for absence after a while.
"""

from __future__ import annotations

import select
from collections.abc import Generator
from typing import Any

import psycopg
from psycopg.waiting import Ready, Wait

from hub.clock import monotonic
from hub.ports.records import Meanwhile

__all__ = ["Ending", "NoAnswerError", "OverlapConnection"]

_Steps = Generator[Any, Any, Any]
_EVENTS = {Wait.R: select.POLLIN, Wait.W: select.POLLOUT, Wait.RW: select.POLLIN | select.POLLOUT}


class NoAnswerError(psycopg.OperationalError):
    """The server was silent for too long. Whether it did what it was asked is not known; the connection is closed."""


class Ending:
    """Shared by connections: once it has come, nobody waits for an answer any more. `at`: monotonic seconds."""

    at = float("inf")


class OverlapConnection(psycopg.Connection[Any]):
    """As psycopg's. `meanwhile` (see `hub.ports.Meanwhile`), where set, gets its turns while an answer is awaited.

    `answer_within` (s), where set, bounds each exchange: after it the connection is closed and NoAnswerError raised;
    so does `ending`.
    """

    meanwhile: Meanwhile | None = None
    answer_within: float | None = None
    ending: Ending | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept: set[bytes] = set()
        """Digests of content that was stored by this connection and is never taken away (policies, copies of plans)."""

    def wait(self, gen: _Steps, *args: Any, **kwargs: Any) -> Any:
        """As psycopg's: runs the exchange `gen` to its end and gives its value."""
        if self.meanwhile is not None:
            gen = _overlapped(gen, self.pgconn.socket, self.meanwhile)
        if self.answer_within is None and self.ending is None:
            return super().wait(gen, *args, **kwargs)
        within = float("inf") if self.answer_within is None else self.answer_within
        try:
            return super().wait(_bounded(gen, within, self.ending or Ending()), *args, **kwargs)
        except NoAnswerError:
            self.close()
            raise


def _bounded(gen: _Steps, seconds: float, ending: Ending) -> _Steps:
    """`gen`, given up once nothing has been ready for so long. psycopg looks in ten times a second."""
    until = monotonic() + seconds
    try:
        waits_for = next(gen)
        while True:
            ready = yield waits_for
            if not ready and (now := monotonic()) >= min(until, ending.at):
                raise NoAnswerError(f"no answer within {seconds:g} s" if now >= until else "the hub stops")
            waits_for = gen.send(ready)
    except StopIteration as end:
        return end.value


def _overlapped(gen: _Steps, fileno: int, meanwhile: Meanwhile) -> _Steps:
    """`gen` with turns of other work for as long as its socket is not ready; with nothing to do it waits as ever."""
    poll = select.poll()
    try:
        waits_for = next(gen)
        while True:
            poll.register(fileno, _EVENTS[waits_for])
            while not (found := poll.poll(0)) and meanwhile.work():
                pass
            if found:
                ready = _ready(found[0][1], waits_for)
            else:
                meanwhile.rest()
                try:
                    ready = yield waits_for
                finally:
                    meanwhile.resume()
            waits_for = gen.send(ready)
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
