"""Fixtures live in tests/fixtures, one module a part; they start real servers on free ports."""

from __future__ import annotations

pytest_plugins: list[str] = [
    "tests.fixtures.brokers",
    "tests.fixtures.hub",
    "tests.fixtures.postgres",
]
