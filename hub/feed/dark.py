"""What open consoles hear while the database is away: that it is, and which alarms came. Nothing here reads it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from hub.feed.events import FeedEvent, event_of
from hub.ports import Json
from hub.ports.dark import DarkState

__all__ = ["DarkBoard"]

_SHOWN = 500
"""Provisional alarms a page that opens meanwhile is shown; the count says how many there are."""


class DarkBoard:
    """The state and its alarms; safe from any thread. `announce` is `hub.ports.dark.Announce`."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._state: DarkState | None = None
        self._number = 0
        self._shown: deque[FeedEvent] = deque(maxlen=_SHOWN)
        self._tell: Callable[[Sequence[FeedEvent], bool], None] = lambda _events, _beat: None

    def on_news(self, tell: Callable[[Sequence[FeedEvent], bool], None]) -> None:
        """`tell` gets new events, and whether the state has changed so that pages should hear of it at once."""
        self._tell = tell

    def announce(self, state: DarkState | None, alarms: Sequence[Json]) -> None:
        with self._guard:
            turned = (state is None) != (self._state is None)
            self._state = state
            events = [self._event(body) for body in alarms]
            if state is None:
                self._shown.clear()
            self._shown.extend(events)
        self._tell(events, turned)

    @property
    def away(self) -> bool:
        """Whether the database is known to be away."""
        state = self._state
        return state is not None and not state.replaying

    def shown(self) -> list[FeedEvent]:
        """The provisional alarms so far, oldest first."""
        with self._guard:
            return list(self._shown)

    def to_json(self) -> Json | None:
        """For the heartbeat: since when, alarms and uplinks in the journal, whether they are being taken over."""
        state = self._state
        if state is None:
            return None
        return {
            "since": state.since,
            "journalled": state.alarms,
            "uplinks": state.uplinks,
            "replaying": state.replaying,
            "error": state.error,
        }

    def _event(self, body: Json) -> FeedEvent:
        """`number` lets a page that hears of an alarm twice know it."""
        self._number += 1
        return event_of("incident.provisional", {"number": self._number, **body})
