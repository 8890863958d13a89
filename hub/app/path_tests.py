"""The test of the alarm path, as this hub's settings want it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time

from prometheus_client import CollectorRegistry

from hub.bridge import PathProbe, bridge_options
from hub.clock import utc_now
from hub.embedded import EmbeddedServices
from hub.jobs import PathTestsJob
from hub.service import Services
from hub.settings import Settings

__all__ = ["path_tests_job"]

_NOWHERE = "mqtt://127.0.0.1:1"
"""A process with jobs alone may know no broker; what it is asked to test then fails, and says so."""


def path_tests_job(
    services: Services,
    settings: Settings,
    embedded: EmbeddedServices,
    feed_seq: Callable[[], int | None],
    registry: CollectorRegistry,
) -> PathTestsJob:
    """The job, not started. A site's broker is tested by itself only where the device has a password there."""
    asked = settings.path_test
    own = "broker" in embedded.embedded
    known = own or settings.mqtt.url is not None
    password = asked.password.get_secret_value() if asked.password is not None else None
    daily = time.fromisoformat(asked.daily_at) if asked.daily_at != "never" else None
    options = bridge_options(settings, embedded.mqtt_url if known else _NOWHERE)
    return PathTestsJob(
        services.path_tests,
        PathProbe(options.broker, utc_now, password),
        daily_at=daily if own or password is not None else None,
        within_s=asked.within_seconds,
        shown=feed_seq,
        registry=registry,
    )
