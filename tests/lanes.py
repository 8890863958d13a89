"""`make test`'s tests in three lanes at the same time, each a pytest of its own with servers of its own.

    python -m tests.lanes [arguments for all]

Whole hubs, browsers and brokers that are killed mostly wait; the rest mostly computes. One after the other they would
take twice as long. The first lane says as it goes what it does, the others are shown when all have ended.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

__all__ = ["main"]

TESTS = Path(__file__).parent
LANES: Mapping[str, tuple[str, ...]] = {
    "pages": ("bridge", "browser", "embedded", "operations"),
    "whole hubs": ("chaos", "e2e", "planning", "timescale"),
}
"""Folders by lane; every other folder is in a lane of its own, "rooms", which takes about as long."""


def lanes() -> dict[str, list[str]]:
    """Name of a lane to the folders in it; together all there are."""
    folders = sorted({file.parent for file in TESTS.rglob("test_*.py")})
    tops = sorted({folder.relative_to(TESTS).parts[0] for folder in folders})
    named = {top for several in LANES.values() for top in several}
    if missing := named - set(tops):
        raise SystemExit(f"tests/lanes.py names folders that are not there: {', '.join(sorted(missing))}")
    found = {name: [f"tests/{top}" for top in several] for name, several in LANES.items()}
    return {"rooms": [f"tests/{top}" for top in tops if top not in named], **found}


def main(arguments: Sequence[str]) -> int:
    """Runs all; gives pytest's worst status."""
    began = time.monotonic()
    pytest = [sys.executable, "-m", "pytest", *arguments]
    first, *others = lanes().items()
    with ExitStack() as stack:
        said: dict[str, IO[bytes]] = {}
        running: dict[str, subprocess.Popen[bytes]] = {}
        for name, folders in others:
            said[name] = stack.enter_context(tempfile.TemporaryFile())
            running[name] = subprocess.Popen(
                [*pytest, *folders], cwd=TESTS.parent, stdout=said[name], stderr=said[name]
            )
        worst = subprocess.run([*pytest, *first[1]], cwd=TESTS.parent, check=False).returncode
        print(f"· {first[0]}: {time.monotonic() - began:.0f} s", flush=True)
        for name, lane in running.items():
            worst = max(worst, lane.wait())
            print(f"· {name}: ended by {time.monotonic() - began:.0f} s", flush=True)
            said[name].seek(0)
            sys.stdout.buffer.write(said[name].read())
            sys.stdout.flush()
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
