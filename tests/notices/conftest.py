"""The night of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from zoneinfo import ZoneInfo

import pytest

from hub.notices.pacing import QuietHours
from tests.notices.night import Night, open_night


@pytest.fixture
def night(database_url: str) -> Iterator[Night]:
    quiet = QuietHours(time(21, 30), time(7, 0), ZoneInfo("Asia/Shanghai"))
    yield from open_night(database_url, quiet)
