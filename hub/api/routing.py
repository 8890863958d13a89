"""What every router shares."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator

from hub.api.fields import no_controls
from hub.errors import NotFoundError

__all__ = ["API", "Cursor", "Filter", "Limit", "RecordId", "Uid", "api_router"]

API = "/api/v1"
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def api_router(tag: str) -> APIRouter:
    """A router whose paths are written in full: the table of roles finds a route by its path."""
    return APIRouter(prefix=API, tags=[tag])


def _uuid(text: str) -> str:
    if _UUID.fullmatch(text) is None:
        # Nothing has such an id, so there is nothing: no other error than for an id that is well made and unknown.
        raise NotFoundError("there is nothing with this id")
    return text.lower()


def _known_characters(text: str) -> str:
    try:
        return no_controls(text)
    except ValueError:
        raise NotFoundError("there is nothing with this id") from None


Uid = Annotated[str, Path(max_length=64, description="Opaque id"), AfterValidator(_uuid)]
RecordId = Annotated[str, Path(max_length=64, description="Opaque id"), AfterValidator(_known_characters)]
Limit = Annotated[int, Query(ge=1, le=500, description="At most so many items")]
Cursor = Annotated[
    str | None, Query(max_length=500, description="`next` of the page before"), AfterValidator(lambda v: _clean(v))
]
Filter = Annotated[str | None, Query(max_length=120), AfterValidator(lambda v: _clean(v))]


def _clean(text: str | None) -> Any:
    return None if text is None or text == "" else no_controls(text)
