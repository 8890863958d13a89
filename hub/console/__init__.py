"""The web pages: operator console at `/`, phone page at `/m/`. `make web` builds them from `web` into `dist`."""

from __future__ import annotations

from hub.console.pages import mount_console

__all__ = ["mount_console"]
