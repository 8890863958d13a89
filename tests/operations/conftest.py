"""A filled database, and a hub under load: the parts of the chaos tests, without the chaos."""

from __future__ import annotations

from tests.chaos.conftest import fleet, hub, postgres, roster
from tests.operations.kept import fresh_url, loaded

__all__ = ["fleet", "fresh_url", "hub", "loaded", "postgres", "roster"]
