"""Whole lists, read as a client reads them: page by page."""

from __future__ import annotations

from collections.abc import Callable

from hub.ports import Page

__all__ = ["all_pages"]


def all_pages(fetch: Callable[[int, str | None], Page], limit: int) -> list[str]:
    """The ids of a whole list, page by page; fails where a page is too long or the paging has no end."""
    ids: list[str] = []
    cursor: str | None = None
    for _ in range(200):
        page = fetch(limit, cursor)
        assert len(page.items) <= limit
        ids += [str(item.get("id", item.get("seq"))) for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return ids
    raise AssertionError("paging has no end")
