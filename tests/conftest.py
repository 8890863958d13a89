"""Fixtures live in tests/fixtures, one module a part; they start real servers on free ports."""

from __future__ import annotations

import pytest

pytest_plugins: list[str] = [
    "tests.fixtures.brokers",
    "tests.fixtures.hub",
    "tests.fixtures.postgres",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Of tests/chaos."""
    parser.addoption("--chaos-seed", type=int, default=0, help="repeat a chaos run; each prints its seed")
    parser.addoption("--chaos-minutes", type=float, default=60.0, help="how long the long chaos test takes")
