"""A live feed on a timeline in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from hub.feed import Feed
from hub.ports import Reads
from tests.feed.memory import NOW, Bell, MemoryTimeline
from tests.feed.pages import close


@pytest.fixture
def timeline() -> MemoryTimeline:
    return MemoryTimeline(Bell(), seq=10)


@pytest.fixture
def feed(timeline: MemoryTimeline) -> Iterator[Feed]:
    feed = Feed(cast(Reads, timeline), timeline.bell.wait, lambda: NOW)
    feed.start()
    assert feed.wait_ready(5)
    yield feed
    close(feed, timeline.bell)
