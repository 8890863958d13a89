"""The API for the tests of this folder. Most tests share one desk and bring their own incident; some need it empty."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from hub.embedded import EmbeddedPostgres
from tests.api.desk import Desk, open_desk


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """A desk of its own, with an empty queue."""
    with open_desk(database_url) as desk:
        yield desk


@pytest.fixture(scope="module")
def shared(postgres_server: EmbeddedPostgres, template_database: str, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """One desk for the tests of a module that do not mind one another; it counts no failed attempts."""
    name = f"api_{request.module.__name__.rpartition('.')[2]}"
    with psycopg.connect(postgres_server.admin_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER hub TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template_database)
            )
        )
        url = urlunsplit(urlsplit(postgres_server.url)._replace(path=f"/{name}"))
        try:
            with open_desk(url, throttle=()) as desk:
                yield desk
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
