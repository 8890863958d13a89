"""The database and the broker that a hub brings along where none is configured."""

from __future__ import annotations

from hub.embedded.postgres import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
