"""Folders that the account of an embedded server can reach: pytest's own are closed to it when it runs as root."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.embedded import EmbeddedPostgres

__all__ = ["made_folder", "one_cluster", "open_folder"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """An empty data directory."""
    folder = Path(tempfile.mkdtemp(prefix="care-hub-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def one_cluster() -> Iterator[Path]:
    """A data directory whose database was made and ended; only to be copied, because making one takes a while."""
    folder = Path(tempfile.mkdtemp(prefix="care-hub-"))
    server = EmbeddedPostgres(folder, durable=False)
    try:
        server.start()
        server.stop()
        yield folder
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def made_folder(one_cluster: Path, open_folder: Path) -> Path:
    """A data directory whose database was made before, and does not run."""
    copy_cluster(one_cluster, open_folder)
    return open_folder


def copy_cluster(source: Path, target: Path) -> None:
    """Owners and modes go with it."""
    subprocess.run(["cp", "-a", str(source / "postgres"), str(target / "postgres")], check=True)
