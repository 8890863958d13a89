"""Errors every floor may raise. Each says what is wrong and where, in one line a person can act on."""

from __future__ import annotations

__all__ = [
    "BadRequestError",
    "ConflictError",
    "ForbiddenError",
    "HubError",
    "NotFoundError",
    "RaceLostError",
    "SettingError",
    "UnavailableError",
]


class HubError(Exception):
    """Base of the hub's own errors.

    `code` is a stable, machine-readable word (it becomes the problem document's `type`), `detail` the sentence for a
    person, `extra` further members of the problem document (who was first, and when). `extra["said_zh"]` and
    `extra["said_en"]` are `detail` in that language where it has parts in both; else `hub.wording` has the Chinese.
    """

    code = "error"
    status = 500

    def __init__(self, detail: str, *, code: str | None = None, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra
        if code is not None:
            self.code = code


class BadRequestError(HubError):
    """The request's words are wrong; `extra["field"]` names the place where known."""

    code = "bad-request"
    status = 422


class NotFoundError(HubError):
    """There is no such thing, or this person may not know of it."""

    code = "not-found"
    status = 404


class ForbiddenError(HubError):
    """Signed in, but not allowed."""

    code = "forbidden"
    status = 403


class ConflictError(HubError):
    """The state rules do not allow it any more; `extra` says who was first and when."""

    code = "conflict"
    status = 409


class RaceLostError(HubError):
    """Another transaction opened an incident for one of the subjects meanwhile; the whole transaction is done again."""

    code = "race-lost"
    status = 503


class UnavailableError(HubError):
    """A part the action needs (database, broker) is away; try again, nothing was done."""

    code = "unavailable"
    status = 503


class SettingError(HubError):
    """A setting is wrong; the message names it. The start stops."""

    code = "setting"
