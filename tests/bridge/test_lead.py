"""The alarm lane's thread, and whoever asks for devices: a fault at a bad moment is got over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection, Mapping, Sequence

import pytest

from hub.bridge import SoleLead
from hub.bridge.client import LaneClient
from hub.bridge.intake import AlarmLane
from hub.bridge.register import Register
from hub.errors import UnavailableError
from hub.ports.records import DeviceRow
from tests.waiting import wait_until


def test_a_fault_at_the_beginning_of_a_term_does_not_end_the_lane() -> None:
    terms: list[int] = []

    def make() -> Sequence[LaneClient]:
        terms.append(len(terms))
        if len(terms) == 1:
            raise OSError("a certificate is being exchanged")
        return []

    lane = AlarmLane(make, SoleLead)
    lane.start()
    wait_until(lambda: len(terms) == 2, what="another term")
    assert lane.stop(10)


def test_whoever_queues_behind_a_question_that_failed_does_not_wait_for_another() -> None:
    asked: list[list[str]] = []
    waiting, go_on = threading.Event(), threading.Event()

    def find(ids: Collection[str]) -> Mapping[str, DeviceRow]:
        asked.append(sorted(ids))
        waiting.set()
        go_on.wait(20)
        raise UnavailableError("away")

    async def ask() -> None:
        register = Register(find, lambda _conflict: None)
        first = asyncio.create_task(register.find("A"))
        await asyncio.to_thread(waiting.wait, 20)
        later = [asyncio.create_task(register.find(name)) for name in ("B", "C")]
        await asyncio.sleep(0)
        go_on.set()
        for task in (first, *later):
            with pytest.raises(UnavailableError):
                await task

    asyncio.run(ask())
    assert asked == [["A"]]
