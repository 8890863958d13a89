"""What wakes the lane's thread: never lost, whenever it comes."""

from __future__ import annotations

import select
import socket
import threading
from collections import deque
from typing import cast

from hub.bridge.waker import Waker


def _is_awake(waker: Waker, timeout_s: float = 0.0) -> bool:
    return bool(select.select([waker.fd], [], [], timeout_s)[0])


def test_it_is_awake_until_it_rests() -> None:
    waker = Waker()
    assert not _is_awake(waker)
    waker.wake()
    waker.wake()
    assert _is_awake(waker)
    waker.rest()
    assert not _is_awake(waker)
    waker.rest()
    waker.wake()
    assert _is_awake(waker)
    waker.close()
    waker.close()
    waker.wake()


class _Interrupted:
    """A socket whose reader is interrupted by another thread's wake, before it reads or after it."""

    def __init__(self, real: socket.socket, waker: Waker, first: bool) -> None:
        self._real = real
        self._waker = waker
        self._first = first

    def recv(self, size: int) -> bytes:
        if self._first:
            self._waker.wake()
        read = self._real.recv(size)
        if not self._first:
            self._waker.wake()
        return read

    def close(self) -> None:
        self._real.close()


def test_a_wake_amid_the_rest_does_not_silence_later_ones() -> None:
    for first in (True, False):
        waker = Waker()
        waker.wake()
        real = waker._read
        waker._read = cast(socket.socket, _Interrupted(real, waker, first))
        waker.rest()
        waker._read = real
        waker.wake()
        assert _is_awake(waker), f"first: {first}"
        waker.close()


def test_whatever_is_put_in_is_found() -> None:
    waker, line, wanted = Waker(), deque[int](), 20_000

    def put() -> None:
        for number in range(wanted):
            line.append(number)
            waker.wake()

    writers = [threading.Thread(target=put) for _ in range(3)]
    for writer in writers:
        writer.start()
    found = 0
    while found < wanted * len(writers):
        assert _is_awake(waker, 20.0), "what was put in last is not found"
        waker.rest()
        while line:
            line.popleft()
            found += 1
    for writer in writers:
        writer.join()
    waker.close()
