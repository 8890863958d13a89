"""Open files: every connection is one, and the usual limit of 1,024 ends long before the memory does."""

from __future__ import annotations

import logging
import resource

__all__ = ["make_room"]

_OTHERS = 512
"""What the hub needs beside its devices' connections: database, broker, consoles, logs."""

_log = logging.getLogger(__name__)


def make_room(connections: int) -> int:
    """Raises the process's limit as far as `connections` want it; gives how many connections there is room for.

    Where the system's own limit is lower, that is said in one line, with what to change.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHERS
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    room = max(0, raised - _OTHERS)
    if room < connections:
        _log.warning(
            "HUB_TCP__MAX_CONNECTIONS: the system allows %d open files, which is room for %d devices, not %d; "
            "raise the limit (LimitNOFILE in the systemd unit, `ulimit -Hn`) or lower the setting",
            raised,
            room,
            connections,
        )
    return room
