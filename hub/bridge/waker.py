"""Something to poll beside a socket: any thread can wake the one that waits."""

from __future__ import annotations

import socket
from contextlib import suppress

__all__ = ["Waker"]


class Waker:
    """One sleeper, any number of wakers. `fd` is readable once somebody woke it, until `rest`."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._awake = False
        self.fd = self._read.fileno()

    def wake(self) -> None:
        """Never waits; does nothing after `close`."""
        if self._awake:
            return
        self._awake = True
        with suppress(OSError):  # full: it is awake anyway; closed: it has ended
            self._write.send(b"w")

    def rest(self) -> None:
        """Call it before looking for what there is to do: what is put in afterwards wakes again."""
        # Emptied first. The other way round a wake in between is swallowed with the rest, and leaves a sleeper that is
        # taken for awake: nobody would wake it again.
        with suppress(BlockingIOError):
            self._read.recv(4096)
        self._awake = False

    def close(self) -> None:
        """Safe to call twice."""
        self._read.close()
        self._write.close()
