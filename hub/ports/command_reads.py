"""Commands to devices, as pages and programs read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hub.ports.records import Json

if TYPE_CHECKING:
    from hub.ports.reads import Page

__all__ = ["CommandReads"]


class CommandReads(Protocol):
    def commands(self, device_id: str, limit: int, cursor: str | None) -> Page:
        """What a device was told, the newest first."""

    def command(self, device_id: str, command_id: str) -> Json | None: ...
