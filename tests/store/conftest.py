"""A database object on a fresh copy of the schema."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.store import PostgresDatabase, ReadsPostgres


@pytest.fixture
def database(database_url: str) -> Iterator[PostgresDatabase]:
    with PostgresDatabase(database_url, min_size=0, max_size=6) as found:
        yield found


@pytest.fixture
def reads(database: PostgresDatabase) -> ReadsPostgres:
    return ReadsPostgres(database)
