"""HTTP: the API under /api/v1, sessions, roles, the stream."""

from __future__ import annotations

from hub.api.app import create_api
from hub.api.passwords import hash_password, verify_password
from hub.api.server import ApiServer, create_server
from hub.api.status import create_status

__all__ = ["ApiServer", "create_api", "create_server", "create_status", "hash_password", "verify_password"]
