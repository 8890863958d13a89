"""Hubs that many tests share: most of what is shown here needs a running hub, not a fresh one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.embedded import EmbeddedPostgres
from tests.fixtures.brokers import running_embedded, running_mosquitto
from tests.fixtures.hub import RunningHub, hubs_on
from tests.fixtures.postgres import fresh_database

RESIDENTS = 200
"""Enough of the sample community for every story, and quickly loaded."""


@pytest.fixture(scope="module", params=["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def hub(
    request: pytest.FixtureRequest,
    postgres_server: EmbeddedPostgres,
    template_database: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningHub]:
    """A running hub with the sample community, on either broker."""
    with (
        running_embedded() if request.param == "embedded" else running_mosquitto() as broker,
        fresh_database(postgres_server, template_database) as url,
        hubs_on(url, tmp_path_factory.mktemp("hub")) as make,
    ):
        yield make(broker, residents=RESIDENTS)


@pytest.fixture(scope="session")
def watch_hub(
    postgres_server: EmbeddedPostgres, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHub]:
    """A running hub on the embedded broker, for the TCP port and the commands."""
    with (
        running_embedded() as broker,
        fresh_database(postgres_server, template_database) as url,
        hubs_on(url, tmp_path_factory.mktemp("hub")) as make,
    ):
        yield make(broker, residents=RESIDENTS)
