"""Each test of a lane runs on both brokers."""

from __future__ import annotations

import pytest

from tests.fixtures.brokers import Broker


@pytest.fixture(params=["embedded_broker", pytest.param("mosquitto_broker", marks=pytest.mark.mosquitto)])
def broker(request: pytest.FixtureRequest) -> Broker:
    """The embedded broker, then Mosquitto as a site runs it."""
    found: Broker = request.getfixturevalue(request.param)
    return found
