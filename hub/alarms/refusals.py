"""Why an action on an incident is refused. Each is one of the hub's errors, so the API words it as a problem
document.
"""

from __future__ import annotations

from hub.errors import ConflictError, ForbiddenError

__all__ = ["BulkRefused", "Conflict", "NotHolder", "SelfSupervision", "ShelfRefused"]


class Conflict(ConflictError):  # noqa: N818 - the name of the rule
    """Somebody else was first; `extra` says who (`by`) and when (`at`, RFC 3339)."""


class BulkRefused(ForbiddenError):  # noqa: N818 - the name of the rule
    """Only the lowest level may be claimed many at once: anything above it somebody must have looked at."""

    code = "bulk-refused"


class NotHolder(ForbiddenError):  # noqa: N818 - the name of the rule
    """Only whoever holds the incident, or a supervisor, may do this."""

    code = "not-holder"


class SelfSupervision(ForbiddenError):  # noqa: N818 - the name of the rule
    """Whoever resolved an incident cannot supervise it."""

    code = "self-supervision"


class ShelfRefused(ForbiddenError):  # noqa: N818 - the name of the rule
    """This incident may not be shelved by this person, or not for so long."""

    code = "shelf-refused"
