"""The live feed: what was committed reaches every open page. See `hub.feed.live` for the rules of its cursors."""

from __future__ import annotations

from hub.feed.dark import DarkBoard
from hub.feed.events import FeedEvent, everything, parse_cursor
from hub.feed.live import Feed
from hub.feed.subscription import Subscription

__all__ = ["DarkBoard", "Feed", "FeedEvent", "Subscription", "everything", "parse_cursor"]
