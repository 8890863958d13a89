"""Pages that listen to the live feed, for its tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from hub.clock import monotonic
from hub.feed import Feed, FeedEvent, Subscription, everything
from tests.feed.memory import Bell


def close(feed: Feed, bell: Bell) -> None:
    """Closes the feed without waiting for its next tick."""
    closing = threading.Thread(target=feed.close)
    closing.start()
    while closing.is_alive():
        bell.ring()
        closing.join(0.01)


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(cast(Any, test()), 30))


@asynccontextmanager
async def page(
    feed: Feed, after: str | None = None, accepts: Callable[[FeedEvent], bool] = everything
) -> AsyncIterator[Subscription]:
    subscription = await feed.subscribe(accepts, after=after)
    try:
        yield subscription
    finally:
        subscription.close()


async def collect(subscription: Subscription, until: Callable[[list[FeedEvent]], bool]) -> list[FeedEvent]:
    """Events until the condition holds; fails after ten seconds."""
    got: list[FeedEvent] = []
    deadline = monotonic() + 10
    while not until(got):
        assert monotonic() < deadline, f"only {[(event.name, event.ident) for event in got]}"
        got += await subscription.batch(0.2)
    return got


def seqs(events: list[FeedEvent]) -> list[int]:
    """Numbers of all timeline entries that were told, in the order of telling."""
    told: list[int] = []
    for event in events:
        if event.name.startswith("incident."):
            told += [row["seq"] for row in event.body.get("entries") or [event.body["entry"]]]
    return told
