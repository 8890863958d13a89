"""Folders that the account of an embedded server can reach: pytest's own are closed to it when it runs as root."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

__all__ = ["open_folder"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="care-hub-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
