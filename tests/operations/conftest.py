"""A hub under load for the tests of its operation: the parts of the chaos tests, without the chaos."""

from __future__ import annotations

from tests.chaos.conftest import fleet, hub, postgres, roster

__all__ = ["fleet", "hub", "postgres", "roster"]
