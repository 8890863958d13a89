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
    """The state and its alarms; safe from any thread. `announce` is `hub.ports.dark.Announce`.

    There may be several journals, each with a state and alarms of its own: this process's ("") and those of other
    processes of the hub, by a name. Pages see them as one.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._states: dict[str, DarkState] = {}
        self._number = 0
        self._shown: deque[tuple[str, FeedEvent]] = deque(maxlen=_SHOWN)
        self._tell: Callable[[Sequence[FeedEvent], bool], None] = lambda _events, _beat: None

    def on_news(self, tell: Callable[[Sequence[FeedEvent], bool], None]) -> None:
        """`tell` gets new events, and whether the state has changed so that pages should hear of it at once."""
        self._tell = tell

    def announce(self, state: DarkState | None, alarms: Sequence[Json], journal: str = "") -> None:
        """`journal`: whose state and alarms these are."""
        with self._guard:
            before = bool(self._states)
            events = [self._event(body) for body in alarms]
            if state is None:
                self._states.pop(journal, None)
                kept = [one for one in self._shown if one[0] != journal]
                self._shown.clear()
                self._shown.extend(kept)
            else:
                self._states[journal] = state
                self._shown.extend((journal, event) for event in events)
            turned = bool(self._states) != before
        self._tell(events, turned)

    @property
    def away(self) -> bool:
        """Whether the database is known to be away for this process; others may not reach it where this one does."""
        state = self._states.get("")
        return state is not None and not state.replaying

    def shown(self) -> list[FeedEvent]:
        """The provisional alarms so far, oldest first."""
        with self._guard:
            return [event for _, event in self._shown]

    def to_json(self) -> Json | None:
        """For the heartbeat: since when, alarms and uplinks in the journal, whether they are being taken over."""
        with self._guard:
            states = list(self._states.values())
        if not states:
            return None
        return {
            "since": min(state.since for state in states),
            "journalled": sum(state.alarms for state in states),
            "uplinks": sum(state.uplinks for state in states),
            "replaying": all(state.replaying for state in states),
            "error": next((state.error for state in states if state.error is not None), None),
        }

    def _event(self, body: Json) -> FeedEvent:
        """`number` lets a page that hears of an alarm twice know it."""
        self._number += 1
        return event_of("incident.provisional", {"number": self._number, **body})
