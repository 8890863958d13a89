"""Protocols between the floors. Use cases speak to these; hub.app plugs the concrete parts in."""

from __future__ import annotations

from hub.ports import database, integrations, reads, records
from hub.ports.database import *  # noqa: F403
from hub.ports.integrations import *  # noqa: F403
from hub.ports.reads import *  # noqa: F403
from hub.ports.records import *  # noqa: F403

__all__: list[str] = []
__all__ += database.__all__
__all__ += integrations.__all__
__all__ += reads.__all__
__all__ += records.__all__
