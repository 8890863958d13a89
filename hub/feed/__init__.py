"""The live feed: what was committed reaches every open page. See `hub.feed.live` for the rules of its cursors."""

from __future__ import annotations

from hub.feed.events import FeedEvent
from hub.feed.live import Feed, Subscription, everything, parse_cursor

__all__ = ["Feed", "FeedEvent", "Subscription", "everything", "parse_cursor"]
