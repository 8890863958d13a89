"""The database and the broker that a hub brings along where none is configured."""

from __future__ import annotations

from hub.embedded.broker import EmbeddedBroker
from hub.embedded.lock import DataDirectoryLock, DirectoryTakenError
from hub.embedded.postgres import EmbeddedPostgres
from hub.embedded.services import EmbeddedServices, Part, embedded_database

__all__ = [
    "DataDirectoryLock",
    "DirectoryTakenError",
    "EmbeddedBroker",
    "EmbeddedPostgres",
    "EmbeddedServices",
    "Part",
    "embedded_database",
]
