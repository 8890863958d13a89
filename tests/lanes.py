"""`make test`'s tests in two lanes at the same time, each a pytest of its own with servers of its own.

    python -m tests.lanes [arguments for both]

Whole hubs, browsers and brokers that are killed mostly wait; the rest mostly computes. One after the other both would
take half as long again. The first lane says as it goes what it does, the second is shown when both have ended.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]

TESTS = Path(__file__).parent
WAITING = ("browser", "chaos", "e2e", "embedded", "operations")
"""Folders of the tests that start whole programs; every other folder is in the second lane."""


def lanes() -> dict[str, list[str]]:
    """Name of a lane to the folders in it; together all there are."""
    folders = sorted({file.parent for file in TESTS.rglob("test_*.py")})
    tops = sorted({folder.relative_to(TESTS).parts[0] for folder in folders})
    missing = set(WAITING) - set(tops)
    if missing:
        raise SystemExit(f"tests/lanes.py names folders that are not there: {', '.join(sorted(missing))}")
    return {
        "whole programs": [f"tests/{top}" for top in tops if top in WAITING],
        "rooms": [f"tests/{top}" for top in tops if top not in WAITING],
    }


def main(arguments: Sequence[str]) -> int:
    """Runs both; gives pytest's worse status."""
    began = time.monotonic()
    pytest = [sys.executable, "-m", "pytest", *arguments]
    programs, rooms = lanes().values()
    with tempfile.TemporaryFile() as said:
        beside = subprocess.Popen([*pytest, *rooms], cwd=TESTS.parent, stdout=said, stderr=said)
        first = subprocess.run([*pytest, *programs], cwd=TESTS.parent, check=False).returncode
        print(f"· whole programs: {time.monotonic() - began:.0f} s", flush=True)
        second = beside.wait()
        print(f"· rooms: {time.monotonic() - began:.0f} s", flush=True)
        said.seek(0)
        sys.stdout.buffer.write(said.read())
        sys.stdout.flush()
    return max(first, second)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
