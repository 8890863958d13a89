"""Silences, maintenance and test windows as they cross the floors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from hub.alarms.windows import AfterWindow, Silenced, Window

__all__ = ["HeldBack", "Recent", "WindowRow", "Windows"]

Recent = Mapping[tuple[str, str], Sequence[datetime]]
"""(device id, alarm type) -> when it came lately, stored records left out."""


class WindowRow(NamedTuple):
    """A window with what became of it. `ended_by` None: it ran out, or goes on."""

    window: Window
    planned_end: datetime
    set_at: datetime
    user_id: str | None
    ended_by: str | None
    end_reason: str | None
    settled_at: datetime | None
    version: int


class HeldBack(NamedTuple):
    """What a window held back of one device, resident and type, and what is known of it now."""

    silenced: Silenced
    known: AfterWindow


class Windows(Protocol):
    def in_force(self, now: datetime) -> tuple[Window, ...]:
        """Those in force, locked against being settled until the transaction ends."""

    def recent(self, pairs: Collection[tuple[str, str]], since: datetime) -> Recent:
        """When these alarms of these devices came since then."""

    def add(self, window: Window, user_id: str | None, at: datetime) -> None: ...

    def get(self, window_id: str, *, lock: bool = False) -> WindowRow | None: ...

    def end(self, window_id: str, at: datetime, by: str, reason: str) -> None:
        """Ends it now; one that has not begun never begins."""

    def over(self, now: datetime) -> WindowRow | None:
        """One that is over and not settled, locked (SKIP LOCKED); None where there is none."""

    def held_back(self, window_id: str) -> list[HeldBack]:
        """What it has held back, gathered."""

    def settle(self, window_id: str, at: datetime, silenced: int, raised: int) -> None: ...

    def look_again(self, window: Window, now: datetime) -> int:
        """Devices of its scope that fell silent meanwhile are looked at again now; gives how many."""

    def changes(self, device_id: str, since: datetime) -> list[datetime]:
        """When the device fell silent and came back since then."""
