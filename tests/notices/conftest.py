"""The night of these tests: one database for all, emptied of what happened before each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from zoneinfo import ZoneInfo

import psycopg
import pytest

from hub.embedded import EmbeddedPostgres
from hub.notices.pacing import QuietHours
from tests.fixtures.postgres import fresh_database
from tests.notices.night import Night, open_night


@pytest.fixture(scope="session")
def long_night(postgres_server: EmbeddedPostgres, template_database: str) -> Iterator[Night]:
    quiet = QuietHours(time(21, 30), time(7, 0), ZoneInfo("Asia/Shanghai"))
    with fresh_database(postgres_server, template_database) as url:
        yield from open_night(url, quiet)


@pytest.fixture
def night(long_night: Night) -> Night:
    with psycopg.connect(long_night.url, autocommit=True) as connection:
        connection.execute(
            "TRUNCATE notices, notice_tries, notice_tokens, webhooks, push_subscriptions, calls, assignments, alarms, "
            "incidents, due, outbox CASCADE"
        )
    long_night.begin()
    return long_night
