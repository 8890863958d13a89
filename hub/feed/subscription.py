"""One open page's bounded queue of events: whoever cannot keep up is told to start again, and slows nobody."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from hub.feed.events import FeedEvent

__all__ = ["QUEUE", "QUEUE_BYTES", "Source", "Subscription"]

QUEUE = 1_000
QUEUE_BYTES = 8 * 1024 * 1024


class Source(Protocol):
    """The feed, as a subscription sees it."""

    def reset_event(self, reason: str) -> FeedEvent: ...

    def drop(self, subscription: Subscription) -> None: ...


class Subscription:
    """One open page. Everything but `close` belongs to the event loop it was made in."""

    def __init__(self, feed: Source, accepts: Callable[[FeedEvent], bool], after: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.ended = False
        self._feed = feed
        self._accepts = accepts
        self._after = after
        self._events: deque[FeedEvent] = deque()
        self._bytes = 0
        self._replaying = True
        self._lost = False
        self._news = asyncio.Event()

    async def batch(self, timeout_s: float) -> list[FeedEvent]:
        """What has come since the last call; waits up to `timeout_s` for something. Empty: nothing came, or `ended`."""
        if not self._events and not self.ended:
            self._news.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._news.wait()
            except TimeoutError:
                return []
        taken = list(self._events)
        self._events.clear()
        self._bytes = 0
        return taken

    def close(self) -> None:
        """No more events. Safe from any thread, and twice."""
        self._feed.drop(self)

    # -- called in the loop by the feed

    def offer(self, events: Iterable[FeedEvent]) -> None:
        """Takes events into the queue; on overflow the queue becomes one `reset`."""
        if self.ended:
            return
        for event in events:
            if event.seq is not None and event.last_seq <= self._after:
                continue
            if not self._accepts(event):
                continue
            taken = event.since(self._after) if event.first_seq <= self._after else event
            self._events.append(taken)
            self._bytes += len(taken.frame)
        if len(self._events) > QUEUE or self._bytes > QUEUE_BYTES:
            self._lost = True
            self.reset("overflow")
        if self._events and not self._replaying:
            self._news.set()

    def preload(self, events: Sequence[FeedEvent]) -> None:
        """What was missed, ahead of what came meanwhile."""
        if not self._lost:
            kept = [event for event in events if self._accepts(event)]
            self._events.extendleft(reversed(kept))
            self._bytes += sum(len(event.frame) for event in kept)
        self._replaying = False
        if self._events:
            self._news.set()

    def reset(self, reason: str) -> None:
        """Forgets the queue: the page must fetch a snapshot, and its old place (perhaps of another epoch) is void."""
        self._after = 0
        self._events.clear()
        self._bytes = 0
        self._events.append(self._feed.reset_event(reason))
        self._news.set()

    def end(self) -> None:
        self.ended = True
        self._news.set()

    def nudge(self) -> None:
        """`batch` returns now, with what there is."""
        self._news.set()
