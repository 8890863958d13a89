"""The planner's tests share its machine code with the command: compiled once a version of the sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.planning.kernels import keep_machine_code

keep_machine_code()

DATA = Path(__file__).parents[3] / "shared" / "data"


def instance(folder: str, name: str) -> Path:
    """A public instance; the test is skipped, and says so, where it is absent."""
    path = DATA / folder / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path
