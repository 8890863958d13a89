"""The fixtures of the browser tests live with the others; here they take the place of pytest-playwright's own."""

from __future__ import annotations

from tests.fixtures.browser import base_url, browser_context_args, browser_type_launch_args, desk_hub

__all__ = ["base_url", "browser_context_args", "browser_type_launch_args", "desk_hub"]
