"""JSON answers. Views come ready from the store, so they are encoded as they are, without a second validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import Response

from hub.ports import Json, Page

__all__ = ["JsonAnswer", "encode", "one", "page_body", "plain"]

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """Compact UTF-8 JSON; times as RFC 3339 with offset."""
    return _ENCODER.encode(value)


def plain(value: Any) -> Any:
    """The same value made of JSON's own types only (times as text), to be stored."""
    return msgspec.json.decode(_ENCODER.encode(value))


class JsonAnswer(Response):
    """A JSON body that is already the answer."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return _ENCODER.encode(content)


def one(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> JsonAnswer:
    """One thing; its `version` becomes the ETag that `If-Match` takes."""
    sent = dict(headers or {})
    version = body.get("version")
    if isinstance(version, int):
        sent["ETag"] = f'"{version}"'
    return JsonAnswer(body, status_code=status, headers=sent)


def page_body(page: Page, **more: Any) -> Json:
    """One page of a list as the contract writes it."""
    return {"items": page.items, "next": page.next_cursor, **more}
