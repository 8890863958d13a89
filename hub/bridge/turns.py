"""Several transactions of one line under way, and one thread at a time that computes.

Two threads of one interpreter that both compute hinder each other more than they help. Here the one whose turn it is
works until it waits for the database, then the other has its turn: the database is kept busy, and nobody is in the way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["InOrder", "Spare", "Turns"]


class Turns:
    """A lock that is had in the order in which it was asked for."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._drawn = 0
        self._called = 0

    def take(self) -> None:
        """Waits for the caller's turn."""
        with self._changed:
            number = self._drawn
            self._drawn += 1
            while self._called != number:
                self._changed.wait()

    def give(self) -> None:
        """Ends the caller's turn."""
        with self._changed:
            self._called += 1
            self._changed.notify_all()

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for the turn of whoever asks."""
        return self._drawn - self._called > 1

    @contextmanager
    def given(self) -> Iterator[None]:
        """The turn is somebody else's inside the block."""
        self.give()
        try:
            yield
        finally:
            self.take()


class Spare:
    """What a thread does whose transaction waits for the database (`hub.ports.Meanwhile`)."""

    def __init__(self, turns: Turns, work: Callable[[], bool]) -> None:
        self._turns = turns
        self._work = work

    def work(self) -> bool:
        """A small piece of the lane's other work; whoever waits for a turn goes first. False: nothing to do now."""
        if self._turns.wanted:
            self._turns.give()
            self._turns.take()
        return self._work()

    def rest(self) -> None:
        """Before waiting: others may compute."""
        self._turns.give()

    def resume(self) -> None:
        """After waiting."""
        self._turns.take()


class InOrder:
    """Numbers 0, 1, 2, …: each waits until all before it are done."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._drawn = 0
        self._next = 0
        self._done: set[int] = set()

    def draw(self) -> int:
        """The next number; it must be `done` one day, whatever becomes of it."""
        with self._changed:
            self._drawn += 1
            return self._drawn - 1

    def is_next(self, number: int) -> bool:
        """Whether all before it are done."""
        return self._next == number

    def wait(self, number: int) -> None:
        """Until all before it are done."""
        with self._changed:
            while self._next != number:
                self._changed.wait()

    def done(self, number: int) -> None:
        """Whether its turn had come or not."""
        with self._changed:
            self._done.add(number)
            while self._next in self._done:
                self._done.remove(self._next)
                self._next += 1
            self._changed.notify_all()
