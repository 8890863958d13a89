"""Single `hub` commands on a database of a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["HUB", "hub_command"]

HUB = Path(sys.executable).with_name("hub")


def hub_command(
    database_url: str, folder: Path, *arguments: str, stdin: str | None = None, **extra: str
) -> subprocess.CompletedProcess[str]:
    """`hub …` in `folder`; `extra` are further settings by their names."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    environment |= {"HUB_DATA_DIR": str(folder / "hub-data"), "HUB_DATABASE__URL": database_url, **extra}
    return subprocess.run(
        [str(HUB), *arguments],
        env=environment,
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
