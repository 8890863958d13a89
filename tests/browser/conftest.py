"""The fixtures of the browser tests live with the others; here they take the place of pytest-playwright's own."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.fixtures.browser import browser, context, desk_hub, page

__all__ = ["browser", "context", "desk_hub", "page"]

expect.set_options(timeout=20_000)  # the most that is waited; a busy machine is no failure
