"""The API for the tests of this folder: one desk a test module, since most tests bring their own incident."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.desk import Desk, open_desk


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """A desk of its own."""
    with open_desk(database_url) as desk:
        yield desk
