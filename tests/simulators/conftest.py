"""A real broker for the simulators, started without the hub: they must stand on their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from iotcore import Broker

from tests.simulators.responder import EchoHub, free_port


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    """The address of an embedded broker that lives as long as the test session."""
    with Broker(port=free_port(), listen="127.0.0.1") as broker:
        yield f"mqtt://127.0.0.1:{broker.port}"


@pytest.fixture
def hub(broker_url: str) -> Iterator[EchoHub]:
    """A tiny hub that answers alarms once it is told to."""
    with EchoHub(broker_url) as echo:
        yield echo
