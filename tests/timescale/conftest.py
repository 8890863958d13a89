"""PostgreSQL 17 with the real TimescaleDB extension, as WebAssembly in a process of its own.

What it cannot do: more than one connection at a time, background workers, COPY. So rows are inserted, jobs are run by
hand, and whoever connects closes before the next one does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.store import migrate

__all__ = ["running_timescale", "timescale_url"]

HERE = Path(__file__).parent


def _node() -> str:
    """On the machine, or installed beside the tests' Python."""
    beside = Path(sys.executable).parent
    found = shutil.which("node", path=os.pathsep.join([os.environ.get("PATH", ""), str(beside)]))
    if found is None:
        pytest.skip("no node on this machine: make test installs one")
    if not (HERE / "node_modules" / ".package-lock.json").exists():
        pytest.skip("TimescaleDB is not installed: npm ci in tests/timescale (make test does it)")
    return found


@contextmanager
def running_timescale() -> Iterator[str]:
    """`postgresql://…` of an empty database; one connection at a time. Skips where it is not installed."""
    server = subprocess.Popen(
        [_node(), str(HERE / "serve.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE, text=True
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        port = server.stdout.readline().strip()
        assert port.isdigit(), "the server did not start"
        yield f"postgresql://postgres:password@127.0.0.1:{port}/postgres?sslmode=disable"
    finally:
        server.stdin.close()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        server.stdout.close()


@pytest.fixture(scope="module")
def timescale_url() -> Iterator[str]:
    """With the whole schema; tests of a module share it."""
    with running_timescale() as url:
        migrate(url)
        yield url
