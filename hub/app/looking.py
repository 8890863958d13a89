"""A running hub as monitoring sees it: one place that knows which parts this process has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hub.bridge import BridgeState
from hub.ports.dark import DarkState
from hub.store import Measured, Measures

if TYPE_CHECKING:
    from hub.app.compose import Hub

__all__ = ["HubLook"]

_PROBED_S = 1.0
"""A probe wants to know how it is now; a scrape is content with five seconds."""


class HubLook:
    """What `hub.app.metrics` and `hub.app.readiness` look at."""

    def __init__(self, hub: Hub, measures: Measures) -> None:
        self._hub = hub
        self._measures = measures
        self.embedded: frozenset[str] = hub.embedded.embedded
        self.data_dir: Path = hub.settings.data_dir

    def measured(self) -> Measured:
        return self._measures.look(_PROBED_S)

    def bridge_state(self) -> BridgeState | None:
        return self._hub.bridge.state() if self._hub.bridge else None

    def sheltering(self) -> DarkState | None:
        return self._hub.shelter.state() if self._hub.shelter else None

    def line_trouble(self) -> str | None:
        return self._hub.line.trouble if self._hub.line else None

    def feed_dark(self) -> bool | None:
        return self._hub.feed.dark if self._hub.feed else None

    def feed_seq(self) -> int | None:
        cursor = self._hub.feed.cursor if self._hub.feed else None
        return None if cursor is None else cursor.seq

    def jobs_last_run_at(self) -> datetime | None:
        return self._hub.jobs.last_run_at if self._hub.jobs else None

    def pool(self) -> Mapping[str, int]:
        return self._hub.database.pool()

    def runs(self, part: str) -> bool:
        return part in self._hub.parts
